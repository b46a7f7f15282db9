//! Answering an API request: a document, or the error of the table in the core.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use mcp_oauth_core::service::refusal::Refusal;
use poem::{IntoResponse, Response};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, Object};
use serde::Serialize;

/// What a request is answered with: a document of type `T`, or a refusal.
pub(crate) enum Answer<T> {
    /// The document, and whether it may be kept.
    Document(T, Keep),
    /// Why not.
    Refused(Response),
}

/// How long an answer may be kept by those who receive it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Keep {
    /// It holds a secret.
    Never,
    /// It is public and changes rarely.
    Minutes,
}

/// A document an endpoint answers with.
pub(crate) trait Document: Type + Serialize {
    /// Its status.
    const STATUS: u16 = 200;
    /// Whether it may be asked for too often.
    const LIMITED: bool = false;
    /// What it is, for the documentation.
    const MEANING: &'static str;
}

/// An error of OAuth (RFC 6749 §5.2).
#[derive(Object, Serialize)]
#[oai(rename = "OAuthError")]
pub(crate) struct OAuthErrorDocument {
    /// One of the registered codes, e.g. `invalid_grant`.
    error: String,
    /// What went wrong, for the developer of the client.
    error_description: String,
}

impl<T> Answer<T> {
    /// The answer to a refused request.
    pub(crate) fn refused(refusal: Refusal<'_>) -> Self {
        Self::Refused(refusal_response(refusal))
    }

    /// The same refusal with one more header.
    pub(crate) fn with_header(self, name: HeaderName, value: &str) -> Self {
        match (self, HeaderValue::from_str(value)) {
            (Self::Refused(mut response), Ok(value)) => {
                response.headers_mut().insert(name, value);
                Self::Refused(response)
            }
            (same, _) => same,
        }
    }
}

/// The JSON answer to a refused request, as the table has it.
pub(crate) fn refusal_response(refusal: Refusal<'_>) -> Response {
    let row = refusal.row();
    let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = error_response(status, row.code, &refusal.public_text());
    let headers = response.headers_mut();
    if let Some(seconds) = row.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.as_secs()));
    }
    if let Some(challenge) = row.challenge {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response
}

/// A JSON error document that nobody keeps; without a code when the specification wants none.
fn error_response(status: StatusCode, code: &str, description: &str) -> Response {
    let mut members = serde_json::Map::new();
    if !code.is_empty() {
        members.insert("error".to_owned(), code.into());
    }
    members.insert("error_description".to_owned(), description.into());
    json_response(status, &members, Keep::Never)
}

/// A JSON document.
pub(crate) fn json_response(status: StatusCode, document: &impl Serialize, keep: Keep) -> Response {
    let Ok(body) = serde_json::to_vec(document) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into();
    };
    let response = Response::builder().status(status);
    // RFC 9110 §15.3.5: there is no content to have a type.
    let mut response = if status == StatusCode::NO_CONTENT {
        response.finish()
    } else {
        response.content_type("application/json").body(body)
    };
    keep.write(response.headers_mut());
    response
}

impl Keep {
    fn write(self, headers: &mut HeaderMap) {
        match self {
            Self::Never => {
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
                headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
            }
            Self::Minutes => {
                let public = HeaderValue::from_static("public, max-age=300");
                headers.insert(header::CACHE_CONTROL, public);
            }
        }
    }
}

impl<T: Document + Send> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        match self {
            Self::Document(document, keep) => {
                let status = StatusCode::from_u16(T::STATUS).unwrap_or(StatusCode::OK);
                json_response(status, &document, keep)
            }
            Self::Refused(response) => response,
        }
    }
}

impl<T: Document> ApiResponse for Answer<T> {
    fn meta() -> MetaResponses {
        let of = |status, description, schema| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content: vec![MetaMediaType { content_type: "application/json", schema }],
            headers: Vec::new(),
        };
        let error = OAuthErrorDocument::schema_ref;
        let limited = of(429, "Too often; `Retry-After` says when to try again.", error());
        let mut responses = vec![
            of(T::STATUS, T::MEANING, T::schema_ref()),
            of(400, "The request is wrong; `error` says how.", error()),
            of(401, "The credentials are missing or wrong.", error()),
        ];
        responses.extend(T::LIMITED.then_some(limited));
        responses.push(of(503, "The server can't answer at the moment.", error()));
        MetaResponses { responses }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
        OAuthErrorDocument::register(registry);
    }
}
