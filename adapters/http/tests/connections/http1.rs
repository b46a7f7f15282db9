//! HTTP/1.1 on a connection.

use std::time::Duration;

use mcp_oauth_http::ServerLimits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::{Server, echoing, endless, left, patient, refusing, soon, start};

async fn refusing_server(header_timeout: Duration) -> Server {
    start(refusing(), None, ServerLimits { header_timeout, ..patient() }).await
}

async fn patient_server() -> Server {
    start(refusing(), None, patient()).await
}

/// Sends a head and reads until the answer is complete, whose body is "no".
async fn ask(stream: &mut TcpStream, head: &str) -> String {
    stream.write_all(head.as_bytes()).await.unwrap();
    read_answer(stream).await
}

async fn read_answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\nno") && !answer.ends_with(b"}") {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "closed without an answer");
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn co_04_a_connection_that_says_nothing_is_closed() {
    let server = refusing_server(Duration::from_millis(50)).await;
    for beginning in ["", "G", "PRI * HT", "GET / HTTP/1.1\r\nHost: h\r\n"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(beginning.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        soon(stream.read_to_end(&mut rest)).await.unwrap();
    }
}

#[tokio::test]
async fn co_04_a_connection_that_says_nothing_more_is_closed() {
    let server = refusing_server(Duration::from_millis(50)).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let answer = ask(&mut stream, "GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert_eq!(soon(stream.read(&mut [0])).await.unwrap(), 0);
}

#[tokio::test]
async fn a_refusal_leaves_a_connection_whose_body_comes_late_usable() {
    let server = patient_server().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    // The answer is out before the body, or after: the next request has to work either way.
    tokio::task::yield_now().await;
    stream.write_all(b"body").await.unwrap();
    assert!(read_answer(&mut stream).await.starts_with("HTTP/1.1 401"));
    let again = ask(&mut stream, "GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(again.starts_with("HTTP/1.1 401"));
}

#[tokio::test]
async fn a_refusal_of_a_large_body_announces_the_end_of_the_connection() {
    let server = patient_server().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&[b'x'; 300 * 1024]).await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn a_request_names_exactly_one_host() {
    let server = patient_server().await;
    for head in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        assert!(ask(&mut stream, head).await.starts_with("HTTP/1.1 400"), "{head}");
    }
}

#[tokio::test]
async fn co_03_the_other_end_of_the_connection_reaches_the_request() {
    let server = start(echoing(), None, patient()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let peer = stream.local_addr().unwrap();
    let answer = ask(&mut stream, "GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(answer.contains(&format!("x-peer: {peer}\r\n")), "{answer}");
}

#[tokio::test]
async fn co_04_a_head_that_is_too_large_to_read_is_refused_on_the_connection() {
    let server = patient_server().await;
    let many = "x-a: b\r\n".repeat(100);
    let large = format!("x-a: {}\r\n", "b".repeat(200 * 1024));
    for headers in [many, large] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let head = format!("GET / HTTP/1.1\r\nHost: h\r\n{headers}\r\n");
        // The server may stop reading before all of it is written.
        let _ = stream.write_all(head.as_bytes()).await;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 431");
    }
}

#[tokio::test]
async fn co_04_a_client_that_does_not_read_its_answer_is_left() {
    let limits = ServerLimits { unread: Duration::from_millis(50), ..patient() };
    let server = start(endless(), None, limits).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    soon(stream.read_exact(&mut [0])).await.unwrap();
    left(&server).await;
}
