//! Accepting connections until it is time to stop, and letting those that are open finish.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::{Endpoint, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connection::Connections;
use crate::tls::Tls;

/// How long things may take and how many there may be.
#[derive(Debug, Clone)]
pub struct ServerLimits {
    /// A TLS handshake, and then the headers of a request, must be here by then; so long a connection
    /// of HTTP/1.1 may also be silent, before its first request and between two.
    pub header_timeout: Duration,
    /// How long a connection of HTTP/2 may be without a request under way; before its first it is
    /// `header_timeout`.
    pub idle: Duration,
    /// How many connections are open at once; more wait to be accepted.
    pub connections: usize,
    /// How long requests may go on after the server was told to stop.
    pub drain: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(30),
            idle: Duration::from_secs(180),
            connections: 10_000,
            drain: Duration::from_secs(10),
        }
    }
}

/// Serves `endpoint` on every listener until `stop`, then lets requests finish.
///
/// With `tls` nothing else is spoken, HTTP/2 with the clients that ask for it; without, HTTP/2 with
/// those that begin with it. When a client goes away, or takes back a request, the request's future is
/// dropped, which in MCP is the cancellation.
pub async fn serve<E>(
    listeners: Vec<TcpListener>,
    tls: Option<Tls>,
    endpoint: E,
    limits: ServerLimits,
    stop: CancellationToken,
) where
    E: Endpoint<Output = Response> + 'static,
{
    let acceptor = Acceptor {
        open: Arc::new(Semaphore::new(limits.connections)),
        running: TaskTracker::new(),
        connections: Arc::new(Connections::new(endpoint, tls, &limits, stop.clone())),
        stop,
    };
    let loops: Vec<_> = listeners
        .into_iter()
        .map(|listener| tokio::spawn(acceptor.clone().accept(listener)))
        .collect();
    for accepting in loops {
        if let Err(error) = accepting.await {
            tracing::error!(%error, "a listener stopped");
        }
    }
    acceptor.running.close();
    if tokio::time::timeout(limits.drain, acceptor.running.wait()).await.is_err() {
        tracing::warn!(seconds = limits.drain.as_secs(), "requests were still running at the end");
    }
}

struct Acceptor<E> {
    /// A permit for each connection there may be.
    open: Arc<Semaphore>,
    /// The connections that are open.
    running: TaskTracker,
    connections: Arc<Connections<E>>,
    stop: CancellationToken,
}

impl<E> Clone for Acceptor<E> {
    fn clone(&self) -> Self {
        Self {
            open: Arc::clone(&self.open),
            running: self.running.clone(),
            connections: Arc::clone(&self.connections),
            stop: self.stop.clone(),
        }
    }
}

impl<E> Acceptor<E>
where
    E: Endpoint<Output = Response> + 'static,
{
    async fn accept(self, listener: TcpListener) {
        let stop = self.stop.clone();
        tokio::select! {
            () = self.accept_all(listener) => {}
            () = stop.cancelled() => {}
        }
    }

    async fn accept_all(&self, listener: TcpListener) {
        loop {
            let Ok(permit) = Arc::clone(&self.open).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, peer)) => self.spawn(stream, peer, permit),
                Err(error) => pause_after(&error).await,
            }
        }
    }

    fn spawn(&self, stream: TcpStream, peer: SocketAddr, permit: OwnedSemaphorePermit) {
        let connections = Arc::clone(&self.connections);
        self.running.spawn(async move {
            connections.serve(stream, peer).await;
            drop(permit);
        });
    }
}

/// Running out of file descriptors fails every accept at once: give requests time to finish.
async fn pause_after(error: &io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(Duration::from_millis(50)).await;
}
