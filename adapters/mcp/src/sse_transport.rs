//! The old HTTP+SSE transport for the engine: messages come in by POST and go out as frames of one
//! event stream (MCP 2024-11-05, basic/transports).

use bytes::Bytes;
use rmcp::RoleServer;
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, JsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use thiserror::Error;
use tokio::sync::mpsc;

/// How many messages wait in either direction before the sender has to.
const CAPACITY: usize = 16;

/// The engine's end of a session.
pub(crate) struct SseTransport {
    inbox: mpsc::Receiver<ClientJsonRpcMessage>,
    outbox: mpsc::Sender<Bytes>,
    opened: bool,
}

/// The client's end of a session.
pub(crate) struct ClientEnd {
    /// Takes what the client posts.
    pub(crate) inbox: mpsc::Sender<ClientJsonRpcMessage>,
    /// Gives the frames of its event stream.
    pub(crate) frames: mpsc::Receiver<Bytes>,
}

/// The client has closed its stream.
#[derive(Debug, Error)]
pub(crate) enum SendError {
    #[error("the event stream is closed")]
    Closed,
    #[error(transparent)]
    NotJson(#[from] serde_json::Error),
}

impl SseTransport {
    /// Both ends of a new session.
    pub(crate) fn new() -> (Self, ClientEnd) {
        let (post, inbox) = mpsc::channel(CAPACITY);
        let (outbox, frames) = mpsc::channel(CAPACITY);
        (Self { inbox, outbox, opened: false }, ClientEnd { inbox: post, frames })
    }
}

impl Transport<RoleServer> for SseTransport {
    type Error = SendError;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), SendError>> + Send + 'static {
        let outbox = self.outbox.clone();
        async move {
            let frame = frame("message", &serde_json::to_string(&message)?);
            outbox.send(frame).await.map_err(|_| SendError::Closed)
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            // A client that does not read its stream is not listened to either: its answers would
            // pile up here.
            drop(self.outbox.reserve().await.ok()?);
            let message = self.inbox.recv().await?;
            self.opened |= opens(&message);
            // Before a session is open, the engine ends it at anything but a request, such as the
            // notification that cancels a probe.
            if self.opened || matches!(message, JsonRpcMessage::Request(_)) {
                return Some(message);
            }
        }
    }

    async fn close(&mut self) -> Result<(), SendError> {
        Ok(())
    }
}

/// A frame of an event stream; `data` has no line break.
pub(crate) fn frame(event: &str, data: &str) -> Bytes {
    format!("event: {event}\ndata: {data}\n\n").into()
}

fn opens(message: &ClientJsonRpcMessage) -> bool {
    let JsonRpcMessage::Request(request) = message else { return false };
    !matches!(request.request, ClientRequest::DiscoverRequest(_) | ClientRequest::PingRequest(_))
}
