//! Telling about a token: to whom, and what.

use mcp_oauth_core::domain::access_token::VerifyError;
use mcp_oauth_core::domain::client::{Client, ClientCredential, ClientId};
use mcp_oauth_core::domain::principal::Principal;
use mcp_oauth_core::service::introspect::{Introspection, IntrospectionError};
use mcp_oauth_core::service::refusal::Refusal;
use serde_json::{Value, json};

use crate::samples::{
    CLIENT_SECRET, INSIDE, SIGNED, WAIT, at, client, confidential_client, store_unavailable,
    unreachable,
};
use crate::tools::{caller, caller_of_grant};
use crate::world::{Stage, World, form, row};

/// The confidential client as the operator's resource server.
fn resource_server() -> Client {
    Client { may_introspect: true, ..confidential_client() }
}

/// The token of a client that is not the one asking.
fn foreign() -> Principal {
    Principal { client: Some(ClientId::new("client-2")), ..caller_of_grant() }
}

/// The confidential client asks about [`SIGNED`], and whatever else.
async fn ask(stage: &Stage, more: &str) -> Result<Introspection, IntrospectionError> {
    let who = format!("client_id=client-1&client_secret={CLIENT_SECRET}");
    stage.use_cases.introspect.introspect(&[], &form(&format!("{who}&token={SIGNED}{more}"))).await
}

/// What the client is told, as it is sent.
async fn told(stage: &Stage) -> Value {
    serde_json::to_value(ask(stage, "").await.unwrap()).unwrap()
}

fn refused(answer: Result<Introspection, IntrospectionError>) -> (u16, &'static str, &'static str) {
    row(Refusal::Introspection(&answer.expect_err("a refusal")))
}

#[tokio::test]
async fn in_01_who_says_nothing_of_itself_is_401_and_no_token_is_looked_at() {
    let stage = World::new().open();
    let form = form(&format!("token={SIGNED}"));
    let answer = stage.use_cases.introspect.introspect(&[], &form).await;
    assert_eq!(refused(answer), (401, "invalid_client", "introspection_anonymous"));
    assert_eq!(stage.decisions(), ["introspection_anonymous"]);
}

#[tokio::test]
async fn in_01_a_public_client_is_401_even_as_a_resource_server() {
    let public = Client { credential: ClientCredential::Public, ..resource_server() };
    for asker in [client(), public] {
        let stage = World::new().with_client(asker).open();
        let form = form(&format!("client_id=client-1&token={SIGNED}"));
        let answer = stage.use_cases.introspect.introspect(&[], &form).await;
        assert_eq!(refused(answer), (401, "invalid_client", "introspection_public_client"));
        assert_eq!(stage.only_event().client, Some(client().id));
    }
}

#[tokio::test]
async fn in_01_a_wrong_secret_is_401_and_no_token_is_looked_at() {
    let stage = World::new().with_client(resource_server()).open();
    let form = form(&format!("client_id=client-1&client_secret=wrong&token={SIGNED}"));
    let answer = stage.use_cases.introspect.introspect(&[], &form).await;
    assert_eq!(refused(answer), (401, "invalid_client", "client_wrong_secret"));
    assert_eq!(stage.only_event().client, Some(client().id));
}

#[tokio::test]
async fn in_02_of_a_token_that_is_none_or_has_ended_nothing_else_is_told() {
    let errors = [
        VerifyError::BadSignature,
        VerifyError::Expired { expired_at: 1, now: 2 },
        VerifyError::WrongAudience { received: vec![], expected: String::new() },
        VerifyError::WrongType { received: None, expected: String::new() },
    ];
    for error in errors {
        let world = World::new().with_client(resource_server());
        let stage = world.with_verified(Err(error)).open();
        assert_eq!(told(&stage).await, json!({ "active": false }));
        assert_eq!(stage.audited(), []);
    }
}

#[tokio::test]
async fn in_02_of_a_revoked_token_nothing_else_is_told() {
    let world = World::new().with_client(resource_server()).with_verified(Ok(foreign()));
    let stage = world.with_revocation(Ok(true)).open();
    assert_eq!(told(&stage).await, json!({ "active": false }));
}

