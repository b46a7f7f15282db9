//! Accepting connections: without delay, with time limits, until it is time to stop.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::HOST;
use http::uri::Scheme;
use http_body_util::BodyExt;
use http_body_util::combinators::BoxBody;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use mcp_oauth_core::service::refusal::Refusal;
use mcp_oauth_core::service::transport_error::TransportError;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Addr, Endpoint, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::api_answer::refusal_response;
use crate::request_head::{LARGEST_FIELDS, LONGEST_URI, MOST_FIELDS};
use crate::unread_body::watch;

/// The largest head of a request, in bytes. What is larger is answered by hyper, 431 with nothing in
/// it; what is smaller and still too large by `request_head`.
const LARGEST_HEAD: usize = 2 * (LONGEST_URI + LARGEST_FIELDS);

/// How long things may take and how many there may be.
#[derive(Debug, Clone)]
pub struct ServerLimits {
    /// The headers of a request must be here by then; so long a connection may also be silent.
    pub header_timeout: Duration,
    /// How many connections are open at once; more wait to be accepted.
    pub connections: usize,
    /// How long requests may go on after the server was told to stop.
    pub drain: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(30),
            connections: 10_000,
            drain: Duration::from_secs(10),
        }
    }
}

/// Serves `endpoint` on every listener until `stop`, then lets requests finish.
///
/// When a client goes away its request's future is dropped, which in MCP is the cancellation.
pub async fn serve<E>(
    listeners: Vec<TcpListener>,
    endpoint: E,
    limits: ServerLimits,
    stop: CancellationToken,
) where
    E: Endpoint<Output = Response> + 'static,
{
    let connections = Connections {
        endpoint: Arc::new(endpoint),
        builder: builder(&limits),
        open: Arc::new(Semaphore::new(limits.connections)),
        graceful: Arc::new(GracefulShutdown::new()),
    };
    let loops: Vec<_> = listeners
        .into_iter()
        .map(|listener| tokio::spawn(accept(listener, connections.clone(), stop.clone())))
        .collect();
    for accepting in loops {
        if let Err(error) = accepting.await {
            tracing::error!(%error, "a listener stopped");
        }
    }
    // Every accept loop has ended and given its share back.
    if let Some(graceful) = Arc::into_inner(connections.graceful)
        && tokio::time::timeout(limits.drain, graceful.shutdown()).await.is_err()
    {
        tracing::warn!(seconds = limits.drain.as_secs(), "requests were still running at the end");
    }
}

fn builder(limits: &ServerLimits) -> Builder {
    let mut builder = Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_headers(MOST_FIELDS)
        .max_buf_size(LARGEST_HEAD);
    builder
}

struct Connections<E> {
    endpoint: Arc<E>,
    builder: Builder,
    open: Arc<Semaphore>,
    graceful: Arc<GracefulShutdown>,
}

impl<E> Clone for Connections<E> {
    fn clone(&self) -> Self {
        Self {
            endpoint: Arc::clone(&self.endpoint),
            builder: self.builder.clone(),
            open: Arc::clone(&self.open),
            graceful: Arc::clone(&self.graceful),
        }
    }
}

async fn accept<E>(listener: TcpListener, connections: Connections<E>, stop: CancellationToken)
where
    E: Endpoint<Output = Response> + 'static,
{
    loop {
        let Ok(permit) = Arc::clone(&connections.open).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, peer)) => connections.spawn(stream, peer, permit),
            Err(error) => pause_after(&error).await,
        }
    }
}

/// Running out of file descriptors fails every accept at once: give requests time to finish.
async fn pause_after(error: &io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(Duration::from_millis(50)).await;
}

impl<E> Connections<E>
where
    E: Endpoint<Output = Response> + 'static,
{
    fn spawn(&self, stream: TcpStream, peer: SocketAddr, permit: OwnedSemaphorePermit) {
        // An event must not wait for the acknowledgement of the one before.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        let local = LocalAddr(
            stream
                .local_addr()
                .map_or_else(|_| Addr::Custom("tcp", "unknown".into()), Addr::SocketAddr),
        );
        let remote = RemoteAddr(Addr::SocketAddr(peer));
        let endpoint = Arc::clone(&self.endpoint);
        let service = service_fn(move |request: http::Request<Incoming>| {
            let addresses = (local.clone(), remote.clone());
            answer(Arc::clone(&endpoint), request, addresses)
        });
        let connection = self.builder.serve_connection(TokioIo::new(stream), service);
        let watched = self.graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(permit);
        });
    }
}

async fn answer<E>(
    endpoint: Arc<E>,
    request: http::Request<Incoming>,
    (local, remote): (LocalAddr, RemoteAddr),
) -> Result<http::Response<BoxBody<Bytes, io::Error>>, Infallible>
where
    E: Endpoint<Output = Response>,
{
    if !names_one_host(&request) {
        return Ok(refusal_response(Refusal::Transport(&TransportError::NotOneHost)).into());
    }
    let (parts, body) = request.into_parts();
    let (body, unread) = watch(body);
    let parts = poem::RequestParts::from((parts, local, remote, Scheme::HTTP));
    let request = poem::Request::from_parts(parts, body.boxed().into());
    let response = match endpoint.call(request).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    };
    let mut response = response.into();
    unread.settle(&mut response).await;
    Ok(response)
}

/// hyper lets a request without Host pass, one with two, and one whose target names another.
fn names_one_host(request: &http::Request<Incoming>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let target = request.uri().authority();
    target.is_none_or(|target| target.as_str().as_bytes() == host.as_bytes())
}
