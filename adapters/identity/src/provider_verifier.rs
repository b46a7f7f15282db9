//! Verifies access tokens that providers issued, when they are the authorization server.

use std::sync::Arc;

use async_trait::async_trait;
use mcp_oauth_core::domain::access_token::VerifyError;
use mcp_oauth_core::domain::error_text::shortened;
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::jwt::{LONGEST_TOKEN, MalformedJwt, UnverifiedJwt};
use mcp_oauth_core::domain::principal::Principal;
use mcp_oauth_core::domain::provider::sharing_an_issuer;
use mcp_oauth_core::domain::provider_policy::ProviderPolicy;
use mcp_oauth_core::domain::provider_token::{AcceptedToken, ProviderTokenRules};
use mcp_oauth_core::domain::secret::BearerToken;
use mcp_oauth_core::port::{Expected, TokenVerifier};
use serde_json::Value;
use thiserror::Error;

use crate::opaque_tokens::OpaqueTokens;
use crate::provider_config::TokenFormat;
use crate::provider_documents::ProviderDocuments;
use crate::provider_http::NoAnswer;
use crate::provider_keys::Signature;
use crate::refreshed::COOLDOWN;

/// Verifies the tokens of one provider or several.
///
/// A token goes to the one provider whose issuer it names, and is checked with the keys of that one
/// alone. A token that says nothing by itself goes to the one provider that takes such. Nothing about
/// a JSON Web Token is remembered here: put a cache in front. Answers about opaque tokens are
/// remembered for 30 s, refusals for 5 s.
pub struct ProviderVerifier {
    providers: Vec<Verified>,
}

struct Verified {
    documents: Arc<ProviderDocuments>,
    opaque: Option<OpaqueTokens>,
}

/// Providers that can't be told from one another by their tokens.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AmbiguousProviders {
    /// Two vouch as one issuer.
    #[error("the providers {0:?} and {1:?} have an issuer in common")]
    Issuer(String, String),
    /// Two take opaque tokens, which do not say whose they are.
    #[error(
        "the providers {0:?} and {1:?} both take opaque tokens: set one to token_format \"jwt\""
    )]
    Opaque(String, String),
}

impl ProviderVerifier {
    /// Of these providers.
    ///
    /// # Errors
    /// [`AmbiguousProviders`].
    pub fn new(providers: Vec<Arc<ProviderDocuments>>) -> Result<Self, AmbiguousProviders> {
        let providers: Vec<_> = providers.into_iter().map(Verified::new).collect();
        let shared = sharing_an_issuer(&providers, |it| &it.policy().issuer);
        if let Some((one, other)) = shared {
            return Err(AmbiguousProviders::Issuer(one.name(), other.name()));
        }
        let mut opaque = providers.iter().filter(|it| it.opaque.is_some());
        if let (Some(one), Some(other)) = (opaque.next(), opaque.next()) {
            return Err(AmbiguousProviders::Opaque(one.name(), other.name()));
        }
        Ok(Self { providers })
    }

    /// The provider whose issuer `token` names, before anything of it is verified. No other one has
    /// that issuer ([`Self::new`]).
    fn provider_of(&self, jwt: &UnverifiedJwt<'_>) -> Result<&Verified, VerifyError> {
        let claims = jwt.claims()?;
        let named = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
        let issuer = Issuer::new(named);
        let mut vouching = self
            .providers
            .iter()
            .filter(|it| it.format() != TokenFormat::Opaque && it.policy().issuer.accepts(&issuer));
        vouching.next().ok_or_else(|| {
            let issuers = self.providers.iter().map(|it| it.policy().issuer.spelled_out());
            let expected = issuers.collect::<Vec<_>>().join(" or ");
            VerifyError::WrongIssuer { received: shortened(named), expected }
        })
    }

    fn opaque(&self) -> Option<&Verified> {
        self.providers.iter().find(|provider| provider.opaque.is_some())
    }
}

impl Verified {
    fn new(documents: Arc<ProviderDocuments>) -> Self {
        let config = documents.config();
        let method = config.opaque.clone().filter(|_| config.token_format != TokenFormat::Jwt);
        let opaque = method.map(|method| OpaqueTokens::new(Arc::clone(&documents), method));
        Self { documents, opaque }
    }

    fn policy(&self) -> &ProviderPolicy {
        &self.documents.config().policy
    }

    fn format(&self) -> TokenFormat {
        self.documents.config().token_format
    }

    fn name(&self) -> String {
        self.documents.config().name.as_str().to_owned()
    }

    fn rules<'a>(&'a self, expected: &'a Expected) -> ProviderTokenRules<'a> {
        let (resource, now) = (&*expected.resource, expected.now);
        ProviderTokenRules { policy: self.policy(), resource, now }
    }

    async fn verify_jwt(
        &self,
        jwt: UnverifiedJwt<'_>,
        expected: &Expected,
    ) -> Result<Principal, VerifyError> {
        let rules = self.rules(expected);
        let algorithm = rules.check_header(jwt.header())?;
        let key_id = jwt.header().kid.as_deref();
        let keys = self.documents.keys(key_id, algorithm, expected.now).await;
        match keys.map_err(unavailable)?.check(&jwt, algorithm) {
            Signature::Verified => Ok(self.let_in(rules.accept(jwt.claims()?)?)),
            Signature::Bad => Err(VerifyError::BadSignature),
            Signature::UnknownKey => Err(VerifyError::UnknownKey(key_id.map(shortened))),
        }
    }

    fn let_in(&self, accepted: AcceptedToken) -> Principal {
        if let Some(why) = accepted.observed {
            let provider = self.name();
            tracing::warn!(%provider, %why, "a token is let in only because its audience is just observed");
        }
        accepted.principal
    }
}

#[async_trait]
impl TokenVerifier for ProviderVerifier {
    async fn verify(
        &self,
        token: &BearerToken,
        expected: &Expected,
    ) -> Result<Principal, VerifyError> {
        if token.expose().len() > LONGEST_TOKEN {
            return Err(MalformedJwt::TooLong.into());
        }
        let (why, opaque) = match (UnverifiedJwt::parse(token.expose()), self.opaque()) {
            (Ok(jwt), opaque) => match (self.provider_of(&jwt), opaque) {
                (Ok(provider), _) => return provider.verify_jwt(jwt, expected).await,
                // A provider all of whose tokens are looked up may issue them in any shape.
                (Err(why), Some(all)) if all.format() == TokenFormat::Opaque => (why, Some(all)),
                (Err(why), _) => (why, None),
            },
            (Err(why @ (MalformedJwt::NotCompact | MalformedJwt::Header)), opaque) => {
                (why.into(), opaque)
            }
            (Err(why), _) => (why.into(), None),
        };
        let (Some(provider), Some(tokens)) = (opaque, opaque.and_then(|it| it.opaque.as_ref()))
        else {
            return Err(why);
        };
        let claims = tokens.claims(token, expected.now).await?;
        Ok(provider.let_in(provider.rules(expected).accept_looked_up(claims)?))
    }
}

fn unavailable(why: NoAnswer) -> VerifyError {
    VerifyError::Unavailable { reason: why.to_string(), retry_after: COOLDOWN }
}
