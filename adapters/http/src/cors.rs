//! Cross-origin requests of browser-hosted clients. Credentials are never allowed.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use poem::{Endpoint, IntoResponse, Request, Response, Result};

/// Which pages may read the answers of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Any page: what is there is public, or useless without a code.
    AnyPage,
    /// Pages of allowed origins: a token works here, or is made.
    AllowedPages,
    /// No page but our own: a person answers here (OAuth 2.1 §3.1).
    OwnPages,
}

const ALLOWED_METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, DELETE");
const EXPOSED_HEADERS: HeaderValue =
    HeaderValue::from_static("WWW-Authenticate, Retry-After, Mcp-Session-Id, X-Request-Id");
const ONE_DAY: HeaderValue = HeaderValue::from_static("86400");

impl Readers {
    /// Who may read the answers of `path`.
    pub(crate) fn of(path: &str, base_path: &str) -> Self {
        let path = path.strip_prefix(base_path).unwrap_or(path);
        match path {
            "/register" | "/token" | "/revoke" | "/userinfo" | "/openapi.json" => Self::AnyPage,
            "/mcp/health" | "/health/live" | "/health/ready" => Self::AnyPage,
            "/dev/token" => Self::AllowedPages,
            _ if path.starts_with("/.well-known/") || path.starts_with("/register/") => {
                Self::AnyPage
            }
            _ if path == "/mcp" || path.starts_with("/mcp/") => Self::AllowedPages,
            _ => Self::OwnPages,
        }
    }
}

/// Answers preflights and marks answers for the pages that may read them. Origins that are not
/// allowed have been refused before this.
pub(crate) async fn cross_origin<E: Endpoint>(
    base_path: &str,
    next: E,
    request: Request,
) -> Result<Response> {
    let origin = request.headers().get(ORIGIN).cloned();
    let allow_origin = match (Readers::of(request.uri().path(), base_path), origin) {
        // Always, so that a shared cache has one answer for everybody.
        (Readers::AnyPage, _) => HeaderValue::from_static("*"),
        (Readers::AllowedPages, Some(origin)) => origin,
        _ => return Ok(next.call(request).await?.into_response()),
    };
    let preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if preflight {
        preflight_response(request.headers())
    } else {
        match next.call(request).await {
            Ok(output) => output.into_response(),
            Err(error) => error.into_response(),
        }
    };
    let headers = response.headers_mut();
    if allow_origin != "*" {
        headers.append(VARY, HeaderValue::from_static("Origin"));
    }
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allow_origin);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
    Ok(response)
}

fn preflight_response(asked: &HeaderMap) -> Response {
    let mut response: Response = StatusCode::NO_CONTENT.into();
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, ALLOWED_METHODS);
    headers.insert(ACCESS_CONTROL_MAX_AGE, ONE_DAY);
    // Any header: `Mcp-Param-*` have names of the tools' choosing, and none of them is a credential
    // that a browser would add by itself.
    if let Some(names) = asked.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
    response
}
