//! OAuth clients: what they say of themselves and how they prove who they are.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::redirect_uri::RedirectUri;
use super::scope::ScopeSet;
use super::secret::{ClientSecretHash, RegistrationTokenHash, base64url, sha256};
use super::timestamp::Timestamp;

/// The longest `client_id` looked up, in bytes.
pub const LONGEST_CLIENT_ID: usize = 512;

/// A client identifier (RFC 6749 §2.2), opaque to everybody but this server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(String);

impl ClientId {
    /// The identifier as it was spelled.
    #[must_use]
    pub fn new(spelling: impl Into<String>) -> Self {
        Self(spelling.into())
    }

    /// The identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a client authenticates at the token endpoint (RFC 7591 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthMethod {
    /// A public client.
    None,
    /// HTTP Basic with the client secret (RFC 6749 §2.3.1).
    ClientSecretBasic,
    /// The client secret in the form.
    ClientSecretPost,
}

impl ClientAuthMethod {
    /// Every method this server takes, in the order of its metadata.
    pub const ALL: [Self; 3] = [Self::None, Self::ClientSecretBasic, Self::ClientSecretPost];

    /// The registered name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
        }
    }

    /// The method of a registered name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}

/// A grant type (RFC 7591 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §6.
    RefreshToken,
    /// RFC 6749 §4.4; only for clients the operator vouches for.
    ClientCredentials,
}

impl GrantType {
    /// Every grant type this server serves.
    pub const ALL: [Self; 3] =
        [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials];

    /// The registered name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }

    /// The grant type of a registered name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == name)
    }
}

/// Where what is known of a client comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientOrigin {
    /// The operator made it known.
    Operator,
    /// It registered itself (RFC 7591).
    Registered,
    /// Its metadata document, read anew now and then; no store has it.
    Document,
}

impl ClientOrigin {
    /// Every origin.
    pub const ALL: [Self; 3] = [Self::Operator, Self::Registered, Self::Document];

    /// A stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Registered => "registered",
            Self::Document => "document",
        }
    }

    /// The origin of a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.as_str() == name)
    }
}

/// How a registered client proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCredential {
    /// A public client has nothing to prove.
    Public,
    /// A secret, sent in the way the client registered.
    Secret {
        /// How the client said it would send it; either way is taken.
        sent_by: SecretTransport,
        /// The stored form.
        hash: ClientSecretHash,
    },
}

/// Where a client puts its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretTransport {
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
}

impl ClientCredential {
    /// The method as metadata names it.
    #[must_use]
    pub fn method(&self) -> ClientAuthMethod {
        match self {
            Self::Public => ClientAuthMethod::None,
            Self::Secret { sent_by: SecretTransport::Basic, .. } => {
                ClientAuthMethod::ClientSecretBasic
            }
            Self::Secret { sent_by: SecretTransport::Post, .. } => {
                ClientAuthMethod::ClientSecretPost
            }
        }
    }
}

/// A registered client (RFC 7591 §2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Made here, never chosen by the client.
    pub id: ClientId,
    /// Who says so.
    pub origin: ClientOrigin,
    /// How it proves who it is.
    pub credential: ClientCredential,
    /// What it said of itself.
    pub metadata: ClientMetadata,
    /// What proves that somebody may change or end the registration (RFC 7592 §1.2); `None` when
    /// nobody may.
    pub registration_token: Option<RegistrationTokenHash>,
    /// Whether the operator made it a resource server, which may ask about every token (RFC 7662).
    pub may_introspect: bool,
    /// When it registered.
    pub registered_at: Timestamp,
    /// When it last got a token; `None` before the first.
    pub last_used_at: Option<Timestamp>,
}

impl Client {
    /// Whether a browser may be sent back there before the person has seen a page.
    ///
    /// Whoever may register can make this server's address lead to theirs (OAuth 2.1 §7.12.2), so
    /// web addresses are for clients the operator knows. What waits on the person's own machine, or
    /// has a scheme of its own, is no page to be lured to.
    #[must_use]
    pub fn may_be_answered_unseen(&self, redirect_uri: &RedirectUri) -> bool {
        self.origin == ClientOrigin::Operator || !redirect_uri.is_web()
    }

    /// What a consent to this client depends on, as a hash: its name, its redirect addresses and how
    /// it proves who it is.
    #[must_use]
    pub fn consent_digest(&self) -> String {
        let metadata = &self.metadata;
        let said = (&metadata.client_name, &metadata.redirect_uris, self.credential.method());
        let text = serde_json::to_vec(&said).unwrap_or_default();
        base64url(&sha256(&[&text]))
    }
}

/// The effective metadata of a client, defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientMetadata {
    /// Shown to people; untrusted text of at most [`super::client_name::LONGEST_CLIENT_NAME`] characters.
    pub client_name: Option<String>,
    /// The client's home page, kept and never fetched.
    pub client_uri: Option<String>,
    /// At least one with `authorization_code`.
    pub redirect_uris: Vec<RedirectUri>,
    /// What it may ask the token endpoint for.
    pub grant_types: Vec<GrantType>,
    /// What the client said it would ask for; it may ask for more (step-up).
    pub scope: Option<ScopeSet>,
    /// `web` or `native`, as OpenID Connect Registration §2 has it.
    pub application_type: Option<String>,
    /// Identifies the software across registrations (RFC 7591 §2).
    pub software_id: Option<String>,
    /// The version of that software.
    pub software_version: Option<String>,
}

impl ClientMetadata {
    /// The name to show, or the client's identifier when it gave none.
    #[must_use]
    pub fn display_name<'a>(&'a self, id: &'a ClientId) -> &'a str {
        self.client_name.as_deref().unwrap_or(id.as_str())
    }

    /// Whether one of the registered addresses permits a redirect to `requested`: byte for byte for
    /// a `web` client, else with the freedom of ports that installed clients need.
    #[must_use]
    pub fn permits_redirect(&self, requested: &RedirectUri) -> bool {
        let is_web = self.application_type.as_deref() == Some("web");
        self.redirect_uris
            .iter()
            .any(|registered| registered == requested || (!is_web && registered.permits(requested)))
    }

    /// Whether the client registered for a grant type.
    #[must_use]
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }
}
