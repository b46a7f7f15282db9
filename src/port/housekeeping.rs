use async_trait::async_trait;

use super::StoreUnavailable;
use crate::domain::timestamp::Timestamp;

/// Throws away what no use case can want any more.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Housekeeping: Send + Sync {
    /// Forgets login sessions, codes and refresh tokens that expired before `before`, and grants
    /// given before it that are left without any code or refresh token. All of
    /// them go together, except that what another call is changing at this moment may be left for
    /// the next run. Returns how many records went.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn forget_expired(&self, before: Timestamp) -> Result<u64, StoreUnavailable>;
}
