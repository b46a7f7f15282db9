//! `/docs`: Swagger UI from the binary itself, with a login that works.

use std::sync::OnceLock;

use http::header::{CONTENT_SECURITY_POLICY, LOCATION};
use http::{HeaderValue, StatusCode, Uri};
use mcp_oauth_core::domain::client::{
    Client, ClientCredential, ClientId, ClientMetadata, ClientOrigin, GrantType,
};
use mcp_oauth_core::domain::own_clients::DOCS_CLIENT;
use mcp_oauth_core::domain::public_address::{AskedAddress, PublicAddress};
use mcp_oauth_core::domain::redirect_uri::RedirectUri;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::service::UseCases;
use poem::endpoint::{make, make_sync};
use poem::{Endpoint, IntoResponse, Request, Response, Result, Route};

use crate::methods::get;
use crate::openapi::{openapi_service, openapi_text};

/// Where Swagger UI receives the code, below the base URL.
const RECEIVER: &str = "/docs/oauth-receiver.html";

/// The client behind the Authorize button: public, known without registration.
#[must_use]
pub fn docs_client(address: &PublicAddress, now: Timestamp) -> Client {
    let receiver = |spelling: &AskedAddress| format!("{}{RECEIVER}", spelling.base_url());
    let redirect_uris =
        address.spellings().into_iter().filter_map(|it| RedirectUri::parse(&receiver(&it)).ok());
    Client {
        id: ClientId::new(DOCS_CLIENT),
        origin: ClientOrigin::Operator,
        credential: ClientCredential::Public,
        metadata: ClientMetadata {
            client_name: Some("The documentation page of this server".to_owned()),
            client_uri: None,
            redirect_uris: redirect_uris.collect(),
            grant_types: vec![GrantType::AuthorizationCode],
            scope: None,
            application_type: Some("web".to_owned()),
            software_id: None,
            software_version: None,
        },
        registration_token: None,
        may_introspect: false,
        registered_at: now,
        last_used_at: None,
    }
}

/// The page and the page that receives the code. Both are made when somebody first wants them: they
/// are most of what this server would otherwise hold in memory.
pub(crate) fn add_docs(routes: Route, use_cases: &UseCases) -> Route {
    let policy = format!(
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; \
         connect-src 'self' {}; base-uri 'none'; frame-ancestors 'none'",
        use_cases.address.origin()
    );
    let page: OnceLock<String> = OnceLock::new();
    let documented = use_cases.clone();
    let html = move |_| {
        Response::builder()
            .content_type("text/html; charset=utf-8")
            .header(CONTENT_SECURITY_POLICY, &policy)
            .body(page.get_or_init(|| page_with_login(&documented)).clone())
    };
    let to_page = format!("{}/docs", use_cases.address.base_path());
    let redirect = move |_| {
        Response::builder()
            .status(StatusCode::PERMANENT_REDIRECT)
            .header(LOCATION, &to_page)
            .finish()
    };
    let documented = use_cases.clone();
    let routes = routes.at("/docs", get(make_sync(html))).at("/docs/", get(make_sync(redirect)));
    if !use_cases.policy.authorization_server.is_local() {
        return routes;
    }
    routes.at(RECEIVER, get(make(move |_| receive_code(documented.clone()))))
}

/// Swagger UI's own page, found at its own path.
async fn receive_code(use_cases: UseCases) -> Result<Response> {
    let request = Request::builder().uri(Uri::from_static("/oauth-receiver.html")).finish();
    let swagger_ui = openapi_service(&use_cases).swagger_ui();
    let mut response = swagger_ui.call(request).await?.into_response();
    let policy = HeaderValue::from_static(
        "default-src 'none'; script-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    );
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

/// Swagger UI starts no PKCE by itself, which every client here needs; and it shows the document
/// with what `openapi.rs` adds to it. Where people log in at a provider, it has a field for a token.
fn page_with_login(use_cases: &UseCases) -> String {
    let service = openapi_service(use_cases);
    let (page, bare_document) = (service.swagger_ui_html(), service.spec());
    let page = page.replacen(&bare_document, &openapi_text(use_cases), 1);
    if !use_cases.policy.authorization_server.is_local() {
        return page;
    }
    let scopes: Vec<&str> =
        use_cases.policy.scopes.default.iter().map(|scope| scope.as_str()).collect();
    let login = serde_json::json!({
        "clientId": DOCS_CLIENT,
        "appName": use_cases.policy.server_name,
        "scopes": scopes,
        "usePkceWithAuthorizationCodeGrant": true,
    });
    page.replacen(
        "SwaggerUIBundle({\n        dom_id",
        "window.ui = SwaggerUIBundle({\n        dom_id",
        1,
    )
    .replacen(
        "deepLinking: true,\n    })",
        &format!("deepLinking: true,\n    }});\n    window.ui.initOAuth({login})"),
        1,
    )
}
