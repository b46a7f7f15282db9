//! Logging a person in with a user name and a password.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::authorize::{AuthorizationError, Authorize};
use super::policy::Policy;
use super::refusal::Refusal;
use super::throttle::Throttle;
use crate::domain::audit::{AuditEvent, Decision};
use crate::domain::authorization::{AuthorizationQuery, AuthorizationRequest};
use crate::domain::form_token::{FormToken, ProtectedForm};
use crate::domain::limit::{TooMany, UserKey};
use crate::domain::login::{LoginSession, PasswordAnswer};
use crate::domain::person::Subject;
use crate::domain::secret::{BrowserToken, SessionToken};
use crate::port::{
    AuditLog, Clock, LoginRefused, LoginSessions, PasswordLogin, Random, StoreUnavailable,
};

/// Logs people in.
pub struct Login {
    pub(super) people: Arc<dyn PasswordLogin>,
    pub(super) sessions: Arc<dyn LoginSessions>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) audit: Arc<dyn AuditLog>,
    pub(super) throttle: Throttle,
    pub(super) policy: Arc<Policy>,
    pub(super) authorize: Arc<Authorize>,
}

/// A login form as it came back.
pub struct LoginAttempt {
    /// The authorization request the form carried along.
    pub query: AuthorizationQuery,
    /// The browser's cookie.
    pub browser: Option<BrowserToken>,
    /// The form's token.
    pub form_token: String,
    /// What was typed.
    pub answer: PasswordAnswer,
}

/// Why nobody is logged in.
#[derive(Debug, Error)]
pub enum LoginError {
    /// The form was not shown by this server to this browser.
    #[error("this form was not made for this browser, or its cookie is gone")]
    ForeignForm,
    /// The authorization request behind the form is no good.
    #[error(transparent)]
    Authorization(#[from] AuthorizationError),
    /// The user name or the password is wrong: the form is shown again.
    #[error("wrong user name or password")]
    WrongCredentials(Box<AuthorizationRequest>),
    /// The provider named a person as only clients are named.
    #[error("the identity provider named the subject {0:?}, which is reserved for clients")]
    ReservedSubject(Subject),
    /// There were too many, or too many of them wrong.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The identity provider can't answer.
    #[error("the identity provider is unavailable: {reason}")]
    ProviderUnavailable {
        /// For the log.
        reason: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// The store can't answer.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
}

impl Login {
    /// Logs a person in and returns the value of the session's cookie.
    ///
    /// # Errors
    /// [`LoginError`], recorded in the audit log.
    pub async fn log_in(&self, attempt: LoginAttempt) -> Result<SessionToken, LoginError> {
        let logged_in = self.try_log_in(attempt).await;
        if let Err(error) = &logged_in {
            // A refused authorization request has recorded itself.
            if !matches!(error, LoginError::Authorization(_)) {
                self.audit.record(AuditEvent::new(Refusal::Login(error).decision()));
            }
        }
        logged_in
    }

    async fn try_log_in(&self, attempt: LoginAttempt) -> Result<SessionToken, LoginError> {
        self.throttle.login()?;
        let browser = attempt.browser.as_ref().ok_or(LoginError::ForeignForm)?.hash();
        let expected = FormToken::new(ProtectedForm::Login(&browser, &attempt.query));
        if !expected.matches(&attempt.form_token) {
            return Err(LoginError::ForeignForm);
        }
        let request = self.authorize.examine(&attempt.query).await?;
        let user = UserKey::typed(&attempt.answer.username);
        self.throttle.before_password(&user)?;
        let person = match self.people.check_password(&attempt.answer).await {
            Ok(person) => person,
            Err(LoginRefused::WrongCredentials) => {
                self.throttle.wrong_password(&user);
                return Err(LoginError::WrongCredentials(Box::new(request)));
            }
            Err(LoginRefused::Unavailable { reason, retry_after }) => {
                return Err(LoginError::ProviderUnavailable { reason, retry_after });
            }
        };
        if person.subject.is_client() {
            return Err(LoginError::ReservedSubject(person.subject));
        }
        // A new token at every login, so that nobody can plant a session beforehand.
        let token = SessionToken::from_entropy(self.random.entropy());
        let now = self.clock.now();
        let lifetime = self.policy.session_lifetime;
        let session = LoginSession::start(token.hash(), person, now, lifetime);
        self.sessions.open(&session).await?;
        let event = AuditEvent::new(Decision::LoggedIn).subject(&session.person.subject);
        self.audit.record(event.client(&request.client.id));
        Ok(token)
    }
}
