//! Tokens that are looked up.

use mcp_oauth_core::domain::access_token::VerifyError;
use mcp_oauth_core::domain::jwt::MalformedJwt;
use mcp_oauth_identity::{OpaqueMethod, ProviderConfig, TokenFormat};
use serde_json::{Value, json};

use crate::fake_provider::{INTROSPECT, Reply};
use crate::world::{World, changed};

fn says(world: &World, changes: Value) {
    let answer = changed(world.claims(json!({ "active": true, "token_type": "Bearer" })), changes);
    world.provider.will(INTROSPECT, Reply::Json(200, answer));
}

#[tokio::test]
async fn jv_17_an_opaque_token_is_introspected_once_with_our_credentials() {
    let world = World::new().await;
    says(&world, json!({}));
    let verifier = world.verifier();
    let callers = (0..50).map(|_| world.verify(&verifier, "opaque-token"));
    for accepted in futures_util::future::join_all(callers).await {
        assert_eq!(accepted.unwrap().subject.as_str(), "user-1");
    }
    world.verify(&verifier, "opaque-token").await.unwrap();
    let [request] = <[_; 1]>::try_from(world.provider.requests(INTROSPECT)).unwrap();
    assert_eq!(request.form["token"], "opaque-token");
    assert_eq!(request.form["token_type_hint"], "access_token");
    // base64 of our-client:the-client-secret
    let basic = "authorization: Basic b3VyLWNsaWVudDp0aGUtY2xpZW50LXNlY3JldA==";
    assert!(request.head.contains(basic), "{}", request.head);
    world.pass(30);
    world.verify(&verifier, "opaque-token").await.unwrap();
    assert_eq!(world.provider.count(INTROSPECT), 2);
}

#[tokio::test]
async fn jv_17_what_the_answer_says_has_to_keep_the_rules() {
    let world = World::new().await;
    for (number, changes) in [
        json!({ "active": false }),
        json!({ "active": null }),
        json!({ "aud": "https://other.example" }),
        json!({ "aud": null }),
        json!({ "exp": null }),
        json!({ "exp": world.now() - 61 }),
        json!({ "token_type": "DPoP" }),
        json!({ "iss": "https://other.example" }),
        json!({ "sub": null }),
    ]
    .into_iter()
    .enumerate()
    {
        says(&world, changes.clone());
        let refused = world.verify(&world.verifier(), &format!("opaque-{number}")).await;
        assert!(refused.is_err(), "{changes}");
    }
}

#[tokio::test]
async fn jv_17_a_remembered_token_ends_when_it_expires() {
    let world = World::new().await;
    says(&world, json!({ "exp": world.now() + 5 }));
    let verifier = world.verifier();
    world.verify(&verifier, "opaque").await.unwrap();
    world.pass(5 + 30 - 1);
    says(&world, json!({ "exp": world.now() - 29 }));
    world.verify(&verifier, "opaque").await.unwrap();
    world.pass(1);
    let refused = world.verify(&verifier, "opaque").await;
    assert!(matches!(refused, Err(VerifyError::Expired { .. })), "{refused:?}");
}

#[tokio::test]
async fn jv_17_a_refusal_is_remembered_for_a_moment() {
    let world = World::new().await;
    says(&world, json!({ "active": false }));
    let verifier = world.verifier();
    for _ in 0..2 {
        assert_eq!(world.verify(&verifier, "opaque").await, Err(VerifyError::Inactive));
    }
    assert_eq!(world.provider.count(INTROSPECT), 1);
    says(&world, json!({}));
    world.pass(5);
    world.verify(&verifier, "opaque").await.unwrap();
}

#[tokio::test]
async fn jv_17_a_provider_that_can_not_be_asked_is_no_refusal() {
    let world = World::new().await;
    let verifier = world.verifier();
    for (number, reply) in [
        Reply::Hangup,
        Reply::Json(500, json!({})),
        Reply::Json(401, json!({ "error": "invalid_client" })),
        Reply::Text("200", "content-type: text/html\r\n", "<html>".to_owned()),
    ]
    .into_iter()
    .enumerate()
    {
        world.provider.will(INTROSPECT, reply);
        let token = format!("opaque-{number}");
        for _ in 0..2 {
            let refused = world.verify(&verifier, &token).await;
            assert!(matches!(refused, Err(VerifyError::Unavailable { .. })), "{refused:?}");
        }
    }
    assert_eq!(world.provider.count(INTROSPECT), 4);
}

#[tokio::test]
async fn jv_17_opaque_tokens_go_only_to_a_provider_that_takes_them() {
    let world = World::new().await;
    let config = ProviderConfig { token_format: TokenFormat::Jwt, ..world.config() };
    let refused = world.verify(&world.verifier_of(config), "opaque").await;
    assert_eq!(refused, Err(MalformedJwt::NotCompact.into()));
    let config = ProviderConfig { token_format: TokenFormat::Opaque, ..world.config() };
    says(&world, json!({}));
    let jwt = world.key.access_token(&world.claims(json!({})));
    world.verify(&world.verifier_of(config), &jwt).await.unwrap();
    assert_eq!(world.provider.count(INTROSPECT), 1);
}

#[tokio::test]
async fn jv_17_clerk_and_google_are_asked_their_own_way() {
    let world = World::new().await;
    let api_url = format!("{}/v1", world.provider.issuer);
    let clerk = OpaqueMethod::ClerkVerify { api_url, secret_key: "sk_test".into() };
    let endpoint = format!("{}/tokeninfo", world.provider.issuer);
    let google = OpaqueMethod::GoogleTokenInfo { endpoint };
    let verifier = |method| {
        let format = TokenFormat::Opaque;
        let config =
            ProviderConfig { opaque: Some(method), token_format: format, ..world.config() };
        world.verifier_of(config)
    };
    let (clerk, google) = (verifier(clerk), verifier(google));
    let path = "POST /v1/oauth_applications/access_tokens/verify";
    world.provider.will(path, Reply::Json(200, json!({
        "id": "oat_1", "client_id": "c", "subject": "user_1", "scopes": ["email"], "aud": crate::world::RESOURCE,
        "revoked": false, "expired": false, "expiration": world.now() + 60,
    })));
    let principal = world.verify(&clerk, "oat_secret").await.unwrap();
    assert_eq!(principal.subject.as_str(), "user_1");
    let [request] = <[_; 1]>::try_from(world.provider.requests(path)).unwrap();
    assert!(request.head.contains("authorization: Bearer sk_test"), "{}", request.head);
    assert_eq!(request.json, json!({ "access_token": "oat_secret" }));
    world.provider.will("POST /tokeninfo", Reply::Json(200, json!({
        "aud": crate::world::RESOURCE, "sub": "1", "exp": (world.now() + 60).to_string(), "scope": "openid",
    })));
    assert_eq!(world.verify(&google, "ya29.a").await.unwrap().subject.as_str(), "1");
    world.provider.will("POST /tokeninfo", Reply::Json(400, json!({ "error": "invalid_token" })));
    assert_eq!(world.verify(&google, "ya29.b").await, Err(VerifyError::Inactive));
}
