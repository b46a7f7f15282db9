use async_trait::async_trait;

use super::StoreUnavailable;
use crate::domain::login::LoginSession;
use crate::domain::secret::SessionHash;

/// Where login sessions live. They survive a restart.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait LoginSessions: Send + Sync {
    /// Stores a new session.
    ///
    /// # Errors
    /// [`StoreUnavailable`], also when the hash is taken.
    async fn open(&self, session: &LoginSession) -> Result<(), StoreUnavailable>;

    /// The session, expired or not, or `None`.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn find(&self, session: &SessionHash) -> Result<Option<LoginSession>, StoreUnavailable>;

    /// Ends a session and returns it; `None` if there was none. Of concurrent calls one gets it.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn end(&self, session: &SessionHash) -> Result<Option<LoginSession>, StoreUnavailable>;
}
