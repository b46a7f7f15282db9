//! Two providers that issue the tokens instead of this server, without a network.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use mcp_oauth_core::domain::access_token::VerifyError;
use mcp_oauth_core::domain::client::ClientId;
use mcp_oauth_core::domain::grant::GrantId;
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::person::Subject;
use mcp_oauth_core::domain::principal::{CallerKind, Principal};
use mcp_oauth_core::domain::secret::BearerToken;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{Expected, ProviderMetadata, ProviderUnavailable, TokenVerifier};
use mcp_oauth_core::service::policy::AuthorizationServer;
use serde_json::{Map, Value, json};

use crate::scenario::scopes;
use crate::world::NOW;

/// The first, which ends in a slash as Auth0 does.
pub(crate) const PROVIDER: &str = "https://tenant.example/";

/// The second.
pub(crate) const OTHER_PROVIDER: &str = "https://login.example/realms/work";

/// A token of one person at the first.
pub(crate) const TOKEN: &str = "a-token-of-the-first-provider";

/// Another token of that person at that client.
pub(crate) const NEXT_TOKEN: &str = "the-next-token-of-the-first-provider";

/// A token of the second, whose person has the same name there, at a client of the same name.
pub(crate) const TOKEN_OF_OTHER: &str = "a-token-of-the-second-provider";

/// What its failures tell of the inside; nobody outside may read it.
const INSIDE: &str = "10.0.0.9 answers 502";

/// When to come again.
pub(crate) const WAIT: u64 = 17;

/// Both of them.
#[derive(Default)]
pub(crate) struct ForeignProvider {
    down: AtomicBool,
    keys_forgotten: AtomicBool,
}

impl ForeignProvider {
    /// The policy that goes with them.
    pub(crate) fn as_authorization_server() -> AuthorizationServer {
        AuthorizationServer::Providers([PROVIDER, OTHER_PROVIDER].map(Issuer::new).into())
    }

    /// The provider's document, with what a rewritten copy would lose.
    pub(crate) fn document() -> Value {
        json!({
            "issuer": PROVIDER,
            "authorization_endpoint": "https://tenant.example/authorize?connection=work",
            "token_endpoint": "https://tenant.example/oauth/token",
            "jwks_uri": "https://tenant.example/.well-known/jwks.json",
            "device_authorization_endpoint": "https://tenant.example/oauth/device/code",
            "x_vendor": { "nested": [1, null, "ü"] },
        })
    }

    /// The provider goes away; its keys are known here.
    pub(crate) fn go_down(&self) {
        self.down.store(true, Ordering::Relaxed);
    }

    /// It goes away before anybody has asked for its keys.
    pub(crate) fn go_down_unknown(&self) {
        self.go_down();
        self.keys_forgotten.store(true, Ordering::Relaxed);
    }

    fn keys(&self) -> Result<(), ProviderUnavailable> {
        match self.keys_forgotten.load(Ordering::Relaxed) {
            true => Err(unavailable()),
            false => Ok(()),
        }
    }
}

fn unavailable() -> ProviderUnavailable {
    ProviderUnavailable { reason: INSIDE.to_owned(), retry_after: Duration::from_secs(WAIT) }
}

#[async_trait]
impl TokenVerifier for ForeignProvider {
    async fn verify(&self, token: &BearerToken, _: &Expected) -> Result<Principal, VerifyError> {
        if let Err(ProviderUnavailable { reason, retry_after }) = self.keys() {
            return Err(VerifyError::Unavailable { reason, retry_after });
        }
        match token.expose() {
            TOKEN | NEXT_TOKEN => Ok(principal(PROVIDER, token.expose())),
            TOKEN_OF_OTHER => Ok(principal(OTHER_PROVIDER, token.expose())),
            _ => Err(VerifyError::BadSignature),
        }
    }
}

/// A principal whose token claims to be of a grant of ours: nothing of it may get to our store, to
/// which such a grant would be one that has ended.
fn principal(issuer: &str, token_id: &str) -> Principal {
    let claims = json!({ "grant_id": "a-grant", "jti": token_id, "sub": "42" });
    Principal {
        issuer: Issuer::new(issuer),
        subject: Subject::new("42"),
        client: Some(ClientId::new("a-client")),
        audiences: vec![],
        scopes: scopes("mcp:tools"),
        permissions: BTreeSet::new(),
        groups: BTreeSet::new(),
        tenant: None,
        verified_email: None,
        issued_at: Some(Timestamp::from_unix(NOW)),
        expires_at: Timestamp::from_unix(NOW + 600),
        token_id: Some(token_id.to_owned()),
        grant: Some(GrantId::new("a-grant")),
        kind: CallerKind::User,
        claims: claims.as_object().unwrap().clone(),
    }
}

#[async_trait]
impl ProviderMetadata for ForeignProvider {
    async fn metadata(&self) -> Result<Map<String, Value>, ProviderUnavailable> {
        match self.down.load(Ordering::Relaxed) {
            true => Err(unavailable()),
            false => Ok(Self::document().as_object().unwrap().clone()),
        }
    }

    async fn can_verify(&self) -> Result<(), ProviderUnavailable> {
        self.keys()
    }
}
