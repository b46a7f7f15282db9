//! Registration: a refused body stores nothing, and a stored client has no secret in it.

use mcp_oauth_core::domain::client::{ClientAuthMethod, ClientCredential, GrantType};
use mcp_oauth_core::port::RegisterError;
use mcp_oauth_core::service::refusal::Refusal;
use mcp_oauth_core::service::register::{Registered, RegistrationError};
use serde_json::{Value, json};

use crate::samples::{CALLBACK, at, store_unavailable};
use crate::world::{Stage, World, row};

/// A world whose registry takes one client.
fn taking_one() -> World {
    let mut world = World::new();
    world.clients.expect_register().times(1).return_once(|_, _| Ok(()));
    world
}

/// A world whose registry refuses the one client it is given.
fn refusing(error: RegisterError) -> Stage {
    let mut world = World::new();
    world.clients.expect_register().times(1).return_once(|_, _| Err(error));
    world.open()
}

async fn register(stage: &Stage, body: &Value) -> Result<Registered, RegistrationError> {
    stage.use_cases.register.register(&[], body.to_string().as_bytes()).await
}

fn minimal() -> Value {
    json!({ "redirect_uris": [CALLBACK] })
}

#[tokio::test]
async fn rg_01_rg_04_a_minimal_registration_gets_the_defaults_and_is_recorded() {
    let stage = taking_one().open();
    let registered = register(&stage, &minimal()).await.unwrap();
    let client = &registered.client;
    assert_eq!(client.credential.method(), ClientAuthMethod::ClientSecretBasic);
    assert_eq!(client.metadata.grant_types, [GrantType::AuthorizationCode]);
    assert_eq!(client.registered_at, at(0));
    assert_eq!(stage.decisions(), ["client_registered"]);
    assert_eq!(stage.only_event().client.as_ref(), Some(&client.id));
}

#[tokio::test]
async fn tk_16_what_is_stored_is_the_hash_of_the_secret_that_is_told() {
    let stage = taking_one().open();
    let Registered { client, secret, .. } = register(&stage, &minimal()).await.unwrap();
    let secret = secret.unwrap();
    let ClientCredential::Secret { hash, .. } = &client.credential else { panic!("{client:?}") };
    assert!(hash.matches(&secret));
    assert!(!format!("{client:?} {:?}", stage.audited()).contains(secret.expose()));
}

#[tokio::test]
async fn the_registry_is_given_the_client_the_answer_tells_of() {
    let mut world = World::new();
    let (kept, stored) = std::sync::mpsc::channel();
    let register_once = world.clients.expect_register().times(1);
    register_once
        .return_once(move |client, _| kept.send(client.clone()).map_err(|_| unreachable!()));
    let registered = register(&world.open(), &minimal()).await.unwrap();
    assert_eq!(stored.recv().unwrap(), registered.client);
}

#[tokio::test]
async fn rg_02_a_public_client_has_no_secret() {
    let body = json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none" });
    let registered = register(&taking_one().open(), &body).await.unwrap();
    assert_eq!(registered.client.credential, ClientCredential::Public);
    assert!(registered.secret.is_none());
}

#[tokio::test]
async fn rg_07_a_client_id_is_made_here_whatever_the_client_wants() {
    let wanted = "https://client.example/metadata.json";
    let body = json!({ "redirect_uris": [CALLBACK], "client_id": wanted });
    let registered = register(&taking_one().open(), &body).await.unwrap();
    assert!(registered.client.id.as_str().starts_with("mcp-"), "{}", registered.client.id);
}

#[tokio::test]
async fn rg_03_a_bad_redirect_address_stores_nothing() {
    let uris = [
        json!(null),
        json!([]),
        json!(["/relative"]),
        json!(["http://client.example/callback"]),
        json!(["https://client.example/callback#fragment"]),
        json!(["javascript:alert(1)"]),
        json!(vec![CALLBACK; 11]),
    ];
    for redirect_uris in uris {
        let stage = World::new().open();
        let error = register(&stage, &json!({ "redirect_uris": redirect_uris })).await.unwrap_err();
        let expected = (400, "invalid_redirect_uri", "registration_redirect_uri");
        assert_eq!(row(Refusal::Registration(&error)), expected, "{redirect_uris}");
        assert_eq!(stage.decisions(), ["registration_redirect_uri"]);
    }
}

#[tokio::test]
async fn rg_03_rg_05_bad_metadata_stores_nothing() {
    let members = [
        ("token_endpoint_auth_method", json!("client_secret_jwt")),
        ("grant_types", json!(["refresh_token"])),
        ("grant_types", json!("authorization_code")),
        ("response_types", json!(["token"])),
        ("scope", json!("quoted\"scope")),
        ("client_name", json!(7)),
        ("client_uri", json!("javascript:alert(1)")),
        ("application_type", json!("toaster")),
        ("software_id", json!("x".repeat(2049))),
    ];
    for (member, value) in members {
        let stage = World::new().open();
        let error = register(&stage, &json!({ "redirect_uris": [CALLBACK], member: value })).await;
        let error = error.unwrap_err();
        let expected = (400, "invalid_client_metadata", "registration_metadata");
        assert_eq!(row(Refusal::Registration(&error)), expected, "{member}");
        assert!(error.to_string().starts_with(member), "{error}");
    }
}

#[tokio::test]
async fn rg_03_a_software_statement_nobody_here_trusts_stores_nothing() {
    let stage = World::new().open();
    let body =
        json!({ "redirect_uris": [CALLBACK], "software_statement": "eyJhbGciOiJub25lIn0.e30." });
    let error = register(&stage, &body).await.unwrap_err();
    let expected = (400, "unapproved_software_statement", "registration_software_statement");
    assert_eq!(row(Refusal::Registration(&error)), expected);
}

#[tokio::test]
async fn rg_03_a_body_that_is_no_object_stores_nothing() {
    for body in ["", "[]", "{", "\"text\"", "{\"redirect_uris\":"] {
        let stage = World::new().open();
        let error = stage.use_cases.register.register(&[], body.as_bytes()).await.unwrap_err();
        let expected = (400, "invalid_client_metadata", "registration_malformed");
        assert_eq!(row(Refusal::Registration(&error)), expected, "{body}");
    }
}

#[tokio::test]
async fn an_unavailable_registry_is_503_and_nobody_is_recorded_as_registered() {
    for error in [RegisterError::Unavailable(store_unavailable()), RegisterError::Exists] {
        let stage = refusing(error);
        let error = register(&stage, &minimal()).await.unwrap_err();
        let expected = (503, "temporarily_unavailable", "store_unavailable");
        assert_eq!(row(Refusal::Registration(&error)), expected);
        assert_eq!(stage.decisions(), ["store_unavailable"]);
    }
}

#[tokio::test]
async fn rg_06_a_web_client_has_https_addresses_only() {
    let native = json!({ "redirect_uris": ["http://localhost/cb"], "application_type": "native" });
    register(&taking_one().open(), &native).await.unwrap();
    let web = json!({ "redirect_uris": ["http://localhost/cb"], "application_type": "web" });
    let error = register(&World::new().open(), &web).await.unwrap_err();
    assert!(matches!(error, RegistrationError::RedirectUri(_)), "{error}");
}
