//! Every route of the server, and what happens around all of them.

use std::sync::Arc;

use http::header::{
    CONTENT_TYPE, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use mcp_oauth_core::domain::web_origin::OriginPolicy;
use mcp_oauth_core::service::UseCases;
use mcp_oauth_core::service::refusal::Refusal;
use mcp_oauth_core::service::transport_error::TransportError;
use poem::endpoint::{BoxEndpoint, make_sync};
use poem::{Endpoint, EndpointExt, IntoEndpoint, IntoResponse, Request, Response, Result, Route};

use crate::api_answer::refusal_response;
use crate::correlation::correlate;
use crate::cors::cross_origin;
use crate::docs::add_docs;
use crate::host_and_origin::check_host_and_origin;
use crate::landing::add_landing;
use crate::methods::{documented, get};
use crate::openapi::{is_served, openapi_service, openapi_text};
use crate::pages::add_pages;
use crate::request_head::check_head;
use crate::well_known::add_well_known;

/// What the routes depend on beside the use cases.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Which web pages may use the MCP endpoints.
    pub origins: OriginPolicy,
    /// Whether `/mcp` is served.
    pub streamable_http: bool,
    /// Whether `/mcp/sse` is served.
    pub sse: bool,
    /// A dev user to name on the landing page.
    pub dev_username: Option<String>,
    /// Whether their password is the one of the defaults.
    pub default_password: bool,
}

/// A path below the base URL and the endpoint another adapter serves there.
pub type Mount = (&'static str, BoxEndpoint<'static, Response>);

/// The whole server as one endpoint.
pub fn router(
    use_cases: &UseCases,
    settings: HttpSettings,
    mounts: Vec<Mount>,
) -> impl Endpoint<Output = Response> + 'static {
    let base: Arc<str> = use_cases.address.base_path().into();
    let https = use_cases.address.is_https();
    let origins = settings.origins.clone();
    let reception = Arc::clone(&use_cases.reception);
    let routes = at_host(use_cases, &settings, mounts);
    let (cors_base, origin_base) = (Arc::clone(&base), base);
    routes
        .around(plain_errors)
        .around(move |next, request| {
            let base = Arc::clone(&cors_base);
            async move { cross_origin(&base, next, request).await }
        })
        .around(move |next, request| {
            let (base, origins) = (Arc::clone(&origin_base), origins.clone());
            async move { check_host_and_origin(&origins, &base, next, request).await }
        })
        .around(check_head)
        .around(move |next, request| safe_headers(next, request, https))
        .around(move |next, request| {
            let reception = Arc::clone(&reception);
            async move { correlate(&reception, next, request).await }
        })
}

/// The routes of the host: discovery at its root, everything else below the base URL.
fn at_host(use_cases: &UseCases, settings: &HttpSettings, mounts: Vec<Mount>) -> Route {
    let base = use_cases.address.base_path();
    let below = below_base(use_cases, settings, mounts);
    if base.is_empty() {
        add_well_known(below, use_cases)
    } else {
        add_well_known(Route::new().nest(base, below), use_cases)
    }
}

fn below_base(use_cases: &UseCases, settings: &HttpSettings, mounts: Vec<Mount>) -> Route {
    let document = openapi_text(use_cases);
    let document =
        move |_| Response::builder().content_type("application/json").body(document.clone());
    let mut routes = Route::new().at("/openapi.json", get(make_sync(document)));
    routes = add_docs(routes, use_cases);
    if use_cases.policy.authorization_server.is_local() {
        routes = add_pages(routes, use_cases);
    }
    routes = add_landing(routes, use_cases, settings);
    for (path, endpoint) in mounts {
        routes = routes.at(path, endpoint);
    }
    add_api(routes, use_cases)
}

/// Each path by itself: nested at `/` the typed routes would take the landing page's place.
fn add_api(mut routes: Route, use_cases: &UseCases) -> Route {
    let service = openapi_service(use_cases);
    let document: serde_json::Value = serde_json::from_str(&service.spec()).unwrap_or_default();
    let api = Arc::new(service.into_endpoint().map_to_response());
    for (path, served) in document["paths"].as_object().into_iter().flatten() {
        if !is_served(served, use_cases) {
            continue;
        }
        routes = routes
            .at(path.replace('{', ":").replace('}', ""), documented(served, Arc::clone(&api)));
    }
    routes
}

/// Gives errors of the framework a body.
async fn plain_errors<E: Endpoint>(next: E, request: Request) -> Result<Response> {
    Ok(match next.call(request).await {
        Ok(output) => output.into_response(),
        Err(error) => framework_error(error),
    })
}

/// Gives every answer, refusals of Host and Origin among them, the headers that cost nothing.
async fn safe_headers<E: Endpoint>(next: E, request: Request, https: bool) -> Result<Response> {
    let mut response = match next.call(request).await {
        Ok(output) => output.into_response(),
        Err(error) => error.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    if https {
        let one_year = HeaderValue::from_static("max-age=31536000");
        headers.insert(STRICT_TRANSPORT_SECURITY, one_year);
    }
    Ok(response)
}

fn framework_error(error: poem::Error) -> Response {
    if error.is_from_response() {
        return error.into_response();
    }
    let error = match error.status() {
        StatusCode::NOT_FOUND => TransportError::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => TransportError::MethodNotAllowed,
        status if status.is_server_error() => {
            tracing::error!(%error, "the request failed");
            TransportError::Failed(error.to_string())
        }
        _ => TransportError::Malformed(error.to_string()),
    };
    refusal_response(Refusal::Transport(&error))
}
