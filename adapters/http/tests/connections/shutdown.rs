//! A server that is told to stop answers what it was asked, and nothing more.

use hyper::http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::cancellation::Watched;
use crate::http2::{Client, get};
use crate::server::{patient, refusing, soon, start};

#[tokio::test]
async fn requests_under_way_are_answered_over_both_versions() {
    let watched = Watched::default();
    let server = start(watched.endpoint(), None, patient()).await;
    let mut http1 = TcpStream::connect(server.address).await.unwrap();
    http1.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    watched.begins().await;
    let mut http2 = Client::connect(server.address).await;
    let asked = tokio::spawn(http2.requests.send_request(get("http://h/")));
    watched.begins().await;

    server.stop.cancel();
    tokio::task::yield_now().await;
    assert!(!server.running.is_finished());
    watched.release();

    let mut answer = String::new();
    soon(http1.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"), "{answer}");
    assert_eq!(soon(asked).await.unwrap().unwrap().status(), StatusCode::OK);
    soon(http2.connection).await.unwrap().unwrap();
    soon(server.running).await.unwrap();
}

#[tokio::test]
async fn connections_without_a_request_do_not_hold_up_the_end() {
    let server = start(refusing(), None, patient()).await;
    let _silent = TcpStream::connect(server.address).await.unwrap();
    let mut beginning = TcpStream::connect(server.address).await.unwrap();
    beginning.write_all(b"PRI * HTTP").await.unwrap();
    let mut http2 = Client::connect(server.address).await;
    http2.ask(get("http://h/")).await;
    server.stop.cancel();
    soon(server.running).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_full_ends_all_the_same() {
    let watched = Watched::default();
    let limits = mcp_oauth_http::ServerLimits { connections: 1, ..patient() };
    let server = start(watched.endpoint(), None, limits).await;
    let mut only = TcpStream::connect(server.address).await.unwrap();
    only.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    watched.begins().await;
    let _waiting = TcpStream::connect(server.address).await.unwrap();
    server.stop.cancel();
    watched.release();
    soon(server.running).await.unwrap();
}
