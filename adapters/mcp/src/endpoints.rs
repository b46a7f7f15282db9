//! Which endpoint answers which path.

use std::sync::Arc;

use mcp_oauth_core::domain::resource::ResourceDocument;
use mcp_oauth_core::service::UseCases;
use poem::endpoint::BoxEndpoint;
use poem::{EndpointExt, Response};

use crate::gate::Gate;
use crate::handler::{Handler, Transport};
use crate::open_requests::OpenRequests;
use crate::seats::{SeatLimits, Seats};
use crate::settings::{McpSettings, SessionLimits};
use crate::sse::SseStream;
use crate::sse_messages::SseMessages;
use crate::sse_sessions::SseSessions;
use crate::streamable_http::StreamableHttp;
use crate::streamable_sessions::StreamableSessions;

/// A path below the base URL and the endpoint that answers it, whatever the method.
type Mounted = (&'static str, BoxEndpoint<'static, Response>);

/// The MCP endpoints of the transports that are on: each path with and without trailing slash,
/// since a redirect would lose the body or the token of a client that does not follow it.
#[must_use]
pub fn endpoints(use_cases: &UseCases, settings: McpSettings) -> Vec<Mounted> {
    let transports = settings.transports;
    let settings = Arc::new(settings);
    let SessionLimits { total, per_caller, .. } = settings.sessions;
    let seats = Seats::new(SeatLimits { total, per_caller });
    let open = OpenRequests::new(settings.open_requests_per_caller);
    let mut mounted = Vec::new();
    if transports.streamable_http {
        mounted.extend(streamable_http(use_cases, &settings, &seats, &open));
    }
    if transports.sse {
        mounted.extend(sse(use_cases, &settings, &seats, &open));
    }
    mounted
}

fn streamable_http(
    use_cases: &UseCases,
    settings: &Arc<McpSettings>,
    seats: &Arc<Seats>,
    open: &OpenRequests,
) -> [Mounted; 2] {
    let endpoint = Arc::new(StreamableHttp::new(
        Gate::new(use_cases, ResourceDocument::StreamableHttp, open),
        Handler::new(use_cases, settings, Transport::StreamableHttp),
        StreamableSessions::new(
            seats,
            &use_cases.mcp_sessions,
            settings.sessions,
            &settings.shutdown,
        ),
        settings,
    ));
    [("/mcp", Arc::clone(&endpoint).boxed()), ("/mcp/", endpoint.boxed())]
}

fn sse(
    use_cases: &UseCases,
    settings: &Arc<McpSettings>,
    seats: &Arc<Seats>,
    open: &OpenRequests,
) -> [Mounted; 3] {
    let gate = Gate::new(use_cases, ResourceDocument::Sse, open);
    let sessions = SseSessions::new(seats);
    let stream = Arc::new(SseStream {
        gate: gate.clone(),
        handler: Handler::new(use_cases, settings, Transport::Sse),
        sessions: Arc::clone(&sessions),
        messages_path: format!("{}/mcp/messages", use_cases.address.base_path()),
        shutdown: settings.shutdown.clone(),
    });
    let messages = SseMessages { gate, sessions, max_body_bytes: settings.max_body_bytes };
    [
        ("/mcp/sse", Arc::clone(&stream).boxed()),
        ("/mcp/sse/", stream.boxed()),
        ("/mcp/messages", messages.boxed()),
    ]
}
