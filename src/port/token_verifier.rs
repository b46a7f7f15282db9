use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::access_token::VerifyError;
use crate::domain::principal::Principal;
use crate::domain::resource::ProtectedResource;
use crate::domain::secret::BearerToken;
use crate::domain::timestamp::Timestamp;

/// Turns a raw access token into the caller behind it.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait TokenVerifier: Send + Sync {
    /// Verifies `token` in full: signature, type, issuer, audience and times.
    ///
    /// An acceptance may be remembered for 60 s at most, beside what is remembered of a provider's
    /// answer about an opaque token, and never past the token's expiry: so long a withdrawn key or a
    /// revocation goes unnoticed. Of refusals only [`VerifyError::Inactive`], a provider's own word,
    /// may be remembered, for a few seconds.
    ///
    /// # Errors
    /// [`VerifyError`] says which check failed. [`VerifyError::Unavailable`] means that the issuer
    /// can't be asked: the token may be good, the answer is 503 and never 401.
    async fn verify(
        &self,
        token: &BearerToken,
        expected: &Expected,
    ) -> Result<Principal, VerifyError>;
}

/// What a token must be good for.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The resource it must name in `aud`.
    pub resource: Arc<ProtectedResource>,
    /// The moment at which it must be alive.
    pub now: Timestamp,
}
