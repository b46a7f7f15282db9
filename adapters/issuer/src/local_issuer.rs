//! Signs and verifies the tokens of this server.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mcp_oauth_core::domain::access_token::{AccessTokenClaims, OwnTokenRules, VerifyError};
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::principal::Principal;
use mcp_oauth_core::domain::secret::BearerToken;
use mcp_oauth_core::port::{
    Clock, Expected, JwkSet, KeyStore, SigningKeys, SigningUnavailable, StoredKey, TokenVerifier,
};
use secrecy::ExposeSecret;
use tokio::sync::OnceCell;

use crate::key_ring::KeyRing;
use crate::rsa_key::RsaKey;

/// When to try again after the key store was out of reach.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// The authorization server's own issuer. Its keys come from the store, where the first start puts
/// a fresh one, or from the operator.
pub struct LocalIssuer {
    issuer: Issuer,
    store: Arc<dyn KeyStore>,
    clock: Arc<dyn Clock>,
    keys: OnceCell<KeyRing>,
}

impl LocalIssuer {
    /// An issuer whose keys live in `store`. They are loaded, or the first one made, when they are
    /// first needed; [`Self::load`] does it earlier.
    #[must_use]
    pub fn new(issuer: Issuer, store: Arc<dyn KeyStore>, clock: Arc<dyn Clock>) -> Self {
        Self { issuer, store, clock, keys: OnceCell::new() }
    }

    /// The same issuer with the operator's key, and no other.
    #[must_use]
    pub fn with_key(mut self, key: RsaKey) -> Self {
        self.keys = OnceCell::new_with(Some(KeyRing::new(key, Vec::new())));
        self
    }

    /// Loads the keys, or makes the first one.
    ///
    /// # Errors
    /// [`SigningUnavailable`] when the store can't answer or holds a damaged key.
    pub async fn load(&self) -> Result<(), SigningUnavailable> {
        self.keys().await.map(|_| ())
    }

    async fn keys(&self) -> Result<&KeyRing, SigningUnavailable> {
        self.keys.get_or_try_init(|| self.load_or_make()).await
    }

    async fn load_or_make(&self) -> Result<KeyRing, SigningUnavailable> {
        let mut stored = self.store.keys().await.map_err(SigningUnavailable::new)?;
        if stored.is_empty() {
            let made = tokio::task::spawn_blocking(RsaKey::generate).await;
            let made = made.map_err(SigningUnavailable::new)?.map_err(SigningUnavailable::new)?;
            let key = StoredKey {
                key_id: made.key_id().to_owned(),
                pkcs8: made.pkcs8(),
                created_at: self.clock.now(),
            };
            // Another replica may have been faster: its key is everybody's then.
            stored.push(self.store.keep_first(key).await.map_err(SigningUnavailable::new)?);
        }
        let read = |key: &StoredKey| RsaKey::from_pkcs8(key.pkcs8.expose_secret());
        let signing = read(&stored[0]).map_err(SigningUnavailable::new)?;
        let retired = stored[1..].iter().map(read).collect::<Result<_, _>>();
        Ok(KeyRing::new(signing, retired.map_err(SigningUnavailable::new)?))
    }
}

#[async_trait]
impl SigningKeys for LocalIssuer {
    async fn sign(&self, claims: &AccessTokenClaims) -> Result<String, SigningUnavailable> {
        self.keys().await?.sign(claims)
    }

    async fn published(&self) -> Result<JwkSet, SigningUnavailable> {
        Ok(self.keys().await?.published())
    }
}

#[async_trait]
impl TokenVerifier for LocalIssuer {
    async fn verify(
        &self,
        token: &BearerToken,
        expected: &Expected,
    ) -> Result<Principal, VerifyError> {
        let keys = self.keys().await.map_err(|unavailable| VerifyError::Unavailable {
            reason: unavailable.to_string(),
            retry_after: RETRY_AFTER,
        })?;
        let rules =
            OwnTokenRules { issuer: &self.issuer, resource: &expected.resource, now: expected.now };
        keys.verify(token.expose(), &rules)
    }
}
