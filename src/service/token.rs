//! The token endpoint (OAuth 2.1 §3.2): who asks, for which grant, and the answer.

use std::sync::Arc;

use thiserror::Error;

use super::claimed_client::claimed_client;
use super::client_authentication::{ClientAuthentication, ClientAuthenticationError};
use super::client_credentials::ClientCredentialsError;
use super::exchange_code::ExchangeError;
use super::mint::{Mint, MintedToken};
use super::people::People;
use super::policy::Policy;
use super::refresh::RefreshError;
use super::refusal::Refusal;
use super::throttle::Throttle;
use crate::domain::audit::{AuditEvent, Decision};
use crate::domain::client::{Client, ClientOrigin, GrantType};
use crate::domain::error_text::shortened;
use crate::domain::grant::Grant;
use crate::domain::limit::TooMany;
use crate::domain::parameters::{ParameterError, Parameters};
use crate::domain::public_address::PublicAddress;
use crate::domain::resource::ResourceUri;
use crate::domain::secret::RefreshToken;
use crate::port::{
    AuditLog, ClientRegistry, Clock, GrantDirectory, GrantStore, Random, StoreUnavailable,
};

/// Exchanges grants for tokens.
pub struct TokenEndpoint {
    pub(super) clients: Arc<dyn ClientRegistry>,
    pub(super) authentication: ClientAuthentication,
    pub(super) grants: Arc<dyn GrantStore>,
    pub(super) directory: Arc<dyn GrantDirectory>,
    pub(super) people: People,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) audit: Arc<dyn AuditLog>,
    pub(super) throttle: Throttle,
    pub(super) address: Arc<PublicAddress>,
    pub(super) policy: Arc<Policy>,
    pub(super) mint: Mint,
}

/// A token request as it came.
pub struct TokenRequest<'a> {
    /// The values of every Authorization header.
    pub authorization: Vec<&'a str>,
    /// The parameters of the URI, where none belong.
    pub query: &'a Parameters,
    /// The parameters of the form.
    pub form: &'a Parameters,
}

/// A successful answer (RFC 6749 §5.1).
#[derive(Debug, Clone)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: MintedToken,
    /// The refresh token, for clients that registered for the grant.
    pub refresh_token: Option<RefreshToken>,
}

/// Why a token request was refused.
#[derive(Debug, Error)]
pub enum TokenError {
    /// A parameter is missing or repeated.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
    /// A parameter came in the URI, where it ends up in logs (OAuth 2.1 §2.4.1).
    #[error("the parameter {0} belongs in the form, never in the URI")]
    InUri(&'static str),
    /// The client was not recognised.
    #[error(transparent)]
    Client(#[from] ClientAuthenticationError),
    /// This server has no such grant.
    #[error("the grant type {0:?} is not supported")]
    UnsupportedGrant(String),
    /// The client did not register for the grant.
    #[error("the client is not registered for the grant type {}", .0.as_str())]
    NotRegisteredFor(GrantType),
    /// The code is not good.
    #[error(transparent)]
    Code(#[from] ExchangeError),
    /// The refresh token is not good.
    #[error(transparent)]
    Refresh(#[from] RefreshError),
    /// The client gets no token for itself.
    #[error(transparent)]
    ClientCredentials(#[from] ClientCredentialsError),
    /// There were too many, or too many of them wrong.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The store can't answer.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
}

impl TokenError {
    /// Whether somebody may be trying out codes, verifiers or refresh tokens.
    fn is_guess(&self) -> bool {
        use ExchangeError::{OtherClient, UnknownCode, WrongVerifier};
        matches!(
            self,
            Self::Code(UnknownCode | OtherClient | WrongVerifier)
                | Self::Refresh(RefreshError::UnknownToken | RefreshError::OtherClient)
        )
    }
}

impl TokenEndpoint {
    /// Answers a token request.
    ///
    /// # Errors
    /// [`TokenError`], recorded in the audit log. A refused request changes nothing, except that a
    /// code or refresh token used a second time revokes its grant.
    pub async fn answer(&self, request: TokenRequest<'_>) -> Result<TokenResponse, TokenError> {
        let mut client = None;
        let answer = self.try_answer(&request, &mut client).await;
        if let Err(error) = &answer {
            let mut event = AuditEvent::new(Refusal::Token(error).decision());
            let claimed = || claimed_client(&request.authorization, request.form);
            event.client = client.map(|client| client.id).or_else(claimed);
            self.audit.record(event);
        }
        answer
    }

    async fn try_answer(
        &self,
        request: &TokenRequest<'_>,
        authenticated: &mut Option<Client>,
    ) -> Result<TokenResponse, TokenError> {
        self.throttle.token()?;
        refuse_secrets_in_uri(request.query)?;
        let form = request.form;
        let client = self.authentication.authenticate(&request.authorization, form).await?;
        let client = &*authenticated.insert(client);
        self.throttle.token_of(client)?;
        let name = form.required("grant_type")?;
        let grant = GrantType::from_name(name)
            .ok_or_else(|| TokenError::UnsupportedGrant(shortened(name)))?;
        if !client.metadata.may_use(grant) {
            return Err(TokenError::NotRegisteredFor(grant));
        }
        let answer = match grant {
            GrantType::AuthorizationCode => self.exchange_code(client, form).await,
            GrantType::RefreshToken => self.refresh(client, form).await,
            GrantType::ClientCredentials => self.client_credentials(client, form).await,
        };
        if answer.as_ref().is_err_and(TokenError::is_guess) {
            self.throttle.wrong_grant()?;
        }
        let response = answer?;
        self.remember_use(client).await;
        Ok(response)
    }

    /// Of a registration; a document is no record of ours.
    async fn remember_use(&self, client: &Client) {
        if client.origin == ClientOrigin::Document {
            return;
        }
        // The grant is used up by now: only the answer can still carry what it was exchanged for.
        if let Err(error) = self.clients.touch(&client.id, self.clock.now()).await {
            tracing::warn!(%error, client = client.id.as_str(), "a client's use is not remembered");
        }
    }

    /// The resource a token request names must be the one that was consented to (RFC 8707 §2.2).
    pub(super) fn is_granted_resource(&self, asked: Option<&str>, granted: &ResourceUri) -> bool {
        let Some(asked) = asked else { return true };
        ResourceUri::parse(asked)
            .is_ok_and(|asked| self.address.resource().same_document(&asked, granted))
    }

    pub(super) fn record(
        &self,
        decision: Decision,
        client: &Client,
        grant: &Grant,
        token: &MintedToken,
    ) {
        let event = AuditEvent::new(decision).client(&client.id).grant(&grant.id);
        let event = event.subject(&grant.person.subject).token(token.token_id.clone());
        self.audit.record(event);
    }
}

fn refuse_secrets_in_uri(query: &Parameters) -> Result<(), TokenError> {
    for name in ["client_assertion", "client_secret", "code", "code_verifier", "refresh_token"] {
        if query.optional(name)?.is_some() {
            return Err(TokenError::InUri(name));
        }
    }
    Ok(())
}