#[tokio::test]
async fn in_02_a_client_is_told_nothing_of_the_tokens_of_others() {
    for holder in [Some(ClientId::new("client-2")), None] {
        let token = Principal { client: holder, ..caller_of_grant() };
        let world = World::new().with_client(confidential_client()).with_verified(Ok(token));
        let stage = world.with_revocation(Ok(false)).open();
        assert_eq!(told(&stage).await, json!({ "active": false }));
    }
}

#[tokio::test]
async fn in_03_a_resource_server_is_told_of_every_token() {
    let world = World::new().with_client(resource_server()).with_verified(Ok(foreign()));
    let stage = world.with_revocation(Ok(false)).open();
    let expected = json!({
        "active": true,
        "token_type": "Bearer",
        "scope": "mcp:tools",
        "client_id": "client-2",
        "sub": "alice",
        "aud": ["https://mcp.example.com/mcp"],
        "iss": "https://mcp.example.com",
        "exp": at(100).as_unix(),
        "iat": at(-10).as_unix(),
        "jti": "jti-1",
    });
    assert_eq!(told(&stage).await, expected);
    assert_eq!(stage.audited(), []);
}

#[tokio::test]
async fn in_03_a_client_is_told_of_its_own_token() {
    let world = World::new().with_client(confidential_client());
    let stage = world.with_verified(Ok(caller_of_grant())).with_revocation(Ok(false)).open();
    let told = told(&stage).await;
    assert_eq!((&told["active"], &told["client_id"]), (&json!(true), &json!("client-1")));
}

#[tokio::test]
async fn in_03_a_token_without_a_grant_is_good_until_it_expires() {
    let world = World::new().with_client(resource_server());
    let stage = world.with_verified(Ok(caller("mcp:tools"))).open();
    assert_eq!(told(&stage).await["active"], true);
}

#[tokio::test]
async fn in_03_whatever_the_hint_the_token_is_found() {
    for hint in ["access_token", "refresh_token", "saml2_assertion"] {
        let world = World::new().with_client(resource_server()).with_verified(Ok(foreign()));
        let stage = world.with_revocation(Ok(false)).open();
        assert!(ask(&stage, &format!("&token_type_hint={hint}")).await.unwrap().active);
    }
}

#[tokio::test]
async fn in_01_without_one_token_none_is_looked_at() {
    for form in ["", "&token=a&token=b", "&token=a&token_type_hint=b&token_type_hint=c"] {
        let stage = World::new().with_client(resource_server()).open();
        let who = format!("client_id=client-1&client_secret={CLIENT_SECRET}{form}");
        let form = crate::world::form(&who);
        let answer = stage.use_cases.introspect.introspect(&[], &form).await;
        assert_eq!(refused(answer), (400, "invalid_request", "introspection_parameters"));
        assert_eq!(stage.only_event().client, Some(client().id));
    }
}

#[tokio::test]
async fn while_nobody_knows_whether_it_is_revoked_nothing_is_told() {
    let world = World::new().with_client(resource_server()).with_verified(Ok(foreign()));
    let stage = world.with_revocation(Err(store_unavailable())).open();
    let answer = ask(&stage, "").await;
    assert_eq!(refused(answer), (503, "temporarily_unavailable", "store_unavailable"));
    assert_eq!(stage.decisions(), ["store_unavailable"]);
}

#[tokio::test]
async fn an_unreachable_verifier_is_503_with_its_own_delay_and_never_inactive() {
    let world = World::new().with_client(resource_server());
    let stage = world.with_verified(Err(unreachable())).open();
    let error = ask(&stage, "").await.unwrap_err();
    let refusal = Refusal::Introspection(&error);
    assert_eq!(row(refusal), (503, "temporarily_unavailable", "verifier_unavailable"));
    assert_eq!(refusal.row().retry_after, Some(WAIT));
    assert!(!refusal.public_text().contains(INSIDE));
}
