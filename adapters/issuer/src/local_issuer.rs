//! Signs and verifies the tokens of this server.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use mcp_oauth_core::domain::access_token::{AccessTokenClaims, OwnTokenRules, VerifyError};
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::key_rotation::{KeyRotation, KeyState};
use mcp_oauth_core::domain::principal::Principal;
use mcp_oauth_core::domain::secret::BearerToken;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{
    Clock, Expected, JwkSet, KeyStore, Random, RotationManner, SigningKey, SigningKeys,
    SigningUnavailable, StoredKey, TokenVerifier,
};
use thiserror::Error;
use tokio::sync::Mutex;

use crate::key_ring::{AgedKey, KeyRing};
use crate::key_sealer::KeySealer;
use crate::rsa_key::RsaKey;

/// When to try again after the key store was out of reach.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// How long keys are used before they are looked up again: another replica, or the operator, may
/// have rotated them. Far less than a new key is published ahead of its first signature.
const RELOAD_AFTER: Duration = Duration::from_secs(60);

/// How soon a token with an unknown key id may cause another look.
const UNKNOWN_KEY_COOLDOWN: Duration = Duration::from_secs(5);

/// The authorization server's own issuer. Its keys come from the store, where the first start puts
/// a fresh one, or from the operator.
pub struct LocalIssuer {
    issuer: Issuer,
    store: Arc<dyn KeyStore>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    sealer: Arc<KeySealer>,
    rotation: KeyRotation,
    operators_key: Option<Arc<KeyRing>>,
    loaded: RwLock<Option<Loaded>>,
    loading: Mutex<()>,
}

#[derive(Debug, Error)]
#[error("the signing key is the operator's own, and only the operator replaces it")]
struct OperatorsKey;

/// Keys as they were found.
#[derive(Clone)]
struct Loaded {
    ring: Arc<KeyRing>,
    at: Timestamp,
}

impl LocalIssuer {
    /// An issuer whose keys live in `store`. They are loaded, or the first one made, when they are
    /// first needed; [`Self::load`] does it earlier.
    #[must_use]
    pub fn new(
        issuer: Issuer,
        store: Arc<dyn KeyStore>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        rotation: KeyRotation,
    ) -> Self {
        Self {
            issuer,
            store,
            clock,
            random,
            sealer: Arc::default(),
            rotation,
            operators_key: None,
            loaded: RwLock::new(None),
            loading: Mutex::new(()),
        }
    }

    /// The same issuer, which keeps its keys sealed.
    #[must_use]
    pub fn with_sealer(mut self, sealer: Arc<KeySealer>) -> Self {
        self.sealer = sealer;
        self
    }

    /// The same issuer with the operator's key, and no other.
    #[must_use]
    pub fn with_key(mut self, key: RsaKey) -> Self {
        let key = AgedKey { key, created_at: self.clock.now() };
        self.operators_key = Some(Arc::new(KeyRing::new(vec![key], self.rotation)));
        self
    }

    /// Loads the keys, or makes the first one.
    ///
    /// # Errors
    /// [`SigningUnavailable`] when the store can't answer or holds a key that can't be read.
    pub async fn load(&self) -> Result<(), SigningUnavailable> {
        self.keys().await.map(|_| ())
    }

    /// Whether every stored key can be read; makes none.
    ///
    /// # Errors
    /// [`SigningUnavailable`] when the store can't answer or holds a key that can't be read, e.g.
    /// because it is sealed under another secret.
    pub async fn check_stored(&self) -> Result<(), SigningUnavailable> {
        if self.operators_key.is_some() {
            return Ok(());
        }
        let stored = self.store.keys().await.map_err(SigningUnavailable::new)?;
        self.read_all(&stored).map(|_| ())
    }

    async fn keys(&self) -> Result<Arc<KeyRing>, SigningUnavailable> {
        if let Some(ring) = &self.operators_key {
            return Ok(Arc::clone(ring));
        }
        self.keys_no_older_than(RELOAD_AFTER).await
    }

    /// The keys found at most `age` ago. While the store is out of reach, those found before.
    async fn keys_no_older_than(&self, age: Duration) -> Result<Arc<KeyRing>, SigningUnavailable> {
        if let Some(ring) = self.recent(age) {
            return Ok(ring);
        }
        let _one_at_a_time = self.loading.lock().await;
        if let Some(ring) = self.recent(age) {
            return Ok(ring);
        }
        match (self.load_or_make().await, self.known()) {
            (Ok(ring), _) => Ok(self.keep(ring)),
            (Err(error), Some(known)) => {
                tracing::warn!(%error, "the signing keys can't be looked up; those known go on");
                Ok(self.keep(known.ring))
            }
            (Err(error), None) => Err(error),
        }
    }

    fn known(&self) -> Option<Loaded> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn recent(&self, age: Duration) -> Option<Arc<KeyRing>> {
        let known = self.known()?;
        let now = self.clock.now();
        // A clock that was set back makes them old, not new.
        (known.at <= now && now < known.at.after(age)).then_some(known.ring)
    }

    fn keep(&self, ring: Arc<KeyRing>) -> Arc<KeyRing> {
        let loaded = Loaded { ring: Arc::clone(&ring), at: self.clock.now() };
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Some(loaded);
        ring
    }

