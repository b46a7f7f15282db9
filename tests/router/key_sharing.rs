//! Several servers over one store of keys, and one whose store is out of reach (checklist 2: JV-20,
//! JV-14, JV-15).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use mcp_oauth_core::domain::access_token::{AccessTokenClaims, VerifyError};
use mcp_oauth_core::domain::client::ClientId;
use mcp_oauth_core::domain::key_rotation::KeyRotation;
use mcp_oauth_core::domain::principal::Principal;
use mcp_oauth_core::domain::public_address::PublicAddress;
use mcp_oauth_core::domain::secret::BearerToken;
use mcp_oauth_core::port::{
    Clock, Expected, KeyStore, RotationManner, SigningKeys, StoreUnavailable, StoredKey,
    TokenVerifier,
};
use mcp_oauth_issuer::LocalIssuer;
use mcp_oauth_memory::MemoryStore;

use crate::people::alice;
use crate::scenario::{LOCAL, scopes};
use crate::world::{CountedRandom, SettableClock};

/// The one store, which counts how often its keys are looked up.
#[derive(Default)]
struct SharedKeys {
    keys: MemoryStore,
    lookups: AtomicUsize,
    out_of_reach: AtomicBool,
}

impl SharedKeys {
    fn reach(&self) -> Result<&MemoryStore, StoreUnavailable> {
        match self.out_of_reach.load(Ordering::Relaxed) {
            true => Err(StoreUnavailable::new("out of reach")),
            false => Ok(&self.keys),
        }
    }

    fn put_out_of_reach(&self) {
        self.out_of_reach.store(true, Ordering::Relaxed);
    }
}

#[async_trait]
impl KeyStore for SharedKeys {
    async fn keys(&self) -> Result<Vec<StoredKey>, StoreUnavailable> {
        self.lookups.fetch_add(1, Ordering::Relaxed);
        self.reach()?.keys().await
    }

    async fn keep_first(&self, key: StoredKey) -> Result<StoredKey, StoreUnavailable> {
        self.reach()?.keep_first(key).await
    }

    async fn add_after(&self, after: &str, key: StoredKey) -> Result<bool, StoreUnavailable> {
        self.reach()?.add_after(after, key).await
    }

    async fn reseal(&self, key: StoredKey) -> Result<(), StoreUnavailable> {
        self.reach()?.reseal(key).await
    }

    async fn forget(&self, key_ids: &[String]) -> Result<u64, StoreUnavailable> {
        self.reach()?.forget(key_ids).await
    }
}

/// Two servers, one store, one time.
struct Replicas {
    store: Arc<SharedKeys>,
    clock: Arc<SettableClock>,
    one: LocalIssuer,
    other: LocalIssuer,
}

impl Replicas {
    fn new() -> Self {
        let (store, clock) = (Arc::new(SharedKeys::default()), Arc::new(SettableClock::new()));
        let (one, other) = (issuer(&store, &clock), issuer(&store, &clock));
        Self { store, clock, one, other }
    }

    async fn sign(&self, issuer: &LocalIssuer) -> String {
        issuer.sign(&self.claims()).await.unwrap()
    }

    async fn verify(&self, issuer: &LocalIssuer, token: &str) -> Result<Principal, VerifyError> {
        let resource = Arc::clone(PublicAddress::new(LOCAL).unwrap().resource());
        let expected = Expected { resource, now: self.clock.now() };
        issuer.verify(&BearerToken::presented(token), &expected).await
    }

    fn claims(&self) -> AccessTokenClaims {
        let now = self.clock.now();
        AccessTokenClaims {
            issuer: PublicAddress::new(LOCAL).unwrap().issuer().clone(),
            person: alice(),
            client: ClientId::new("a-client"),
            audience: format!("{LOCAL}/mcp"),
            scope: scopes("mcp:tools"),
            issued_at: now,
            expires_at: now.after(Duration::from_secs(3600)),
            token_id: "a-token".to_owned(),
            grant: None,
        }
    }
}

fn issuer(store: &Arc<SharedKeys>, clock: &Arc<SettableClock>) -> LocalIssuer {
    let rotation = KeyRotation { max_age: None, overlap: Duration::from_secs(3600) };
    let issuer = PublicAddress::new(LOCAL).unwrap().issuer().clone();
    let random = Arc::new(CountedRandom::default());
    LocalIssuer::new(issuer, Arc::clone(store) as _, Arc::clone(clock) as _, random, rotation)
}

async fn published(issuer: &LocalIssuer) -> Vec<String> {
    issuer.published().await.unwrap().keys.into_iter().map(|key| key.kid).collect()
}

