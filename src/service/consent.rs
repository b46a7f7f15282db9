//! Asking a person whether a client may act for them.

use std::sync::Arc;

use thiserror::Error;

use super::authorize::{AuthorizationError, Authorize, NextPage};
use super::issue_code::{IssueCode, Issued};
use super::policy::Policy;
use super::refusal::Refusal;
use super::throttle::Throttle;
use crate::domain::audit::{AuditEvent, Decision};
use crate::domain::authorization::{AuthorizationQuery, AwaitingConsent};
use crate::domain::consent::RememberedConsent;
use crate::domain::form_token::{FormToken, ProtectedForm};
use crate::domain::grant::GrantSelection;
use crate::domain::limit::TooMany;
use crate::domain::navigation::Navigation;
use crate::domain::secret::SessionToken;
use crate::port::{AuditLog, Clock, ConsentMemory, StoreUnavailable};

/// Takes a person's answer.
pub struct Consent {
    pub(super) consents: Arc<dyn ConsentMemory>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) audit: Arc<dyn AuditLog>,
    pub(super) throttle: Throttle,
    pub(super) policy: Arc<Policy>,
    pub(super) authorize: Arc<Authorize>,
    pub(super) issue_code: Arc<IssueCode>,
}

/// A consent form as it came back.
pub struct ConsentAnswer {
    /// The authorization request the form carried along.
    pub query: AuthorizationQuery,
    /// The session's cookie.
    pub session: Option<SessionToken>,
    /// The form's token.
    pub form_token: String,
    /// Yes or no.
    pub approved: bool,
}

/// Why an answer does not count.
#[derive(Debug, Error)]
pub enum ConsentError {
    /// The form was not shown by this server to this login session.
    #[error("this form was not made for this login session, or the session is over")]
    ForeignForm,
    /// The authorization request behind the form is no good.
    #[error(transparent)]
    Authorization(#[from] AuthorizationError),
    /// There were too many.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The store can't answer.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
}

impl Consent {
    /// Takes the answer and returns where to send the browser: the client's redirect address with
    /// a code, or with `access_denied`.
    ///
    /// # Errors
    /// [`ConsentError`], recorded in the audit log; nothing is granted then.
    pub async fn answer(&self, answer: ConsentAnswer) -> Result<String, ConsentError> {
        let answered = self.try_answer(answer).await;
        if let Err(error) = &answered {
            // A refused authorization request has recorded itself.
            if !matches!(error, ConsentError::Authorization(_)) {
                self.audit.record(AuditEvent::new(Refusal::Consent(error).decision()));
            }
        }
        answered
    }

    async fn try_answer(&self, answer: ConsentAnswer) -> Result<String, ConsentError> {
        self.throttle.authorization()?;
        let approved = answer.approved;
        let awaiting = self.awaiting(answer).await?;
        match approved {
            true => Ok(self.approve(awaiting).await?.redirect_to),
            false => Ok(self.deny(awaiting).await),
        }
    }

    async fn awaiting(&self, answer: ConsentAnswer) -> Result<AwaitingConsent, ConsentError> {
        let session = answer.session.as_ref().ok_or(ConsentError::ForeignForm)?;
        let expected = FormToken::new(ProtectedForm::Consent(&session.hash(), &answer.query));
        if !expected.matches(&answer.form_token) {
            return Err(ConsentError::ForeignForm);
        }
        // As from elsewhere, so that what is remembered does not count here.
        let asked = self.authorize.proceed(&answer.query, Some(session), Navigation::Foreign);
        match asked.await? {
            NextPage::Consent(awaiting) => Ok(*awaiting),
            NextPage::Login(_) | NextPage::ConsentBeforeLogin(_) | NextPage::Return(_) => {
                Err(ConsentError::ForeignForm)
            }
        }
    }

    /// Grants what a person said yes to, and remembers it.
    pub(super) async fn approve(
        &self,
        awaiting: AwaitingConsent,
    ) -> Result<Issued, StoreUnavailable> {
        let keep = self.policy.consent_lifetime;
        let remembered = Some(keep)
            .filter(|keep| !keep.is_zero())
            .and_then(|keep| RememberedConsent::of(&awaiting, keep, self.clock.now()));
        let issued = self.issue_code.issue(awaiting, Decision::ConsentGiven).await?;
        if let Some(consent) = remembered
            && let Err(error) = self.consents.remember(&consent).await
        {
            // They said yes: next time they are asked once more.
            tracing::warn!(%error, "a consent is not remembered");
        }
        Ok(issued)
    }

    async fn deny(&self, awaiting: AwaitingConsent) -> String {
        if !self.policy.consent_lifetime.is_zero() {
            self.forget(&awaiting).await;
        }
        let event = AuditEvent::new(Decision::ConsentDenied).client(awaiting.client());
        self.audit.record(event.subject(&awaiting.person().subject));
        awaiting.deny()
    }

    /// The last word of a person counts: an earlier yes is none any more.
    async fn forget(&self, denied: &AwaitingConsent) {
        let these = GrantSelection {
            client: Some(denied.client().clone()),
            subject: Some(denied.person().subject.clone()),
            ..GrantSelection::default()
        };
        if let Err(error) = self.consents.forget_consents(&these).await {
            tracing::warn!(%error, "a consent that was taken back is still remembered");
        }
    }
}
