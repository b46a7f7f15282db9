//! Publishing the keys that access tokens are signed with (RFC 7517).

use std::sync::Arc;

use super::refusal::Refusal;
use crate::domain::audit::AuditEvent;
use crate::port::{AuditLog, JwkSet, SigningKeys, SigningUnavailable};

/// Publishes the keys.
pub struct Keys {
    pub(super) keys: Arc<dyn SigningKeys>,
    pub(super) audit: Arc<dyn AuditLog>,
}

impl Keys {
    /// The public half of every key whose tokens may still be alive.
    ///
    /// # Errors
    /// [`SigningUnavailable`], recorded in the audit log.
    pub async fn published(&self) -> Result<JwkSet, SigningUnavailable> {
        let published = self.keys.published().await;
        if let Err(error) = &published {
            self.audit.record(AuditEvent::new(Refusal::Keys(error).decision()));
        }
        published
    }
}
