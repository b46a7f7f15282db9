//! People log in at a provider of OpenID Connect (Core §3.1, the authorization code flow with PKCE).

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mcp_oauth_core::domain::jwt::UnverifiedJwt;
use mcp_oauth_core::domain::provider_account::ProviderIdentity;
use mcp_oauth_core::domain::provider_claims::Claims;
use mcp_oauth_core::domain::provider_login::{ProviderAnswer, ProviderRequest, ProviderTokens};
use mcp_oauth_core::domain::resource::ResourceUri;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{CameBack, IdentityProvider, ProviderError};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreJsonWebKeySet, CoreTokenResponse,
};
use openidconnect::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RefreshToken, Scope, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use crate::id_token::IdTokens;
use crate::provider_config::{ProviderClient, ProviderConfig, ResourceForwarding};
use crate::provider_documents::{Discovery, ProviderDocuments};
use crate::provider_http::NoAnswer;
use crate::refreshed::COOLDOWN;
use crate::token_endpoint_error::token_endpoint_error;

/// The client of the protocol library, for a provider whose endpoints are known.
type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
    EndpointNotSet,
>;

/// Sends people to one provider.
#[derive(Debug)]
pub struct OidcProvider {
    documents: Arc<ProviderDocuments>,
    client: ProviderClient,
}

/// Nobody can log in at a provider this server is no client of.
#[derive(Debug, Error)]
#[error("the provider {0:?} has no client_id: people can't log in there without one")]
pub struct NoClient(String);

impl OidcProvider {
    /// At the provider of `documents`, as the client of its configuration.
    ///
    /// # Errors
    /// [`NoClient`].
    pub fn new(documents: Arc<ProviderDocuments>) -> Result<Self, NoClient> {
        let config = documents.config();
        let client =
            config.client.clone().ok_or_else(|| NoClient(config.name.as_str().to_owned()))?;
        Ok(Self { documents, client })
    }

    fn config(&self) -> &ProviderConfig {
        self.documents.config()
    }

    fn now(&self) -> Timestamp {
        self.documents.clock.now()
    }

    async fn discovery(&self) -> Result<Arc<Discovery>, ProviderError> {
        self.documents.discovery(self.now()).await.map_err(unavailable)
    }

    fn client(&self, discovery: &Discovery) -> Result<Client, ProviderError> {
        let endpoint = |name: &str| {
            let address = discovery.text(name).unwrap_or_default();
            match self.documents.http.address(address) {
                Ok(url) => Ok(url.to_string()),
                Err(why) => Err(no_document(&format!("its {name} {}", why.reason))),
            }
        };
        let authorize = AuthUrl::new(endpoint("authorization_endpoint")?);
        let token = TokenUrl::new(endpoint("token_endpoint")?);
        let issuer = IssuerUrl::new(self.config().policy.issuer.issuer.as_str().to_owned());
        let (Ok(authorize), Ok(token), Ok(issuer)) = (authorize, token, issuer) else {
            return Err(no_document("an endpoint or the issuer is no URL"));
        };
        let id = ClientId::new(self.client.client_id.clone());
        let mut client = CoreClient::new(id, issuer, CoreJsonWebKeySet::default())
            .set_auth_uri(authorize)
            .set_token_uri(token)
            .set_auth_type(auth_type(discovery));
        if let Some(secret) = &self.client.client_secret {
            client = client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()));
        }
        Ok(client)
    }

    /// The parameter that tells the provider the resource, if it is told at all.
    fn resource_parameter(&self, resource: &ResourceUri) -> Option<(&'static str, String)> {
        let name = match self.config().resource_forwarding {
            ResourceForwarding::None => return None,
            ResourceForwarding::Resource => "resource",
            ResourceForwarding::Audience => "audience",
        };
        Some((name, resource.as_str().to_owned()))
    }

    fn check_response_issuer(
        &self,
        discovery: &Discovery,
        answer: &ProviderAnswer,
    ) -> Result<(), ProviderError> {
        let is_promised = discovery.is("authorization_response_iss_parameter_supported");
        let rule = &self.config().policy.issuer;
        let checked = rule.check_response(answer.issuer.as_deref(), is_promised);
        checked.map_err(|why| refused(why.to_string()))
    }

    async fn redeem(
        &self,
        client: &Client,
        answer: &ProviderAnswer,
    ) -> Result<CoreTokenResponse, ProviderError> {
        let code = AuthorizationCode::new(answer.code.expose_secret().to_owned());
        let verifier = answer.secrets.code_verifier().expose_secret().to_owned();
        let redirect = RedirectUrl::new(answer.redirect_uri.clone())
            .map_err(|_| refused("our redirect address is no URL".to_owned()))?;
        let mut request = client
            .exchange_code(code)
            .set_pkce_verifier(PkceCodeVerifier::new(verifier))
            .set_redirect_uri(Cow::Owned(redirect));
        if let Some((name, value)) = self.resource_parameter(&answer.resource) {
            request = request.add_extra_param(name, value);
        }
        request.request_async(&self.documents.http).await.map_err(token_endpoint_error)
    }

    /// The claims of the ID token, validated in full.
    async fn validated(
        &self,
        response: &CoreTokenResponse,
        answer: &ProviderAnswer,
    ) -> Result<Claims, ProviderError> {
        let id_token = response.extra_fields().id_token();
        let id_token =
            id_token.ok_or_else(|| refused("there is no ID token in it".to_owned()))?.to_string();
        let jwt = UnverifiedJwt::parse(&id_token).map_err(|why| refused(why.to_string()))?;
        let tokens = IdTokens { config: self.config(), client: &self.client };
        let algorithm = tokens.check_header(jwt.header())?;
        let key_id = jwt.header().kid.as_deref();
        let keys = self
            .documents
            .keys_of_id_token(key_id, algorithm, self.now())
            .await
            .map_err(unavailable)?;
        let nonce = Nonce::new(answer.secrets.nonce().expose_secret().to_owned());
        tokens.verify(response, keys.jwks(), &nonce, self.now())?;
        jwt.claims().map_err(|why| refused(why.to_string()))
    }

    fn identity(
        &self,
        claims: Claims,
        answer: &ProviderAnswer,
    ) -> Result<ProviderIdentity, ProviderError> {
        let (policy, now) = (&self.config().policy, self.now());
        let anew = match answer.login_again {
            true => policy.check_logged_in_anew(&claims, now),
            false => Ok(()),
        };
        anew.and_then(|()| policy.identity(claims, &self.client.client_id, now))
            .map_err(|why| refused(format!("its ID token is refused: {why}")))
    }

    /// What the authorization request says beside the parameters every one has, none of it twice
    /// (RFC 6749 §3.1): ours before the operator's.
    fn extra_parameters(&self, request: &ProviderRequest) -> Vec<(String, String)> {
        let mut ours = Vec::from_iter(self.resource_parameter(&request.resource));
        if request.login_again {
            // The age has the provider say in the ID token when it was (`auth_time`).
            ours.extend([("prompt", "login".to_owned()), ("max_age", "0".to_owned())]);
        }
        let mut all: Vec<_> =
            ours.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        for (name, value) in &self.config().authorize_parameters {
            if all.iter().all(|(set, _)| set != name) {
                all.push((name.clone(), value.clone()));
            }
        }
        all
    }

    fn tokens(&self, response: &CoreTokenResponse) -> ProviderTokens {
        ProviderTokens {
            access_token: response.access_token().secret().clone().into(),
            refresh_token: response.refresh_token().map(|token| token.secret().clone().into()),
            expires_at: response.expires_in().map(|life| self.now().after(life)),
        }
    }
}

