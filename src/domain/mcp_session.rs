//! A session of the MCP revisions that have them (2025-03-26 to 2025-11-25), and when its store has to
//! be told of it or asked about it.

use std::time::Duration;

use thiserror::Error;

use super::principal::CallerIdentity;
use super::secret::{McpSessionHash, McpSessionId, SECRET_BYTES, base64url, from_base64url};
use super::timestamp::Timestamp;

/// How much of a session is kept for bringing it back, in bytes. A client's capabilities and its
/// name take a few hundred.
pub const MOST_SETUP_BYTES: usize = 16 * 1024;

/// After this time a process asks again whether a session it has was ended elsewhere.
const LOOK_AFTER: Duration = Duration::from_secs(2);

/// How late a store may learn that a session was used, unless it is short-lived.
const TELL_AFTER: Duration = Duration::from_secs(60);

/// A session as it is kept between requests, restarts and replicas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpSession {
    /// The stored form of its id.
    pub id: McpSessionHash,
    /// To anybody else it does not exist.
    pub owner: SessionOwner,
    /// What brings it back.
    pub setup: SessionSetup,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was used last, as far as that was told.
    pub last_used_at: Timestamp,
    /// From this moment on it is no session any more.
    pub expires_at: Timestamp,
}

impl McpSession {
    /// Whether it has not expired.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }
}

/// Whose session it is: a hash of the caller's identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionOwner(String);

impl SessionOwner {
    /// That of a caller.
    #[must_use]
    pub fn of(caller: &CallerIdentity) -> Self {
        Self(base64url(&caller.digest()))
    }

    /// As a store kept it.
    #[must_use]
    pub fn from_stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Unpadded base64url, 43 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the client said at the beginning of its session and has set since. Only the one who speaks
/// the protocol looks inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSetup(Vec<u8>);

/// A client said too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("what begins a session is larger than {MOST_SETUP_BYTES} bytes")]
pub struct SetupTooLarge;

impl SessionSetup {
    /// At most [`MOST_SETUP_BYTES`] of it.
    ///
    /// # Errors
    /// [`SetupTooLarge`].
    pub fn new(bytes: Vec<u8>) -> Result<Self, SetupTooLarge> {
        (bytes.len() <= MOST_SETUP_BYTES).then_some(Self(bytes)).ok_or(SetupTooLarge)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// An id that may be one of ours, `None` for anything that was never handed out here, so that nobody
/// has to be asked about it.
#[must_use]
pub fn session_id_of_ours(text: &str) -> Option<McpSessionId> {
    let is_ours = from_base64url(text).is_some_and(|bytes| bytes.len() == SECRET_BYTES);
    is_ours.then(|| McpSessionId::presented(text))
}

/// How many sessions there may be, and how long each may be idle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTerms {
    /// How long one lives without a message of its client.
    pub idle: Duration,
    /// Of all callers together.
    pub total: usize,
    /// Of one caller.
    pub per_owner: usize,
}

impl SessionTerms {
    /// How late the store may learn of a use: a tenth of the idle time, a minute at most.
    fn tell_after(&self) -> Duration {
        TELL_AFTER.min(self.idle / 10)
    }

    /// Until when a session used at `used_at` is kept: never shorter than the idle time, although
    /// its later uses may not have been told yet.
    #[must_use]
    pub fn expiry(&self, used_at: Timestamp) -> Timestamp {
        used_at.after(self.idle).after(self.tell_after())
    }
}

/// What a process that has a session knows of its store's knowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionUses {
    used_at: Timestamp,
    told_at: Timestamp,
    looked_at: Timestamp,
}

/// What is due when a session is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DueOnUse {
    /// The store was asked just now.
    Nothing,
    /// Asking the store whether the session was ended elsewhere.
    Look,
    /// Telling the store of the use, which answers the same question.
    Tell,
}

impl SessionUses {
    /// Of a session that was opened or brought back at `now`.
    #[must_use]
    pub fn begin(now: Timestamp) -> Self {
        Self { used_at: now, told_at: now, looked_at: now }
    }

    /// Counts a use. What is due then counts as done, so that of concurrent requests one does it.
    pub fn count(&mut self, now: Timestamp, terms: &SessionTerms) -> DueOnUse {
        self.used_at = self.used_at.max(now);
        if now >= self.told_at.after(terms.tell_after()) {
            (self.told_at, self.looked_at) = (now, now);
            return DueOnUse::Tell;
        }
        if now >= self.looked_at.after(LOOK_AFTER) {
            self.looked_at = now;
            return DueOnUse::Look;
        }
        DueOnUse::Nothing
    }

    /// The last use, if the store was not told of it; it counts as told now.
    pub fn take_untold(&mut self) -> Option<Timestamp> {
        let untold = self.used_at > self.told_at;
        self.told_at = self.used_at;
        untold.then_some(self.used_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: SessionTerms =
        SessionTerms { idle: Duration::from_secs(1800), total: 10, per_owner: 2 };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    #[test]
    fn an_id_of_another_shape_was_never_handed_out() {
        let ours = McpSessionId::from_entropy([7; SECRET_BYTES]);
        assert!(session_id_of_ours(ours.expose()).is_some());
        let padded = format!("{}=", ours.expose());
        let long = "A".repeat(44);
        for foreign in ["", "lost", "5b7a8f0e-0000-4000-8000-000000000000", &padded, &long, "\0"] {
            assert!(session_id_of_ours(foreign).is_none(), "{foreign:?}");
        }
    }

    #[test]
    fn a_setup_is_bounded() {
        assert!(SessionSetup::new(vec![0; MOST_SETUP_BYTES]).is_ok());
        assert_eq!(SessionSetup::new(vec![0; MOST_SETUP_BYTES + 1]), Err(SetupTooLarge));
    }

    #[test]
    fn the_store_is_asked_every_two_seconds_and_told_every_minute() {
        let mut uses = SessionUses::begin(at(0));
        assert_eq!(uses.count(at(1), &TERMS), DueOnUse::Nothing);
        assert_eq!(uses.count(at(2), &TERMS), DueOnUse::Look);
        assert_eq!(uses.count(at(3), &TERMS), DueOnUse::Nothing);
        assert_eq!(uses.count(at(60), &TERMS), DueOnUse::Tell);
        assert_eq!(uses.count(at(60), &TERMS), DueOnUse::Nothing);
        assert_eq!(uses.count(at(119), &TERMS), DueOnUse::Look);
        assert_eq!(uses.count(at(120), &TERMS), DueOnUse::Tell);
    }

    #[test]
    fn a_use_is_told_once() {
        let mut uses = SessionUses::begin(at(0));
        assert_eq!(uses.take_untold(), None);
        uses.count(at(9), &TERMS);
        assert_eq!(uses.take_untold(), Some(at(9)));
        assert_eq!(uses.take_untold(), None);
    }

    #[test]
    fn a_session_is_kept_for_its_idle_time_after_a_use_nobody_was_told_of() {
        let mut uses = SessionUses::begin(at(0));
        assert_eq!(uses.count(at(59), &TERMS), DueOnUse::Look);
        assert!(TERMS.expiry(at(0)) >= at(59).after(TERMS.idle));
        let short = SessionTerms { idle: Duration::from_secs(20), ..TERMS };
        assert_eq!(short.expiry(at(0)), at(22));
    }
}
