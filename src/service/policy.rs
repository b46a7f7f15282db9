//! What the operator decides: scopes, lifetimes, whose documents are read.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::domain::access_rule::AccessRules;
use crate::domain::client_address::TrustedProxies;
use crate::domain::client_document_policy::ClientDocumentPolicy;
use crate::domain::issuer::Issuer;
use crate::domain::refresh::RefreshPolicy;
use crate::domain::scope::{OFFLINE_ACCESS, Scope, ScopeDescription, ScopeHierarchy, ScopeSet};
use crate::domain::secret::InitialAccessTokenHash;

/// The operator's decisions, validated.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The name of the server, shown to people and in resource metadata.
    pub server_name: String,
    /// Whose access tokens open the resource.
    pub authorization_server: AuthorizationServer,
    /// Which scopes there are.
    pub scopes: ScopePolicy,
    /// Who may register clients.
    pub registration: RegistrationPolicy,
    /// How long an authorization code lives; at most ten minutes (OAuth 2.1 §4.1.2).
    pub code_lifetime: Duration,
    /// How long an access token lives.
    pub access_token_lifetime: Duration,
    /// How long a person stays logged in here.
    pub session_lifetime: Duration,
    /// How long a consent is remembered; zero asks every time.
    pub consent_lifetime: Duration,
    /// How refresh tokens live.
    pub refresh: RefreshPolicy,
    /// Whose word about the origin of a request counts.
    pub trusted_proxies: TrustedProxies,
    /// Who may use what of the catalog, when the server starts.
    pub catalog: CatalogPolicy,
    /// Whose metadata documents and published keys are read.
    pub client_documents: ClientDocumentPolicy,
}

/// Who may use what of the catalog, and who sees it.
#[derive(Debug, Clone, Default)]
pub struct CatalogPolicy {
    /// What it takes beside what tools, prompts and resources demand themselves.
    pub rules: AccessRules,
    /// Whether lists show everybody everything: a client then steps up when it calls. Otherwise they
    /// show what the caller may use.
    pub list_everything: bool,
}

/// The decisions about the catalog that count now: the operator can change them while the server runs.
#[derive(Debug, Default)]
pub struct CurrentCatalogPolicy(RwLock<Arc<CatalogPolicy>>);

impl CurrentCatalogPolicy {
    /// These, for a start.
    #[must_use]
    pub fn new(policy: CatalogPolicy) -> Self {
        Self(RwLock::new(Arc::new(policy)))
    }

    /// Puts others in their place; requests that were let in by the ones before go on.
    pub fn replace(&self, policy: CatalogPolicy) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
    }

    pub(super) fn now(&self) -> Arc<CatalogPolicy> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Who is the authorization server of the resource (RFC 9728 §1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthorizationServer {
    /// This server: clients get their tokens here, wherever people log in.
    Local,
    /// These issuers, byte for byte as they spell themselves; never none. Clients get their tokens
    /// from them, and this server is a resource server and nothing else: it has no endpoint where
    /// somebody logs in, registers or gets a token. To clients that know no resource metadata, the
    /// first one is the authorization server.
    Providers(Vec<Issuer>),
}

impl AuthorizationServer {
    /// Whether it is this server.
    #[must_use]
    pub fn is_local(&self) -> bool {
        *self == Self::Local
    }

    /// The providers whose tokens are accepted; none where this server issues them.
    #[must_use]
    pub fn providers(&self) -> &[Issuer] {
        match self {
            Self::Local => &[],
            Self::Providers(issuers) => issuers,
        }
    }
}

/// Who may register clients, and how many.
#[derive(Debug, Clone)]
pub struct RegistrationPolicy {
    /// Who may.
    pub mode: RegistrationMode,
    /// How many clients may have registered themselves; the operator's are not counted.
    pub most_clients: u32,
    /// Whether public clients that say exactly the same of themselves share one registration.
    pub share: bool,
}

/// Who may register clients (RFC 7591 §3).
#[derive(Debug, Clone)]
pub enum RegistrationMode {
    /// Everybody.
    Open,
    /// Whoever has one of these tokens of the operator.
    InitialAccessToken(Vec<InitialAccessTokenHash>),
    /// The operator alone, in other ways.
    Off,
}

impl RegistrationMode {
    /// Whether no client can register itself.
    #[must_use]
    pub fn is_off(&self) -> bool {
        matches!(self, Self::Off)
    }
}

/// The scopes of this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopePolicy {
    /// Every scope a client can be granted, with its meaning for people.
    pub supported: Vec<ScopeDescription>,
    /// What a client gets that asks for nothing in particular: the minimal set, also the one
    /// published in resource metadata and challenges.
    pub default: ScopeSet,
    /// Which scope includes which.
    pub hierarchy: ScopeHierarchy,
}

impl ScopePolicy {
    /// The scopes of `asked` that this server knows; `offline_access` always is.
    #[must_use]
    pub fn known(&self, asked: &ScopeSet) -> ScopeSet {
        asked.intersection(&self.all())
    }

    /// Every scope of the authorization server's metadata.
    #[must_use]
    pub fn all(&self) -> ScopeSet {
        let offline = Scope::parse(OFFLINE_ACCESS).ok();
        self.supported.iter().map(|known| known.scope.clone()).chain(offline).collect()
    }

    /// What a scope means to a person.
    #[must_use]
    pub fn meaning(&self, scope: &Scope) -> Option<&str> {
        if scope.as_str() == OFFLINE_ACCESS {
            return Some("Stay connected when you are not present");
        }
        let known = self.supported.iter().find(|known| known.scope == *scope);
        known.map(|known| known.meaning.as_str())
    }
}