#[async_trait]
impl IdentityProvider for OidcProvider {
    async fn login_address(&self, request: &ProviderRequest) -> Result<String, ProviderError> {
        let client = self.client(&*self.discovery().await?)?;
        let redirect = RedirectUrl::new(request.redirect_uri.clone())
            .map_err(|_| refused("our redirect address is no URL".to_owned()))?;
        let state = request.secrets.state.expose().to_owned();
        let nonce = request.secrets.nonce().expose_secret().to_owned();
        let verifier = request.secrets.code_verifier().expose_secret().to_owned();
        let challenge =
            PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier));
        let mut address = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .set_pkce_challenge(challenge)
            .set_redirect_uri(Cow::Owned(redirect));
        // `openid` is there already.
        for scope in self.config().login_scopes.iter().filter(|scope| *scope != "openid") {
            address = address.add_scope(Scope::new(scope.clone()));
        }
        for (name, value) in self.extra_parameters(request) {
            address = address.add_extra_param(name, value);
        }
        Ok(address.url().0.into())
    }

    async fn who_came_back(&self, answer: &ProviderAnswer) -> Result<CameBack, ProviderError> {
        let discovery = self.discovery().await?;
        self.check_response_issuer(&discovery, answer)?;
        let response = self.redeem(&self.client(&discovery)?, answer).await?;
        let claims = self.validated(&response, answer).await?;
        Ok(CameBack { identity: self.identity(claims, answer)?, tokens: self.tokens(&response) })
    }

    async fn refresh(&self, refresh_token: &SecretString) -> Result<ProviderTokens, ProviderError> {
        let client = self.client(&*self.discovery().await?)?;
        let token = RefreshToken::new(refresh_token.expose_secret().to_owned());
        let response =
            client.exchange_refresh_token(&token).request_async(&self.documents.http).await;
        Ok(self.tokens(&response.map_err(token_endpoint_error)?))
    }
}

/// `client_secret_basic` unless only the other one is offered (OpenID Connect Discovery §3).
fn auth_type(discovery: &Discovery) -> AuthType {
    let offered = discovery.lists("token_endpoint_auth_methods_supported");
    let offers = |method| offered.as_ref().is_some_and(|methods| methods.contains(&method));
    if offers("client_secret_post") && !offers("client_secret_basic") {
        AuthType::RequestBody
    } else {
        AuthType::BasicAuth
    }
}

pub(crate) fn refused(why: String) -> ProviderError {
    ProviderError::Refused(why)
}

pub(crate) fn unavailable(why: NoAnswer) -> ProviderError {
    ProviderError::Unavailable { reason: why.to_string(), retry_after: RETRY_AFTER }
}

fn no_document(why: &str) -> ProviderError {
    let reason = format!("its discovery document is no use: {why}");
    ProviderError::Unavailable { reason, retry_after: RETRY_AFTER }
}

/// Earlier a provider that failed is not asked again.
const RETRY_AFTER: Duration = COOLDOWN;
