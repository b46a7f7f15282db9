use async_trait::async_trait;

use super::StoreUnavailable;
use crate::domain::timestamp::Timestamp;

/// Which clients count as unused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnusedClients {
    /// Those that never got a token and registered before this.
    pub never_since: Timestamp,
    /// Those that got their last token before this.
    pub last_before: Timestamp,
}

/// Throws away what no use case can want any more.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Housekeeping: Send + Sync {
    /// Forgets login sessions, logins under way, sessions of MCP, codes, refresh tokens, consents and
    /// revoked access tokens that expired before `before`, spent ids that had to be remembered until a
    /// moment before it, and grants given before it that are left without any code or refresh token. All of them go
    /// together, of concurrent runs in one, except that what some other call is changing at this
    /// moment may be left for the next run. Returns how many records went.
    ///
    /// Tokens of providers go along, uncounted, with a grant that is forgotten or was revoked.
    ///
    /// The access tokens of a forgotten grant count as revoked, so `before` has to lie further back
    /// than an access token lives.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn forget_expired(&self, before: Timestamp) -> Result<u64, StoreUnavailable>;

    /// Forgets clients that registered themselves and were not used for long. Those of another
    /// origin stay. Returns how many went.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn forget_clients(&self, unused: UnusedClients) -> Result<u64, StoreUnavailable>;
}
