//! What a person granted a client, and the code that carries it to the token endpoint.

use std::fmt;

use super::client::ClientId;
use super::person::{Person, Subject};
use super::pkce::S256Challenge;
use super::redirect_uri::RedirectUri;
use super::resource::ResourceUri;
use super::scope::ScopeSet;
use super::secret::{CodeHash, SECRET_BYTES, identifier};
use super::timestamp::Timestamp;

/// Names a grant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GrantId(String);

impl GrantId {
    /// The identifier as it was made or stored.
    #[must_use]
    pub fn new(spelling: impl Into<String>) -> Self {
        Self(spelling.into())
    }

    /// A fresh identifier.
    #[must_use]
    pub fn from_entropy(entropy: [u8; SECRET_BYTES]) -> Self {
        Self(identifier(entropy))
    }

    /// The identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a person granted: the root of one code and of the family of refresh tokens that follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its name.
    pub id: GrantId,
    /// To whom.
    pub client: ClientId,
    /// By whom.
    pub person: Person,
    /// For what; every token of the grant has this audience.
    pub resource: ResourceUri,
    /// How much; no token of the grant has more.
    pub scope: ScopeSet,
    /// When.
    pub granted_at: Timestamp,
    /// When it ended, if it did.
    pub revoked_at: Option<Timestamp>,
}

impl Grant {
    /// The scope of a token: `offline_access` asks for a refresh token and is no permission.
    #[must_use]
    pub fn token_scope(&self) -> ScopeSet {
        self.scope.permissions()
    }
}

/// Which grants are meant: those that fit every member that is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantSelection {
    /// Those to this client.
    pub client: Option<ClientId>,
    /// Those by this person.
    pub subject: Option<Subject>,
    /// Only those that have not ended.
    pub alive: bool,
}

impl GrantSelection {
    /// Whether `grant` is meant.
    #[must_use]
    pub fn includes(&self, grant: &Grant) -> bool {
        self.client.as_ref().is_none_or(|client| *client == grant.client)
            && self.subject.as_ref().is_none_or(|subject| *subject == grant.person.subject)
            && !(self.alive && grant.revoked_at.is_some())
    }
}

/// The stored form of an authorization code (RFC 6749 §4.1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRecord {
    /// The code's hash.
    pub hash: CodeHash,
    /// The grant it carries.
    pub grant: GrantId,
    /// Where it was sent.
    pub redirect_uri: RedirectUri,
    /// What it must be redeemed with.
    pub challenge: S256Challenge,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was redeemed, if it was.
    pub redeemed_at: Option<Timestamp>,
}
