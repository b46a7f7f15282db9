//! Refreshing an access token (OAuth 2.1 §4.3): rotation, the grace window, replay detection.

use std::time::Duration;

use thiserror::Error;

use super::exchange_code::minting;
use super::mint::{MintedToken, Minting};
use super::token::{TokenEndpoint, TokenError, TokenResponse};
use crate::domain::audit::{AuditEvent, Decision};
use crate::domain::client::Client;
use crate::domain::grant::Grant;
use crate::domain::parameters::Parameters;
use crate::domain::refresh::{Presented, RefreshRecord};
use crate::domain::scope::ScopeSet;
use crate::domain::secret::RefreshToken;
use crate::domain::timestamp::Timestamp;
use crate::port::{LoginRefused, RotateError, SigningUnavailable, StoreUnavailable};

/// Why a refresh token was not exchanged.
#[derive(Debug, Error)]
pub enum RefreshError {
    /// No such token was issued, or it was forgotten long after its end.
    #[error("the refresh token is unknown")]
    UnknownToken,
    /// It was issued to another client.
    #[error("the refresh token was issued to another client")]
    OtherClient,
    /// Its life is over.
    #[error("the refresh token has expired")]
    Expired,
    /// It was used after its successor took over; its grant is revoked now.
    #[error("the refresh token was used before, so every token of its grant is revoked")]
    Replayed,
    /// Its grant was revoked.
    #[error("the grant of the refresh token is revoked")]
    Revoked,
    /// The person can't log in any more; their grant is revoked now.
    #[error("the person who granted this is not admitted any more")]
    PersonGone,
    /// The identity provider can't tell whether the person still could log in.
    #[error("the identity provider is unavailable: {reason}")]
    ProviderUnavailable {
        /// For the log.
        reason: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// The resource is not the one that was consented to.
    #[error("resource is not the one that was consented to")]
    WrongResource,
    /// More scope than was consented to, or no scope at all.
    #[error("scope exceeds what was consented to, or is malformed")]
    WrongScope,
    /// The store can't answer.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
    /// No token can be signed.
    #[error(transparent)]
    NoKey(#[from] SigningUnavailable),
}

/// A presented token with everything known about it.
struct Refresh<'a> {
    client: &'a Client,
    presented: RefreshToken,
    record: RefreshRecord,
    grant: Grant,
    scope: ScopeSet,
    now: Timestamp,
}

impl TokenEndpoint {
    /// All the refusals first; then one atomic change. A refused token stays usable.
    pub(super) async fn refresh(
        &self,
        client: &Client,
        form: &Parameters,
    ) -> Result<TokenResponse, TokenError> {
        let presented = RefreshToken::presented(form.required("refresh_token")?);
        let resource = form.optional("resource")?;
        let scope = form.optional("scope")?;

        let found = self.grants.find_refresh(&presented.hash()).await?;
        let (record, grant) = found.ok_or(RefreshError::UnknownToken)?;
        if grant.client != client.id {
            return Err(RefreshError::OtherClient.into());
        }
        if grant.revoked_at.is_some() {
            return Err(RefreshError::Revoked.into());
        }
        if !self.is_granted_resource(resource, &grant.resource) {
            return Err(RefreshError::WrongResource.into());
        }
        let scope = narrowed_scope(scope, &grant)?;
        let now = self.clock.now();
        let refresh = Refresh { client, presented, record, grant, scope, now };
        let state = refresh.record.presented(now, &self.policy.refresh);
        if matches!(state, Presented::Current | Presented::WithinGrace) {
            self.check_person(&refresh).await?;
        }
        match state {
            Presented::Expired => Err(RefreshError::Expired.into()),
            Presented::Replayed => Err(self.replayed_refresh(&refresh).await?.into()),
            Presented::WithinGrace => Ok(self.repeat_rotation(refresh).await?),
            Presented::Current => Ok(self.rotate(refresh).await?),
        }
    }

