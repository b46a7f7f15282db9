//! Providers that people log in at: each lets in whoever is named in its code, and checks what a real
//! one would.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mcp_oauth_core::domain::admission::AdmissionPolicy;
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::provider::{IssuerRule, ProviderName};
use mcp_oauth_core::domain::provider_account::{CarriedClaims, ProviderIdentity, ProviderSubject};
use mcp_oauth_core::domain::provider_login::{
    ProviderAnswer, ProviderRequest, ProviderTokens, code_challenge,
};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{CameBack, IdentityProvider, LoginProvider, ProviderError};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::parameters::Parameters;
use crate::world::NOW;

/// What it gives us; nobody else may ever see it.
pub(crate) const PROVIDER_TOKEN: &str = "token-of-the-provider";

/// How long it lives, in seconds.
pub(crate) const TOKEN_LIFE: i64 = 300;

/// A provider and what it was asked.
pub(crate) struct FakeProvider {
    name: &'static str,
    out_of_reach: Mutex<bool>,
    redeemed: Mutex<Vec<String>>,
    /// How many refresh tokens were used.
    refreshed: Mutex<u32>,
    takes_back: Mutex<bool>,
}

/// The provider `name`, with people to let in as the operator decides.
pub(crate) fn provider(
    name: &'static str,
    admission: AdmissionPolicy,
) -> (LoginProvider, Arc<FakeProvider>) {
    let fake = Arc::new(FakeProvider {
        name,
        out_of_reach: Mutex::default(),
        redeemed: Mutex::default(),
        refreshed: Mutex::default(),
        takes_back: Mutex::default(),
    });
    let login = LoginProvider {
        name: ProviderName::parse(name).unwrap(),
        title: format!("Example & {name}"),
        issuer: IssuerRule::exactly(Issuer::new(issuer(name))),
        admission,
        carried: CarriedClaims::new(["groups", "permissions", "org_id"].map(str::to_owned))
            .unwrap(),
        keeps_tokens: false,
        provider: Arc::clone(&fake) as _,
    };
    (login, fake)
}

/// The issuer of the provider `name`.
pub(crate) fn issuer(name: &str) -> String {
    format!("https://{name}.example")
}

impl FakeProvider {
    pub(crate) fn put_out_of_reach(&self, out_of_reach: bool) {
        *self.out_of_reach.lock().unwrap() = out_of_reach;
    }

    /// The codes that were sent to it.
    pub(crate) fn redeemed(&self) -> Vec<String> {
        self.redeemed.lock().unwrap().clone()
    }

    /// From now on no refresh token is worth anything.
    pub(crate) fn take_tokens_back(&self) {
        *self.takes_back.lock().unwrap() = true;
    }

    pub(crate) fn refreshed(&self) -> u32 {
        *self.refreshed.lock().unwrap()
    }

    fn reach(&self) -> Result<(), ProviderError> {
        match *self.out_of_reach.lock().unwrap() {
            true => Err(ProviderError::Unavailable {
                reason: "10.0.0.9 does not answer".to_owned(),
                retry_after: Duration::from_secs(9),
            }),
            false => Ok(()),
        }
    }
}

/// The code of somebody who logs in: it remembers what the login was asked for with, as a provider
/// would.
pub(crate) fn code_of(subject: &str, request: &Parameters) -> String {
    let member = |name: &str| request.get(name).unwrap().to_owned();
    [subject, &member("nonce"), &member("code_challenge"), &member("redirect_uri")].join(" ")
}

#[async_trait]
impl IdentityProvider for FakeProvider {
    async fn login_address(&self, request: &ProviderRequest) -> Result<String, ProviderError> {
        self.reach()?;
        let secrets = &request.secrets;
        let query = Parameters::new(&[
            ("client_id", "this-server"),
            ("redirect_uri", &request.redirect_uri),
            ("state", secrets.state.expose()),
            ("nonce", secrets.nonce().expose_secret()),
            ("code_challenge", &code_challenge(secrets.code_verifier().expose_secret())),
            ("prompt", if request.login_again { "login" } else { "" }),
        ]);
        Ok(format!("{}/authorize?{}", issuer(self.name), query.encoded()))
    }

    async fn who_came_back(&self, answer: &ProviderAnswer) -> Result<CameBack, ProviderError> {
        self.reach()?;
        let refused = |reason: &str| Err(ProviderError::Refused(format!("from inside: {reason}")));
        if answer.issuer.as_ref().is_some_and(|issuer_of| *issuer_of != issuer(self.name)) {
            return refused("the iss parameter");
        }
        let code = answer.code.expose_secret().to_owned();
        let parts: Vec<_> = code.split(' ').collect();
        let [subject, nonce, challenge, redirect_uri] = parts[..] else {
            return refused("the code");
        };
        self.redeemed.lock().unwrap().push(code.clone());
        let verifier = answer.secrets.code_verifier();
        if challenge != code_challenge(verifier.expose_secret()) {
            return refused("the code verifier");
        }
        if redirect_uri != answer.redirect_uri {
            return refused("the redirect address");
        }
        if nonce != answer.secrets.nonce().expose_secret() {
            return refused("the nonce");
        }
        let identity = identity(self.name, subject);
        Ok(CameBack { identity, tokens: tokens(0) })
    }

    /// Each refresh token counts once.
    async fn refresh(&self, token: &SecretString) -> Result<ProviderTokens, ProviderError> {
        self.reach()?;
        let mut refreshed = self.refreshed.lock().unwrap();
        let current = tokens(*refreshed).refresh_token.unwrap();
        if token.expose_secret() != current.expose_secret() || *self.takes_back.lock().unwrap() {
            return Err(ProviderError::Refused("from inside: the refresh token".to_owned()));
        }
        *refreshed += 1;
        Ok(tokens(*refreshed))
    }
}

/// The tokens after so many refreshes.
fn tokens(number: u32) -> ProviderTokens {
    let lives = i64::from(number + 1) * TOKEN_LIFE;
    ProviderTokens {
        access_token: format!("{PROVIDER_TOKEN}-{number}").into(),
        refresh_token: Some(format!("refresh-{PROVIDER_TOKEN}-{number}").into()),
        expires_at: Some(Timestamp::from_unix(NOW + lives)),
    }
}

/// Everybody has an address at the provider's domain; that of `mallory` was never verified.
fn identity(provider: &str, subject: &str) -> ProviderIdentity {
    let email = format!("{subject}@{provider}.example");
    let claims = json!({
        "sub": subject,
        "scope": "admin",
        "groups": ["staff"],
        "permissions": ["read:all"],
        "org_id": "org-1",
        "not_selected": "x",
    });
    ProviderIdentity {
        issuer: Issuer::new(issuer(provider)),
        subject: ProviderSubject::parse(subject).unwrap(),
        name: Some(format!("{subject} of {provider}")),
        verified_email: (subject != "mallory").then_some(email),
        groups: BTreeSet::new(),
        tenant: None,
        organization: None,
        claims: claims.as_object().unwrap().clone(),
    }
}
