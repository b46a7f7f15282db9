//! Refuses requests that a web page of somebody else could have made.

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, StatusCode};
use mcp_oauth_core::domain::web_origin::OriginPolicy;
use poem::{Endpoint, IntoResponse, Request, Response, Result};

use crate::api_answer::error_response;
use crate::cors::Readers;

/// Checks Host everywhere, and Origin where a token works or is made.
pub(crate) async fn check_host_and_origin<E: Endpoint>(
    policy: &OriginPolicy,
    base_path: &str,
    next: E,
    request: Request,
) -> Result<Response> {
    let readers = Readers::of(request.uri().path(), base_path);
    match refusal(policy, readers, request.headers()) {
        Some(text) => Ok(error_response(StatusCode::FORBIDDEN, "invalid_request", &text)),
        None => Ok(next.call(request).await?.into_response()),
    }
}

fn refusal(policy: &OriginPolicy, readers: Readers, headers: &HeaderMap) -> Option<String> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let host = headers.get(HOST).map(text).unwrap_or_default();
    if !policy.permits_host(&host) {
        tracing::warn!(host, "refused a request for a host that is not this machine");
        return Some(
            "with a loopback base_url only loopback hosts are served; set base_url".to_owned(),
        );
    }
    if readers != Readers::AllowedPages {
        return None;
    }
    let mut origins = headers.get_all(ORIGIN).iter().map(text);
    let origin = origins.find(|origin| !policy.permits_origin(origin))?;
    tracing::warn!(origin, "refused a request from a web page that is not allowed");
    Some("pages of this Origin are not allowed; the setting is allowed_origins".to_owned())
}
