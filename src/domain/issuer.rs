//! The issuer identifier of an authorization server.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An issuer identifier (RFC 8414 §2), compared byte for byte and never normalised.
///
/// The same bytes appear in resource metadata, server metadata, the `iss` claim and the `iss`
/// response parameter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Issuer(String);

impl Issuer {
    /// Takes the identifier as it was spelled.
    #[must_use]
    pub fn new(spelling: impl Into<String>) -> Self {
        Self(spelling.into())
    }

    /// The identifier as it was spelled.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
