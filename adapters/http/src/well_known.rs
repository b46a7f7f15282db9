//! The discovery documents and the paths they are found at.

use std::sync::Arc;

use http::StatusCode;
use http::header::HOST;
use mcp_oauth_core::domain::public_address::PROTECTED_RESOURCE_METADATA;
use mcp_oauth_core::domain::resource::ResourceDocument;
use mcp_oauth_core::service::UseCases;
use mcp_oauth_core::service::metadata::ServerDocument;
use mcp_oauth_core::service::refusal::Refusal;
use poem::endpoint::{BoxEndpoint, make, make_sync};
use poem::{Request, Response, Route};
use serde::Serialize;

use crate::api_answer::{Keep, json_response, refusal_response};
use crate::methods::get;

const AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";
const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";

/// Adds the documents to the routes at the root of the host.
///
/// The path of the base URL goes behind the well-known name (RFC 8414 §3.1, RFC 9728 §3.1), and
/// for OpenID Connect also before it (Discovery §4).
pub(crate) fn add_well_known(mut routes: Route, use_cases: &UseCases) -> Route {
    let base = use_cases.address.base_path().to_owned();
    for (path, document, trailing_slash) in resource_paths(&base) {
        routes = routes.at(path, resource_document(use_cases, document, trailing_slash));
    }
    let server = || server_document(use_cases, ServerDocument::OAuth);
    let openid = || server_document(use_cases, ServerDocument::OpenId);
    routes = routes.at(AUTHORIZATION_SERVER, server()).at(OPENID_CONFIGURATION, openid());
    if base.is_empty() {
        return routes;
    }
    routes
        .at(format!("{AUTHORIZATION_SERVER}{base}"), server())
        .at(format!("{OPENID_CONFIGURATION}{base}"), openid())
        .at(format!("{base}{OPENID_CONFIGURATION}"), openid())
}

/// Every path of a resource document; `…/mcp/` is for callers who type it so.
fn resource_paths(base: &str) -> Vec<(String, ResourceDocument, bool)> {
    let mut paths = Vec::new();
    for document in ResourceDocument::ALL {
        let path = format!("{PROTECTED_RESOURCE_METADATA}{base}{}", document.path());
        paths.push((format!("{path}/"), document, true));
        paths.push((path, document, false));
    }
    paths
}

fn resource_document(
    use_cases: &UseCases,
    document: ResourceDocument,
    trailing_slash: bool,
) -> BoxEndpoint<'static> {
    let use_cases = use_cases.clone();
    get(make_sync(move |request: Request| {
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let address = use_cases.address.as_asked(host);
        let metadata = &use_cases.metadata;
        json_document(&metadata.protected_resource(&address, document, trailing_slash))
    }))
}

fn server_document(use_cases: &UseCases, document: ServerDocument) -> BoxEndpoint<'static> {
    let metadata = Arc::clone(&use_cases.metadata);
    get(make(move |_| {
        let metadata = Arc::clone(&metadata);
        async move {
            match metadata.discover(document).await {
                Ok(discovered) => json_document(&discovered),
                Err(error) => refusal_response(Refusal::Provider(&error)),
            }
        }
    }))
}

fn json_document(document: &impl Serialize) -> Response {
    json_response(StatusCode::OK, document, Keep::Minutes)
}
