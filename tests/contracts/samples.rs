//! Values to store, with every optional part filled in.

use mcp_oauth_core::domain::audit_trail::AuditEntry;
use mcp_oauth_core::domain::authorization::AuthorizationQuery;
use mcp_oauth_core::domain::client::ConsentDigest;
use mcp_oauth_core::domain::client::{
    Client, ClientCredential, ClientId, ClientMetadata, ClientOrigin, GrantType, SecretTransport,
};
use mcp_oauth_core::domain::client_keys::{
    AssertionAlgorithm, ClientKeySet, ClientKeys, JwksUri, KeySource,
};
use mcp_oauth_core::domain::consent::{ConsentKey, RememberedConsent};
use mcp_oauth_core::domain::grant::{CodeRecord, Grant, GrantId};
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::kept_tokens::{KeptTokens, SealedTokens};
use mcp_oauth_core::domain::login::LoginSession;
use mcp_oauth_core::domain::mcp_session::{McpSession, SessionOwner, SessionSetup};
use mcp_oauth_core::domain::person::{Person, Subject};
use mcp_oauth_core::domain::pkce::S256Challenge;
use mcp_oauth_core::domain::provider::ProviderName;
use mcp_oauth_core::domain::provider_account::{ProviderAccount, ProviderSubject};
use mcp_oauth_core::domain::provider_login::PendingLogin;
use mcp_oauth_core::domain::redirect_uri::RedirectUri;
use mcp_oauth_core::domain::refresh::RefreshRecord;
use mcp_oauth_core::domain::resource::ResourceUri;
use mcp_oauth_core::domain::scope::ScopeSet;
use mcp_oauth_core::domain::secret::{
    AuthorizationCode, ClientSecret, CodeHash, LoginCookie, McpSessionHash, McpSessionId,
    ProviderState, ProviderStateHash, RefreshToken, RefreshTokenHash, RegistrationToken,
    SECRET_BYTES, SessionHash, SessionToken, base64url, sha256,
};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{GrantStore, StoredKey};

/// When everything here begins.
pub(crate) const NOW: i64 = 1_800_000_000;

/// More clients than any test registers.
pub(crate) const MOST: u32 = 1000;

/// `seconds` after [`NOW`].
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(NOW + seconds)
}

pub(crate) fn client(id: &str) -> Client {
    Client {
        id: ClientId::new(id),
        origin: ClientOrigin::Registered,
        credential: ClientCredential::Secret {
            sent_by: SecretTransport::Post,
            hash: ClientSecret::presented(id).hash(),
        },
        metadata: ClientMetadata {
            client_name: Some("Ünï \"quoted\" <script>".to_owned()),
            client_uri: Some("https://client.example".to_owned()),
            redirect_uris: vec![redirect_uri(), RedirectUri::parse("cursor://done").unwrap()],
            grant_types: GrantType::ALL.to_vec(),
            scope: Some(scope()),
            application_type: Some("native".to_owned()),
            software_id: Some("software".to_owned()),
            software_version: Some("1.2.3".to_owned()),
        },
        registration_token: Some(RegistrationToken::presented(id).hash()),
        may_introspect: true,
        registered_at: at(0),
        last_used_at: None,
    }
}

pub(crate) fn public_client(id: &str) -> Client {
    Client {
        origin: ClientOrigin::Operator,
        credential: ClientCredential::Public,
        registration_token: None,
        metadata: ClientMetadata {
            client_name: None,
            client_uri: None,
            redirect_uris: vec![redirect_uri()],
            grant_types: vec![GrantType::AuthorizationCode],
            scope: None,
            application_type: None,
            software_id: None,
            software_version: None,
        },
        may_introspect: false,
        last_used_at: Some(at(7)),
        ..client(id)
    }
}

/// A client the operator made known, which signs with one of two keys.
pub(crate) fn signing_client(id: &str) -> Client {
    let number = base64url(&sha256(&[id.as_bytes()]));
    let jwks = serde_json::json!({ "keys": [
        { "kty": "OKP", "crv": "Ed25519", "x": number, "kid": "Schlüssel \"1\"", "alg": "EdDSA" },
        { "kty": "EC", "crv": "P-256", "x": number, "y": number },
    ] });
    let source = KeySource::Inline(ClientKeySet::from_jwks(&jwks).unwrap());
    Client {
        origin: ClientOrigin::Operator,
        credential: ClientCredential::Keys(ClientKeys { source, algorithm: None }),
        ..client(id)
    }
}

/// A client that signs with keys it publishes.
pub(crate) fn publishing_client(id: &str) -> Client {
    let source = KeySource::Published(JwksUri::parse("https://client.example/jwks?v=1").unwrap());
    let algorithm = Some(AssertionAlgorithm::Ps256);
    Client { credential: ClientCredential::Keys(ClientKeys { source, algorithm }), ..client(id) }
}

pub(crate) fn person(subject: &str) -> Person {
    Person {
        subject: Subject::new(subject),
        name: Some("Zoë \"Z\" O'Hara".to_owned()),
        verified_email: Some("zoe@example.com".to_owned()),
        account: Some(Box::new(account(subject))),
    }
}

fn account(subject: &str) -> ProviderAccount {
    let claims = serde_json::json!({ "roles": ["ädmin", { "deep": null }], "level": 3 });
    ProviderAccount {
        provider: provider(),
        issuer: Issuer::new("https://tenant.example/"),
        subject: ProviderSubject::parse(&format!("auth0|{subject} '\"")).unwrap(),
        groups: ["staff".to_owned(), "Zürich, all".to_owned()].into(),
        tenant: Some("tenant".to_owned()),
        organization: Some("org".to_owned()),
        claims: claims.as_object().unwrap().clone(),
    }
}

