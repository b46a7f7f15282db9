use async_trait::async_trait;

use super::StoreUnavailable;
use crate::domain::audit_trail::{AuditEntry, AuditQuery};
use crate::domain::timestamp::Timestamp;

/// Decisions, kept to be read later.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait AuditTrail: Send + Sync {
    /// Adds entries in their order, all or none. Each gets a number higher than every one before.
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
