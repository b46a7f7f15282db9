//! What the header of an access token may say (checklist 2: JV-01, 02, 10, 11, 12, 16, 20).

use std::sync::Arc;

use async_trait::async_trait;
use jsonwebtoken::{Algorithm, EncodingKey};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{KeyStore, StoreUnavailable, StoredKey};
use mcp_oauth_issuer::RsaKey;
use serde_json::{Value, json};

use crate::forged_token::{ForgedToken, decoded, encoding_key};
use crate::scenario::{LOCAL, Scenario, Setup};
use crate::world::{NOW, other_key, own_key};

async fn published_key(scenario: &Scenario) -> Value {
    let set = scenario.get("/.well-known/jwks.json").send().await.expect(200).json();
    set["keys"][0].clone()
}

#[tokio::test]
async fn jv_01_an_unsigned_token_is_refused() {
    let scenario = Scenario::new();
    for none in ["none", "None", "NONE", ""] {
        let token = ForgedToken::good().header("alg", none);
        scenario.assert_refused(&token.unsigned()).await;
        scenario.assert_refused(&token.signed()).await;
    }
}

#[tokio::test]
async fn jv_01_the_public_key_is_no_shared_secret() {
    let scenario = Scenario::new();
    let key = published_key(&scenario).await;
    let modulus = key["n"].as_str().unwrap();
    let secrets = [modulus.as_bytes().to_vec(), key.to_string().into_bytes(), Vec::new()];
    for secret in secrets {
        let secret = EncodingKey::from_secret(&secret);
        for (name, algorithm) in [("HS256", Algorithm::HS256), ("HS512", Algorithm::HS512)] {
            let token = ForgedToken::good().header("alg", name).signed_by(&secret, algorithm);
            scenario.assert_refused(&token).await;
            let disguised = ForgedToken::good().signed_by(&secret, algorithm);
            scenario.assert_refused(&disguised).await;
        }
    }
}

#[tokio::test]
async fn jv_02_another_algorithm_of_the_same_key_is_refused() {
    let scenario = Scenario::new();
    let key = encoding_key(own_key());
    for (name, algorithm) in
        [("PS256", Algorithm::PS256), ("RS384", Algorithm::RS384), ("RS512", Algorithm::RS512)]
    {
        let token = ForgedToken::good().header("alg", name).signed_by(&key, algorithm);
        let why = scenario.assert_refused(&token).await;
        assert!(why.contains(name) && why.contains("RS256"), "{why}");
    }
}

#[tokio::test]
async fn jv_10_only_an_access_token_is_one() {
    let scenario = Scenario::new();
    for typ in ["JWT", "id_token+jwt", "logout+jwt", "dpop+jwt", "at+jwtx", "text/at+jwt", ""] {
        scenario.assert_refused(&ForgedToken::good().header("typ", typ).signed()).await;
    }
    scenario.assert_refused(&ForgedToken::good().without_header("typ").signed()).await;
    for typ in ["at+jwt", "application/at+jwt", "AT+JWT"] {
        scenario.assert_accepted(&ForgedToken::good().header("typ", typ).signed()).await;
    }
}

#[tokio::test]
async fn jv_11_an_extension_nobody_understands_is_refused() {
    let scenario = Scenario::new();
    let crit = ForgedToken::good().header("crit", json!(["x"])).header("x", 1).signed();
    let unencoded = ForgedToken::good().header("b64", false).signed();
    let both = ForgedToken::good().header("b64", false).header("crit", json!(["b64"])).signed();
    let nothing = ForgedToken::good().header("crit", json!([])).signed();
    for token in [crit, unencoded, both, nothing] {
        scenario.assert_refused(&token).await;
    }
}

