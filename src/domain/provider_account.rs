//! Who somebody is at the provider they logged in at.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use super::issuer::Issuer;
use super::provider::ProviderName;

/// The longest `sub`, in characters (OpenID Connect Core §2).
const LONGEST_SUBJECT: usize = 255;

/// What a provider says of a person, from an ID token that was validated in full.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderIdentity {
    /// The `iss` claim.
    pub issuer: Issuer,
    /// Names the person at this issuer; the `sub` claim unless the provider has a better one.
    pub subject: ProviderSubject,
    /// What to call them.
    pub name: Option<String>,
    /// Their e-mail address, only if `email_verified` is true.
    pub verified_email: Option<String>,
    /// The groups or roles they are in.
    pub groups: BTreeSet<String>,
    /// The tenant they belong to.
    pub tenant: Option<String>,
    /// The organisation they logged in for.
    pub organization: Option<String>,
    /// Every claim, as it came.
    pub claims: Map<String, Value>,
}

/// Names a person at one issuer; never empty, at most 255 ASCII characters (OpenID Connect Core §2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProviderSubject(String);

/// A text that names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the subject is empty, has more than 255 characters, or others than visible ASCII")]
pub struct InvalidProviderSubject;

impl ProviderSubject {
    /// Validates a subject.
    ///
    /// # Errors
    /// [`InvalidProviderSubject`].
    pub fn parse(subject: &str) -> Result<Self, InvalidProviderSubject> {
        let visible = |c: char| matches!(c, ' '..='~');
        if subject.is_empty() || subject.len() > LONGEST_SUBJECT || !subject.chars().all(visible) {
            return Err(InvalidProviderSubject);
        }
        Ok(Self(subject.to_owned()))
    }

    /// The subject.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The part of a [`ProviderIdentity`] that is kept with a person: what decides whether they are let
/// in, and what their tokens carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderAccount {
    /// The provider as the operator calls it.
    pub provider: ProviderName,
    /// Who vouched.
    pub issuer: Issuer,
    /// The person's name there.
    pub subject: ProviderSubject,
    /// Their groups.
    #[serde(default)]
    pub groups: BTreeSet<String>,
    /// Their tenant.
    #[serde(default)]
    pub tenant: Option<String>,
    /// Their organisation.
    #[serde(default)]
    pub organization: Option<String>,
    /// The claims that travel into tokens and to tools.
    #[serde(default)]
    pub claims: Map<String, Value>,
}

/// Which claims of a provider travel into tokens of this server and to tools, under their own names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CarriedClaims(BTreeSet<String>);

/// A claim that can't be carried.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the claim {0:?} has a meaning of its own in tokens of this server")]
pub struct ReservedClaim(String);

/// The claims this server gives a meaning of its own, and those that are about the ID token.
const RESERVED: [&str; 20] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nbf",
    "jti",
    "client_id",
    "scope",
    "grant_id",
    "name",
    "email",
    "email_verified",
    "nonce",
    "azp",
    "at_hash",
    "c_hash",
    "sid",
    "act",
    "cnf",
];

impl CarriedClaims {
    /// Validates the names.
    ///
    /// # Errors
    /// [`ReservedClaim`].
    pub fn new(names: impl IntoIterator<Item = String>) -> Result<Self, ReservedClaim> {
        let names: BTreeSet<String> = names.into_iter().collect();
        match names.iter().find(|name| name.is_empty() || RESERVED.contains(&name.as_str())) {
            Some(reserved) => Err(ReservedClaim(reserved.clone())),
            None => Ok(Self(names)),
        }
    }

    /// Those of `claims` that are carried.
    #[must_use]
    pub fn of(&self, claims: Map<String, Value>) -> Map<String, Value> {
        claims.into_iter().filter(|(name, _)| self.0.contains(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jv_19_a_subject_that_names_nobody_is_refused() {
        for text in ["", "a\nb", "ä", &"a".repeat(256)] {
            assert_eq!(ProviderSubject::parse(text), Err(InvalidProviderSubject));
        }
    }

    #[test]
    fn a_claim_with_a_meaning_of_ours_is_not_carried() {
        for name in ["sub", "scope", "email", ""] {
            assert!(CarriedClaims::new([name.to_owned()]).is_err(), "{name:?}");
        }
        assert!(CarriedClaims::new(["org_id".to_owned(), "roles".to_owned()]).is_ok());
    }
}
