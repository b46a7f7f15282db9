//! `/`: how to connect each client.

use http::StatusCode;
use mcp_oauth_core::domain::resource::ResourceDocument;
use mcp_oauth_core::service::UseCases;
use mcp_oauth_core::service::policy::RegistrationMode;
use poem::endpoint::make_sync;
use poem::{Request, Response, Route};

use crate::methods::get;
use crate::page_templates::{LandingPage, STYLE, page};
use crate::router::HttpSettings;

/// Adds the landing page and the style sheet of all pages.
pub(crate) fn add_landing(routes: Route, use_cases: &UseCases, settings: &HttpSettings) -> Route {
    let use_cases = use_cases.clone();
    let settings = settings.clone();
    let style = |_| {
        Response::builder()
            .content_type("text/css; charset=utf-8")
            .header(http::header::CACHE_CONTROL, "public, max-age=3600")
            .body(STYLE)
    };
    routes
        .at("/", get(make_sync(move |request| landing(&request, &use_cases, &settings))))
        .at("/style.css", get(make_sync(style)))
}

fn landing(request: &Request, use_cases: &UseCases, settings: &HttpSettings) -> Response {
    let host = request.headers().get(http::header::HOST).and_then(|host| host.to_str().ok());
    let address = use_cases.address.as_asked(host);
    let dev_token = use_cases.dev_token.as_ref();
    let dev_token_url = dev_token.map(|_| format!("{}/dev/token", address.base_url()));
    let providers = use_cases.policy.authorization_server.providers();
    let dev_username = settings.dev_username.as_deref().filter(|_| providers.is_empty());
    let template = LandingPage {
        base: use_cases.address.base_path(),
        server_name: &use_cases.policy.server_name,
        providers: providers.iter().map(|issuer| issuer.as_str()).collect(),
        registers: matches!(use_cases.policy.registration.mode, RegistrationMode::Open),
        mcp_url: &address.resource(ResourceDocument::StreamableHttp, false),
        sse_url: &address.resource(ResourceDocument::Sse, false),
        streamable_http: settings.streamable_http,
        sse: settings.sse,
        dev_token_url: dev_token_url.as_deref(),
        dev_username,
        default_password: settings.default_password,
    };
    page(StatusCode::OK, &template)
}
