use async_trait::async_trait;

use super::StoreUnavailable;
use crate::domain::audit_trail::{AuditEntry, AuditQuery};
use crate::domain::timestamp::Timestamp;

/// Decisions, kept to be read later. A store that dies with the process may keep only the newest
/// 10,000.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait AuditTrail: Send + Sync {
    /// Adds entries in their order, all or none. Each gets a number higher than every one before,
    /// and numbers can be read in their order: whoever has read one finds no new one below it later.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn append(&self, entries: &[AuditEntry]) -> Result<(), StoreUnavailable>;

    /// The newest `most` entries of a query, with their numbers, oldest first.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn read(
        &self,
        query: &AuditQuery,
        most: u32,
    ) -> Result<Vec<(i64, AuditEntry)>, StoreUnavailable>;

    /// Forgets entries made before `before`, and of the others all but about the newest `most`.
    /// Returns how many went.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn forget_entries(&self, before: Timestamp, most: u32) -> Result<u64, StoreUnavailable>;
}
