//! How signing keys follow one another, as everybody else sees it (checklist 2: JV-20; 10: CO-05).

use std::sync::Arc;
use std::time::Duration;

use mcp_oauth_core::domain::audit::Decision;
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::key_rotation::KeyRotation;
use mcp_oauth_core::port::{KeyStore, RotationManner, SigningKeys};
use mcp_oauth_issuer::LocalIssuer;
use mcp_oauth_memory::MemoryStore;

use crate::forged_token::decoded;
use crate::scenario::{LOCAL, Scenario, Setup};
use crate::world::{CountedRandom, SettableClock, own_key};

/// How long a new key is published before it signs.
const AHEAD: i64 = 600;

/// How long the keys of all scenarios are accepted after that.
const OVERLAP: i64 = 3600;

/// A server whose keys are its own.
fn with_keys() -> Scenario {
    Scenario::of(Setup { keys: Some(Arc::new(MemoryStore::new())), ..Setup::at(LOCAL) })
}

/// The ids of the published keys.
async fn published(scenario: &Scenario) -> Vec<String> {
    let set = scenario.get("/.well-known/jwks.json").send().await.expect(200).json();
    let id = |key: &serde_json::Value| key["kid"].as_str().unwrap().to_owned();
    set["keys"].as_array().unwrap().iter().map(id).collect()
}

async fn rotate(scenario: &Scenario, manner: RotationManner) -> String {
    scenario.use_cases.keys.rotate(manner).await.unwrap()
}

