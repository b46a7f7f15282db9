//! Ending a login session.

use std::sync::Arc;

use thiserror::Error;

use super::refusal::Refusal;
use crate::domain::audit::{AuditEvent, Decision};
use crate::domain::form_token::{FormToken, ProtectedForm};
use crate::domain::login::LoginSession;
use crate::domain::secret::SessionToken;
use crate::port::{AuditLog, Clock, LoginSessions, StoreUnavailable};

/// Logs people out.
pub struct LogOut {
    pub(super) sessions: Arc<dyn LoginSessions>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) audit: Arc<dyn AuditLog>,
}

/// Why nobody is logged out.
#[derive(Debug, Error)]
pub enum LogOutError {
    /// The form was not shown by this server to this login session.
    #[error("this form was not made for this login session")]
    ForeignForm,
    /// The store can't answer.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
}

impl LogOut {
    /// The login session of a browser, if it has one that counts.
    ///
    /// # Errors
    /// [`LogOutError::Unavailable`], recorded in the audit log.
    pub async fn session(
        &self,
        cookie: Option<&SessionToken>,
    ) -> Result<Option<LoginSession>, LogOutError> {
        let Some(token) = cookie else { return Ok(None) };
        match self.sessions.find(&token.hash()).await {
            Ok(found) => Ok(found.filter(|session| session.is_valid(self.clock.now()))),
            Err(unavailable) => Err(self.refuse(unavailable.into())),
        }
    }

    /// Ends the login session of a browser. What the person granted to clients goes on.
    ///
    /// # Errors
    /// [`LogOutError`], recorded in the audit log; the session goes on then.
    pub async fn log_out(
        &self,
        cookie: Option<&SessionToken>,
        form_token: &str,
    ) -> Result<(), LogOutError> {
        let Some(token) = cookie else { return Ok(()) };
        let hash = token.hash();
        if !FormToken::new(ProtectedForm::LogOut(&hash)).matches(form_token) {
            return Err(self.refuse(LogOutError::ForeignForm));
        }
        match self.sessions.end(&hash).await {
            Ok(ended) => {
                if let Some(session) = ended {
                    let event = AuditEvent::new(Decision::LoggedOut);
                    self.audit.record(event.subject(&session.person.subject));
                }
                Ok(())
            }
            Err(unavailable) => Err(self.refuse(unavailable.into())),
        }
    }

    fn refuse(&self, error: LogOutError) -> LogOutError {
        self.audit.record(AuditEvent::new(Refusal::LogOut(&error).decision()));
        error
    }
}
