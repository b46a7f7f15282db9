//! Providers that are down, slow, or talk nonsense.

use std::time::Duration;

use mcp_oauth_core::domain::access_token::VerifyError;
use mcp_oauth_identity::{ProviderConfig, TimeLimits};
use serde_json::{Value, json};

use crate::fake_provider::{DISCOVERY, KEYS, Reply, SERVER_METADATA};
use crate::world::World;

async fn assert_unavailable(world: &World, why: &str) {
    assert_unavailable_of(world.config(), world, why).await;
}

async fn assert_unavailable_of(config: ProviderConfig, world: &World, why: &str) {
    let verifier = world.verifier_of(config);
    let token = world.key.access_token(&world.claims(json!({})));
    match world.verify(&verifier, &token).await {
        Err(VerifyError::Unavailable { reason, retry_after }) => {
            assert!(reason.contains(why), "{reason}");
            assert_eq!(retry_after, Duration::from_secs(30));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn jv_13_who_is_slow_is_given_up() {
    let world = World::new().await;
    world.provider.will(KEYS, Reply::Silence);
    let limits = TimeLimits { total: Duration::from_millis(500), ..TimeLimits::default() };
    let config = ProviderConfig { limits, ..world.config() };
    assert_unavailable_of(config, &world, "timed out").await;
}

#[tokio::test]
async fn jv_13_keys_that_are_not_what_they_should_be_are_no_keys() {
    let world = World::new().await;
    let large = json!({ "keys": [world.key.jwk()], "x": "x".repeat(2 * 1024 * 1024) });
    let set = json!({ "keys": [world.key.jwk()] }).to_string();
    let elsewhere = "location: /other\r\ncontent-type: application/json\r\n";
    for (reply, why) in [
        (Reply::Json(200, large), "longer than"),
        (Reply::Text("200", "content-type: text/html\r\n", set.clone()), "not served as JSON"),
        (Reply::Text("200", "", set.clone()), "not served as JSON"),
        (Reply::Text("302", elsewhere, set), "answers 302"),
        (
            Reply::Text("200", "content-type: application/json\r\n", "<html>".to_owned()),
            "not a JSON",
        ),
        (Reply::Json(200, json!([])), "not a JSON object"),
        (Reply::Json(200, json!({ "keys": [] })), "no usable keys"),
        (Reply::Json(200, json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] })), "no usable keys"),
        (Reply::Json(500, json!({})), "answers 500"),
        (Reply::Hangup, "error"),
    ] {
        world.provider.will(KEYS, reply);
        assert_unavailable(&world, why).await;
    }
    assert_eq!(world.provider.count("GET /other"), 0);
}

#[tokio::test]
async fn jv_13_keys_are_fetched_over_tls_but_from_this_machine_itself() {
    let world = World::new().await;
    for address in ["http://id.example/keys", "ftp://id.example/keys", "file:///etc/passwd", "keys"]
    {
        world.provider.publishes(json!({ "jwks_uri": address }));
        assert_unavailable(&world, "").await;
    }
    // A provider of the world has no business on this machine without TLS.
    let mut config = world.config();
    config.policy.issuer.issuer = mcp_oauth_core::domain::issuer::Issuer::new("https://id.invalid");
    let documents = world.documents(config);
    assert!(documents.discovery_document().await.is_err());
}

#[tokio::test]
async fn jv_13_keys_of_other_kinds_stand_beside_good_ones() {
    let world = World::new().await;
    let others = [
        json!({ "kty": "new" }),
        json!("nonsense"),
        json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "short" }),
    ];
    let keys: Vec<Value> = others.into_iter().chain([world.key.jwk()]).collect();
    world.provider.has_keys(&keys);
    let token = world.key.access_token(&world.claims(json!({})));
    world.verify(&world.verifier(), &token).await.unwrap();
}

#[tokio::test]
async fn up_04_a_document_of_another_issuer_is_not_believed() {
    let world = World::new().await;
    for issuer in [
        json!(format!("{}/", world.provider.issuer)),
        json!(world.provider.issuer.replace("http:", "HTTP:")),
        json!("https://other.example"),
        json!(null),
        json!(7),
    ] {
        world.provider.publishes(json!({ "issuer": issuer }));
        assert_unavailable(&world, "to the last character").await;
    }
    assert_eq!(world.provider.count(KEYS), 0);
}

#[tokio::test]
async fn a_document_is_also_found_where_rfc_8414_has_it() {
    let world = World::new().await;
    let document = world.documents(world.config()).discovery_document().await.unwrap();
    world.provider.will(DISCOVERY, Reply::Json(404, json!({})));
    world.provider.will(SERVER_METADATA, Reply::Json(200, Value::Object((*document).clone())));
    let found = world.documents(world.config()).discovery_document().await.unwrap();
    assert_eq!(found, document);
}

#[tokio::test]
async fn jv_15_a_provider_down_at_the_start_is_asked_again_later() {
    let world = World::new().await;
    let verifier = world.verifier();
    let token = world.key.access_token(&world.claims(json!({})));
    world.provider.will(DISCOVERY, Reply::Hangup);
    for _ in 0..3 {
        let refused = world.verify(&verifier, &token).await;
        assert!(matches!(refused, Err(VerifyError::Unavailable { .. })), "{refused:?}");
    }
    assert_eq!(world.provider.count(DISCOVERY), 1);
    world.provider.publishes(json!({}));
    world.pass(30);
    world.verify(&verifier, &token).await.unwrap();
}

#[tokio::test]
async fn jv_15_known_keys_are_used_while_the_provider_is_down() {
    let world = World::new().await;
    let verifier = world.verifier();
    let token = || world.key.access_token(&world.claims(json!({})));
    world.verify(&verifier, &token()).await.unwrap();
    world.provider.will(DISCOVERY, Reply::Hangup);
    world.provider.will(KEYS, Reply::Hangup);
    for hours in [1, 11, 11] {
        world.pass(hours * 3600);
        world.verify(&verifier, &token()).await.unwrap();
    }
    let unknown =
        world.key.token(json!({ "typ": "at+jwt", "kid": "new" }), &world.claims(json!({})));
    let refused = world.verify(&verifier, &unknown).await;
    assert!(matches!(refused, Err(VerifyError::UnknownKey(_))), "{refused:?}");
    world.pass(3600);
    let refused = world.verify(&verifier, &token()).await;
    assert!(matches!(refused, Err(VerifyError::Unavailable { .. })), "{refused:?}");
}
