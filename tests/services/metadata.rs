//! The published documents: made without asking any port, so they are there when everything else is
//! down.

use mcp_oauth_core::domain::resource::ResourceDocument;
use mcp_oauth_core::service::metadata::ProtectedResourceMetadata;

use crate::samples::{BASE, RESOURCE};
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
