use async_trait::async_trait;

use super::StoreUnavailable;
use crate::domain::timestamp::Timestamp;

/// Throws away what no use case can want any more.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Housekeeping: Send + Sync {
    /// Forgets login sessions, codes and refresh tokens that expired before `before`, spent ids that
    /// had to be remembered until a moment before it, and grants given before it that are left
    /// without any code or refresh token. All of them go together. Returns how many records went.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn forget_expired(&self, before: Timestamp) -> Result<u64, StoreUnavailable>;
}
