//! Logging in: what a person answers, and the session that remembers it.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;

use super::authorization::AuthorizationQuery;
use super::person::Person;
use super::secret::{BrowserHash, SessionHash, base64url, same_bytes, sha256};
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

/// The value a form carries to prove that this server showed it to this browser, for this request.
///
/// It is a hash over the browser's cookie (which no other site can read or set) and the
/// authorization request, so any number of forms can be open at once and none uses up another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormToken(String);

/// Which form a token belongs to, so that one can't be used in place of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProtectedForm<'a> {
    /// The login form, bound to the browser it was shown in.
    Login(&'a BrowserHash),
    /// The consent form, bound to the login session it was shown in.
    Consent(&'a SessionHash),
}

impl FormToken {
    /// The token of one form.
    #[must_use]
    pub fn new(form: ProtectedForm<'_>, query: &AuthorizationQuery) -> Self {
        let (purpose, key): (&[u8], &str) = match form {
            ProtectedForm::Login(browser) => (b"login form\0", browser.as_str()),
            ProtectedForm::Consent(session) => (b"consent form\0", session.as_str()),
        };
        Self(base64url(&sha256(&[purpose, key.as_bytes(), b"\0", query.as_str().as_bytes()])))
    }

    /// The text to put in the form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a form brought this token back, in constant time.
    #[must_use]
    pub fn matches(&self, presented: &str) -> bool {
        same_bytes(self.0.as_bytes(), presented.as_bytes())
    }
}