#[tokio::test]
async fn jv_20_servers_that_start_at_once_share_their_first_key() {
    let replicas = Replicas::new();
    let (one, other) = tokio::join!(published(&replicas.one), published(&replicas.other));
    assert_eq!((one.len(), &one), (1, &other));
    let token = replicas.sign(&replicas.one).await;
    assert!(replicas.verify(&replicas.other, &token).await.is_ok());
}

#[tokio::test]
async fn jv_20_of_two_rotations_at_once_one_makes_a_key() {
    let replicas = Replicas::new();
    replicas.one.load().await.unwrap();
    let (one, other) = tokio::join!(
        replicas.one.rotate(RotationManner::Overlapping),
        replicas.other.rotate(RotationManner::Overlapping)
    );
    assert_eq!(one.unwrap(), other.unwrap());
    assert_eq!(replicas.store.keys().await.unwrap().len(), 2);
}

#[tokio::test]
async fn jv_20_every_server_publishes_a_new_key_long_before_it_signs() {
    let replicas = Replicas::new();
    let old = published(&replicas.other).await;
    let new = replicas.one.rotate(RotationManner::Overlapping).await.unwrap();
    replicas.clock.advance(59);
    assert_eq!(published(&replicas.other).await, old);
    replicas.clock.advance(1);
    assert_eq!(published(&replicas.other).await, [&*old[0], &*new]);
}

#[tokio::test]
async fn jv_20_a_server_learns_of_a_key_when_the_first_token_of_it_comes() {
    let replicas = Replicas::new();
    let old = replicas.sign(&replicas.other).await;
    replicas.one.rotate(RotationManner::DiscardingOld).await.unwrap();
    let new = replicas.sign(&replicas.one).await;
    replicas.clock.advance(5);
    assert!(replicas.verify(&replicas.other, &new).await.is_ok());
    let refused = replicas.verify(&replicas.other, &old).await;
    assert!(matches!(refused, Err(VerifyError::UnknownKey(_))), "{refused:?}");
}

#[tokio::test]
async fn jv_20_a_discarded_key_is_forgotten_everywhere_within_a_minute() {
    let replicas = Replicas::new();
    let old = replicas.sign(&replicas.other).await;
    replicas.one.rotate(RotationManner::DiscardingOld).await.unwrap();
    replicas.clock.advance(60);
    assert!(replicas.verify(&replicas.other, &old).await.is_err());
}

#[tokio::test]
async fn jv_14_a_flood_of_unknown_key_ids_is_one_lookup_in_five_seconds() {
    let replicas = Replicas::new();
    replicas.other.load().await.unwrap();
    let stranger = Replicas::new();
    let unknown = stranger.sign(&stranger.one).await;
    let lookups = || replicas.store.lookups.load(Ordering::Relaxed);
    let before = lookups();
    for seconds in [4, 1, 4] {
        replicas.clock.advance(seconds);
        for _ in 0..20 {
            let refused = replicas.verify(&replicas.other, &unknown).await;
            assert!(matches!(refused, Err(VerifyError::UnknownKey(_))), "{refused:?}");
        }
    }
    assert_eq!(lookups(), before + 1);
}

#[tokio::test]
async fn jv_15_while_the_store_is_out_of_reach_the_known_keys_go_on() {
    let replicas = Replicas::new();
    let token = replicas.sign(&replicas.one).await;
    replicas.store.put_out_of_reach();
    replicas.clock.advance(600);
    assert!(replicas.verify(&replicas.one, &token).await.is_ok());
    let later = replicas.sign(&replicas.one).await;
    assert!(replicas.verify(&replicas.one, &later).await.is_ok());
    let refused = replicas.verify(&replicas.other, &token).await;
    assert!(matches!(refused, Err(VerifyError::Unavailable { .. })), "{refused:?}");
    assert!(replicas.other.sign(&replicas.claims()).await.is_err());
    let before = replicas.store.lookups.load(Ordering::Relaxed);
    replicas.verify(&replicas.one, &token).await.unwrap();
    assert_eq!(replicas.store.lookups.load(Ordering::Relaxed), before);
}

#[tokio::test]
async fn jv_20_a_key_that_could_not_be_stored_signs_nothing() {
    let replicas = Replicas::new();
    let before = published(&replicas.one).await;
    replicas.store.put_out_of_reach();
    assert!(replicas.one.rotate(RotationManner::Overlapping).await.is_err());
    replicas.store.out_of_reach.store(false, Ordering::Relaxed);
    assert_eq!(published(&replicas.one).await, before);
}
