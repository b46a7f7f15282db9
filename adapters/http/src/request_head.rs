//! How large the head of a request may be.

use http::HeaderMap;
use mcp_oauth_core::service::refusal::Refusal;
use mcp_oauth_core::service::transport_error::TransportError;
use poem::{Endpoint, IntoResponse, Request, Response, Result};

use crate::api_answer::refusal_response;

/// The longest target of a request, in bytes: an authorization request fits several times.
pub(crate) const LONGEST_URI: usize = 16 * 1024;

/// How many header fields a request may have.
pub(crate) const MOST_FIELDS: usize = 100;

/// The most bytes of their names and values together.
pub(crate) const LARGEST_FIELDS: usize = 32 * 1024;

/// Refuses a head that no client of ours would send.
pub(crate) async fn check_head<E: Endpoint>(next: E, request: Request) -> Result<Response> {
    match too_large(&request) {
        Some(error) => Ok(refusal_response(Refusal::Transport(&error))),
        None => Ok(next.call(request).await?.into_response()),
    }
}

fn too_large(request: &Request) -> Option<TransportError> {
    let uri = request.uri();
    let path_and_query = uri.path_and_query().map_or(0, |target| target.as_str().len());
    if path_and_query > LONGEST_URI {
        return Some(TransportError::UriTooLong { most: LONGEST_URI });
    }
    let headers = request.headers();
    (headers.len() > MOST_FIELDS || size(headers) > LARGEST_FIELDS).then_some(
        TransportError::HeadersTooLarge { most_fields: MOST_FIELDS, most_bytes: LARGEST_FIELDS },
    )
}

fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}
