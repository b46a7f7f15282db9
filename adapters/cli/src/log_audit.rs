//! Decisions as log lines.

use mcp_oauth_core::domain::audit::{AuditEvent, Decision};
use mcp_oauth_core::domain::correlation::CurrentRequest;
use mcp_oauth_core::port::AuditLog;

/// Writes every decision to the log, under the target `audit`.
pub(crate) struct LogAudit;

impl AuditLog for LogAudit {
    fn record(&self, event: AuditEvent) {
        let decision = event.decision.name();
        let client = event.client.as_ref().map(|client| client.as_str());
        let subject = event.subject.as_ref().map(|subject| subject.as_str());
        let grant = event.grant.as_ref().map(|grant| grant.as_str());
        let token = event.token.as_deref();
        let current = CurrentRequest::current();
        let request = current.as_ref().map(|current| current.id.as_str());
        let address =
            current.as_ref().and_then(|current| current.address).map(tracing::field::display);
        match &event.decision {
            routine @ Decision::Refused { code, reason } if routine.is_routine() => {
                tracing::debug!(target: "audit", decision, code, reason, client, subject, request, address);
            }
            Decision::Refused { code, reason } => {
                tracing::warn!(
                    target: "audit", decision, code, reason, client, subject, grant, token, request, address
                );
            }
            Decision::GrantReplayed => {
                tracing::warn!(
                    target: "audit", decision, client, subject, grant, token, request, address
                );
            }
            _ => tracing::info!(
                target: "audit", decision, client, subject, grant, token, request, address
            ),
        }
    }
}
