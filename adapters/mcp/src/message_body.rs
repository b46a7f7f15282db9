//! Taking the message out of a POST: its media type, then at most so many bytes.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use poem::Body;

use crate::accept::JSON;
use crate::json_rpc_error::{Refused, refused_request};

/// Reads the body of a POST.
///
/// # Errors
/// 415 when it is not JSON, 413 when it is too large, 400 when the client broke off.
pub(crate) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Refused> {
    if !is_json(headers) {
        let expected = "the Content-Type must be application/json";
        return Err(refused_request(StatusCode::UNSUPPORTED_MEDIA_TYPE, expected));
    }
    if announced_length(headers).is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    match Limited::new(BoxBody::from(body), limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(limit)),
        Err(_) => Err(refused_request(StatusCode::BAD_REQUEST, "the body ended early")),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(JSON))
}

fn announced_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(limit: usize) -> Refused {
    let message = format!("the body is larger than {limit} bytes");
    refused_request(StatusCode::PAYLOAD_TOO_LARGE, &message)
}