#[tokio::test]
async fn jv_12_a_key_that_the_token_brings_along_is_not_looked_at() {
    let scenario = Scenario::new();
    let attacker = encoding_key(other_key());
    let key = json!({ "kty": "RSA", "alg": "RS256", "use": "sig", "kid": other_key().key_id() });
    let brought = ForgedToken::good()
        .header("jwk", key)
        .header("jku", "https://attacker.example/jwks.json")
        .header("x5u", "https://attacker.example/cert.pem")
        .header("x5c", json!(["MIIB"]));
    for key_id in [own_key().key_id(), other_key().key_id()] {
        let token = brought.clone().header("kid", key_id).signed_by(&attacker, Algorithm::RS256);
        scenario.assert_refused(&token).await;
    }
    scenario
        .assert_refused(&brought.without_header("kid").signed_by(&attacker, Algorithm::RS256))
        .await;
}

#[tokio::test]
async fn jv_12_a_token_without_a_known_key_id_is_refused() {
    let scenario = Scenario::new();
    let unnamed = ForgedToken::good().without_header("kid").signed();
    let why = scenario.assert_refused(&unnamed).await;
    assert!(why.contains("key id"), "{why}");
    scenario.assert_refused(&ForgedToken::good().header("kid", "another").signed()).await;
}

#[tokio::test]
async fn jv_16_a_token_too_large_or_of_too_many_parts_is_refused() {
    let scenario = Scenario::new();
    let padded = ForgedToken::good().header("x", "x".repeat(64 * 1024)).signed();
    let why = scenario.assert_refused(&padded).await;
    assert!(why.contains("longer than"), "{why}");
    let good = ForgedToken::good().signed();
    for token in [format!("{good}.{good}"), format!("{good}."), ".".repeat(10_000), "a.b".into()] {
        scenario.assert_refused(&token).await;
    }
}

#[tokio::test]
async fn jv_16_a_changed_token_is_refused() {
    let scenario = Scenario::new();
    let good = ForgedToken::good().signed();
    scenario.assert_accepted(&good).await;
    let (rest, signature) = good.rsplit_once('.').unwrap();
    let admin = ForgedToken::good().claim("scope", "admin").signed();
    let (raised, _) = admin.rsplit_once('.').unwrap();
    scenario.assert_refused(&format!("{raised}.{signature}")).await;
    scenario.assert_refused(&format!("{rest}.{}", &signature[..signature.len() - 4])).await;
    scenario.assert_refused(&format!("{rest}.{signature}=")).await;
}

#[tokio::test]
async fn jv_20_only_the_public_half_of_the_key_is_published() {
    let key = published_key(&Scenario::new()).await;
    let members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members.len(), 6, "{members:?}");
    assert_eq!(
        (&key["kty"], &key["use"], &key["alg"]),
        (&json!("RSA"), &json!("sig"), &json!("RS256"))
    );
    assert_eq!(key["kid"], own_key().key_id());
    assert!(key["n"].is_string() && key["e"] == "AQAB");
}

#[tokio::test]
async fn jv_20_a_retired_key_is_published_and_its_tokens_are_accepted() {
    let keys = Some(Arc::new(RotatedKeys) as _);
    let scenario = Scenario::of(Setup { keys, ..Setup::at(LOCAL) });
    let set = scenario.get("/.well-known/jwks.json").send().await.json();
    let ids: Vec<_> = set["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
    assert_eq!(ids, [other_key().key_id(), own_key().key_id()]);
    scenario.assert_accepted(&ForgedToken::good().signed()).await;
    let (header, _) = decoded(&scenario.dev_token(&[]).await);
    assert_eq!(header["kid"], other_key().key_id());
}

/// A store in which a second key has taken over.
struct RotatedKeys;

#[async_trait]
impl KeyStore for RotatedKeys {
    async fn keys(&self) -> Result<Vec<StoredKey>, StoreUnavailable> {
        let stored = |key: &RsaKey, age: i64| StoredKey {
            key_id: key.key_id().to_owned(),
            pkcs8: key.pkcs8(),
            created_at: Timestamp::from_unix(NOW - age),
        };
        Ok(vec![stored(other_key(), 1), stored(own_key(), 2)])
    }

    async fn keep_first(&self, key: StoredKey) -> Result<StoredKey, StoreUnavailable> {
        Ok(key)
    }
}
