//! Authenticating a request to the protected resource (OAuth 2.1 §5, MCP authorization).

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::policy::ScopePolicy;
use super::refusal::Refusal;
use crate::domain::access_token::VerifyError;
use crate::domain::audit::AuditEvent;
use crate::domain::bearer::{Challenge, MalformedCredentials, bearer_token};
use crate::domain::principal::Principal;
use crate::domain::public_address::{AskedAddress, PublicAddress};
use crate::domain::requirement::Lack;
use crate::domain::resource::ResourceDocument;
use crate::domain::scope::ScopeSet;
use crate::domain::secret::BearerToken;
use crate::port::{AuditLog, Clock, Expected, TokenRevocations, TokenVerifier};

/// Lets callers in, or tells them what they need.
pub struct Access {
    pub(super) verifier: Arc<dyn TokenVerifier>,
    pub(super) revocations: Arc<dyn TokenRevocations>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) audit: Arc<dyn AuditLog>,
    pub(super) address: Arc<PublicAddress>,
    pub(super) scopes: Arc<ScopePolicy>,
}

/// Why a request is not let in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AccessError {
    /// No credentials were sent.
    #[error("no access token was sent")]
    NoCredentials,
    /// The Authorization header can't be read.
    #[error(transparent)]
    Malformed(#[from] MalformedCredentials),
    /// The token is not good.
    #[error(transparent)]
    InvalidToken(VerifyError),
    /// The token is good and does not allow this.
    #[error("the token allows {granted:?}, this needs \"{required}\"")]
    InsufficientScope {
        /// What the token allows.
        granted: String,
        /// Everything a token for this needs, what this one has included.
        required: ScopeSet,
    },
    /// The token is good, and the caller has no right to this that a new token could give.
    #[error("this needs {lack}, which the identity provider gives")]
    NotPermitted {
        /// What the caller lacks.
        lack: Lack,
    },
    /// Nobody can tell whether the token is good.
    #[error("tokens can't be verified at the moment: {reason}")]
    Unavailable {
        /// For the log.
        reason: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// Nobody can tell whether the token was revoked.
    #[error("{reason}")]
    StoreUnavailable {
        /// For the log.
        reason: String,
    },
}

impl Access {
    /// Who is calling, from the values of every Authorization header of the request.
    ///
    /// # Errors
    /// [`AccessError`], recorded in the audit log.
    pub async fn authenticate(&self, authorization: &[&[u8]]) -> Result<Principal, AccessError> {
        let token = match bearer_token(authorization) {
            Ok(Some(token)) => token,
            Ok(None) => return Err(self.refuse(AccessError::NoCredentials, None)),
            Err(malformed) => return Err(self.refuse(malformed.into(), None)),
        };
        let expected =
            Expected { resource: Arc::clone(self.address.resource()), now: self.clock.now() };
        match self.verify(&token, &expected).await {
            Ok(principal) => Ok(principal),
            Err(error) => Err(self.refuse(error, Some(&token))),
        }
    }

    async fn verify(
        &self,
        token: &BearerToken,
        expected: &Expected,
    ) -> Result<Principal, AccessError> {
        let principal = self.verifier.verify(token, expected).await?;
        let Some(token) = principal.issued_token(self.address.issuer()) else {
            return Ok(principal);
        };
        match self.revocations.is_revoked(&token).await {
            Ok(false) => Ok(principal),
            Ok(true) => Err(AccessError::InvalidToken(VerifyError::Revoked)),
            Err(unavailable) => {
                Err(AccessError::StoreUnavailable { reason: unavailable.to_string() })
            }
        }
    }

    /// The challenge that goes with a refusal; none with 503 (RFC 6750 §3, RFC 9728 §5.1).
    #[must_use]
    pub fn challenge(
        &self,
        error: &AccessError,
        address: &AskedAddress,
        document: ResourceDocument,
    ) -> Option<Challenge> {
        let scope = match error {
            AccessError::Unavailable { .. } | AccessError::StoreUnavailable { .. } => return None,
            AccessError::InsufficientScope { required, .. } => required,
            _ => &self.scopes.default,
        };
        let code = Some(Refusal::Access(error).row().code).filter(|code| !code.is_empty());
        Some(Challenge {
            error: code,
            description: code.map(|_| error.to_string()),
            scope: scope.clone(),
            resource_metadata: address.resource_metadata(document),
        })
    }

    fn refuse(&self, error: AccessError, token: Option<&BearerToken>) -> AccessError {
        let refusal = Refusal::Access(&error);
        let mut event = AuditEvent::new(refusal.decision());
        event.token = token.map(|token| token.hash().as_str().to_owned());
        self.audit.record(event);
        error
    }
}

impl From<VerifyError> for AccessError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Unavailable { reason, retry_after } => {
                Self::Unavailable { reason, retry_after }
            }
            other => Self::InvalidToken(other),
        }
    }
}
