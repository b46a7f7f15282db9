//! Who is calling: what a verified access token says.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::access_token::IssuedToken;
use super::client::ClientId;
use super::grant::GrantId;
use super::issuer::Issuer;
use super::person::Subject;
use super::scope::ScopeSet;
use super::secret::sha256;
use super::timestamp::Timestamp;

/// The caller of a request, from a token that was verified in full.
#[derive(Debug, Clone, PartialEq)]
pub struct Principal {
    /// Who vouches for it; with `subject` it is the caller's identity.
    pub issuer: Issuer,
    /// The `sub` claim.
    pub subject: Subject,
    /// The client that holds the token.
    pub client: Option<ClientId>,
    /// Every value of the `aud` claim.
    pub audiences: Vec<String>,
    /// What the token allows.
    pub scopes: ScopeSet,
    /// Permissions the provider granted beside scopes.
    pub permissions: BTreeSet<String>,
    /// Groups the provider puts the person in, and roles it gives them (RFC 9068 §2.2.3.1).
    pub groups: BTreeSet<String>,
    /// The provider's tenant or organisation.
    pub tenant: Option<String>,
    /// An address the provider verified.
    pub verified_email: Option<String>,
    /// The `iat` claim.
    pub issued_at: Option<Timestamp>,
    /// The `exp` claim.
    pub expires_at: Timestamp,
    /// The `jti` claim.
    pub token_id: Option<String>,
    /// The grant behind a token of this server; a claim of a provider's token never is one.
    pub grant: Option<GrantId>,
    /// Whether a person or a program is calling.
    pub kind: CallerKind,
    /// Every claim of the token as it came.
    pub claims: Map<String, Value>,
}

/// Whether a person stands behind a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerKind {
    /// A person consented.
    User,
    /// A program acts for itself (client credentials).
    Machine,
}

/// The identity a session is bound to: two tokens of one person at one client are the same caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallerIdentity {
    issuer: Issuer,
    subject: Subject,
    client: Option<ClientId>,
}

impl CallerIdentity {
    /// Whether both are of one subject, with whichever clients.
    #[must_use]
    pub fn is_same_person(&self, other: &Self) -> bool {
        (&self.issuer, &self.subject) == (&other.issuer, &other.subject)
    }
}

impl Principal {
    /// The identity behind this token.
    #[must_use]
    pub fn identity(&self) -> CallerIdentity {
        CallerIdentity {
            issuer: self.issuer.clone(),
            subject: self.subject.clone(),
            client: self.client.clone(),
        }
    }

    /// The token as the server with this issuer identifier can end it before its time; `None` for
    /// one that only expires, and for every token of somebody else, whatever it says of grants.
    #[must_use]
    pub fn issued_token(&self, own: &Issuer) -> Option<IssuedToken> {
        if self.issuer != *own {
            return None;
        }
        Some(IssuedToken { token_id: self.token_id.clone()?, grant: self.grant.clone()? })
    }
}

impl CallerIdentity {
    /// A hash that no other identity has.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let client = self.client.as_ref().map(ClientId::as_str);
        let (issuer, subject) = (self.issuer.as_str(), self.subject.as_str());
        // The lengths keep what belongs to one part from being read as another's.
        let lengths = [issuer.len(), subject.len()].map(|length| (length as u64).to_be_bytes());
        sha256(&[
            &lengths.concat(),
            issuer.as_bytes(),
            subject.as_bytes(),
            &[u8::from(client.is_some())],
            client.unwrap_or_default().as_bytes(),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(issuer: &str, subject: &str, client: Option<&str>) -> CallerIdentity {
        CallerIdentity {
            issuer: Issuer::new(issuer),
            subject: Subject::new(subject),
            client: client.map(ClientId::new),
        }
    }

    #[test]
    fn each_part_of_an_identity_counts_in_its_digest() {
        let own = identity("i", "sub", Some("client"));
        assert_eq!(own.digest(), identity("i", "sub", Some("client")).digest());
        let others = [
            identity("j", "sub", Some("client")),
            identity("i", "subc", Some("lient")),
            identity("is", "ub", Some("client")),
            identity("i", "sub", Some("other")),
            identity("i", "sub", Some("")),
            identity("i", "sub", None),
        ];
        assert!(others.iter().all(|other| other.digest() != own.digest()));
        assert_ne!(others[4].digest(), others[5].digest());
    }
}
