use async_trait::async_trait;
use thiserror::Error;

use super::StoreUnavailable;
use crate::domain::mcp_session::{McpSession, SessionOwner, SessionSetup};
use crate::domain::secret::McpSessionHash;
use crate::domain::timestamp::Timestamp;

/// How many sessions may be open, each at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionBounds {
    /// Of all owners together.
    pub total: usize,
    /// Of one owner.
    pub per_owner: usize,
}

/// A session was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionUse {
    /// When; a session that had expired by then is not used.
    pub used_at: Timestamp,
    /// When it expires now.
    pub expires_at: Timestamp,
}

/// Why a session is not opened.
#[derive(Debug, Error)]
pub enum OpenSessionError {
    /// There are as many as there may be, of all owners together.
    #[error("there are too many sessions")]
    Full,
    /// The store can't answer.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
}

/// Where sessions of MCP are kept, so that they survive a restart and every replica knows them. What
/// happens inside a session, as the streams and the calls under way, is not kept.
///
/// A session is one of its owner: every method that is asked for another's answers as if it did not
/// exist, and changes nothing.
///
/// It is open from [`Self::open_session`] until [`Self::end_session`], until another one needs its
/// room or until it expires, and never again after that.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait McpSessions: Send + Sync {
    /// Opens a session at its `opened_at`, which is the moment by which the others are open or have
    /// expired.
    ///
    /// When its owner has as many as one may have, those of them that were used longest ago are
    /// ended, as many as it takes; of those used in the same second, those opened first. Their ids
    /// are returned. Sessions that have expired, of whomever, are forgotten, so that there are never
    /// many more than may be open. The bounds hold for any number of concurrent calls.
    ///
    /// # Errors
    /// [`OpenSessionError::Full`] when there would be too many of all owners together, and
    /// [`OpenSessionError::Unavailable`], also when the id is taken. Nothing is changed then, and no
    /// session ended.
    async fn open_session(
        &self,
        session: &McpSession,
        bounds: SessionBounds,
    ) -> Result<Vec<McpSessionHash>, OpenSessionError>;

    /// The session of that owner, expired or not, or `None`. What was ended before the call is not
    /// found, wherever that was done.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn find_session(
        &self,
        id: &McpSessionHash,
        owner: &SessionOwner,
    ) -> Result<Option<McpSession>, StoreUnavailable>;

    /// Remembers a use, unless a later one is remembered, in which case it changes nothing and still
    /// returns `true`. Returns whether the session is open; one that had expired by then stays so.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn touch_session(
        &self,
        id: &McpSessionHash,
        owner: &SessionOwner,
        usage: SessionUse,
    ) -> Result<bool, StoreUnavailable>;

    /// Keeps `next` in place of `current`, if the session still has that. Of any number of
    /// concurrent calls for one `current` exactly one succeeds. Returns whether this one did;
    /// otherwise nothing is changed.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn replace_setup_if_current(
        &self,
        id: &McpSessionHash,
        owner: &SessionOwner,
        current: &SessionSetup,
        next: &SessionSetup,
    ) -> Result<bool, StoreUnavailable>;

    /// Ends a session. Returns whether there was one, expired or not; of any number of concurrent
    /// calls one gets `true`.
    ///
    /// # Errors
    /// [`StoreUnavailable`]; it is still there then.
    async fn end_session(
        &self,
        id: &McpSessionHash,
        owner: &SessionOwner,
    ) -> Result<bool, StoreUnavailable>;
}
