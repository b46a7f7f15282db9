//! Servers to connect to.

use std::future::ready;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::stream;
use mcp_oauth_http::{ServerLimits, Tls, serve};
use poem::endpoint::make_sync;
use poem::http::StatusCode;
use poem::http::header::HOST;
use poem::{Body, Endpoint, EndpointExt, Request, Response};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Longer than any test takes: what should end by itself earlier does, or fails.
pub(crate) const NEVER: Duration = Duration::from_secs(600);

/// A server; it stops with this value.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) running: JoinHandle<()>,
    pub(crate) stop: CancellationToken,
    _guard: DropGuard,
}

/// Limits that no test meets.
pub(crate) fn patient() -> ServerLimits {
    ServerLimits { header_timeout: NEVER, idle: NEVER, drain: NEVER, ..ServerLimits::default() }
}

/// Starts a server on a port of its own.
pub(crate) async fn start<E>(endpoint: E, tls: Option<Tls>, limits: ServerLimits) -> Server
where
    E: Endpoint<Output = Response> + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let running = tokio::spawn(serve(vec![listener], tls, endpoint, limits, stop.clone()));
    Server { address, running, _guard: stop.clone().drop_guard(), stop }
}

/// Answers everything with 401 and reads no body.
pub(crate) fn refusing() -> impl Endpoint<Output = Response> + 'static {
    let refuse = |_| Response::builder().status(StatusCode::UNAUTHORIZED).body("no");
    make_sync(refuse).map_to_response()
}

/// Answers with what it was told of the connection and the host.
pub(crate) fn echoing() -> impl Endpoint<Output = Response> + 'static {
    let echo = |request: Request| {
        let peer = request.remote_addr().as_socket_addr().copied();
        Response::builder()
            .header("x-peer", peer.unwrap().to_string())
            .header("x-scheme", request.scheme().as_str())
            .header("x-host", request.header(HOST).unwrap_or_default())
            .body("no")
    };
    make_sync(echo).map_to_response()
}

/// Answers without an end.
pub(crate) fn endless() -> impl Endpoint<Output = Response> + 'static {
    let more = || Some((Ok::<_, std::io::Error>(vec![b'x'; 64 * 1024]), ()));
    let answer = move |_| {
        Response::builder()
            .body(Body::from_bytes_stream(stream::unfold((), move |()| ready(more()))))
    };
    make_sync(answer).map_to_response()
}

/// Waits until no connection of the server is open any more.
pub(crate) async fn left(server: &Server) {
    server.stop.cancel();
    soon(async {
        while !server.running.is_finished() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Fails a test that waits for what does not come.
pub(crate) async fn soon<T>(expected: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), expected).await.unwrap()
}
