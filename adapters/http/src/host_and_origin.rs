//! Refuses requests that a web page of somebody else could have made.

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderValue};
use mcp_oauth_core::domain::web_origin::OriginPolicy;
use mcp_oauth_core::service::refusal::Refusal;
use mcp_oauth_core::service::transport_error::TransportError;
use poem::{Endpoint, IntoResponse, Request, Response, Result};

use crate::api_answer::refusal_response;
use crate::cors::Readers;

/// Checks Host everywhere, and Origin where a token works or is made.
pub(crate) async fn check_host_and_origin<E: Endpoint>(
    policy: &OriginPolicy,
    base_path: &str,
    next: E,
    request: Request,
) -> Result<Response> {
    let readers = Readers::of(request.uri().path(), base_path);
    match foreign(policy, readers, request.headers()) {
        Some(error) => Ok(refusal_response(Refusal::Transport(&error))),
        None => Ok(next.call(request).await?.into_response()),
    }
}

fn foreign(policy: &OriginPolicy, readers: Readers, headers: &HeaderMap) -> Option<TransportError> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let host = headers.get(HOST).map(text).unwrap_or_default();
    if !policy.permits_host(&host) {
        tracing::warn!(host, "refused a request for a host that is not this machine");
        return Some(TransportError::ForeignHost);
    }
    if readers != Readers::AllowedPages {
        return None;
    }
    let mut origins = headers.get_all(ORIGIN).iter().map(text);
    let origin = origins.find(|origin| !policy.permits_origin(origin))?;
    tracing::warn!(origin, "refused a request from a web page that is not allowed");
    Some(TransportError::ForeignOrigin)
}
