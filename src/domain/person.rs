//! A person, as an identity provider vouches for them.

use std::fmt;

use serde::{Deserialize, Serialize};

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
}

impl Person {
    /// What to call them.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.subject.as_str())
    }
}
