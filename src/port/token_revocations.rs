use async_trait::async_trait;

use super::StoreUnavailable;
use crate::domain::access_token::IssuedToken;
use crate::domain::timestamp::Timestamp;

/// Which access tokens were ended before their time. What was acknowledged survives a restart, and
/// every replica over the same store knows it at once.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait TokenRevocations: Send + Sync {
    /// Ends one access token; its grant goes on. `until` is when it would have ended by itself:
    /// after that it may be forgotten. A token that is ended already stays so.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn revoke_token(
        &self,
        token: &IssuedToken,
        until: Timestamp,
    ) -> Result<(), StoreUnavailable>;

    /// Whether the token was ended, or its grant is revoked or not known (any more).
    ///
    /// An implementation in front of a store may remember an answer for seconds, and no longer: so
    /// long a revoked token goes on being accepted.
    ///
    /// # Errors
    /// [`StoreUnavailable`]: nobody knows.
    async fn is_revoked(&self, token: &IssuedToken) -> Result<bool, StoreUnavailable>;
}
