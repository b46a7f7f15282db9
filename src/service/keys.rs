//! The keys that access tokens are signed with: publishing (RFC 7517), rotating.

use std::sync::Arc;

use super::refusal::Refusal;
use crate::domain::audit::{AuditEvent, Decision};
use crate::port::{AuditLog, JwkSet, RotationManner, SigningKey, SigningKeys, SigningUnavailable};

/// Publishes and rotates the keys.
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

    /// Every key, newest first.
    ///
    /// # Errors
    /// [`SigningUnavailable`].
    pub async fn list(&self) -> Result<Vec<SigningKey>, SigningUnavailable> {
        self.keys.list().await
    }

    /// Makes a new key on behalf of the operator and returns its id.
    ///
    /// # Errors
    /// [`SigningUnavailable`].
    pub async fn rotate(&self, manner: RotationManner) -> Result<String, SigningUnavailable> {
        let key_id = self.keys.rotate(manner).await?;
        let made = key_id.clone();
        let decision = match manner {
            RotationManner::Overlapping => Decision::KeyRotatedByOperator { key_id: made },
            RotationManner::DiscardingOld => Decision::KeysDiscardedByOperator { key_id: made },
        };
        self.audit.record(AuditEvent::new(decision));
        Ok(key_id)
    }

    /// Replaces the key if it is old enough, and forgets those whose last token has ended.
    ///
    /// # Errors
    /// [`SigningUnavailable`].
    pub async fn tend(&self) -> Result<(), SigningUnavailable> {
        if let Some(key_id) = self.keys.tend().await? {
            self.audit.record(AuditEvent::new(Decision::KeyRotated { key_id }));
        }
        Ok(())
    }
}
