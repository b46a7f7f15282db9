//! Proof Key for Code Exchange (RFC 7636), S256 only.

use thiserror::Error;

use super::secret::{base64url, from_base64url, same_bytes, sha256};

/// The challenge of RFC 7636 §4.2 with method `S256`: base64url of a SHA-256, 43 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S256Challenge(String);

/// A `code_challenge` that can't be the base64url of a SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("code_challenge is not the unpadded base64url of a SHA-256 (43 characters, RFC 7636 §4.2)")]
pub struct InvalidChallenge;

impl S256Challenge {
    /// Parses a `code_challenge`.
    ///
    /// # Errors
    /// [`InvalidChallenge`] when it is not unpadded base64url of 32 bytes.
    pub fn parse(text: &str) -> Result<Self, InvalidChallenge> {
        match from_base64url(text) {
            Some(bytes) if bytes.len() == 32 => Ok(Self(text.to_owned())),
            _ => Err(InvalidChallenge),
        }
    }

    /// The challenge as the client sent it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `verifier` hashes to this challenge, in constant time (RFC 7636 §4.6).
    #[must_use]
    pub fn is_answered_by(&self, verifier: &CodeVerifier) -> bool {
        let derived = base64url(&sha256(&[verifier.0.as_bytes()]));
        same_bytes(derived.as_bytes(), self.0.as_bytes())
    }
}

/// A `code_verifier`: 43 to 128 unreserved characters (RFC 7636 §4.1).
pub struct CodeVerifier(String);

/// A `code_verifier` outside the grammar of RFC 7636 §4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("code_verifier is not 43 to 128 characters of A-Z a-z 0-9 - . _ ~ (RFC 7636 §4.1)")]
pub struct InvalidVerifier;

impl CodeVerifier {
    /// Parses a `code_verifier`.
    ///
    /// # Errors
    /// [`InvalidVerifier`] when its length or a character is outside the grammar.
    pub fn parse(text: &str) -> Result<Self, InvalidVerifier> {
        let unreserved =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if !(43..=128).contains(&text.len()) || !text.bytes().all(unreserved) {
            return Err(InvalidVerifier);
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7636_appendix_b_matches() {
        let challenge =
            S256Challenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap();
        let verifier = CodeVerifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
        assert!(challenge.is_answered_by(&verifier));
        assert!(!challenge.is_answered_by(&CodeVerifier::parse(&"a".repeat(43)).unwrap()));
    }

    #[test]
    fn a_plain_looking_challenge_is_refused() {
        assert_eq!(S256Challenge::parse("too-short"), Err(InvalidChallenge));
        assert_eq!(S256Challenge::parse(&"a".repeat(44)), Err(InvalidChallenge));
    }

    #[test]
    fn a_verifier_outside_the_grammar_is_refused() {
        assert!(CodeVerifier::parse(&"a".repeat(42)).is_err());
        assert!(CodeVerifier::parse(&"a".repeat(129)).is_err());
        assert!(CodeVerifier::parse(&"é".repeat(30)).is_err());
    }
}
