//! Issuing an authorization code for what a person consented to (OAuth 2.1 §4.1.2).

use std::sync::Arc;

use super::policy::Policy;
use crate::domain::audit::{AuditEvent, Decision};
use crate::domain::authorization::{Approval, AwaitingConsent};
use crate::domain::grant::GrantId;
use crate::domain::secret::AuthorizationCode;
use crate::port::{AuditLog, Clock, GrantStore, Random, StoreUnavailable};

/// Stores grants and the codes that carry them.
pub(super) struct IssueCode {
    pub(super) grants: Arc<dyn GrantStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) audit: Arc<dyn AuditLog>,
    pub(super) policy: Arc<Policy>,
}

/// A code that was issued.
pub(super) struct Issued {
    /// What it was issued for.
    pub(super) grant: GrantId,
    /// Where to send the browser.
    pub(super) redirect_to: String,
}

impl IssueCode {
    /// Issues a code. `decision` says how the person
    /// consented.
    pub(super) async fn issue(
        &self,
        consented: AwaitingConsent,
        decision: Decision,
    ) -> Result<Issued, StoreUnavailable> {
        let approved = consented.approve(Approval {
            grant: GrantId::from_entropy(self.random.entropy()),
            code: AuthorizationCode::from_entropy(self.random.entropy()),
            code_lifetime: self.policy.code_lifetime,
            now: self.clock.now(),
        });
        let grant = &approved.grant;
        self.grants.begin(grant, &approved.code).await?;
        let event = AuditEvent::new(decision).client(&grant.client).grant(&grant.id);
        self.audit.record(event.subject(&grant.person.subject));
        Ok(Issued { grant: approved.grant.id, redirect_to: approved.redirect_to })
    }
}
