//! Whether a caller may use something of the catalog (MCP authorization, scope challenge handling).

use std::sync::Arc;

use super::access::AccessError;
use super::policy::{CurrentCatalogPolicy, ScopePolicy};
use super::refusal::Refusal;
use crate::domain::access_rule::Item;
use crate::domain::audit::AuditEvent;
use crate::domain::principal::Principal;
use crate::domain::requirement::Requirement;
use crate::port::AuditLog;

/// Compares callers with requirements, and records the refusals.
#[derive(Clone)]
pub(super) struct Permission {
    pub(super) audit: Arc<dyn AuditLog>,
    pub(super) scopes: Arc<ScopePolicy>,
    pub(super) catalog: Arc<CurrentCatalogPolicy>,
}

impl Permission {
    /// Whether lists show an item to the caller; `own` is what the item itself demands.
    pub(super) fn shows(&self, caller: &Principal, item: Item<'_>, own: &Requirement) -> bool {
        self.catalog.now().list_everything || self.allows(caller, item, own)
    }

    /// Refuses whoever may not use an item.
    pub(super) fn check(
        &self,
        caller: &Principal,
        item: Item<'_>,
        own: &Requirement,
    ) -> Result<(), AccessError> {
        self.check_needed(caller, &self.needed(item, own))
    }

    /// Refuses whoever does not meet a requirement. What no new token would change comes first:
    /// nobody should log in once more for nothing.
    pub(super) fn check_needed(
        &self,
        caller: &Principal,
        needed: &Requirement,
    ) -> Result<(), AccessError> {
        if let Some(lack) = needed.lack(caller) {
            return Err(self.refuse(caller, AccessError::NotPermitted { lack }));
        }
        if needed.missing_scope(caller, &self.scopes.hierarchy).is_empty() {
            return Ok(());
        }
        // What the caller has is asked for again, so that stepping up loses nothing.
        let kept = self.scopes.known(&caller.scopes).permissions();
        let error = AccessError::InsufficientScope {
            granted: caller.scopes.to_string(),
            required: needed.scope.union(&kept),
        };
        Err(self.refuse(caller, error))
    }

    /// Whether the caller may use an item, for a decision that is nobody's request.
    pub(super) fn allows(&self, caller: &Principal, item: Item<'_>, own: &Requirement) -> bool {
        self.needed(item, own).is_met(caller, &self.scopes.hierarchy)
    }

    /// What it takes to use an item; `own` is what the item itself demands.
    pub(super) fn needed(&self, item: Item<'_>, own: &Requirement) -> Requirement {
        self.catalog.now().rules.requirement(item, own)
    }

    fn refuse(&self, caller: &Principal, error: AccessError) -> AccessError {
        let mut event = AuditEvent::new(Refusal::Access(&error).decision());
        event.client = caller.client.clone();
        event.subject = Some(caller.subject.clone());
        event.token = caller.token_id.clone();
        self.audit.record(event);
        error
    }
}
