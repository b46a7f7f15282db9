//! Who somebody is at the provider they logged in at.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use super::issuer::Issuer;
use super::provider::ProviderName;

/// The most that all the claims which are carried may take together, in bytes of JSON: a token travels
/// in a header of every request.
pub const LARGEST_CARRIED_CLAIMS: usize = 4096;

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
        match names.iter().find(|name| name.is_empty() || is_reserved(name)) {
            Some(reserved) => Err(ReservedClaim(reserved.clone())),
            None => Ok(Self(names)),
        }
    }

    /// Those of `claims` that are carried; one that does not fit into [`LARGEST_CARRIED_CLAIMS`] with
    /// those before it in the alphabet is left out.
    #[must_use]
    pub fn of(&self, mut claims: Map<String, Value>) -> Map<String, Value> {
        let mut carried = Map::new();
        let mut left = LARGEST_CARRIED_CLAIMS;
        for name in &self.0 {
            let Some(value) = claims.remove(name) else { continue };
            match left.checked_sub(size(name, &value)) {
                Some(rest) => {
                    left = rest;
                    carried.insert(name.clone(), value);
                }
                None => tracing::warn!(claim = %name, "a claim is too large to travel in tokens"),
            }
        }
        carried
    }
}

/// Whether a claim has a meaning of its own in tokens of this server, or is about the ID token.
pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

fn size(name: &str, value: &Value) -> usize {
    name.len() + value.to_string().len() + "\"\":,".len()
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
    fn claims_that_do_not_fit_are_left_out_and_the_others_are_not() {
        let names = ["a", "b", "c"].map(str::to_owned);
        let carried = CarriedClaims::new(names).unwrap();
        let text = |length| Value::String("x".repeat(length));
        // Quotation marks, a colon and a comma, and the quotation marks of the text.
        let rest = LARGEST_CARRIED_CLAIMS - 7;
        for (a, b, c, expected) in [
            (1, 1, 1, &["a", "b", "c"][..]),
            (rest, 1, 1, &["a"]),
            (rest + 1, 1, 1, &["b", "c"]),
            (1, rest, 1, &["a", "c"]),
        ] {
            let sent = [("a", a), ("b", b), ("c", c), ("other", 1)];
            let sent = sent.map(|(name, length)| (name.to_owned(), text(length)));
            let left: Vec<_> = carried.of(sent.into_iter().collect()).into_iter().collect();
            assert_eq!(left.iter().map(|(name, _)| name).collect::<Vec<_>>(), expected);
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
