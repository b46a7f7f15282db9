use crate::domain::audit::AuditEvent;

/// Where decisions are recorded.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait AuditLog: Send + Sync {
    /// Records one decision, made for the current request ([`CurrentRequest::current`]) if there is
    /// one; must not wait for the network and must not fail the request.
    ///
    /// [`CurrentRequest::current`]: crate::domain::correlation::CurrentRequest::current
    fn record(&self, event: AuditEvent);
}
