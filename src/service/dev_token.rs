//! Test tokens without a login: only with the dev provider on a loopback base URL.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::mint::{Mint, MintedToken, Minting};
use super::policy::Policy;
use super::refusal::Refusal;
use super::throttle::Throttle;
use crate::domain::audit::{AuditEvent, Decision};
use crate::domain::client::ClientId;
use crate::domain::error_text::shortened;
use crate::domain::limit::TooMany;
use crate::domain::own_clients::DEV_TOKEN_CLIENT;
use crate::domain::parameters::{ParameterError, Parameters};
use crate::domain::person::{Person, Subject};
use crate::domain::public_address::PublicAddress;
use crate::domain::scope::ScopeSet;
use crate::port::{AuditLog, SigningUnavailable};

/// The longest life of a test token.
pub const LONGEST_LIFETIME: Duration = Duration::from_secs(LONGEST_LIFETIME_SECONDS);
const LONGEST_LIFETIME_SECONDS: u64 = 30 * 24 * 3600;

/// Makes test tokens.
pub struct DevToken {
    pub(super) mint: Mint,
    pub(super) audit: Arc<dyn AuditLog>,
    pub(super) throttle: Throttle,
    pub(super) address: Arc<PublicAddress>,
    pub(super) policy: Arc<Policy>,
    pub(super) person: Person,
}

/// Why no test token was made.
#[derive(Debug, Error)]
pub enum DevTokenError {
    /// A parameter is repeated.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
    /// The scope is malformed.
    #[error("scope: {0}")]
    Scope(String),
    /// The lifetime is no number of seconds in range.
    #[error("expires_in: {0:?} is not a number of seconds from 1 to {LONGEST_LIFETIME_SECONDS}")]
    Lifetime(String),
    /// There were too many.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// No token can be signed.
    #[error(transparent)]
    NoKey(#[from] SigningUnavailable),
}

impl DevToken {
    /// Makes a token from the parameters `audience`, `scope`, `expires_in` (seconds) and `sub`,
    /// each optional.
    ///
    /// # Errors
    /// [`DevTokenError`], recorded in the audit log.
    pub async fn issue(&self, parameters: &Parameters) -> Result<MintedToken, DevTokenError> {
        let issued = self.try_issue(parameters).await;
        let event = match &issued {
            Ok(token) => AuditEvent::new(Decision::DevTokenIssued).token(token.token_id.clone()),
            Err(error) => AuditEvent::new(Refusal::DevToken(error).decision()),
        };
        self.audit.record(event);
        issued
    }

    async fn try_issue(&self, parameters: &Parameters) -> Result<MintedToken, DevTokenError> {
        self.throttle.token()?;
        let canonical = self.address.resource().canonical();
        let audience = parameters.optional("audience")?.unwrap_or(canonical.as_str());
        let scope = match parameters.optional("scope")? {
            None => self.policy.scopes.default.clone(),
            Some(text) => {
                ScopeSet::parse(text).map_err(|error| DevTokenError::Scope(error.to_string()))?
            }
        };
        let person = match parameters.optional("sub")? {
            None => self.person.clone(),
            Some(sub) => Person {
                subject: Subject::new(sub),
                name: None,
                verified_email: None,
                account: None,
            },
        };
        let minting = Minting {
            person,
            client: ClientId::new(DEV_TOKEN_CLIENT),
            audience: audience.to_owned(),
            scope,
            lifetime: self.lifetime(parameters.optional("expires_in")?)?,
            grant: None,
        };
        Ok(self.mint.mint(minting).await?)
    }

    fn lifetime(&self, asked: Option<&str>) -> Result<Duration, DevTokenError> {
        let Some(text) = asked else { return Ok(self.policy.access_token_lifetime) };
        let seconds = text.parse().ok().map(Duration::from_secs);
        seconds
            .filter(|seconds| !seconds.is_zero() && *seconds <= LONGEST_LIFETIME)
            .ok_or_else(|| DevTokenError::Lifetime(shortened(text)))
    }
}