    /// Forgets what is known, so that the next request looks the keys up.
    fn look_again(&self) {
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    async fn load_or_make(&self) -> Result<Arc<KeyRing>, SigningUnavailable> {
        let mut stored = self.store.keys().await.map_err(SigningUnavailable::new)?;
        if stored.is_empty() {
            let first = self.make_key().await?;
            // Another replica may have been faster: its key is everybody's then.
            stored.push(self.store.keep_first(first).await.map_err(SigningUnavailable::new)?);
        }
        Ok(Arc::new(KeyRing::new(self.read_all(&stored)?, self.rotation)))
    }

    fn read_all(&self, stored: &[StoredKey]) -> Result<Vec<AgedKey>, SigningUnavailable> {
        stored.iter().map(|stored| self.read(stored)).collect()
    }

    fn read(&self, stored: &StoredKey) -> Result<AgedKey, SigningUnavailable> {
        let opened = self.sealer.open(stored).map_err(SigningUnavailable::new)?;
        let key = RsaKey::from_stored(&opened.pkcs8).map_err(SigningUnavailable::new)?;
        Ok(AgedKey { key, created_at: stored.created_at })
    }

    async fn make_key(&self) -> Result<StoredKey, SigningUnavailable> {
        let made = tokio::task::spawn_blocking(RsaKey::generate).await;
        let made = made.map_err(SigningUnavailable::new)?.map_err(SigningUnavailable::new)?;
        let sealed = self.sealer.seal(made.key_id(), &made.pkcs8(), &*self.random);
        Ok(StoredKey {
            key_id: made.key_id().to_owned(),
            private_key: sealed.map_err(SigningUnavailable::new)?,
            created_at: self.clock.now(),
        })
    }

    /// Seals anew what is sealed under the secret before, or not at all.
    async fn reseal_outdated(&self) -> Result<(), SigningUnavailable> {
        for stored in self.store.keys().await.map_err(SigningUnavailable::new)? {
            let opened = self.sealer.open(&stored).map_err(SigningUnavailable::new)?;
            if !opened.is_outdated {
                continue;
            }
            let sealed = self.sealer.seal(&stored.key_id, &opened.pkcs8, &*self.random);
            let private_key = sealed.map_err(SigningUnavailable::new)?;
            let resealed = StoredKey { private_key, ..stored };
            self.store.reseal(resealed).await.map_err(SigningUnavailable::new)?;
        }
        Ok(())
    }

    async fn forget(&self, key_ids: &[String]) -> Result<(), SigningUnavailable> {
        if key_ids.is_empty() {
            return Ok(());
        }
        self.store.forget(key_ids).await.map_err(SigningUnavailable::new)?;
        self.look_again();
        Ok(())
    }
}

#[async_trait]
impl SigningKeys for LocalIssuer {
    async fn sign(&self, claims: &AccessTokenClaims) -> Result<String, SigningUnavailable> {
        self.keys().await?.sign(claims, self.clock.now())
    }

    async fn published(&self) -> Result<JwkSet, SigningUnavailable> {
        Ok(self.keys().await?.published(self.clock.now()))
    }

    async fn list(&self) -> Result<Vec<SigningKey>, SigningUnavailable> {
        Ok(self.keys().await?.list(self.clock.now()))
    }

    async fn rotate(&self, manner: RotationManner) -> Result<String, SigningUnavailable> {
        if self.operators_key.is_some() {
            return Err(SigningUnavailable::new(OperatorsKey));
        }
        // A first key is wanted anyway, and that the newest is known.
        self.look_again();
        let before = self.list().await?;
        let newest = before.first().map(|key| key.key_id.clone()).unwrap_or_default();
        let key = self.make_key().await?;
        let key_id = key.key_id.clone();
        let added = self.store.add_after(&newest, key).await.map_err(SigningUnavailable::new)?;
        self.look_again();
        if !added && manner == RotationManner::DiscardingOld {
            return Err(SigningUnavailable::new(
                "another key was made at the same time, and nothing is discarded; try again",
            ));
        }
        if !added {
            let now = self.list().await?;
            return Ok(now.into_iter().next().map(|key| key.key_id).unwrap_or_default());
        }
        if manner == RotationManner::DiscardingOld {
            let old: Vec<_> = before.into_iter().map(|key| key.key_id).collect();
            self.forget(&old).await?;
        }
        Ok(key_id)
    }

    async fn tend(&self) -> Result<Option<String>, SigningUnavailable> {
        if self.operators_key.is_some() {
            return Ok(None);
        }
        let keys = self.list().await?;
        self.reseal_outdated().await?;
        let ended = keys.iter().filter(|key| key.state == KeyState::Forgettable);
        let ended: Vec<_> = ended.map(|key| key.key_id.clone()).collect();
        self.forget(&ended).await?;
        let newest = keys.first().map(|key| key.created_at);
        if newest.is_some_and(|newest| self.rotation.is_due(newest, self.clock.now())) {
            return self.rotate(RotationManner::Overlapping).await.map(Some);
        }
        Ok(None)
    }
}

#[async_trait]
impl TokenVerifier for LocalIssuer {
    async fn verify(
        &self,
        token: &BearerToken,
        expected: &Expected,
    ) -> Result<Principal, VerifyError> {
        let rules =
            OwnTokenRules { issuer: &self.issuer, resource: &expected.resource, now: expected.now };
        let ring = self.keys().await.map_err(unavailable)?;
        match ring.verify(token.expose(), &rules) {
            // Another replica may have begun to sign with a key made since.
            Err(VerifyError::UnknownKey(_)) if self.operators_key.is_none() => {
                let ring = self.keys_no_older_than(UNKNOWN_KEY_COOLDOWN).await;
                ring.map_err(unavailable)?.verify(token.expose(), &rules)
            }
            verified => verified,
        }
    }
}

fn unavailable(error: SigningUnavailable) -> VerifyError {
    VerifyError::Unavailable { reason: error.to_string(), retry_after: RETRY_AFTER }
}
