use async_trait::async_trait;

use super::StoreUnavailable;
use crate::domain::grant::{Grant, GrantId, GrantSelection};
use crate::domain::timestamp::Timestamp;

/// Every grant there is, for those who look after them.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait GrantDirectory: Send + Sync {
    /// Stores a grant that no code carries: that of a client to itself.
    ///
    /// # Errors
    /// [`StoreUnavailable`], also when the id is taken.
    async fn begin_without_code(&self, grant: &Grant) -> Result<(), StoreUnavailable>;

    /// The grant, revoked or not, or `None`.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn find_grant(&self, id: &GrantId) -> Result<Option<Grant>, StoreUnavailable>;

    /// The grants of a selection, newest first, those of one second by id; at most `most`.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn list_grants(
        &self,
        selection: &GrantSelection,
        most: u32,
    ) -> Result<Vec<Grant>, StoreUnavailable>;

    /// Ends every grant of a selection that has not ended, all or none of them. Returns how many.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn revoke_all(
        &self,
        selection: &GrantSelection,
        at: Timestamp,
    ) -> Result<u64, StoreUnavailable>;
}
