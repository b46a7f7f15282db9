//! Errors that are answered before, or instead of, the engine's own: JSON-RPC in an HTTP status.

use http::StatusCode;
use http::header::RETRY_AFTER;
use poem::Response;
use rmcp::model::{ErrorCode, RequestId};
use serde_json::json;

use crate::accept::JSON;
use crate::envelope::Malformed;

/// When to try again, in seconds; sessions end any moment, and stores come back.
const TRY_AGAIN: u64 = 5;

/// Instead of an answer: the response to send. Boxed, since it is large and rare.
pub(crate) type Refused = Box<Response>;

/// A JSON-RPC error in an HTTP response. The id is `null` when none could be read (JSON-RPC 2.0 §5).
pub(crate) fn refused(
    status: StatusCode,
    code: ErrorCode,
    id: Option<RequestId>,
    message: &str,
) -> Refused {
    let error = json!({ "code": code.0, "message": message });
    let body = json!({ "jsonrpc": "2.0", "id": id, "error": error });
    Box::new(Response::builder().status(status).content_type(JSON).body(body.to_string()))
}

/// A refusal of the request as a whole, about no message in particular.
pub(crate) fn refused_request(status: StatusCode, message: &str) -> Refused {
    refused(status, ErrorCode::INVALID_REQUEST, None, message)
}

/// The same, with when to try again.
pub(crate) fn try_again(status: StatusCode, message: &str) -> Refused {
    let mut response = refused_request(status, message);
    response.headers_mut().insert(RETRY_AFTER, TRY_AGAIN.into());
    response
}

/// The answer to params that the engine can't read as those of the message's method.
pub(crate) fn unfit_params(id: Option<RequestId>) -> Refused {
    let text = "the params do not fit the method";
    refused(StatusCode::BAD_REQUEST, ErrorCode::INVALID_PARAMS, id, text)
}

/// The answer to an id that names no session of this caller, whoever else's it may be.
pub(crate) fn unknown_session() -> Refused {
    refused_request(StatusCode::NOT_FOUND, "no such session: start a new one")
}

impl From<Malformed> for Refused {
    fn from(malformed: Malformed) -> Self {
        let status = match malformed.code {
            ErrorCode::METHOD_NOT_FOUND => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        };
        refused(status, malformed.code, malformed.id, malformed.reason)
    }
}
