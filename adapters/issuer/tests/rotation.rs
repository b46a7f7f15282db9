//! Replacing the signing key: what is stored, what is forgotten, and what is left alone.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::sync::Arc;
use std::time::Duration;

use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::key_rotation::KeyRotation;
use mcp_oauth_core::domain::secret::SECRET_BYTES;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{
    MockClock, MockKeyStore, MockRandom, RotationManner, SigningKeys, StoredKey,
};
use mcp_oauth_issuer::{LocalIssuer, RsaKey};

fn issuer(store: MockKeyStore) -> LocalIssuer {
    let mut clock = MockClock::new();
    clock.expect_now().returning(|| Timestamp::from_unix(1_800_000_000));
    let mut random = MockRandom::new();
    random.expect_entropy().returning(|| [7; SECRET_BYTES]);
    let rotation = KeyRotation { max_age: None, overlap: Duration::from_secs(3600) };
    let (store, clock, random) = (Arc::new(store), Arc::new(clock), Arc::new(random));
    LocalIssuer::new(Issuer::new("https://mcp.example"), store, clock, random, rotation)
}

/// A key as a store without a secret has it.
fn stored() -> StoredKey {
    let key = RsaKey::generate().unwrap();
    StoredKey {
        key_id: key.key_id().to_owned(),
        private_key: key.pkcs8(),
        created_at: Timestamp::from_unix(1_700_000_000),
    }
}

/// A store with one key, in which a rotation finds that it still is the newest, or not.
fn store(old: &StoredKey, is_newest: bool) -> MockKeyStore {
    let mut store = MockKeyStore::new();
    let (keys, old) = (vec![old.clone()], old.key_id.clone());
    store.expect_keys().returning(move || Ok(keys.clone()));
    let add = store.expect_add_after().times(1).withf(move |after, _| *after == *old);
    add.returning(move |_, _| Ok(is_newest));
    store
}

#[tokio::test]
async fn jv_20_a_rotation_leaves_the_old_key_to_its_tokens() {
    let old = stored();
    let made = issuer(store(&old, true)).rotate(RotationManner::Overlapping).await.unwrap();
    assert_ne!(made, old.key_id);
}

#[tokio::test]
async fn a_key_in_wrong_hands_is_forgotten() {
    let old = stored();
    let mut store = store(&old, true);
    let discarded = vec![old.key_id.clone()];
    store.expect_forget().times(1).withf(move |ids| ids == discarded).returning(|_| Ok(1));
    issuer(store).rotate(RotationManner::DiscardingOld).await.unwrap();
}

#[tokio::test]
async fn of_two_rotations_at_once_the_slower_one_discards_nothing_and_says_so() {
    let old = stored();
    let made = issuer(store(&old, false)).rotate(RotationManner::Overlapping).await.unwrap();
    assert_eq!(made, old.key_id);
    let discarded = issuer(store(&old, false)).rotate(RotationManner::DiscardingOld).await;
    assert!(discarded.unwrap_err().to_string().contains("nothing is discarded"));
}

#[tokio::test]
async fn the_operators_own_key_is_not_replaced() {
    let issuer = issuer(MockKeyStore::new()).with_key(RsaKey::generate().unwrap());
    for manner in [RotationManner::Overlapping, RotationManner::DiscardingOld] {
        assert!(issuer.rotate(manner).await.is_err());
    }
}
