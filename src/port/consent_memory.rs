use async_trait::async_trait;

use super::StoreUnavailable;
use crate::domain::consent::{ConsentKey, RememberedConsent};
use crate::domain::grant::GrantSelection;

/// What people allowed before. It survives a restart.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ConsentMemory: Send + Sync {
    /// Remembers a consent, in place of what was remembered under its key.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn remember(&self, consent: &RememberedConsent) -> Result<(), StoreUnavailable>;

    /// What is remembered under that very key, expired or not, or `None`.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn recall(&self, key: &ConsentKey)
    -> Result<Option<RememberedConsent>, StoreUnavailable>;

    /// Forgets what the person of a selection allowed, or what its client was allowed; whether
    /// grants are alive does not matter here. Returns how many consents went.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn forget_consents(&self, selection: &GrantSelection) -> Result<u64, StoreUnavailable>;
}
