//! Telling a resource server about an access token (RFC 7662).

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use thiserror::Error;

use super::claimed_client::claimed_client;
use super::client_authentication::{ClientAuthentication, ClientAuthenticationError};
use super::refusal::Refusal;
use super::throttle::Throttle;
use crate::domain::access_token::VerifyError;
use crate::domain::audit::AuditEvent;
use crate::domain::client::{Client, ClientCredential};
use crate::domain::limit::TooMany;
use crate::domain::parameters::{ParameterError, Parameters};
use crate::domain::principal::Principal;
use crate::domain::public_address::PublicAddress;
use crate::domain::secret::BearerToken;
use crate::port::{AuditLog, Clock, Expected, StoreUnavailable, TokenRevocations, TokenVerifier};

/// Answers about access tokens.
pub struct Introspect {
    pub(super) authentication: ClientAuthentication,
    pub(super) revocations: Arc<dyn TokenRevocations>,
    pub(super) verifier: Arc<dyn TokenVerifier>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) throttle: Throttle,
    pub(super) audit: Arc<dyn AuditLog>,
    pub(super) address: Arc<PublicAddress>,
}

/// What there is to say of a token (RFC 7662 §2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Introspection {
    /// Whether it is good right now; everything else is there only if it is.
    pub active: bool,
    /// What it says.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub token: Option<IntrospectedToken>,
}

/// An access token that is good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IntrospectedToken {
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Space-delimited.
    pub scope: String,
    /// The client that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Whom it is about.
    pub sub: String,
    /// What it is for.
    pub aud: Vec<String>,
    /// Who issued it.
    pub iss: String,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
    /// When it was issued, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
}

/// Why nothing is told.
#[derive(Debug, Error)]
pub enum IntrospectionError {
    /// A parameter is missing or repeated.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
    /// The asker was not recognised.
    #[error(transparent)]
    Client(#[from] ClientAuthenticationError),
    /// Nobody said who is asking (RFC 7662 §2.1).
    #[error("whoever asks about tokens has to authenticate")]
    Anonymous,
    /// Anybody could be the asker (RFC 7662 §2.1).
    #[error("a public client can't ask about tokens, since anybody could be it")]
    PublicClient,
    /// Nobody can tell whether the token is good.
    #[error("tokens can't be verified at the moment: {reason}")]
    VerifierUnavailable {
        /// For the log.
        reason: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// There were too many.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The store can't answer.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
}

impl Introspect {
    /// What a resource server may know of the token it names, from the values of every
    /// Authorization header and the form. A client that the operator did not make a resource server
    /// learns of its own tokens only.
    ///
    /// # Errors
    /// [`IntrospectionError`], recorded in the audit log.
    pub async fn introspect(
        &self,
        authorization: &[&str],
        form: &Parameters,
    ) -> Result<Introspection, IntrospectionError> {
        let mut asker = None;
        let answer = self.try_introspect(authorization, form, &mut asker).await;
        if let Err(error) = &answer {
            let mut event = AuditEvent::new(Refusal::Introspection(error).decision());
            let claimed = || claimed_client(authorization, form);
            event.client = asker.map(|asker| asker.id).or_else(claimed);
            self.audit.record(event);
        }
        answer
    }

    async fn try_introspect(
        &self,
        authorization: &[&str],
        form: &Parameters,
        authenticated: &mut Option<Client>,
    ) -> Result<Introspection, IntrospectionError> {
        self.throttle.token()?;
        let asker = self.authentication.authenticate(authorization, form).await;
        let asker = asker.map_err(or_anonymous)?;
        let asker = &*authenticated.insert(asker);
        if asker.credential == ClientCredential::Public {
            return Err(IntrospectionError::PublicClient);
        }
        let token = form.required("token")?;
        // Only access tokens are told about, whatever the hint (RFC 7662 §2.1).
        form.optional("token_type_hint")?;
        let found = self.active(token).await?.filter(|found| may_know(asker, found));
        Ok(Introspection { active: found.is_some(), token: found.map(described) })
    }

    async fn active(&self, token: &str) -> Result<Option<Principal>, IntrospectionError> {
        let resource = Arc::clone(self.address.resource());
        let expected = Expected { resource, now: self.clock.now() };
        let principal = match self.verifier.verify(&BearerToken::presented(token), &expected).await
        {
            Ok(principal) => principal,
            Err(VerifyError::Unavailable { reason, retry_after }) => {
                return Err(IntrospectionError::VerifierUnavailable { reason, retry_after });
            }
            Err(_) => return Ok(None),
        };
        let revoked = match principal.issued_token(self.address.issuer()) {
            Some(token) => self.revocations.is_revoked(&token).await?,
            None => false,
        };
        Ok(Some(principal).filter(|_| !revoked))
    }
}

fn or_anonymous(error: ClientAuthenticationError) -> IntrospectionError {
    match error {
        ClientAuthenticationError::Parameters(ParameterError::Missing("client_id")) => {
            IntrospectionError::Anonymous
        }
        error => error.into(),
    }
}

fn may_know(asker: &Client, token: &Principal) -> bool {
    asker.may_introspect || token.client.as_ref() == Some(&asker.id)
}

fn described(principal: Principal) -> IntrospectedToken {
    IntrospectedToken {
        token_type: "Bearer",
        scope: principal.scopes.to_string(),
        client_id: principal.client.map(|client| client.as_str().to_owned()),
        sub: principal.subject.as_str().to_owned(),
        aud: principal.audiences,
        iss: principal.issuer.as_str().to_owned(),
        exp: principal.expires_at.as_unix(),
        iat: principal.issued_at.map(|at| at.as_unix()),
        jti: principal.token_id,
    }
}