fn provider() -> ProviderName {
    ProviderName::parse("work-2").unwrap()
}

pub(crate) fn grant(id: &str) -> Grant {
    Grant {
        id: GrantId::new(id),
        client: ClientId::new("client"),
        person: person("subject"),
        resource: ResourceUri::parse("https://mcp.example/mcp").unwrap(),
        scope: scope(),
        granted_at: at(0),
        revoked_at: None,
    }
}

/// The code of the grant of the same name.
pub(crate) fn code(name: &str) -> CodeRecord {
    CodeRecord {
        hash: code_hash(name),
        grant: GrantId::new(name),
        redirect_uri: redirect_uri(),
        challenge: S256Challenge::parse(&base64url(&sha256(&[name.as_bytes()]))).unwrap(),
        issued_at: at(0),
        expires_at: at(60),
        redeemed_at: None,
    }
}

pub(crate) fn code_hash(name: &str) -> CodeHash {
    AuthorizationCode::presented(name).hash()
}

/// A current refresh token of a grant.
pub(crate) fn refresh(name: &str, grant: &str) -> RefreshRecord {
    RefreshRecord {
        hash: refresh_hash(name),
        grant: GrantId::new(grant),
        salt: [0xA5; SECRET_BYTES],
        issued_at: at(0),
        expires_at: at(1000),
        rotation: None,
    }
}

pub(crate) fn refresh_hash(name: &str) -> RefreshTokenHash {
    RefreshToken::presented(name).hash()
}

pub(crate) fn session(name: &str) -> LoginSession {
    LoginSession {
        hash: session_hash(name),
        person: person(name),
        logged_in_at: at(0),
        expires_at: at(500),
    }
}

pub(crate) fn session_hash(name: &str) -> SessionHash {
    SessionToken::presented(name).hash()
}

/// A login at a provider with the state of that name.
pub(crate) fn pending_login(name: &str) -> PendingLogin {
    PendingLogin {
        state: state_hash(name),
        cookie: LoginCookie::presented(name).hash(),
        provider: provider(),
        query: AuthorizationQuery::new("client_id=c&state=%C3%BC+%22'&scope="),
        client_digest: ConsentDigest::from_stored("digest"),
        expires_at: at(600),
    }
}

/// Tokens that came with the grant of that name.
pub(crate) fn kept_tokens(grant: &str) -> KeptTokens {
    KeptTokens {
        grant: GrantId::new(grant),
        provider: provider(),
        sealed: SealedTokens::new(format!("\0sealed\u{ff} {grant}").into_bytes()),
        access_expires_at: Some(at(300)),
    }
}

pub(crate) fn state_hash(name: &str) -> ProviderStateHash {
    ProviderState::presented(name).hash()
}

pub(crate) fn key(id: &str) -> StoredKey {
    StoredKey {
        key_id: id.to_owned(),
        private_key: format!("\0private\u{ff} {id}").into_bytes().into(),
        created_at: at(0),
    }
}

pub(crate) fn consent(subject: &str, client: &str) -> RememberedConsent {
    RememberedConsent {
        key: ConsentKey {
            subject: Subject::new(subject),
            client: ClientId::new(client),
            redirect_uri: redirect_uri(),
        },
        scope: scope(),
        client_digest: ConsentDigest::from_stored("digest"),
        expires_at: at(500),
    }
}

/// A decision of that name, made `second` seconds after the beginning.
pub(crate) fn entry(decision: &str, second: i64) -> AuditEntry {
    AuditEntry {
        at: at(second),
        decision: decision.to_owned(),
        code: Some("code".to_owned()),
        reason: Some("Ünï \"quoted\"\nreason".to_owned()),
        client: Some(ClientId::new("client")),
        subject: Some(Subject::new("subject")),
        grant: Some("grant".to_owned()),
        token: Some("token".to_owned()),
        request: Some("request".to_owned()),
        address: Some("2001:db8::1".to_owned()),
    }
}

pub(crate) fn redirect_uri() -> RedirectUri {
    RedirectUri::parse("http://127.0.0.1:8765/callback?a=b").unwrap()
}

fn scope() -> ScopeSet {
    ScopeSet::parse("mcp:tools offline_access").unwrap()
}

/// A grant with its code, neither redeemed nor revoked.
pub(crate) async fn begun(store: &dyn GrantStore, name: &str) {
    store.begin(&grant(name), &code(name)).await.unwrap();
}

/// A grant whose code was redeemed for a refresh token of the same name.
pub(crate) async fn refreshable(store: &dyn GrantStore, name: &str) {
    begun(store, name).await;
    let token = refresh(name, name);
    store.redeem_code_once(&code_hash(name), at(1), Some(token)).await.unwrap();
}

/// A refreshable grant whose refresh token was rotated to `successor`.
pub(crate) async fn rotated(store: &dyn GrantStore, name: &str, successor: &str) {
    refreshable(store, name).await;
    let successor = refresh(successor, name);
    store.rotate_if_current(&refresh_hash(name), at(2), &successor).await.unwrap();
}

/// A session of MCP that was opened at the beginning and lasts for 100 seconds.
pub(crate) fn mcp_session(name: &str, owner: &str) -> McpSession {
    McpSession {
        id: mcp_session_hash(name),
        owner: session_owner(owner),
        setup: SessionSetup::new(format!("\0setup of {name}\u{ff}").into_bytes()).unwrap(),
        opened_at: at(0),
        last_used_at: at(0),
        expires_at: at(100),
    }
}

pub(crate) fn mcp_session_hash(name: &str) -> McpSessionHash {
    McpSessionId::presented(name).hash()
}

pub(crate) fn session_owner(name: &str) -> SessionOwner {
    SessionOwner::from_stored(name)
}
