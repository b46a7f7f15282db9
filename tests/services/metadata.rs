//! The published documents: our own are made without asking any port, so they are there when everything
//! else is down.

use mcp_oauth_core::domain::resource::ResourceDocument;
use mcp_oauth_core::service::metadata::{
    DiscoveredServer, ProtectedResourceMetadata, ServerDocument,
};
use serde_json::{Map, Value, json};

use crate::samples::{BASE, PROVIDER, RESOURCE, provider_unavailable};
use crate::world::{Stage, World};

fn resource(stage: &Stage, document: ResourceDocument, slash: bool) -> ProtectedResourceMetadata {
    let address = stage.use_cases.address.as_asked(None);
    stage.use_cases.metadata.protected_resource(&address, document, slash)
}

#[test]
fn rs_04_each_resource_document_names_the_resource_it_was_asked_for() {
    let stage = World::new().open();
    let named = |document, slash| resource(&stage, document, slash).resource;
    assert_eq!(named(ResourceDocument::Base, false), BASE);
    assert_eq!(named(ResourceDocument::StreamableHttp, false), RESOURCE);
    assert_eq!(named(ResourceDocument::StreamableHttp, true), format!("{RESOURCE}/"));
    assert_eq!(named(ResourceDocument::Sse, false), format!("{RESOURCE}/sse"));
}

#[test]
fn rs_02_md_03_the_issuer_is_the_same_bytes_everywhere() {
    let stage = World::new().open();
    let servers = resource(&stage, ResourceDocument::StreamableHttp, false).authorization_servers;
    let issuer = stage.use_cases.metadata.authorization_server().issuer;
    assert_eq!((servers, issuer.as_str()), (vec![issuer.clone()], BASE));
    assert_eq!(stage.use_cases.metadata.openid_configuration().server.issuer, issuer);
}

#[test]
fn rs_13_rs_22_md_10_offline_access_is_the_authorization_servers_alone() {
    let stage = World::new().open();
    let minimal = resource(&stage, ResourceDocument::Base, false).scopes_supported;
    assert_eq!(minimal, ["mcp:tools"]);
    let all = stage.use_cases.metadata.authorization_server().scopes_supported;
    assert_eq!(all, ["mcp:admin", "mcp:tools", "offline_access"]);
}

#[test]
fn md_05_md_06_md_08_both_documents_say_what_is_required_and_accepted() {
    let stage = World::new().open();
    let server = stage.use_cases.metadata.authorization_server();
    assert_eq!(stage.use_cases.metadata.openid_configuration().server, server);
    assert_eq!(server.code_challenge_methods_supported, ["S256"]);
    assert_eq!(server.response_types_supported, ["code"]);
    let grants = ["authorization_code", "refresh_token", "client_credentials"];
    assert_eq!(server.grant_types_supported, grants);
    let methods = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"];
    assert_eq!(server.token_endpoint_auth_methods_supported, methods);
    assert_eq!(server.revocation_endpoint_auth_methods_supported, methods);
    assert!(server.authorization_response_iss_parameter_supported);
}

#[test]
fn in_01_md_08_who_can_be_anybody_is_not_invited_to_ask_about_tokens() {
    let server = World::new().open().use_cases.metadata.authorization_server();
    let confidential = ["client_secret_basic", "client_secret_post", "private_key_jwt"];
    assert_eq!(server.introspection_endpoint_auth_methods_supported, confidential);
}

#[test]
fn md_12_every_endpoint_is_below_the_base_url() {
    let server = World::new().open().use_cases.metadata.authorization_server();
    let endpoints = [
        (server.authorization_endpoint, "/authorize"),
        (server.token_endpoint, "/token"),
        (server.registration_endpoint.unwrap(), "/register"),
        (server.jwks_uri, "/.well-known/jwks.json"),
        (server.revocation_endpoint, "/revoke"),
        (server.introspection_endpoint, "/introspect"),
        (server.userinfo_endpoint, "/userinfo"),
    ];
    for (published, path) in endpoints {
        assert_eq!(published, format!("{BASE}{path}"));
    }
}

async fn discovered(stage: &Stage, document: ServerDocument) -> DiscoveredServer {
    stage.use_cases.metadata.discover(document).await.unwrap()
}

#[tokio::test]
async fn md_01_who_looks_for_the_authorization_server_here_finds_it() {
    let stage = World::new().open();
    let own = Box::new(stage.use_cases.metadata.authorization_server());
    let openid = Box::new(stage.use_cases.metadata.openid_configuration());
    let found = discovered(&stage, ServerDocument::OAuth).await;
    assert_eq!(found, DiscoveredServer::Own(own));
    let found = discovered(&stage, ServerDocument::OpenId).await;
    assert_eq!(found, DiscoveredServer::OwnOpenId(openid));
}

#[test]
fn rs_02_the_providers_are_the_authorization_servers_byte_for_byte() {
    let stage = World::new().of_providers().open();
    for document in ResourceDocument::ALL {
        let resource = resource(&stage, document, false);
        assert_eq!(resource.authorization_servers, [PROVIDER, "https://other.example/"]);
        assert_eq!(resource.scopes_supported, ["mcp:tools"]);
    }
}

#[tokio::test]
async fn md_03_who_looks_for_a_provider_here_finds_what_it_says_of_itself() {
    let document = json!({ "issuer": PROVIDER, "b": [1, null], "a": { "x-vendor": true } });
    let document: Map<String, Value> = document.as_object().unwrap().clone();
    let mut world = World::new().of_providers();
    let copy = document.clone();
    world.provider_metadata.expect_metadata().times(2).returning(move || Ok(copy.clone()));
    let stage = world.open();
    for asked in [ServerDocument::OAuth, ServerDocument::OpenId] {
        let found = discovered(&stage, asked).await;
        assert_eq!(found, DiscoveredServer::Provider(document.clone()));
    }
}

#[tokio::test]
async fn what_an_unreachable_provider_says_of_itself_is_not_made_up() {
    let mut world = World::new().of_providers();
    world.provider_metadata.expect_metadata().times(1).return_once(|| Err(provider_unavailable()));
    let stage = world.open();
    let refused = stage.use_cases.metadata.discover(ServerDocument::OAuth).await;
    assert_eq!(refused, Err(provider_unavailable()));
    assert_eq!(stage.decisions(), ["provider_unavailable"]);
}

#[test]
fn where_providers_issue_the_tokens_there_are_no_test_tokens() {
    let loopback = || World { base_url: "http://localhost:8000", ..World::new() };
    assert!(loopback().open().use_cases.dev_token.is_some());
    assert!(loopback().of_providers().open().use_cases.dev_token.is_none());
}
