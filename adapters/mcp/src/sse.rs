//! `GET /mcp/sse`: the event stream of the old HTTP+SSE transport. It names the path for the client's
//! messages first, then carries every message of the server (MCP 2024-11-05, basic/transports).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::header::{ALLOW, CACHE_CONTROL};
use http::{HeaderValue, Method, StatusCode};
use poem::{Body, Endpoint, Request, Response};
use rmcp::service::serve_server_with_ct;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::accept::{EVENT_STREAM, accepts};
use crate::gate::Gate;
use crate::handler::Handler;
use crate::json_rpc_error::{Refused, refused_request};
use crate::sse_sessions::{OpenSession, SseSessions};
use crate::sse_transport::{ClientEnd, SseTransport, frame};

/// How often an open stream shows that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The endpoint.
pub(crate) struct SseStream {
    pub(crate) gate: Gate,
    pub(crate) handler: Handler,
    pub(crate) sessions: Arc<SseSessions>,
    /// Of the address for messages, without the session.
    pub(crate) messages_path: String,
    pub(crate) shutdown: CancellationToken,
}

impl SseStream {
    async fn answer(&self, request: Request) -> Result<Response, Refused> {
        let caller = self.gate.authenticate(&request).await?;
        let open = self.gate.open(&caller)?;
        if request.method() != Method::GET {
            return Err(method_not_allowed("GET"));
        }
        if !accepts(request.headers(), &[EVENT_STREAM]) {
            let text = "the answer is text/event-stream";
            return Err(refused_request(StatusCode::NOT_ACCEPTABLE, text));
        }
        let reservation = self.sessions.reserve(caller.identity())?;
        let (transport, ClientEnd { inbox, frames }) = SseTransport::new();
        let calls = self.shutdown.child_token();
        let session = self.sessions.open(reservation, inbox, calls.clone());
        tokio::spawn(serve(self.handler.clone(), transport, calls));
        let address = format!("{}?session_id={}", self.messages_path, session.id());
        let first = frame("endpoint", &address);
        let events = stream::once(async { first }).chain(events(frames, session));
        let response = Response::builder()
            .content_type(EVENT_STREAM)
            .header(CACHE_CONTROL, "no-store")
            // Proxies would hold events back.
            .header("X-Accel-Buffering", "no")
            .body(Body::from_bytes_stream(events.map(Ok::<_, std::io::Error>)));
        Ok(open.until_sent(response))
    }
}

impl Endpoint for SseStream {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        Ok(self.answer(request).await.unwrap_or_else(|refused| *refused))
    }
}

/// Runs the session until its stream or the server ends.
async fn serve(handler: Handler, transport: SseTransport, calls: CancellationToken) {
    match serve_server_with_ct(handler, transport, calls).await {
        Ok(session) => {
            let _ = session.waiting().await;
        }
        Err(error) => tracing::debug!(%error, "an SSE session ended before it was open"),
    }
}

/// The frames of a session, and a comment whenever there was none for a while.
fn events(frames: mpsc::Receiver<Bytes>, session: OpenSession) -> impl Stream<Item = Bytes> {
    stream::unfold((frames, session), async |(mut frames, session)| {
        let event = match tokio::time::timeout(KEEP_ALIVE, frames.recv()).await {
            Ok(frame) => frame?,
            Err(_elapsed) => Bytes::from_static(b": keep-alive\n\n"),
        };
        Some((event, (frames, session)))
    })
}

/// 405 with the one method there is.
pub(crate) fn method_not_allowed(allowed: &'static str) -> Refused {
    let text = format!("the only method here is {allowed}");
    let mut response = refused_request(StatusCode::METHOD_NOT_ALLOWED, &text);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}
