//! The operator's view of grants: seeing them, and ending them before their time.

use std::sync::Arc;

use thiserror::Error;

use crate::domain::audit::{AuditEvent, Decision};
use crate::domain::client::ClientId;
use crate::domain::grant::{Grant, GrantId, GrantSelection};
use crate::domain::person::Subject;
use crate::port::{AuditLog, Clock, ConsentMemory, GrantDirectory, GrantStore, StoreUnavailable};

/// Shows and ends grants on behalf of the operator.
pub struct GrantAdministration {
    pub(super) directory: Arc<dyn GrantDirectory>,
    pub(super) grants: Arc<dyn GrantStore>,
    pub(super) consents: Arc<dyn ConsentMemory>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) audit: Arc<dyn AuditLog>,
}

/// Some grants, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantList {
    /// At most as many as were asked for.
    pub grants: Vec<Grant>,
    /// Whether there are more.
    pub is_cut: bool,
}

/// Whose grants are ended together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantsOf {
    /// Those to a client.
    Client(ClientId),
    /// Those by a person.
    Person(Subject),
    /// Those by one person to one client.
    PersonAtClient(Subject, ClientId),
}

/// Why a grant was not ended.
#[derive(Debug, Error)]
pub enum RevokeGrantError {
    /// There is none, or it was forgotten after its end.
    #[error("there is no grant of that id")]
    Unknown,
    /// The store can't answer.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
}

impl GrantsOf {
    fn parts(&self) -> (Option<&ClientId>, Option<&Subject>) {
        match self {
            Self::Client(client) => (Some(client), None),
            Self::Person(subject) => (None, Some(subject)),
            Self::PersonAtClient(subject, client) => (Some(client), Some(subject)),
        }
    }

    fn selection(&self) -> GrantSelection {
        let (client, subject) = self.parts();
        GrantSelection { client: client.cloned(), subject: subject.cloned(), alive: false }
    }
}

impl GrantAdministration {
    /// The newest grants of a selection, at most `most`.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    pub async fn list(
        &self,
        selection: &GrantSelection,
        most: u32,
    ) -> Result<GrantList, StoreUnavailable> {
        let mut grants = self.directory.list_grants(selection, most.saturating_add(1)).await?;
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let is_cut = grants.len() > most;
        grants.truncate(most);
        Ok(GrantList { grants, is_cut })
    }

    /// Ends one grant, and forgets what its person allowed its client. Returns whether it had not
    /// ended before.
    ///
    /// # Errors
    /// [`RevokeGrantError`].
    pub async fn revoke(&self, id: &GrantId) -> Result<bool, RevokeGrantError> {
        let grant = self.directory.find_grant(id).await?.ok_or(RevokeGrantError::Unknown)?;
        if grant.revoked_at.is_some() {
            return Ok(false);
        }
        let subject = grant.person.subject.clone();
        let of_both = GrantsOf::PersonAtClient(subject, grant.client.clone());
        self.forget_consents(&of_both).await?;
        self.grants.revoke(id, self.clock.now()).await?;
        let event = AuditEvent::new(Decision::GrantsRevokedByOperator { grants: 1 });
        self.audit.record(event.client(&grant.client).subject(&grant.person.subject).grant(id));
        Ok(true)
    }

    /// Ends every grant of a client or a person, and forgets what was allowed. Returns how many
    /// grants had not ended before.
    ///
    /// # Errors
    /// [`StoreUnavailable`]; it can be tried again then.
    pub async fn revoke_all(&self, of: &GrantsOf) -> Result<u64, StoreUnavailable> {
        self.forget_consents(of).await?;
        let grants = self.directory.revoke_all(&of.selection(), self.clock.now()).await?;
        let event = AuditEvent::new(Decision::GrantsRevokedByOperator { grants });
        let (client, subject) = of.parts();
        let (client, subject) = (client.cloned(), subject.cloned());
        self.audit.record(AuditEvent { client, subject, ..event });
        Ok(grants)
    }

    /// Before the grants end: nobody could grant the same again in between without being asked.
    async fn forget_consents(&self, of: &GrantsOf) -> Result<(), StoreUnavailable> {
        self.consents.forget_consents(&of.selection()).await.map(|_| ())
    }
}
