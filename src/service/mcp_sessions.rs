//! Keeping the sessions of MCP (revisions 2025-03-26 to 2025-11-25): opening, bringing back, using and
//! ending one. Each belongs to the caller who opened it, and to anybody else it does not exist.

use std::sync::Arc;

use thiserror::Error;

use crate::domain::mcp_session::{
    McpSession, SessionOwner, SessionSetup, SessionTerms, SetupTooLarge,
};
use crate::domain::principal::CallerIdentity;
use crate::domain::secret::{McpSessionHash, McpSessionId};
use crate::domain::timestamp::Timestamp;
use crate::port::{
    Clock, McpSessions, OpenSessionError, Random, SessionBounds, SessionUse, StoreUnavailable,
};

/// How often a change of the setup is tried again when somebody else changes it at the same time.
const MOST_TRIES: usize = 8;

/// Keeps sessions in the store.
pub struct KeptSessions {
    pub(super) sessions: Arc<dyn McpSessions>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
}

/// A session that was opened.
#[derive(Debug)]
pub struct OpenedSession {
    /// For its client.
    pub id: McpSessionId,
    /// When.
    pub at: Timestamp,
    /// Other sessions of the caller that had to make room.
    pub ended: Vec<McpSessionHash>,
}

/// Why the setup of a session is not changed.
#[derive(Debug, Error)]
pub enum ChangeSetupError {
    /// It would be too large.
    #[error(transparent)]
    TooLarge(#[from] SetupTooLarge),
    /// Others change it all the time.
    #[error("it is changed too often at once")]
    Contended,
    /// The store can't answer.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
}

impl KeptSessions {
    /// The moment by which sessions are open or have expired.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Opens a session of `caller`.
    ///
    /// # Errors
    /// [`OpenSessionError`]; no session was ended then.
    pub async fn open(
        &self,
        caller: &CallerIdentity,
        setup: SessionSetup,
        terms: &SessionTerms,
    ) -> Result<OpenedSession, OpenSessionError> {
        let (id, now) = (McpSessionId::from_entropy(self.random.entropy()), self.clock.now());
        let session = McpSession {
            id: id.hash(),
            owner: SessionOwner::of(caller),
            setup,
            opened_at: now,
            last_used_at: now,
            expires_at: terms.expiry(now),
        };
        let bounds = SessionBounds { total: terms.total, per_owner: terms.per_owner };
        let ended = self.sessions.open_session(&session, bounds).await?;
        Ok(OpenedSession { id, at: now, ended })
    }

    /// What brings back a session of `caller`; `None` when it was ended, has expired, or never was the
    /// caller's. Whoever brings it back asks [`Self::used`] at last: it may be ended meanwhile.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    pub async fn find(
        &self,
        id: &McpSessionHash,
        caller: &CallerIdentity,
    ) -> Result<Option<SessionSetup>, StoreUnavailable> {
        let found = self.sessions.find_session(id, &SessionOwner::of(caller)).await?;
        let open = found.filter(|session| session.is_open(self.clock.now()));
        Ok(open.map(|session| session.setup))
    }

    /// Tells that `caller` used the session at `used_at`. Returns whether it still has it.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    pub async fn used(
        &self,
        id: &McpSessionHash,
        caller: &CallerIdentity,
        used_at: Timestamp,
        terms: &SessionTerms,
    ) -> Result<bool, StoreUnavailable> {
        let usage = SessionUse { used_at, expires_at: terms.expiry(used_at) };
        self.sessions.touch_session(id, &SessionOwner::of(caller), usage).await
    }

    /// Changes what brings back the session; nothing when there is none.
    ///
    /// # Errors
    /// [`ChangeSetupError`].
    pub async fn change_setup(
        &self,
        id: &McpSessionHash,
        caller: &CallerIdentity,
        change: impl Fn(&SessionSetup) -> Result<SessionSetup, SetupTooLarge> + Send + Sync,
    ) -> Result<(), ChangeSetupError> {
        let owner = SessionOwner::of(caller);
        for _ in 0..MOST_TRIES {
            let Some(session) = self.sessions.find_session(id, &owner).await? else {
                return Ok(());
            };
            let next = change(&session.setup)?;
            let same = next == session.setup;
            let setup = &session.setup;
            if same || self.sessions.replace_setup_if_current(id, &owner, setup, &next).await? {
                return Ok(());
            }
        }
        Err(ChangeSetupError::Contended)
    }

    /// Ends a session of `caller`. Returns whether there was one.
    ///
    /// # Errors
    /// [`StoreUnavailable`]; it was not ended then.
    pub async fn end(
        &self,
        id: &McpSessionHash,
        caller: &CallerIdentity,
    ) -> Result<bool, StoreUnavailable> {
        self.sessions.end_session(id, &SessionOwner::of(caller)).await
    }
}
