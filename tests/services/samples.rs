//! The people, clients, grants and secrets that the scenarios speak of.

use std::time::Duration;

use mcp_oauth_core::domain::access_token::{IssuedToken, VerifyError};
use mcp_oauth_core::domain::client::{
    Client, ClientCredential, ClientId, ClientMetadata, ClientOrigin, GrantType, SecretTransport,
};
use mcp_oauth_core::domain::client_address::TrustedProxies;
use mcp_oauth_core::domain::client_document_policy::ClientDocumentPolicy;
use mcp_oauth_core::domain::grant::{CodeRecord, Grant, GrantId};
use mcp_oauth_core::domain::login::LoginSession;
use mcp_oauth_core::domain::person::{Person, Subject};
use mcp_oauth_core::domain::pkce::S256Challenge;
use mcp_oauth_core::domain::redirect_uri::RedirectUri;
use mcp_oauth_core::domain::refresh::{RefreshPolicy, RefreshRecord, Rotation};
use mcp_oauth_core::domain::resource::ResourceUri;
use mcp_oauth_core::domain::scope::{Scope, ScopeDescription, ScopeHierarchy, ScopeSet};
use mcp_oauth_core::domain::secret::{
    AuthorizationCode, ClientSecret, RefreshToken, SECRET_BYTES, SessionToken,
};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{ProviderUnavailable, SigningUnavailable, StoreUnavailable};
use mcp_oauth_core::service::policy::{
    AuthorizationServer, CatalogPolicy, Policy, RegistrationMode, RegistrationPolicy, ScopePolicy,
};

/// A provider whose tokens open the resource, as it spells itself.
pub(crate) const PROVIDER: &str = "https://tenant.example/oauth/";

/// The issuer, and below it the resource.
pub(crate) const BASE: &str = "https://mcp.example.com";
pub(crate) const RESOURCE: &str = "https://mcp.example.com/mcp";
/// Where the client is called back.
pub(crate) const CALLBACK: &str = "https://client.example/callback";

pub(crate) const CODE: &str = "secret-code";
pub(crate) const REFRESH_TOKEN: &str = "secret-refresh-token";
pub(crate) const CLIENT_SECRET: &str = "secret-of-the-client";
pub(crate) const SESSION: &str = "secret-session";
pub(crate) const BROWSER: &str = "secret-browser";
pub(crate) const PASSWORD: &str = "secret-password";
/// The cookie of a login at a provider: 256 bits, as this server makes them.
pub(crate) const LOGIN_COOKIE: &str = "c2VjcmV0LWNvb2tpZS1vZi1hLWxvZ2luLTAxMjM0NTY";
/// The state of the same login.
pub(crate) const PROVIDER_STATE: &str = "secret-state-for-the-provider";
/// What the provider answers with.
pub(crate) const PROVIDER_CODE: &str = "secret-code-of-the-provider";
/// What it gives us for that.
pub(crate) const PROVIDER_TOKEN: &str = "secret-token-of-the-provider";
/// What the mock of the signing keys signs.
pub(crate) const SIGNED: &str = "secret-signed-token";
/// The pair of RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// What no audit event may contain.
pub(crate) const SECRETS: [&str; 12] = [
    CODE,
    REFRESH_TOKEN,
    CLIENT_SECRET,
    SESSION,
    BROWSER,
    PASSWORD,
    LOGIN_COOKIE,
    PROVIDER_STATE,
    PROVIDER_CODE,
    PROVIDER_TOKEN,
    SIGNED,
    VERIFIER,
];

/// What a store or a key says of its inside when it fails; nobody outside may read it.
pub(crate) const INSIDE: &str = "disk /var/lib/private is full";

/// `seconds` from the moment at which every scenario plays.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(1_800_000_000 + seconds)
}

/// How long an unreachable port asks to wait.
pub(crate) const WAIT: Duration = Duration::from_secs(17);

pub(crate) fn unreachable() -> VerifyError {
    VerifyError::Unavailable { reason: INSIDE.to_owned(), retry_after: WAIT }
}

pub(crate) fn store_unavailable() -> StoreUnavailable {
    StoreUnavailable::new(INSIDE)
}

pub(crate) fn keys_unavailable() -> SigningUnavailable {
    SigningUnavailable::new(INSIDE)
}

/// A public client with both grants.
pub(crate) fn client() -> Client {
    Client {
        id: ClientId::new("client-1"),
        origin: ClientOrigin::Operator,
        credential: ClientCredential::Public,
        metadata: ClientMetadata {
            client_name: Some("Example".to_owned()),
            client_uri: None,
            redirect_uris: vec![RedirectUri::parse(CALLBACK).unwrap()],
            grant_types: GrantType::ALL.to_vec(),
            scope: None,
            application_type: None,
            software_id: None,
            software_version: None,
        },
        registration_token: None,
        may_introspect: false,
        registered_at: at(-1000),
        last_used_at: None,
    }
}