/// The id of the key that signed a token.
fn signed_by(token: &str) -> String {
    decoded(token).0["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn jv_20_a_new_key_takes_over_without_a_token_being_lost() {
    let scenario = with_keys();
    let client = scenario.client().await;
    let before = scenario.tokens(&client).await;
    let old = signed_by(&before.access);
    assert_eq!(published(&scenario).await, [&*old]);

    let new = rotate(&scenario, RotationManner::Overlapping).await;
    assert_eq!(published(&scenario).await, [&*old, &*new]);
    scenario.clock.advance(AHEAD - 1);
    let between = scenario.refresh(&client, &before.refresh).await.expect(200).tokens();
    assert_eq!(signed_by(&between.access), old);

    scenario.clock.advance(1);
    assert_eq!(published(&scenario).await, [&*new, &*old]);
    let after = scenario.refresh(&client, &between.refresh).await.expect(200).tokens();
    assert_eq!(signed_by(&after.access), new);
    for token in [&before.access, &between.access, &after.access] {
        scenario.assert_accepted(token).await;
    }
}

#[tokio::test]
async fn jv_20_nobody_keeps_the_keys_for_as_long_as_a_new_one_waits() {
    let answer = Scenario::new().get("/.well-known/jwks.json").send().await.expect(200);
    let kept = answer.header("cache-control").unwrap();
    let seconds = kept.strip_prefix("public, max-age=").unwrap().parse::<i64>().unwrap();
    assert!((1..AHEAD).contains(&seconds), "{kept}");
}

#[tokio::test]
async fn jv_20_an_old_key_is_forgotten_when_its_last_token_has_ended() {
    let scenario = with_keys();
    let forever = scenario.dev_token(&[("expires_in", "2592000")]).await;
    let old = signed_by(&forever);
    let new = rotate(&scenario, RotationManner::Overlapping).await;
    scenario.clock.advance(AHEAD + OVERLAP - 1);
    scenario.use_cases.keys.tend().await.unwrap();
    assert_eq!(published(&scenario).await, [&*new, &*old]);
    scenario.assert_accepted(&forever).await;
    scenario.clock.advance(1);
    scenario.use_cases.keys.tend().await.unwrap();
    assert_eq!(published(&scenario).await, [&*new]);
    let why = scenario.assert_refused(&forever).await;
    assert!(why.contains("key id"), "{why}");
}

#[tokio::test]
async fn jv_20_the_tokens_of_a_discarded_key_are_worth_nothing_at_once() {
    let scenario = with_keys();
    let (client, server) = (scenario.client().await, scenario.resource_server().await);
    let before = scenario.tokens(&client).await;
    scenario.assert_accepted(&before.access).await;
    let new = rotate(&scenario, RotationManner::DiscardingOld).await;
    assert_eq!(published(&scenario).await, [&*new]);
    scenario.assert_refused(&before.access).await;
    let told = scenario.introspect(&server, &before.access).await.expect(200);
    assert_eq!(told.body, r#"{"active":false}"#);
    let after = scenario.refresh(&client, &before.refresh).await.expect(200).tokens();
    assert_eq!(signed_by(&after.access), new);
    scenario.assert_accepted(&after.access).await;
}

#[tokio::test]
async fn jv_20_discarding_spares_no_key_that_was_there() {
    let scenario = with_keys();
    let token = scenario.dev_token(&[]).await;
    rotate(&scenario, RotationManner::Overlapping).await;
    let last = rotate(&scenario, RotationManner::DiscardingOld).await;
    assert_eq!(published(&scenario).await, [last]);
    scenario.assert_refused(&token).await;
}

#[tokio::test]
async fn co_05_a_new_key_is_recorded_with_its_id() {
    let scenario = with_keys();
    let first = rotate(&scenario, RotationManner::Overlapping).await;
    let second = rotate(&scenario, RotationManner::DiscardingOld).await;
    let decisions: Vec<_> =
        scenario.audit.events().into_iter().map(|event| event.decision).collect();
    let expected = [
        Decision::KeyRotatedByOperator { key_id: first },
        Decision::KeysDiscardedByOperator { key_id: second },
    ];
    assert_eq!(decisions, expected);
}

/// An issuer over a store, whose keys grow old.
fn issuer(store: &Arc<MemoryStore>, clock: &Arc<SettableClock>) -> LocalIssuer {
    let rotation = KeyRotation {
        max_age: Some(Duration::from_secs(10_000)),
        overlap: Duration::from_secs(OVERLAP.unsigned_abs()),
    };
    let (keys, random) = (Arc::clone(store) as _, Arc::new(CountedRandom::default()));
    LocalIssuer::new(Issuer::new(LOCAL), keys, Arc::clone(clock) as _, random, rotation)
}

#[tokio::test]
async fn jv_20_a_key_that_is_old_enough_is_replaced_once() {
    let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(SettableClock::new()));
    let issuer = issuer(&store, &clock);
    issuer.load().await.unwrap();
    clock.advance(9_999);
    assert_eq!(issuer.tend().await.unwrap(), None);
    clock.advance(1);
    let new = issuer.tend().await.unwrap().unwrap();
    assert_eq!(issuer.tend().await.unwrap(), None);
    let ids: Vec<_> = store.keys().await.unwrap().into_iter().map(|key| key.key_id).collect();
    assert_eq!((ids.len(), &ids[0]), (2, &new));
}

#[tokio::test]
async fn jv_20_the_key_of_the_operator_is_replaced_by_nobody() {
    let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(SettableClock::new()));
    let issuer = issuer(&store, &clock).with_key(own_key().clone());
    clock.advance(1_000_000);
    assert_eq!(issuer.tend().await.unwrap(), None);
    let keys = issuer.published().await.unwrap().keys;
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0].kid, own_key().key_id());
    assert!(store.keys().await.unwrap().is_empty());
}

#[tokio::test]
async fn jv_20_a_rotation_of_the_operators_key_is_refused_and_not_recorded() {
    let scenario = Scenario::new();
    for manner in [RotationManner::Overlapping, RotationManner::DiscardingOld] {
        let refused = scenario.use_cases.keys.rotate(manner).await.unwrap_err();
        assert!(refused.to_string().contains("operator's own"), "{refused}");
    }
    assert_eq!(published(&scenario).await, [own_key().key_id()]);
    assert_eq!(scenario.audit.names(), [""; 0]);
}
