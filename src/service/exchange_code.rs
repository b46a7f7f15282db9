//! Redeeming an authorization code (OAuth 2.1 §4.1.3).

use thiserror::Error;

use super::mint::Minting;
use super::token::{TokenEndpoint, TokenError, TokenResponse};
use crate::domain::audit::{AuditEvent, Decision};
use crate::domain::client::{Client, GrantType};
use crate::domain::grant::{CodeRecord, Grant};
use crate::domain::parameters::Parameters;
use crate::domain::pkce::CodeVerifier;
use crate::domain::refresh::RefreshRecord;
use crate::domain::secret::{AuthorizationCode, RefreshToken};
use crate::domain::timestamp::Timestamp;
use crate::port::{RedeemError, SigningUnavailable, StoreUnavailable};

/// Why a code was not redeemed.
#[derive(Debug, Error)]
pub enum ExchangeError {
    /// No such code was issued, or it was forgotten long after its end.
    #[error("the code is unknown")]
    UnknownCode,
    /// It was issued to another client.
    #[error("the code was issued to another client")]
    OtherClient,
    /// Its life is over.
    #[error("the code has expired")]
    Expired,
    /// The redirect address is not the one the code was sent to.
    #[error("redirect_uri is not the one the code was sent to")]
    WrongRedirectUri,
    /// The verifier does not hash to the challenge, or is malformed.
    #[error("code_verifier does not match the code_challenge of the authorization request")]
    WrongVerifier,
    /// The resource is not the one that was consented to.
    #[error("resource is not the one that was consented to")]
    WrongResource,
    /// It was redeemed before; its grant is revoked now.
    #[error("the code was used before, so every token of its grant is revoked")]
    Replayed,
    /// Its grant was revoked.
    #[error("the grant of the code is revoked")]
    Revoked,
    /// The store can't answer.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
    /// No token can be signed.
    #[error(transparent)]
    NoKey(#[from] SigningUnavailable),
}

impl TokenEndpoint {
    /// All the refusals first; then one atomic change.
    pub(super) async fn exchange_code(
        &self,
        client: &Client,
        form: &Parameters,
    ) -> Result<TokenResponse, TokenError> {
        let presented = AuthorizationCode::presented(form.required("code")?);
        let verifier = form.required("code_verifier")?;
        let redirect_uri = form.optional("redirect_uri")?;
        let resource = form.optional("resource")?;
        let now = self.clock.now();

        let found = self.grants.find_code(&presented.hash()).await?;
        let (code, grant) = found.ok_or(ExchangeError::UnknownCode)?;
        check_binding(client, &code, &grant)?;
        check_redirect_uri(redirect_uri, &code)?;
        check_verifier(verifier, &code)?;
        if !self.is_granted_resource(resource, &grant.resource) {
            return Err(ExchangeError::WrongResource.into());
        }
        if code.redeemed_at.is_some() {
            return Err(self.replayed(&code, &grant, now).await?.into());
        }
        check_alive(&code, &grant, now)?;

        let (refresh_token, record) = self.first_refresh_token(client, &grant, now);
        let minting = minting(&grant, &self.policy);
        let access_token = self.mint.mint(minting).await.map_err(ExchangeError::NoKey)?;
        match self.grants.redeem_code_once(&code.hash, now, record).await {
            Ok(()) => {}
            Err(RedeemError::AlreadyRedeemed) => {
                return Err(self.replayed(&code, &grant, now).await?.into());
            }
            Err(RedeemError::Gone) => return Err(ExchangeError::Revoked.into()),
            Err(RedeemError::Unavailable(unavailable)) => return Err(unavailable.into()),
        }
        self.record(Decision::TokenIssued, client, &grant, &access_token);
        Ok(TokenResponse { access_token, refresh_token })
    }

    /// A second use by the rightful client means that the code leaked: end everything it led to
    /// (OAuth 2.1 §4.1.3).
    async fn replayed(
        &self,
        code: &CodeRecord,
        grant: &Grant,
        now: Timestamp,
    ) -> Result<ExchangeError, StoreUnavailable> {
        self.grants.revoke(&grant.id, now).await?;
        let event = AuditEvent::new(Decision::GrantReplayed).client(&grant.client);
        let event = event.subject(&grant.person.subject).grant(&grant.id);
        self.audit.record(event.token(code.hash.as_str()));
        Ok(ExchangeError::Replayed)
    }

    fn first_refresh_token(
        &self,
        client: &Client,
        grant: &Grant,
        now: Timestamp,
    ) -> (Option<RefreshToken>, Option<RefreshRecord>) {
        if !client.metadata.may_use(GrantType::RefreshToken) {
            return (None, None);
        }
        let token = RefreshToken::from_entropy(self.random.entropy());
        let salt = self.random.entropy();
        let record = RefreshRecord::issue(&token, grant, salt, now, &self.policy.refresh);
        (Some(token), Some(record))
    }
}

/// The token a grant is good for.
pub(super) fn minting(grant: &Grant, policy: &super::policy::Policy) -> Minting {
    Minting {
        person: grant.person.clone(),
        client: grant.client.clone(),
        audience: grant.resource.as_str().to_owned(),
        scope: grant.token_scope(),
        lifetime: policy.access_token_lifetime,
        grant: Some(grant.id.clone()),
    }
}

fn check_binding(client: &Client, code: &CodeRecord, grant: &Grant) -> Result<(), ExchangeError> {
    debug_assert_eq!(code.grant, grant.id, "a store returns a code with its own grant");
    if grant.client == client.id { Ok(()) } else { Err(ExchangeError::OtherClient) }
}

/// Optional since OAuth 2.1 §10.2; if it is sent it must be the one.
fn check_redirect_uri(presented: Option<&str>, code: &CodeRecord) -> Result<(), ExchangeError> {
    match presented {
        Some(uri) if uri != code.redirect_uri.as_str() => Err(ExchangeError::WrongRedirectUri),
        _ => Ok(()),
    }
}

fn check_verifier(presented: &str, code: &CodeRecord) -> Result<(), ExchangeError> {
    match CodeVerifier::parse(presented) {
        Ok(verifier) if code.challenge.is_answered_by(&verifier) => Ok(()),
        _ => Err(ExchangeError::WrongVerifier),
    }
}

fn check_alive(code: &CodeRecord, grant: &Grant, now: Timestamp) -> Result<(), ExchangeError> {
    if grant.revoked_at.is_some() {
        return Err(ExchangeError::Revoked);
    }
    if now >= code.expires_at { Err(ExchangeError::Expired) } else { Ok(()) }
}
