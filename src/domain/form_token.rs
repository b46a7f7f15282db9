//! The value a form carries to prove that this server showed it.

use super::authorization::AuthorizationQuery;
use super::secret::{BrowserHash, SessionHash, base64url, same_bytes, sha256};

/// The value a form carries to prove that this server showed it to this browser, for this request.
///
/// It is a hash over the browser's cookie (which no other site can read or set) and the
/// authorization request, so any number of forms can be open at once and none uses up another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormToken(String);

/// Which form a token belongs to, so that one can't be used in place of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProtectedForm<'a> {
    /// The login form, bound to the browser and the request it was shown for.
    Login(&'a BrowserHash, &'a AuthorizationQuery),
    /// The consent form, bound to the login session and the request it was shown for.
    Consent(&'a SessionHash, &'a AuthorizationQuery),
    /// The consent form for somebody who will only then log in, bound to the browser and the request
    /// it was shown for.
    ConsentBeforeLogin(&'a BrowserHash, &'a AuthorizationQuery),
    /// The form that ends a login session.
    LogOut(&'a SessionHash),
}

impl FormToken {
    /// The token of one form.
    #[must_use]
    pub fn new(form: ProtectedForm<'_>) -> Self {
        let (purpose, key, query): (&[u8], &str, &str) = match form {
            ProtectedForm::Login(browser, query) => {
                (b"login form\0", browser.as_str(), query.as_str())
            }
            ProtectedForm::Consent(session, query) => {
                (b"consent form\0", session.as_str(), query.as_str())
            }
            ProtectedForm::ConsentBeforeLogin(browser, query) => {
                (b"consent form before login\0", browser.as_str(), query.as_str())
            }
            ProtectedForm::LogOut(session) => (b"log-out form\0", session.as_str(), ""),
        };
        Self(base64url(&sha256(&[purpose, key.as_bytes(), b"\0", query.as_bytes()])))
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
