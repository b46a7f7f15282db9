//! `POST /mcp/messages`: what a client of the old HTTP+SSE transport says; the answer comes on its
//! event stream (MCP 2024-11-05, basic/transports).

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use poem::{Endpoint, Request, Response};
use rmcp::model::{ClientJsonRpcMessage, GetExtensions, JsonRpcMessage, RequestId};
use tokio::sync::mpsc::error::SendTimeoutError;

use crate::envelope::{self, Envelope, Era};
use crate::gate::{Admission, Gate};
use crate::json_rpc_error::{Refused, refused_request, unfit_params, unknown_session};
use crate::message_body;
use crate::sse::method_not_allowed;
use crate::sse_sessions::SseSessions;

/// How long a message waits for its turn in a session whose stream is not read.
const PATIENCE: Duration = Duration::from_secs(30);

/// The endpoint.
pub(crate) struct SseMessages {
    pub(crate) gate: Gate,
    pub(crate) sessions: Arc<SseSessions>,
    pub(crate) max_body_bytes: usize,
}

impl SseMessages {
    async fn answer(&self, request: Request) -> Result<Response, Refused> {
        let caller = self.gate.authenticate(&request).await?;
        let open = self.gate.open(&caller)?;
        if request.method() != Method::POST {
            return Err(method_not_allowed("POST"));
        }
        let session = session_named(request.uri().query());
        let inbox = session.and_then(|id| self.sessions.inbox(id, &caller.identity()));
        let inbox = inbox.ok_or_else(unknown_session)?;
        let (head, body) = request.into_parts();
        let body = message_body::read(&head.headers, body, self.max_body_bytes).await?;
        let mut admission = Admission::of(caller, &open);
        let mut id = None;
        if let Envelope::Request { id: of, target, .. } = envelope::read(&body, Era::OfSessions)? {
            let authorized = self.gate.authorize(&admission.caller, target, &of, &head.headers);
            admission.authorized = authorized.await?;
            id = Some(of);
        }
        let message = message(&body, id, admission)?;
        match inbox.send_timeout(message, PATIENCE).await {
            Ok(()) => {}
            Err(SendTimeoutError::Closed(_)) => return Err(unknown_session()),
            Err(SendTimeoutError::Timeout(_)) => {
                let text = "earlier answers wait on the event stream, which nobody reads";
                return Err(refused_request(StatusCode::SERVICE_UNAVAILABLE, text));
            }
        }
        Ok(Response::builder().status(StatusCode::ACCEPTED).body("Accepted"))
    }
}

impl Endpoint for SseMessages {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        Ok(self.answer(request).await.unwrap_or_else(|refused| *refused))
    }
}

/// Sessions are named by UUIDs, which need no decoding.
fn session_named(query: Option<&str>) -> Option<&str> {
    query?.split('&').find_map(|parameter| parameter.strip_prefix("session_id="))
}

/// The message as the engine reads it, with what it was let in for where the handler looks for it:
/// the head of an HTTP request.
fn message(
    body: &[u8],
    id: Option<RequestId>,
    admission: Admission,
) -> Result<ClientJsonRpcMessage, Refused> {
    let mut message: ClientJsonRpcMessage =
        serde_json::from_slice(body).map_err(|_| unfit_params(id))?;
    if let JsonRpcMessage::Request(request) = &mut message {
        let (mut head, ()) = http::Request::new(()).into_parts();
        head.extensions.insert(admission);
        request.request.extensions_mut().insert(head);
    }
    Ok(message)
}
