//! `/docs`: Swagger UI from the binary itself, with a login that works.

use std::sync::Arc;

use http::header::{CONTENT_SECURITY_POLICY, LOCATION};
use http::{HeaderValue, StatusCode, Uri};
use mcp_oauth_core::domain::client::{
    Client, ClientCredential, ClientId, ClientMetadata, GrantType,
};
use mcp_oauth_core::domain::public_address::PublicAddress;
use mcp_oauth_core::domain::redirect_uri::RedirectUri;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::service::UseCases;
use poem::endpoint::make_sync;
use poem::{Endpoint, EndpointExt, IntoResponse, Request, Response, Result, Route, get};

use crate::openapi::{openapi_service, openapi_text};

/// The identifier of the client behind the Authorize button.
pub const DOCS_CLIENT: &str = "docs";

/// Where Swagger UI receives the code, below the base URL.
const RECEIVER: &str = "/docs/oauth-receiver.html";

/// The client behind the Authorize button: public, known without registration.
#[must_use]
pub fn docs_client(address: &PublicAddress, now: Timestamp) -> Client {
    let spelled = |host: &str| format!("{}{RECEIVER}", address.as_asked(Some(host)).base_url());
    let port = address.base_url().rsplit_once(':').map_or("", |(_, port)| port);
    let hosts = ["localhost", "127.0.0.1", "[::1]"].map(|host| format!("{host}:{port}"));
    let mut redirect_uris: Vec<RedirectUri> =
        hosts.iter().filter_map(|host| RedirectUri::parse(&spelled(host)).ok()).collect();
    redirect_uris.dedup();
    Client {
        id: ClientId::new(DOCS_CLIENT),
        credential: ClientCredential::Public,
        metadata: ClientMetadata {
            client_name: Some("The documentation page of this server".to_owned()),
            client_uri: None,
            redirect_uris,
            grant_types: vec![GrantType::AuthorizationCode],
            scope: None,
            application_type: Some("web".to_owned()),
            software_id: None,
            software_version: None,
        },
        registered_at: now,
        last_used_at: None,
    }
}

/// The page and the page that receives the code.
pub(crate) fn add_docs(routes: Route, use_cases: &UseCases) -> Route {
    let service = openapi_service(use_cases);
    let page = with_login(&service.swagger_ui_html(), &service.spec(), use_cases);
    let policy = format!(
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; \
         connect-src 'self' {}; base-uri 'none'; frame-ancestors 'none'",
        use_cases.address.origin()
    );
    let html = move |_| {
        Response::builder()
            .content_type("text/html; charset=utf-8")
            .header(CONTENT_SECURITY_POLICY, &policy)
            .body(page.clone())
    };
    let to_page = format!("{}/docs", use_cases.address.base_path());
    let redirect = move |_| {
        Response::builder()
            .status(StatusCode::PERMANENT_REDIRECT)
            .header(LOCATION, &to_page)
            .finish()
    };
    routes
        .at("/docs", get(make_sync(html)))
        .at("/docs/", get(make_sync(redirect)))
        .at(RECEIVER, get(service.swagger_ui().around(receive_code)))
}

/// Swagger UI's own routes start at `/`.
async fn receive_code<E: Endpoint>(swagger_ui: Arc<E>, mut request: Request) -> Result<Response> {
    *request.uri_mut() = Uri::from_static("/oauth-receiver.html");
    let mut response = swagger_ui.call(request).await?.into_response();
    let policy = HeaderValue::from_static(
        "default-src 'none'; script-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    );
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

/// Swagger UI starts no PKCE by itself, which every client here needs; and it shows the document
/// with what `openapi.rs` adds to it.
fn with_login(page: &str, bare_document: &str, use_cases: &UseCases) -> String {
    let scopes: Vec<&str> =
        use_cases.policy.scopes.default.iter().map(|scope| scope.as_str()).collect();
    let login = serde_json::json!({
        "clientId": DOCS_CLIENT,
        "appName": use_cases.policy.server_name,
        "scopes": scopes,
        "usePkceWithAuthorizationCodeGrant": true,
    });
    page.replacen(bare_document, &openapi_text(use_cases), 1)
        .replacen(
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
