use crate::domain::audit::AuditEvent;

/// Where decisions are recorded.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait AuditLog: Send + Sync {
    /// Records one decision; must not wait for the network and must not fail the request.
    fn record(&self, event: AuditEvent);
}
