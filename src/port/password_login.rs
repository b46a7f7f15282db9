use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::domain::login::PasswordAnswer;
use crate::domain::person::{Person, Subject};

/// People this server itself knows, by a name and a password.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait PasswordLogin: Send + Sync {
    /// Who typed this into the login form.
    ///
    /// Takes as long for an unknown name as for a wrong password.
    ///
    /// # Errors
    /// [`LoginRefused`].
    async fn check_password(&self, answer: &PasswordAnswer) -> Result<Person, LoginRefused>;

    /// Whether somebody who logged in here before still could. Asked at every refresh, and at
    /// `/authorize` when a login session stands in for the form.
    ///
    /// # Errors
    /// [`LoginRefused::Unavailable`]: nobody knows at the moment.
    async fn still_admits(&self, subject: &Subject) -> Result<bool, LoginRefused>;
}

/// Why nobody is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LoginRefused {
    /// The name or the password is wrong; which of them is nobody's business.
    #[error("wrong user name or password")]
    WrongCredentials,
    /// Nobody can be looked up at the moment.
    #[error("the identity provider is unavailable: {reason}")]
    Unavailable {
        /// For the log.
        reason: String,
        /// When to try again.
        retry_after: Duration,
    },
}
