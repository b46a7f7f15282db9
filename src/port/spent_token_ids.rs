use async_trait::async_trait;

use super::StoreUnavailable;
use crate::domain::spent_id::SpentId;
use crate::domain::timestamp::Timestamp;

/// Ids that count once. What was acknowledged survives a restart and a crash.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait SpentTokenIds: Send + Sync {
    /// Remembers that the id was used, at least until the given moment.
    ///
    /// Returns whether it was not remembered before: of any number of concurrent calls for one id,
    /// exactly one is told so. Otherwise nothing is changed, the moment of the first call included.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn record_once(&self, id: &SpentId, until: Timestamp) -> Result<bool, StoreUnavailable>;

    /// Whether the id is remembered; one whose moment has come may or may not be.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn contains(&self, id: &SpentId) -> Result<bool, StoreUnavailable>;
}
