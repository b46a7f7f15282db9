//! A person, as an identity provider vouches for them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::client::ClientId;
use super::issuer::Issuer;
use super::provider::ProviderName;
use super::provider_account::{CarriedClaims, ProviderAccount, ProviderIdentity, ProviderSubject};

/// Begins the subject of a client, and of nobody else.
const CLIENT_PREFIX: &str = "client:";

/// Who somebody is at one issuer; the identity is always (issuer, subject), never an e-mail.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Subject(String);

impl Subject {
    /// The identifier as the provider spells it.
    #[must_use]
    pub fn new(spelling: impl Into<String>) -> Self {
        Self(spelling.into())
    }

    /// A client that acts for itself (RFC 9068 §2.2). No person has such an identifier, so that no
    /// tool mistakes a program for a person (OAuth 2.1 §7.4).
    #[must_use]
    pub fn of_client(client: &ClientId) -> Self {
        Self(format!("{CLIENT_PREFIX}{client}"))
    }

    /// The subject of a person of one issuer in tokens of this server. People of two issuers never
    /// share one, whatever the issuers call them: no issuer has a `|` in it.
    #[must_use]
    pub fn of_account(issuer: &Issuer, subject: &ProviderSubject) -> Self {
        Self::new(format!("{}|{}", issuer.as_str(), subject.as_str()))
    }

    /// Whether it is the identifier of a client that acts for itself.
    #[must_use]
    pub fn is_client(&self) -> bool {
        self.0.starts_with(CLIENT_PREFIX)
    }

    /// The identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A person who logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Stable at their provider.
    pub subject: Subject,
    /// What to call them on a page and in a token.
    pub name: Option<String>,
    /// Only an address the provider says it verified.
    pub verified_email: Option<String>,
    /// Who they are at the provider they logged in at; `None` for those this server knows itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Box<ProviderAccount>>,
}

impl Person {
    /// The program behind a client that acts for itself.
    #[must_use]
    pub fn of_client(client: &ClientId) -> Self {
        Self {
            subject: Subject::of_client(client),
            name: None,
            verified_email: None,
            account: None,
        }
    }

    /// What to call them.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.subject.as_str())
    }
}

impl ProviderIdentity {
    /// The person, with those claims of `carried` that the provider sent.
    #[must_use]
    pub fn into_person(self, provider: ProviderName, carried: &CarriedClaims) -> Person {
        Person {
            subject: Subject::of_account(&self.issuer, &self.subject),
            name: self.name,
            verified_email: self.verified_email,
            account: Some(Box::new(ProviderAccount {
                claims: carried.of(self.claims),
                provider,
                issuer: self.issuer,
                subject: self.subject,
                groups: self.groups,
                tenant: self.tenant,
                organization: self.organization,
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jv_19_people_of_two_issuers_are_two_people() {
        let subject = |text| ProviderSubject::parse(text).unwrap();
        let at = |issuer: &str, name| Subject::of_account(&Issuer::new(issuer), &subject(name));
        assert_ne!(at("https://a", "x"), at("https://b", "x"));
        assert_ne!(at("https://a", "x"), at("https://a", "https://b|x"));
        assert!(!at("https://a", "client:x").is_client());
    }
}
