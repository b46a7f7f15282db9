//! What each request carries to authenticate.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use mcp_oauth_core::domain::principal::CallerIdentity;
use mcp_oauth_core::domain::secret::sha256;
use mcp_oauth_core::port::{CallContext, Clock};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use super::token_cache::TokenCache;
use super::token_request::{TokenRefusal, sensitive};
use super::{Credentials, TokenGrant};
use crate::openapi::http_client::HttpClient;

/// How many callers' tokens are kept.
const MOST_CALLERS: usize = 10_000;

/// Authenticates the requests of one catalog.
pub(in crate::openapi) struct Authenticator {
    way: Way,
    http: HttpClient,
}

enum Way {
    Nothing,
    Header(HeaderName, HeaderValue),
    Query(String, SecretString),
    Client(Box<TokenGrant>, TokenCache<()>),
    Exchange(Box<TokenGrant>, TokenCache<CallerToken>),
}

/// A caller with a hash of the token they are known by: another login is another token.
type CallerToken = (CallerIdentity, [u8; 32]);

/// What goes into a request.
pub(in crate::openapi) enum Authentication {
    /// Nothing.
    Nothing,
    /// This header.
    Header(HeaderName, HeaderValue),
    /// This parameter of the query.
    Query(String, SecretString),
    /// A token that another may take the place of.
    Token(HeaderValue, TokenOwner),
}

/// Whose token it is.
pub(in crate::openapi) enum TokenOwner {
    /// This server's.
    Client,
    /// A caller's.
    Caller(Box<CallerToken>),
}

/// Why a request can't authenticate; the text is for the caller.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(in crate::openapi) enum CredentialsProblem {
    #[error(
        "it is called with the access you have at your login provider, and none is kept here: \
         disconnect, and log in again; if that does not help, the operator has to set `keep_tokens`"
    )]
    NothingKept,
    #[error("{0}")]
    Provider(String),
    #[error(
        "the authorization server does not take the access you have at your login provider \
         ({code}): disconnect, and log in again; if that does not help, ask the operator"
    )]
    NotExchanged { code: String },
    #[error(
        "the authorization server refuses the credentials of this server ({code}); its operator has to look"
    )]
    Refused { code: String },
    #[error("the authorization server that gives access to it can't be asked at the moment")]
    NoToken,
}

impl Authenticator {
    /// With the operator's credentials.
    ///
    /// # Errors
    /// The reason why they can't be used.
    pub(in crate::openapi) fn new(
        credentials: Credentials,
        http: HttpClient,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let way = match credentials {
            Credentials::None => Way::Nothing,
            Credentials::Header { name, value } => {
                let name = HeaderName::from_bytes(name.as_bytes())
                    .map_err(|_| format!("{name:?} is no name of a header"))?;
                Way::Header(name, header_value(value.expose_secret())?)
            }
            Credentials::Query { name, value } => Way::Query(name, value),
            Credentials::Basic { username, .. } if username.contains(':') => {
                return Err("there is a colon in the user name (RFC 7617 §2)".to_owned());
            }
            Credentials::Basic { username, password } => {
                let pair =
                    BASE64_STANDARD.encode(format!("{username}:{}", password.expose_secret()));
                Way::Header(AUTHORIZATION, header_value(&format!("Basic {pair}"))?)
            }
            Credentials::ClientCredentials(grant) => {
                Way::Client(Box::new(grant), TokenCache::new(1, clock))
            }
            Credentials::TokenExchange(grant) => {
                Way::Exchange(Box::new(grant), TokenCache::new(MOST_CALLERS, clock))
            }
        };
        Ok(Self { way, http })
    }

    /// What authenticates a request of this call.
    pub(in crate::openapi) async fn authentication(
        &self,
        context: &CallContext,
    ) -> Result<Authentication, CredentialsProblem> {
        match &self.way {
            Way::Nothing => Ok(Authentication::Nothing),
            Way::Header(name, value) => Ok(Authentication::Header(name.clone(), value.clone())),
            Way::Query(name, value) => Ok(Authentication::Query(name.clone(), value.clone())),
            Way::Client(grant, tokens) => {
                let token = tokens.get(&(), grant.ask(&self.http, None)).await;
                let token = token.map_err(|refusal| self.problem(refusal, false))?;
                Ok(Authentication::Token(token, TokenOwner::Client))
            }
            Way::Exchange(grant, tokens) => {
                // Asked for each time, so that who has no access any more gets nothing kept.
                let subject = context.provider_token().await;
                let subject = subject
                    .map_err(|error| CredentialsProblem::Provider(error.to_string()))?
                    .ok_or(CredentialsProblem::NothingKept)?
                    .access_token;
                let hash = sha256(&[subject.expose_secret().as_bytes()]);
                let key = (context.caller.identity(), hash);
                let token = tokens.get(&key, grant.ask(&self.http, Some(&subject))).await;
                let token = token.map_err(|refusal| self.problem(refusal, true))?;
                Ok(Authentication::Token(token, TokenOwner::Caller(Box::new(key))))
            }
        }
    }

    /// Forgets a token that was not accepted. Whether another one is worth a try.
    pub(in crate::openapi) fn was_refused(&self, authentication: &Authentication) -> bool {
        let Authentication::Token(token, owner) = authentication else { return false };
        match (&self.way, owner) {
            (Way::Client(_, tokens), TokenOwner::Client) => tokens.forget(&(), token),
            (Way::Exchange(_, tokens), TokenOwner::Caller(key)) => tokens.forget(key, token),
            _ => return false,
        }
        true
    }

    fn problem(&self, refusal: TokenRefusal, for_caller: bool) -> CredentialsProblem {
        match refusal {
            // RFC 8693 §2.2.2: what is wrong with the subject's token is an invalid request.
            TokenRefusal::Refused { code }
                if for_caller && matches!(&*code, "invalid_grant" | "invalid_request") =>
            {
                CredentialsProblem::NotExchanged { code }
            }
            TokenRefusal::Refused { code } => {
                tracing::warn!(code, "a token endpoint refuses this server's credentials");
                CredentialsProblem::Refused { code }
            }
            TokenRefusal::NoAnswer(reason) => {
                tracing::warn!(reason, "a token endpoint gave no token");
                CredentialsProblem::NoToken
            }
        }
    }
}

fn header_value(text: &str) -> Result<HeaderValue, String> {
    sensitive(text).ok_or_else(|| {
        "the value has characters that no header has, such as a line break".to_owned()
    })
}
