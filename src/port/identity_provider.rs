use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use thiserror::Error;

use super::PasswordLogin;
use crate::domain::admission::AdmissionPolicy;
use crate::domain::provider::{IssuerRule, ProviderName};
use crate::domain::provider_account::{CarriedClaims, ProviderIdentity};
use crate::domain::provider_login::{ProviderAnswer, ProviderRequest, ProviderTokens};

/// A provider that people are sent to, to log in: where to send them, and who came back.
///
/// It is the authorization code flow of OpenID Connect Core §3.1 with PKCE; the core makes state,
/// nonce and code verifier, decides which browser may come back, and who of those that do is let in.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait IdentityProvider: Send + Sync {
    /// Where to send a browser: the provider's authorization endpoint, with `state`, `nonce` and the
    /// S256 challenge of `request`. Nothing of the client is in it, but the resource where the
    /// provider's policy sends it on. A person who has to log in again is sent with `prompt=login`
    /// and `max_age=0`. No parameter is there twice (RFC 6749 §3.1): ours before the operator's.
    ///
    /// # Errors
    /// [`ProviderError`]; nobody was sent anywhere.
    async fn login_address(&self, request: &ProviderRequest) -> Result<String, ProviderError>;

    /// Who came back: redeems the code and validates the ID token in full (OpenID Connect Core
    /// §3.1.3.7): signature by a published key and an algorithm of the policy, `iss`, `aud`, `azp`,
    /// `exp`, `iat`, `nonce`, and `auth_time` of who had to log in again. The answer's `iss` parameter
    /// is checked when it is there or the provider promises it (RFC 9207 §2.4), before the code is
    /// sent anywhere.
    ///
    /// The rules are not the adapter's: it asks [`IssuerRule::publishes`] about the discovery
    /// document, [`IssuerRule::check_response`] about the answer, and `ProviderPolicy` about the ID
    /// token (`algorithm_of`, `identity`, `check_logged_in_anew`).
    ///
    /// A code is redeemed once: after an error the person has to log in anew.
    ///
    /// # Errors
    /// [`ProviderError`]; nobody is logged in.
    async fn who_came_back(&self, answer: &ProviderAnswer) -> Result<CameBack, ProviderError>;

    /// New tokens for a refresh token (RFC 6749 §6). The old one may be worth nothing afterwards.
    ///
    /// # Errors
    /// [`ProviderError::Refused`]: it is worth nothing any more. [`ProviderError::Unavailable`]:
    /// nobody knows, it may be tried again.
    async fn refresh(&self, refresh_token: &SecretString) -> Result<ProviderTokens, ProviderError>;
}

/// Somebody who logged in at their provider.
#[derive(Debug, Clone)]
pub struct CameBack {
    /// Who it is.
    pub identity: ProviderIdentity,
    /// What the provider gave us; dropped unless the operator has them kept.
    pub tokens: ProviderTokens,
}

/// Why a provider vouches for nobody. The texts are for the log: no token, code or secret is in them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProviderError {
    /// What it answered is no good: it refuses the code, or the ID token breaks a rule.
    #[error("the provider's answer is not accepted: {0}")]
    Refused(String),
    /// It can't be asked at the moment, or its answer is no answer.
    #[error("the provider is unavailable: {reason}")]
    Unavailable {
        /// What is out of reach, and why.
        reason: String,
        /// When to try again.
        retry_after: Duration,
    },
}

/// How people log in here.
#[derive(Clone)]
pub enum LoginMethods {
    /// With a name and a password, on our own page.
    Password(Arc<dyn PasswordLogin>),
    /// At one of these; never none.
    Providers(Vec<LoginProvider>),
}

/// A provider people may choose, with what the operator decided about its people.
#[derive(Clone)]
pub struct LoginProvider {
    /// What the operator calls it.
    pub name: ProviderName,
    /// What its button says.
    pub title: String,
    /// Whom it may vouch as; an account of another issuer is nobody's here.
    pub issuer: IssuerRule,
    /// Which of its people are let in.
    pub admission: AdmissionPolicy,
    /// What of its claims travels on.
    pub carried: CarriedClaims,
    /// Whether its tokens are kept for tools. A login there is then for one grant, since that is
    /// what they are kept with.
    pub keeps_tokens: bool,
    /// The provider itself.
    pub provider: Arc<dyn IdentityProvider>,
}

impl fmt::Debug for LoginProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginProvider").field("name", &self.name).finish_non_exhaustive()
    }
}
