//! A login at a provider under way: from a person's consent to their return.
//!
//! The browser holds one secret, the cookie. Nonce and code verifier are made from it and from the
//! `state`, so that nobody without the cookie can finish a login, and nothing that could is stored.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use super::authorization::AuthorizationQuery;
use super::client::ConsentDigest;
use super::provider::ProviderName;
use super::resource::ResourceUri;
use super::secret::{
    LoginCookie, LoginCookieHash, ProviderState, ProviderStateHash, base64url, sha256,
};
use super::timestamp::Timestamp;

/// How long a person may take at their provider.
pub const LONGEST_LOGIN: Duration = Duration::from_secs(600);

/// A login under way as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingLogin {
    /// Names it: [`LoginSecrets::name`], which is made from the `state` but is not its hash.
    pub state: ProviderStateHash,
    /// The browser that may finish it.
    pub cookie: LoginCookieHash,
    /// Where the person was sent.
    pub provider: ProviderName,
    /// What they consented to.
    pub query: AuthorizationQuery,
    /// What the client said of itself then.
    pub client_digest: ConsentDigest,
    /// When it is too late.
    pub expires_at: Timestamp,
}

/// What makes a login at a provider ours: none of it is the client's.
#[derive(Debug, Clone)]
pub struct LoginSecrets {
    /// Comes back with the answer (RFC 6749 §10.12).
    pub state: ProviderState,
    cookie: LoginCookie,
}

impl LoginSecrets {
    /// Of a browser with `cookie`.
    #[must_use]
    pub fn new(cookie: LoginCookie, state: ProviderState) -> Self {
        Self { state, cookie }
    }

    /// The browser's cookie.
    #[must_use]
    pub fn cookie(&self) -> &LoginCookie {
        &self.cookie
    }

    /// Under what the login is stored. It is made from the cookie too: whoever saw no more than the
    /// `state` finds nothing, and so uses nothing up.
    #[must_use]
    pub fn name(&self) -> ProviderStateHash {
        ProviderState::presented(self.derived(b"pending login").expose_secret()).hash()
    }

    /// What the ID token has to repeat (OpenID Connect Core §3.1.2.1).
    #[must_use]
    pub fn nonce(&self) -> SecretString {
        self.derived(b"nonce")
    }

    /// What only we can redeem the provider's code with (RFC 7636 §4.1).
    #[must_use]
    pub fn code_verifier(&self) -> SecretString {
        self.derived(b"code verifier")
    }

    fn derived(&self, purpose: &[u8]) -> SecretString {
        let key = sha256(&[b"provider login\0", self.cookie.expose().as_bytes()]);
        #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key of any length");
        mac.update(purpose);
        mac.update(b"\0");
        mac.update(self.state.expose().as_bytes());
        base64url(&mac.finalize().into_bytes()).into()
    }
}

/// The S256 challenge of a code verifier (RFC 7636 §4.2).
#[must_use]
pub fn code_challenge(verifier: &str) -> String {
    base64url(&sha256(&[verifier.as_bytes()]))
}

/// What to ask a provider for (OpenID Connect Core §3.1.2.1).
#[derive(Debug, Clone)]
pub struct ProviderRequest {
    /// Where the answer is to go: our `/callback/{name}`.
    pub redirect_uri: String,
    /// State, nonce and code verifier.
    pub secrets: LoginSecrets,
    /// The person has to prove anew who they are.
    pub login_again: bool,
    /// The client's resource; sent on only where the provider's policy says so.
    pub resource: ResourceUri,
}

/// A provider's answer with a code, as the browser brought it.
#[derive(Debug, Clone)]
pub struct ProviderAnswer {
    /// The provider's code.
    pub code: SecretString,
    /// The `iss` parameter (RFC 9207 §2), if there was one.
    pub issuer: Option<String>,
    /// The redirect address the code was sent to.
    pub redirect_uri: String,
    /// Those of the request.
    pub secrets: LoginSecrets,
    /// Whether the request had the person prove anew who they are.
    pub login_again: bool,
    /// Those of the request.
    pub resource: ResourceUri,
}

/// Tokens of a provider. They never leave this server but towards the provider's own interfaces.
#[derive(Debug, Clone)]
pub struct ProviderTokens {
    /// For the provider's interfaces.
    pub access_token: SecretString,
    /// Gets new ones.
    pub refresh_token: Option<SecretString>,
    /// When the access token ends, if the provider says it.
    pub expires_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(cookie: &str, state: &str) -> LoginSecrets {
        LoginSecrets::new(LoginCookie::presented(cookie), ProviderState::presented(state))
    }

    #[test]
    fn up_01_each_login_has_secrets_of_its_own() {
        let nonce = |secrets: LoginSecrets| secrets.nonce().expose_secret().to_owned();
        let one = secrets("cookie", "state");
        assert_eq!(nonce(one.clone()), nonce(secrets("cookie", "state")));
        assert_ne!(nonce(one.clone()), nonce(secrets("cookie", "other")));
        assert_ne!(nonce(one.clone()), nonce(secrets("other", "state")));
        assert_ne!(nonce(one.clone()), one.code_verifier().expose_secret());
        // RFC 7636 §4.1: 43 to 128 characters.
        assert_eq!(one.code_verifier().expose_secret().len(), 43);
    }

    #[test]
    fn az_27_a_login_is_found_by_its_own_browser_only() {
        let one = secrets("cookie", "state");
        assert_eq!(one.name(), secrets("cookie", "state").name());
        assert_ne!(one.name(), secrets("other", "state").name());
        assert_ne!(one.name(), secrets("cookie", "other").name());
        assert_ne!(one.name(), one.state.hash());
    }

    #[test]
    fn jv_18_the_secrets_of_a_login_cannot_be_printed() {
        let printed = format!("{:?}", secrets("the-cookie", "the-state"));
        assert!(!printed.contains("the-"), "{printed}");
    }
}
