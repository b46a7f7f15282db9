//! One connection: TLS, which HTTP, its requests, its silence, its end.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http::uri::Scheme;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Addr, Endpoint, Response};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::exchange::{Ends, answer};
use crate::open_requests::OpenRequests;
use crate::preface::{Spoken, detect};
use crate::request_head::{LARGEST_FIELDS, LONGEST_URI, MOST_FIELDS};
use crate::server::ServerLimits;
use crate::tls::{ALPN_HTTP2, Tls};
use crate::unread_answer::TakenInTime;

/// The largest head of a request, in bytes. What is larger is answered by hyper, 431 with nothing in
/// it; what is smaller and still too large by `request_head`.
const LARGEST_HEAD: u32 = 96 * 1024;
const _: () = assert!(LARGEST_HEAD as usize == 2 * (LONGEST_URI + LARGEST_FIELDS));

/// How many requests a connection of HTTP/2 may have open at once; more wait at the client.
const MOST_STREAMS: u32 = 128;

/// How many bytes of bodies a connection of HTTP/2, or one request of it, may send ahead of what was
/// read: so much memory each takes at most.
const WINDOW: u32 = 256 * 1024;

/// How many bytes of each answer wait for a client of HTTP/2 that reads slowly.
const LARGEST_BACKLOG: usize = 64 * 1024;

/// How often a client of HTTP/2 is asked whether it is still there, and how long its answer may take.
const PING_EVERY: Duration = Duration::from_secs(30);
const PONG_WITHIN: Duration = Duration::from_secs(20);

/// How many requests a client may take back before anybody looked at them (CVE-2023-44487), and how
/// many it may make this side reset (RUSTSEC-2024-0003), until the connection is ended. They
/// are what h2 and hyper have for defaults, stated so that they stay.
const MOST_TAKEN_BACK: usize = 20;
const MOST_RESET: usize = 1024;

/// What every connection is served with.
pub(crate) struct Connections<E> {
    endpoint: Arc<E>,
    tls: Option<Tls>,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    header_timeout: Duration,
    idle: Duration,
    unread: Duration,
    stop: CancellationToken,
}

/// Why a connection ended otherwise than both sides wanted.
#[derive(Debug, Error)]
enum EndedEarly {
    #[error("nothing was asked in time")]
    Silent,
    #[error("an answer was not read")]
    Unread,
    #[error("the server stopped before anything was asked")]
    Stopped,
    #[error("the TLS handshake failed: {0}")]
    Handshake(io::Error),
    #[error(transparent)]
    Transport(#[from] io::Error),
    #[error(transparent)]
    Http(#[from] hyper::Error),
}

impl<E> Connections<E>
where
    E: Endpoint<Output = Response> + 'static,
{
    pub(crate) fn new(
        endpoint: E,
        tls: Option<Tls>,
        limits: &ServerLimits,
        stop: CancellationToken,
    ) -> Self {
        Self {
            endpoint: Arc::new(endpoint),
            tls,
            http1: http1(limits),
            http2: http2(),
            header_timeout: limits.header_timeout,
            idle: limits.idle,
            unread: limits.unread,
            stop,
        }
    }

    /// Serves a connection to its end.
    pub(crate) async fn serve(&self, stream: TcpStream, peer: SocketAddr) {
        // An event must not wait for the acknowledgement of the one before.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        if let Err(error) = self.converse(stream, peer).await {
            tracing::debug!(%error, %peer, "a connection ended early");
        }
    }

    async fn converse(&self, stream: TcpStream, peer: SocketAddr) -> Result<(), EndedEarly> {
        let local = stream.local_addr();
        let local = local.map_or_else(|_| Addr::Custom("tcp", "unknown".into()), Addr::SocketAddr);
        let (local, remote) = (LocalAddr(local), RemoteAddr(Addr::SocketAddr(peer)));
        let Some(tls) = &self.tls else {
            let (spoken, stream) = self.in_time(detect(stream)).await??;
            return self.speak(spoken, stream, Ends { local, remote, scheme: Scheme::HTTP }).await;
        };
        let stream = self.in_time(tls.accept(stream)).await?.map_err(EndedEarly::Handshake)?;
        let agreed = stream.get_ref().1.alpn_protocol();
        let spoken = if agreed == Some(ALPN_HTTP2) { Spoken::Http2 } else { Spoken::Http1 };
        self.speak(spoken, stream, Ends { local, remote, scheme: Scheme::HTTPS }).await
    }

    /// What comes before the first request has no more time than its headers, and is of no use to a
    /// server that stops.
    async fn in_time<T>(&self, beginning: impl Future<Output = T>) -> Result<T, EndedEarly> {
        tokio::select! {
            begun = tokio::time::timeout(self.header_timeout, beginning) => {
                begun.map_err(|_elapsed| EndedEarly::Silent)
            }
            () = self.stop.cancelled() => Err(EndedEarly::Stopped),
        }
    }

    async fn speak<S>(&self, spoken: Spoken, stream: S, ends: Ends) -> Result<(), EndedEarly>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let stream = TakenInTime::new(stream, self.unread);
        match spoken {
            Spoken::Http1 => self.speak_http1(stream, ends).await,
            Spoken::Http2 => self.speak_http2(stream, ends).await,
        }
    }

    async fn speak_http1<S>(&self, stream: S, ends: Ends) -> Result<(), EndedEarly>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let service = service_fn(|request: Request<Incoming>| {
            answer(Arc::clone(&self.endpoint), request, ends.clone())
        });
        let connection = self.http1.serve_connection(TokioIo::new(stream), service);
        until(connection, self.stop.cancelled(), pending()).await
    }

    async fn speak_http2<S>(&self, stream: S, ends: Ends) -> Result<(), EndedEarly>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let open = OpenRequests::default();
        let service = service_fn(|request: Request<Incoming>| {
            let under_way = open.begin();
            let answered = answer(Arc::clone(&self.endpoint), request, ends.clone());
            async move { answered.await.map(|response| response.map(|body| under_way.until_sent(body))) }
        });
        let connection = self.http2.serve_connection(TokioIo::new(stream), service);
        let asked_to_end = async {
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = open.silence(self.header_timeout, self.idle) => {}
            }
        };
        // Whoever was told to go, and does not, is left once it has nothing under way.
        let patience = self.header_timeout;
        tokio::select! {
            ended = until(connection, asked_to_end, open.silence(patience, patience)) => ended,
            () = open.unread(self.unread) => Err(EndedEarly::Unread),
        }
    }
}

/// Serves `connection` until `asked_to_end`, and then what it still has under way, until `given_up`.
async fn until<C: GracefulConnection<Error = hyper::Error>>(
    connection: C,
    asked_to_end: impl Future<Output = ()>,
    given_up: impl Future<Output = ()>,
) -> Result<(), EndedEarly> {
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return Ok(ended?),
        () = asked_to_end => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        ended = connection => Ok(ended?),
        () = given_up => Err(EndedEarly::Silent),
    }
}

fn http1(limits: &ServerLimits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_headers(MOST_FIELDS)
        .max_buf_size(LARGEST_HEAD as usize);
    builder
}

fn http2() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MOST_STREAMS)
        .max_header_list_size(LARGEST_HEAD)
        .initial_connection_window_size(WINDOW)
        .initial_stream_window_size(WINDOW)
        .max_send_buf_size(LARGEST_BACKLOG)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PONG_WITHIN)
        .max_pending_accept_reset_streams(MOST_TAKEN_BACK)
        .max_local_error_reset_streams(MOST_RESET);
    builder
}
