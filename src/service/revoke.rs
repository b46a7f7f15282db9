//! Revoking a token (RFC 7009).

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::claimed_client::claimed_client;
use super::client_authentication::{ClientAuthentication, ClientAuthenticationError};
use super::refusal::Refusal;
use super::throttle::Throttle;
use crate::domain::access_token::{IssuedToken, VerifyError};
use crate::domain::audit::{AuditEvent, Decision};
use crate::domain::client::Client;
use crate::domain::grant::Grant;
use crate::domain::limit::TooMany;
use crate::domain::parameters::{ParameterError, Parameters};
use crate::domain::principal::Principal;
use crate::domain::public_address::PublicAddress;
use crate::domain::secret::{BearerToken, RefreshToken};
use crate::port::{
    AuditLog, Clock, Expected, GrantStore, StoreUnavailable, TokenRevocations, TokenVerifier,
};

/// Ends tokens on behalf of the clients that hold them.
pub struct Revoke {
    pub(super) authentication: ClientAuthentication,
    pub(super) grants: Arc<dyn GrantStore>,
    pub(super) revocations: Arc<dyn TokenRevocations>,
    pub(super) verifier: Arc<dyn TokenVerifier>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) throttle: Throttle,
    pub(super) audit: Arc<dyn AuditLog>,
    pub(super) address: Arc<PublicAddress>,
}

/// Why nothing was revoked.
#[derive(Debug, Error)]
pub enum RevocationError {
    /// A parameter is missing or repeated.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
    /// The client was not recognised.
    #[error(transparent)]
    Client(#[from] ClientAuthenticationError),
    /// The token is somebody else's.
    #[error("the token was issued to another client")]
    OtherClient,
    /// It is good and has no grant to end with: it only expires.
    #[error("a token without a grant can't be revoked")]
    WithoutGrant,
    /// Nobody can tell whether it is an access token.
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

impl Revoke {
    /// Ends the token that a client names, from the values of every Authorization header and the
    /// form. A refresh token ends with its grant, so every access token does; an access token ends
    /// alone. A token nobody knows, or that ended already, is no error (RFC 7009 §2.2).
    ///
    /// # Errors
    /// [`RevocationError`], recorded in the audit log; nothing is revoked then.
    pub async fn revoke(
        &self,
        authorization: &[&str],
        form: &Parameters,
    ) -> Result<(), RevocationError> {
        let mut client = None;
        let revoked = self.try_revoke(authorization, form, &mut client).await;
        if let Err(error) = &revoked {
            let mut event = AuditEvent::new(Refusal::Revocation(error).decision());
            let claimed = || claimed_client(authorization, form);
            event.client = client.map(|client| client.id).or_else(claimed);
            self.audit.record(event);
        }
        revoked
    }

    async fn try_revoke(
        &self,
        authorization: &[&str],
        form: &Parameters,
        authenticated: &mut Option<Client>,
    ) -> Result<(), RevocationError> {
        self.throttle.token()?;
        let client = self.authentication.authenticate(authorization, form).await?;
        let client = &*authenticated.insert(client);
        let token = form.required("token")?;
        // A hint may be wrong (RFC 7009 §2.1), and both lookups are cheap.
        form.optional("token_type_hint")?;
        let found = self.grants.find_refresh(&RefreshToken::presented(token).hash()).await?;
        if let Some((record, grant)) = found {
            return self.revoke_grant(client, &grant, record.hash.as_str()).await;
        }
        match self.access_token(token).await? {
            Some(principal) => self.revoke_access_token(client, &principal).await,
            None => Ok(()),
        }
    }

    async fn revoke_grant(
        &self,
        client: &Client,
        grant: &Grant,
        token: &str,
    ) -> Result<(), RevocationError> {
        if grant.client != client.id {
            return Err(RevocationError::OtherClient);
        }
        if grant.revoked_at.is_none() {
            self.grants.revoke(&grant.id, self.clock.now()).await?;
            let event = AuditEvent::new(Decision::GrantRevoked).client(&client.id).grant(&grant.id);
            self.audit.record(event.subject(&grant.person.subject).token(token));
        }
        Ok(())
    }

    async fn revoke_access_token(
        &self,
        client: &Client,
        principal: &Principal,
    ) -> Result<(), RevocationError> {
        if principal.client.as_ref() != Some(&client.id) {
            return Err(RevocationError::OtherClient);
        }
        let token = principal.issued_token(self.address.issuer());
        let token = token.ok_or(RevocationError::WithoutGrant)?;
        if self.revocations.is_revoked(&token).await? {
            return Ok(());
        }
        self.revocations.revoke_token(&token, principal.expires_at).await?;
        let IssuedToken { token_id, grant } = token;
        let event = AuditEvent::new(Decision::TokenRevoked).client(&client.id).grant(&grant);
        self.audit.record(event.subject(&principal.subject).token(token_id));
        Ok(())
    }

    /// Who holds a token of this server; nobody with one that is none, or has ended.
    async fn access_token(&self, token: &str) -> Result<Option<Principal>, RevocationError> {
        let resource = Arc::clone(self.address.resource());
        let expected = Expected { resource, now: self.clock.now() };
        match self.verifier.verify(&BearerToken::presented(token), &expected).await {
            Ok(principal) => Ok(Some(principal)),
            Err(VerifyError::Unavailable { reason, retry_after }) => {
                Err(RevocationError::VerifierUnavailable { reason, retry_after })
            }
            Err(_) => Ok(None),
        }
    }
}
