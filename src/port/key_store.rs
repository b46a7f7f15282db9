use std::fmt;

use async_trait::async_trait;
use secrecy::SecretSlice;

use super::StoreUnavailable;
use crate::domain::timestamp::Timestamp;

/// Where signing keys live. They survive a restart.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Every key, newest first, those of one second by key id.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn keys(&self) -> Result<Vec<StoredKey>, StoreUnavailable>;

    /// Stores `key` if there is none yet, and returns the oldest key: of concurrent calls all
    /// return the same one.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn keep_first(&self, key: StoredKey) -> Result<StoredKey, StoreUnavailable>;
}

/// A private signing key.
#[derive(Clone)]
pub struct StoredKey {
    /// The JWK `kid`.
    pub key_id: String,
    /// PKCS#8, DER.
    pub pkcs8: SecretSlice<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredKey")
            .field("key_id", &self.key_id)
            .field("created_at", &self.created_at)
            .finish_non_exhaustive()
    }
}