/// The same client with [`CLIENT_SECRET`].
pub(crate) fn confidential_client() -> Client {
    let hash = ClientSecret::presented(CLIENT_SECRET).hash();
    let credential = ClientCredential::Secret { sent_by: SecretTransport::Basic, hash };
    Client { credential, ..client() }
}

/// The same client, registered without the refresh token grant.
pub(crate) fn client_without_refresh() -> Client {
    let mut client = client();
    client.metadata.grant_types = vec![GrantType::AuthorizationCode];
    client
}

pub(crate) fn alice() -> Person {
    Person {
        subject: Subject::new("alice"),
        name: Some("Alice".to_owned()),
        verified_email: Some("alice@example.com".to_owned()),
        account: None,
    }
}

pub(crate) fn scope(text: &str) -> ScopeSet {
    ScopeSet::parse(text).unwrap()
}

/// What Alice granted to the client half a minute ago.
pub(crate) fn grant() -> Grant {
    Grant {
        id: GrantId::new("grant-1"),
        client: client().id,
        person: alice(),
        resource: ResourceUri::parse(RESOURCE).unwrap(),
        scope: scope("mcp:tools mcp:admin offline_access"),
        granted_at: at(-30),
        revoked_at: None,
    }
}

pub(crate) fn grant_of_another_client() -> Grant {
    Grant { client: ClientId::new("client-2"), ..grant() }
}

pub(crate) fn revoked_grant() -> Grant {
    Grant { revoked_at: Some(at(-10)), ..grant() }
}

/// The access token behind [`SIGNED`], as it can be ended.
pub(crate) fn issued_token() -> IssuedToken {
    IssuedToken { token_id: "jti-1".to_owned(), grant: grant().id }
}

/// [`CODE`] as the store has it: good for half a minute more.
pub(crate) fn code() -> CodeRecord {
    CodeRecord {
        hash: AuthorizationCode::presented(CODE).hash(),
        grant: grant().id,
        redirect_uri: RedirectUri::parse(CALLBACK).unwrap(),
        challenge: S256Challenge::parse(CHALLENGE).unwrap(),
        issued_at: at(-30),
        expires_at: at(30),
        redeemed_at: None,
    }
}

pub(crate) fn redeemed_code() -> CodeRecord {
    CodeRecord { redeemed_at: Some(at(-20)), ..code() }
}

/// [`REFRESH_TOKEN`] as the store has it, the current one of its family.
pub(crate) fn refresh() -> RefreshRecord {
    RefreshRecord {
        hash: RefreshToken::presented(REFRESH_TOKEN).hash(),
        grant: grant().id,
        salt: [0xA5; SECRET_BYTES],
        issued_at: at(-20),
        expires_at: at(1000),
        rotation: None,
    }
}

/// The same token, rotated `seconds` ago and used `grace_uses` times since.
pub(crate) fn rotated_refresh(seconds: i64, grace_uses: u32) -> RefreshRecord {
    RefreshRecord { rotation: Some(Rotation { at: at(-seconds), grace_uses }), ..refresh() }
}

/// The one token that follows [`REFRESH_TOKEN`].
pub(crate) fn successor() -> RefreshToken {
    refresh().successor_of(&RefreshToken::presented(REFRESH_TOKEN))
}

/// Alice is logged in under [`SESSION`].
pub(crate) fn session() -> LoginSession {
    LoginSession {
        hash: SessionToken::presented(SESSION).hash(),
        person: alice(),
        logged_in_at: at(-60),
        expires_at: at(60),
    }
}

pub(crate) fn policy() -> Policy {
    let known = |name: &str| ScopeDescription {
        scope: Scope::parse(name).unwrap(),
        meaning: format!("Do {name}"),
    };
    let admin_includes_tools = [(Scope::parse("mcp:admin").unwrap(), scope("mcp:tools"))];
    Policy {
        server_name: "Example server".to_owned(),
        authorization_server: AuthorizationServer::Local,
        scopes: ScopePolicy {
            supported: vec![known("mcp:tools"), known("mcp:admin")],
            default: scope("mcp:tools"),
            hierarchy: ScopeHierarchy::new(admin_includes_tools.into()),
        },
        code_lifetime: Duration::from_secs(60),
        access_token_lifetime: Duration::from_secs(3600),
        registration: RegistrationPolicy {
            mode: RegistrationMode::Open,
            most_clients: 1000,
            share: false,
        },
        consent_lifetime: Duration::ZERO,
        session_lifetime: Duration::from_secs(8 * 3600),
        catalog: CatalogPolicy::default(),
        client_documents: ClientDocumentPolicy::Open,
        refresh: RefreshPolicy {
            idle: Duration::from_secs(1000),
            absolute: Duration::from_secs(5000),
            grace: Duration::from_secs(30),
            grace_uses: 2,
        },
        trusted_proxies: TrustedProxies::default().with("10.0.0.0/8").unwrap(),
    }
}

/// A provider that can't be asked.
pub(crate) fn provider_unavailable() -> ProviderUnavailable {
    ProviderUnavailable { reason: INSIDE.to_owned(), retry_after: WAIT }
}
