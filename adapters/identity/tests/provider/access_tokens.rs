//! JSON Web Tokens of providers.

use std::sync::Arc;

use mcp_oauth_core::domain::access_token::VerifyError;
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::jwt::MalformedJwt;
use mcp_oauth_core::domain::provider::ProviderName;
use mcp_oauth_core::domain::secret::base64url;
use mcp_oauth_identity::{AmbiguousProviders, ProviderVerifier};
use serde_json::json;

use crate::fake_provider::{DISCOVERY, KEYS};
use crate::signing::TestKey;
use crate::world::World;

#[tokio::test]
async fn a_token_of_the_provider_tells_who_calls() {
    let world = World::new().await;
    let verifier = world.verifier();
    let token = world.key.access_token(&world.claims(json!({})));
    for _ in 0..3 {
        let principal = world.verify(&verifier, &token).await.unwrap();
        assert_eq!(principal.issuer.as_str(), world.provider.issuer);
        assert_eq!(principal.subject.as_str(), "user-1");
    }
    assert_eq!((world.provider.count(DISCOVERY), world.provider.count(KEYS)), (1, 1));
}

#[tokio::test]
async fn jv_01_unsigned_tokens_and_shared_secrets_are_refused_without_asking_anybody() {
    let world = World::new().await;
    let verifier = world.verifier();
    for alg in ["none", "HS256", "RS384", "NONE"] {
        let header = json!({ "typ": "at+jwt", "alg": alg });
        let token = world.key.token(header, &world.claims(json!({})));
        let refused = world.verify(&verifier, &token).await;
        assert!(matches!(refused, Err(VerifyError::WrongAlgorithm { .. })), "{alg} {refused:?}");
    }
    assert_eq!(world.provider.count(KEYS), 0);
}

