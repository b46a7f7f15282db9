use std::fmt;

use async_trait::async_trait;
use secrecy::SecretSlice;

use super::StoreUnavailable;
use crate::domain::timestamp::Timestamp;

/// Where signing keys live. They survive a restart.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Every key, the one that was added last first.
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

    /// Adds `key` if the one of id `after` is still the newest. Of concurrent calls with one
    /// `after` exactly one succeeds. Returns whether this one did; otherwise nothing is stored.
    ///
    /// # Errors
    /// [`StoreUnavailable`], also when the id of `key` is taken.
    async fn add_after(&self, after: &str, key: StoredKey) -> Result<bool, StoreUnavailable>;

    /// Stores the private half of `key` in place of the one kept under its id, e.g. sealed under
    /// another secret; an id nobody knows changes nothing.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn reseal(&self, key: StoredKey) -> Result<(), StoreUnavailable>;

    /// Removes the keys of these ids, all or none, but never the newest key. Returns how many went.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn forget(&self, key_ids: &[String]) -> Result<u64, StoreUnavailable>;
}

/// A private signing key.
#[derive(Clone)]
pub struct StoredKey {
    /// The JWK `kid`.
    pub key_id: String,
    /// The private half as the one who signs with it sealed it; a store never looks inside.
    pub private_key: SecretSlice<u8>,
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
