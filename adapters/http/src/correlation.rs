//! One log line a request, and an id that joins it with what the request led to.

use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderName, HeaderValue, StatusCode};
use poem::{Endpoint, IntoResponse, Request, Response, Result};
use tracing::Instrument;

/// The header in which a caller learns the id, to quote it when asking for help.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

static REQUESTS: AtomicU64 = AtomicU64::new(1);

/// Runs the request in a span of its own. The path is logged, the query never: it holds codes.
pub(crate) async fn log_request<E: Endpoint>(next: E, request: Request) -> Result<Response> {
    let id = REQUESTS.fetch_add(1, Ordering::Relaxed);
    let span = tracing::info_span!(
        "request",
        id,
        method = %request.method(),
        path = request.uri().path(),
    );
    answer(next, request, id).instrument(span).await
}

async fn answer<E: Endpoint>(next: E, request: Request, id: u64) -> Result<Response> {
    let mut response = match next.call(request).await {
        Ok(output) => output.into_response(),
        Err(error) => error.into_response(),
    };
    let status = response.status();
    if status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE {
        tracing::error!(status = status.as_u16(), "answered");
    } else {
        tracing::debug!(status = status.as_u16(), "answered");
    }
    response.headers_mut().insert(REQUEST_ID, HeaderValue::from(id));
    Ok(response)
}