#[tokio::test]
async fn jv_02_a_key_is_used_for_its_own_algorithm_only() {
    let world = World::new().await;
    let rsa = TestKey::rsa("rsa");
    let mut jwk = rsa.jwk();
    jwk["alg"] = json!("RS256");
    let mut for_secrecy = world.key.jwk();
    for_secrecy["use"] = json!("enc");
    world.provider.has_keys(&[jwk, for_secrecy]);
    let verifier = world.verifier();
    let good = rsa.access_token(&world.claims(json!({})));
    assert!(world.verify(&verifier, &good).await.is_ok());
    let pss = rsa.token(json!({ "typ": "at+jwt", "alg": "PS256" }), &world.claims(json!({})));
    let by_secrecy_key = world.key.access_token(&world.claims(json!({})));
    for token in [pss, by_secrecy_key] {
        let refused = world.verify(&verifier, &token).await;
        assert!(matches!(refused, Err(VerifyError::UnknownKey(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn jv_03_each_issuer_has_keys_of_its_own() {
    let (one, other) = (World::new().await, World::new().await);
    let config = mcp_oauth_identity::ProviderConfig {
        name: ProviderName::parse("other").unwrap(),
        token_format: mcp_oauth_identity::TokenFormat::Jwt,
        ..other.config()
    };
    let documents = vec![one.documents(one.config()), other.documents(config)];
    let verifier = ProviderVerifier::new(documents).unwrap();
    let own = other.key.access_token(&other.claims(json!({})));
    assert_eq!(one.verify(&verifier, &own).await.unwrap().issuer.as_str(), other.provider.issuer);
    // Both keys have the id "one".
    let forged = one.key.access_token(&other.claims(json!({})));
    assert_eq!(one.verify(&verifier, &forged).await, Err(VerifyError::BadSignature));
}

#[tokio::test]
async fn jv_03_providers_that_can_not_be_told_apart_are_noticed_at_the_start() {
    let world = World::new().await;
    let both = |second| {
        ProviderVerifier::new(vec![world.documents(world.config()), world.documents(second)]).err()
    };
    assert!(matches!(both(world.config()), Some(AmbiguousProviders::Issuer(..))));
    let mut opaque = world.config();
    opaque.policy.issuer.issuer = Issuer::new("https://other.example");
    assert!(matches!(both(opaque), Some(AmbiguousProviders::Opaque(..))));
}

#[tokio::test]
async fn jv_04_jv_05_jv_07_jv_10_a_token_that_breaks_a_rule_is_refused() {
    let world = World::new().await;
    let verifier = world.verifier();
    for changes in [
        json!({ "iss": format!("{}/", world.provider.issuer) }),
        json!({ "aud": "https://other.example" }),
        json!({ "exp": world.now() - 61 }),
        json!({ "exp": null }),
        json!({ "nbf": world.now() + 120 }),
        json!({ "iat": world.now() + 3600 }),
        json!({ "sub": null }),
        json!({ "at_hash": "x" }),
    ] {
        let token = world.key.access_token(&world.claims(changes.clone()));
        assert!(world.verify(&verifier, &token).await.is_err(), "{changes}");
    }
    let id_token = world.key.id_token(&world.claims(json!({})));
    let refused = world.verify(&verifier, &id_token).await;
    assert!(matches!(refused, Err(VerifyError::WrongType { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_forged_or_changed_token_does_not_verify() {
    let world = World::new().await;
    let verifier = world.verifier();
    let thief = TestKey::p256("one");
    let forged = thief.access_token(&world.claims(json!({})));
    let good = world.key.access_token(&world.claims(json!({})));
    let [header, _, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let payload = base64url(world.claims(json!({ "sub": "admin" })).to_string().as_bytes());
    for token in [forged, format!("{header}.{payload}.{signature}")] {
        assert_eq!(world.verify(&verifier, &token).await, Err(VerifyError::BadSignature));
    }
}

#[tokio::test]
async fn jv_11_jv_12_critical_extensions_are_refused_and_keys_in_the_token_not_read() {
    let world = World::new().await;
    let verifier = world.verifier();
    let token =
        world.key.token(json!({ "typ": "at+jwt", "crit": ["x"] }), &world.claims(json!({})));
    let refused = world.verify(&verifier, &token).await;
    assert_eq!(refused, Err(MalformedJwt::CriticalExtension.into()));
    let thief = TestKey::p256("thief");
    let jku = format!("{}/thief", world.provider.issuer);
    let header = json!({ "typ": "at+jwt", "jwk": thief.jwk(), "jku": jku, "x5u": jku });
    let token = thief.token(header, &world.claims(json!({})));
    let refused = world.verify(&verifier, &token).await;
    assert!(matches!(refused, Err(VerifyError::UnknownKey(_))), "{refused:?}");
    assert_eq!(world.provider.count("GET /thief"), 0);
}

#[tokio::test]
async fn jv_14_a_hundred_unknown_keys_are_one_fetch() {
    let world = World::new().await;
    let verifier = Arc::new(world.verifier());
    let good = world.key.access_token(&world.claims(json!({})));
    world.verify(&verifier, &good).await.unwrap();
    world.pass(60);
    let unknown = (0..100).map(|number| {
        let header = json!({ "typ": "at+jwt", "kid": format!("random-{number}") });
        world.key.token(header, &world.claims(json!({})))
    });
    let unknown: Vec<_> = unknown.collect();
    let asked = unknown.iter().map(|token| world.verify(&verifier, token));
    for refused in futures_util::future::join_all(asked).await {
        assert!(matches!(refused, Err(VerifyError::UnknownKey(_))), "{refused:?}");
    }
    assert_eq!(world.provider.count(KEYS), 2);
    world.verify(&verifier, &good).await.unwrap();
    // Nor soon after; later the provider may have published a key of that id.
    for (later, fetches) in [(29, 2), (1, 3)] {
        world.pass(later);
        assert!(world.verify(&verifier, &unknown[0]).await.is_err());
        assert_eq!(world.provider.count(KEYS), fetches);
    }
}

#[tokio::test]
async fn jv_14_a_key_id_is_not_unknown_before_newer_keys_were_seen() {
    let world = World::new().await;
    let verifier = world.verifier();
    let old = world.key.access_token(&world.claims(json!({})));
    world.verify(&verifier, &old).await.unwrap();
    let next = TestKey::p256("two");
    let new = next.access_token(&world.claims(json!({})));
    // Within the cooldown of the first fetch, so that nobody is asked.
    assert!(world.verify(&verifier, &new).await.is_err());
    world.provider.has_keys(&[next.jwk()]);
    world.pass(30);
    world.verify(&verifier, &new).await.unwrap();
}

#[tokio::test]
async fn jv_14_a_new_key_is_found_and_a_withdrawn_one_forgotten() {
    let world = World::new().await;
    let verifier = world.verifier();
    let old = world.key.access_token(&world.claims(json!({})));
    world.verify(&verifier, &old).await.unwrap();
    world.pass(30);
    let next = TestKey::p256("two");
    world.provider.has_keys(&[next.jwk()]);
    let new = next.access_token(&world.claims(json!({})));
    world.verify(&verifier, &new).await.unwrap();
    let refused = world.verify(&verifier, &old).await;
    assert!(matches!(refused, Err(VerifyError::UnknownKey(_))), "{refused:?}");
}

#[tokio::test]
async fn jv_14_fifty_first_callers_are_one_fetch() {
    let world = World::new().await;
    let verifier = world.verifier();
    let token = world.key.access_token(&world.claims(json!({})));
    let callers = (0..50).map(|_| world.verify(&verifier, &token));
    for accepted in futures_util::future::join_all(callers).await {
        accepted.unwrap();
    }
    assert_eq!((world.provider.count(DISCOVERY), world.provider.count(KEYS)), (1, 1));
}

#[tokio::test]
async fn jv_16_what_is_too_long_is_refused_before_anybody_is_asked() {
    let world = World::new().await;
    let verifier = world.verifier();
    for token in ["a".repeat(64 * 1024), format!("{}.b.c", "a".repeat(64 * 1024))] {
        let refused = world.verify(&verifier, &token).await;
        assert_eq!(refused, Err(MalformedJwt::TooLong.into()));
    }
    assert_eq!(world.provider.count(DISCOVERY), 0);
}
