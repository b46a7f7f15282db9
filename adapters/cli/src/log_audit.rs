//! Decisions as log lines.

use mcp_oauth_core::domain::audit::{AuditEvent, Decision};
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
        match &event.decision {
            // Every client begins like this.
            Decision::Refused { code: code @ "no_credentials", reason } => {
                tracing::debug!(target: "audit", decision, code, reason, client, subject);
            }
            Decision::Refused { code, reason } => {
                tracing::warn!(target: "audit", decision, code, reason, client, subject, grant, token);
            }
            Decision::GrantReplayed => {
                tracing::warn!(target: "audit", decision, client, subject, grant, token);
            }
            _ => tracing::info!(target: "audit", decision, client, subject, grant, token),
        }
    }
}
