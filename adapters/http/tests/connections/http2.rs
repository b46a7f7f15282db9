//! HTTP/2 on a connection, without TLS: the client begins with it.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::http::{HeaderName, Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use mcp_oauth_http::ServerLimits;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::server::{echoing, endless, left, patient, refusing, soon, start};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A frame of SETTINGS with nothing in it.
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";

/// A client, and its end of the connection, which ends with the connection.
pub(crate) struct Client {
    pub(crate) requests: SendRequest<Full<Bytes>>,
    pub(crate) connection: JoinHandle<hyper::Result<()>>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap()).await
    }

    pub(crate) async fn over<S>(stream: S) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let executor = TokioExecutor::new();
        let (requests, connection) = handshake(executor, TokioIo::new(stream)).await.unwrap();
        Self { requests, connection: tokio::spawn(connection) }
    }

    pub(crate) async fn ask(&mut self, request: Request<Full<Bytes>>) -> Response<Incoming> {
        soon(self.requests.send_request(request)).await.unwrap()
    }
}

pub(crate) fn get(uri: &str) -> Request<Full<Bytes>> {
    Request::get(uri).body(Full::default()).unwrap()
}

fn post(bytes: usize) -> Request<Full<Bytes>> {
    Request::post("http://h/").body(Full::from(vec![b'x'; bytes])).unwrap()
}

#[tokio::test]
async fn http_2_is_spoken_with_whoever_begins_with_it() {
    let server = start(echoing(), None, patient()).await;
    let mut client = Client::connect(server.address).await;
    let answer = client.ask(get("http://h:1/")).await;
    assert_eq!((answer.status(), answer.version()), (StatusCode::OK, Version::HTTP_2));
    assert_eq!(answer.headers()["x-host"], "h:1");
    assert_eq!(answer.headers()["x-scheme"], "http");
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "no");
}

#[tokio::test]
async fn a_preface_may_come_in_pieces() {
    let server = start(echoing(), None, patient()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for byte in PREFACE.iter().chain(SETTINGS) {
        stream.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut first = [0; 9];
    soon(stream.read_exact(&mut first)).await.unwrap();
    assert_eq!(first[3], SETTINGS[3], "the server begins with its settings");
}

#[tokio::test]
async fn co_04_a_connection_of_http_2_that_asks_nothing_is_closed() {
    let limits = ServerLimits { header_timeout: Duration::from_millis(50), ..patient() };
    let server = start(refusing(), None, limits).await;
    for beginning in [PREFACE.to_vec(), [PREFACE, SETTINGS].concat()] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(&beginning).await.unwrap();
        let mut rest = Vec::new();
        // The end may come as a reset, when the client had said more than was read.
        let _ = soon(stream.read_to_end(&mut rest)).await;
    }
}

#[tokio::test]
async fn co_04_a_connection_of_http_2_that_asks_nothing_more_is_closed() {
    let limits = ServerLimits { idle: Duration::from_millis(50), ..patient() };
    let server = start(refusing(), None, limits).await;
    let mut client = Client::connect(server.address).await;
    client.ask(get("http://h/")).await.into_body().collect().await.unwrap();
    // The client answers every ping, and is told to go: no error.
    soon(client.connection).await.unwrap().unwrap();
}

#[tokio::test]
async fn co_04_an_answer_that_goes_on_keeps_a_connection_of_http_2() {
    let limits = ServerLimits {
        header_timeout: Duration::from_millis(20),
        idle: Duration::from_millis(20),
        ..patient()
    };
    let listening = crate::cancellation::Watched::default();
    let server = start(listening.endpoint(), None, limits).await;
    let mut client = Client::connect(server.address).await;
    let mut asked = Box::pin(client.requests.send_request(get("http://h/")));
    // Several times as long as a connection without a request lives.
    let answered = tokio::time::timeout(Duration::from_millis(200), &mut asked).await;
    assert!(answered.is_err() && !client.connection.is_finished());
    listening.release();
    assert_eq!(soon(asked).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_request_of_http_2_names_one_host() {
    let server = start(echoing(), None, patient()).await;
    let mut client = Client::connect(server.address).await;
    let with_host = |host: &str| {
        Request::get("http://h:1/").header("host", host).body(Full::default()).unwrap()
    };
    assert_eq!(client.ask(with_host("h:1")).await.status(), StatusCode::OK);
    assert_eq!(client.ask(with_host("evil.example")).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(client.ask(get("http://user@h/")).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_refusal_leaves_a_connection_of_http_2_usable_whatever_the_body() {
    let server = start(refusing(), None, patient()).await;
    let mut client = Client::connect(server.address).await;
    for bytes in [4, 200 * 1024, 3_000_000] {
        let answer = client.ask(post(bytes)).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{bytes}");
        assert!(!answer.headers().contains_key("connection"), "{bytes}");
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "no", "{bytes}");
    }
    assert_eq!(client.ask(get("http://h/")).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn co_04_a_head_of_http_2_that_is_too_large_to_read_is_refused() {
    let server = start(refusing(), None, patient()).await;
    let mut client = Client::connect(server.address).await;
    let with_fields = |count: usize| {
        let mut request = get("http://h/");
        for number in 0..count {
            let name: HeaderName = format!("x-{number}").parse().unwrap();
            request.headers_mut().insert(name, "b".repeat(1024).parse().unwrap());
        }
        request
    };
    let refused = client.ask(with_fields(100)).await;
    assert_eq!(refused.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    assert_eq!(client.ask(get("http://h/")).await.status(), StatusCode::UNAUTHORIZED);
    // What is not even read to its end ends the connection.
    assert!(soon(client.requests.send_request(with_fields(1000))).await.is_err());
}

#[tokio::test]
async fn co_04_a_client_that_takes_back_what_it_asked_for_over_and_over_is_cut_off() {
    // HEADERS of GET http://h/ by the static table of RFC 7541, and RST_STREAM with CANCEL.
    const HEAD: &[u8] = b"\x82\x86\x84\x41\x01h";
    let server = start(refusing(), None, patient()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let mut flood = [PREFACE, SETTINGS].concat();
    for stream_id in (1_u32..20_000).step_by(2) {
        flood.extend_from_slice(&[0, 0, u8::try_from(HEAD.len()).unwrap(), 1, 5]);
        flood.extend_from_slice(&stream_id.to_be_bytes());
        flood.extend_from_slice(HEAD);
        flood.extend_from_slice(&[0, 0, 4, 3, 0]);
        flood.extend_from_slice(&stream_id.to_be_bytes());
        flood.extend_from_slice(&8_u32.to_be_bytes());
    }
    let (mut read, mut write) = stream.split();
    let mut said = Vec::new();
    // The server closes while there is more to read, which a client sees as a reset.
    let _ = tokio::join!(write.write_all(&flood), soon(read.read_to_end(&mut said)));
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("too_many_resets"), "{said:?}");
}

#[tokio::test]
async fn co_04_a_client_that_has_no_room_for_its_answer_is_left() {
    let limits = ServerLimits { unread: Duration::from_millis(50), ..patient() };
    let server = start(endless(), None, limits).await;
    let mut builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    builder.initial_stream_window_size(0);
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (mut requests, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let answer = soon(requests.send_request(get("http://h/"))).await;
    left(&server).await;
    let _ended = soon(connection).await.unwrap();
    drop(answer);
}
