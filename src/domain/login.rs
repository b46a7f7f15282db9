//! Logging in: what a person answers, and the session that remembers it.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;

use super::person::Person;
use super::secret::SessionHash;
use super::timestamp::Timestamp;

/// What somebody typed into a login form.
pub struct PasswordAnswer {
    /// Who they say they are.
    pub username: String,
    /// What should prove it.
    pub password: SecretString,
}

impl fmt::Debug for PasswordAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordAnswer").field("username", &self.username).finish_non_exhaustive()
    }
}

/// A browser in which a person is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginSession {
    /// The stored form of the session cookie.
    pub hash: SessionHash,
    /// Who it is.
    pub person: Person,
    /// When they proved it.
    pub logged_in_at: Timestamp,
    /// When they must again.
    pub expires_at: Timestamp,
}

impl LoginSession {
    /// A session that starts now.
    #[must_use]
    pub fn start(hash: SessionHash, person: Person, now: Timestamp, lifetime: Duration) -> Self {
        Self { hash, person, logged_in_at: now, expires_at: now.after(lifetime) }
    }

    /// Whether it still counts.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }
}