    /// A grant ends with the admission of the person who gave it.
    async fn check_person(&self, refresh: &Refresh<'_>) -> Result<(), RefreshError> {
        let person = &refresh.grant.person;
        match self.people.still_admits(person).await {
            Ok(true) => Ok(()),
            Ok(false) | Err(LoginRefused::WrongCredentials) => {
                self.grants.revoke(&refresh.grant.id, refresh.now).await?;
                let event = AuditEvent::new(Decision::GrantRevoked).client(&refresh.client.id);
                self.audit.record(event.subject(&person.subject).grant(&refresh.grant.id));
                Err(RefreshError::PersonGone)
            }
            Err(LoginRefused::Unavailable { reason, retry_after }) => {
                Err(RefreshError::ProviderUnavailable { reason, retry_after })
            }
        }
    }

    async fn rotate(&self, refresh: Refresh<'_>) -> Result<TokenResponse, RefreshError> {
        let access_token = self.refreshed_token(&refresh).await?;
        let successor = refresh.record.successor_of(&refresh.presented);
        let salt = self.random.entropy();
        let policy = &self.policy.refresh;
        let record = RefreshRecord::issue(&successor, &refresh.grant, salt, refresh.now, policy);
        match self.grants.rotate_if_current(&refresh.record.hash, refresh.now, &record).await {
            Ok(()) => Ok(self.refreshed(&refresh, access_token, successor)),
            // Another process of the client was faster by a moment.
            Err(RotateError::NotCurrent) => self.repeat_rotation(refresh).await,
            Err(RotateError::Gone) => Err(RefreshError::Revoked),
            Err(RotateError::Unavailable(unavailable)) => Err(unavailable.into()),
        }
    }

    /// The same successor once more, while nobody has used that one.
    async fn repeat_rotation(&self, refresh: Refresh<'_>) -> Result<TokenResponse, RefreshError> {
        let access_token = self.refreshed_token(&refresh).await?;
        let successor = refresh.record.successor_of(&refresh.presented);
        let most = self.policy.refresh.grace_uses;
        let counted =
            self.grants.count_grace_use(&refresh.record.hash, &successor.hash(), most).await?;
        if counted {
            Ok(self.refreshed(&refresh, access_token, successor))
        } else {
            Err(self.replayed_refresh(&refresh).await?)
        }
    }

    /// Somebody holds a token that was used up: end the family (OAuth 2.1 §4.3.1).
    async fn replayed_refresh(
        &self,
        refresh: &Refresh<'_>,
    ) -> Result<RefreshError, StoreUnavailable> {
        self.grants.revoke(&refresh.grant.id, refresh.now).await?;
        let event = AuditEvent::new(Decision::GrantReplayed).client(&refresh.client.id);
        let event = event.subject(&refresh.grant.person.subject).grant(&refresh.grant.id);
        self.audit.record(event.token(refresh.record.hash.as_str()));
        Ok(RefreshError::Replayed)
    }

    async fn refreshed_token(&self, refresh: &Refresh<'_>) -> Result<MintedToken, RefreshError> {
        let minting =
            Minting { scope: refresh.scope.clone(), ..minting(&refresh.grant, &self.policy) };
        Ok(self.mint.mint(minting).await?)
    }

    fn refreshed(
        &self,
        refresh: &Refresh<'_>,
        access_token: MintedToken,
        successor: RefreshToken,
    ) -> TokenResponse {
        self.record(Decision::TokenRefreshed, refresh.client, &refresh.grant, &access_token);
        TokenResponse { access_token, refresh_token: Some(successor) }
    }
}

/// A refresh may ask for less, and its successor can still ask for all (RFC 6749 §6).
fn narrowed_scope(asked: Option<&str>, grant: &Grant) -> Result<ScopeSet, RefreshError> {
    let Some(asked) = asked else { return Ok(grant.token_scope()) };
    let asked = ScopeSet::parse(asked).map_err(|_| RefreshError::WrongScope)?;
    if asked.is_empty() || !asked.is_subset(&grant.scope) {
        return Err(RefreshError::WrongScope);
    }
    Ok(asked.intersection(&grant.token_scope()))
}
