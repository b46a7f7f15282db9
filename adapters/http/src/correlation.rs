//! One log line a request, and the id that joins it with what the request led to.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use mcp_oauth_core::domain::client_address::ForwardingHeaders;
use mcp_oauth_core::service::reception::{Arrival, Reception};
use poem::{Addr, Endpoint, IntoResponse, Request, Response, Result};
use tracing::Instrument;

/// The header in which a caller learns the id, to quote it when asking for help; a proxy may set it.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Runs the request as the current one, in a span of its own. The path is logged, the query never:
/// it holds codes.
pub(crate) async fn correlate<E: Endpoint>(
    reception: &Reception,
    next: E,
    request: Request,
) -> Result<Response> {
    let current = reception.receive(&arrival(&request));
    let id = current.id.clone();
    let span = tracing::info_span!(
        "request",
        %id,
        method = %request.method(),
        path = request.uri().path(),
    );
    let mut response = current.during(answer(next, request).instrument(span)).await;
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    Ok(response)
}

fn arrival(request: &Request) -> Arrival<'_> {
    let headers = request.headers();
    Arrival {
        peer: match &**request.remote_addr() {
            Addr::SocketAddr(peer) => Some(peer.ip()),
            _ => None,
        },
        forwarding: ForwardingHeaders {
            x_forwarded_for: values(headers, X_FORWARDED_FOR),
            forwarded: values(headers, header::FORWARDED),
        },
        id: headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()),
    }
}

fn values(headers: &HeaderMap, name: HeaderName) -> Vec<&[u8]> {
    headers.get_all(name).iter().map(HeaderValue::as_bytes).collect()
}

async fn answer<E: Endpoint>(next: E, request: Request) -> Response {
    let response = match next.call(request).await {
        Ok(output) => output.into_response(),
        Err(error) => error.into_response(),
    };
    let status = response.status();
    if status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE {
        tracing::error!(status = status.as_u16(), "answered");
    } else {
        tracing::debug!(status = status.as_u16(), "answered");
    }
    response
}
