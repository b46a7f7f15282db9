//! A token for a client that acts for itself (OAuth 2.1 §4.2).

use thiserror::Error;

use super::exchange_code::minting;
use super::token::{TokenEndpoint, TokenError, TokenResponse};
use crate::domain::audit::Decision;
use crate::domain::client::{Client, ClientCredential};
use crate::domain::grant::{Grant, GrantId};
use crate::domain::parameters::Parameters;
use crate::domain::person::Person;
use crate::domain::resource::ResourceUri;
use crate::domain::scope::ScopeSet;
use crate::port::SigningUnavailable;

/// Why a client gets no token for itself.
#[derive(Debug, Error)]
pub enum ClientCredentialsError {
    /// Anybody could be a public client.
    #[error("a public client can't get a token for itself, since anybody could be it")]
    PublicClient,
    /// More scope than the operator gave the client, or no scope at all.
    #[error("scope exceeds what the client may have, or is malformed")]
    WrongScope,
    /// The resource is somebody else's, or no resource.
    #[error("resource is not served here")]
    WrongResource,
    /// No token can be signed.
    #[error(transparent)]
    NoKey(#[from] SigningUnavailable),
}

impl TokenEndpoint {
    /// All the refusals first; then the grant is stored, with which the token can be revoked.
    pub(super) async fn client_credentials(
        &self,
        client: &Client,
        form: &Parameters,
    ) -> Result<TokenResponse, TokenError> {
        let scope = form.optional("scope")?;
        let resource = form.optional("resource")?;
        if client.credential == ClientCredential::Public {
            return Err(ClientCredentialsError::PublicClient.into());
        }
        let grant = Grant {
            id: GrantId::from_entropy(self.random.entropy()),
            client: client.id.clone(),
            person: Person::of_client(&client.id),
            resource: self.own_resource(resource)?,
            scope: self.own_scope(client, scope)?,
            granted_at: self.clock.now(),
            revoked_at: None,
        };
        let minted = self.mint.mint(minting(&grant, &self.policy)).await;
        let access_token = minted.map_err(ClientCredentialsError::NoKey)?;
        self.directory.begin_without_code(&grant).await?;
        self.record(Decision::TokenIssued, client, &grant, &access_token);
        // No refresh token (OAuth 2.1 §4.2.3): the client can come back with its credentials.
        Ok(TokenResponse { access_token, refresh_token: None })
    }

    fn own_resource(&self, asked: Option<&str>) -> Result<ResourceUri, ClientCredentialsError> {
        let own = self.address.resource();
        let Some(asked) = asked else { return Ok(own.canonical().clone()) };
        let asked = ResourceUri::parse(asked).ok().filter(|asked| own.is_named_by(asked.as_str()));
        asked.ok_or(ClientCredentialsError::WrongResource)
    }

    /// What is asked for, within what the client was given; without asking, all of that.
    fn own_scope(
        &self,
        client: &Client,
        asked: Option<&str>,
    ) -> Result<ScopeSet, ClientCredentialsError> {
        let given = client.metadata.scope.as_ref().unwrap_or(&self.policy.scopes.default);
        let given = given.permissions();
        let Some(asked) = asked else { return Ok(given) };
        let asked = ScopeSet::parse(asked).map_err(|_| ClientCredentialsError::WrongScope)?;
        let asked = asked.permissions();
        if asked.is_empty() || !asked.is_subset(&given) {
            return Err(ClientCredentialsError::WrongScope);
        }
        Ok(asked)
    }
}
