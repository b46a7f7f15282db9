//! The outside of a JSON Web Token: taken apart with limits, before any cryptography.

use std::fmt;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use thiserror::Error;

use super::secret::from_base64url;

/// The longest token looked at, in bytes; a larger one is refused before it is decoded.
pub const LONGEST_TOKEN: usize = 16 * 1024;

/// A compact JWS whose signature nobody has checked yet (RFC 7515 §7.1).
pub struct UnverifiedJwt<'a> {
    header: JoseHeader,
    signed_part: &'a str,
    payload: &'a str,
    signature: &'a str,
}

/// The members of a JOSE header that matter here (RFC 7515 §4.1). A key carried in the token
/// (`jwk`, `jku`, `x5u`, `x5c`) is never read.
#[derive(Debug, Clone, Deserialize)]
pub struct JoseHeader {
    /// Signature algorithm.
    pub alg: String,
    /// What the token is, e.g. `at+jwt`.
    #[serde(default)]
    pub typ: Option<String>,
    /// Which key signed it.
    #[serde(default)]
    pub kid: Option<String>,
    /// Extensions that must be understood; any makes the token unacceptable.
    #[serde(default, deserialize_with = "is_present")]
    crit: bool,
    /// RFC 7797: an unencoded payload is not accepted.
    #[serde(default, deserialize_with = "is_present")]
    b64: bool,
}

impl JoseHeader {
    /// Whether `typ` is `name`: a media type is compared without regard to case, and `application/`
    /// may be left out (RFC 7515 §4.1.9).
    #[must_use]
    pub fn is_of_type(&self, name: &str) -> bool {
        let short = |typ: &str| {
            let typ = typ.to_ascii_lowercase();
            typ.strip_prefix("application/").map(str::to_owned).unwrap_or(typ)
        };
        self.typ.as_deref().is_some_and(|typ| short(typ) == short(name))
    }
}

/// Whatever the member holds, `null` too.
fn is_present<'de, D: Deserializer<'de>>(member: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(member).map(|_| true)
}

/// Why a text is not a JWT that can be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MalformedJwt {
    /// Longer than [`LONGEST_TOKEN`].
    #[error("the token is longer than {LONGEST_TOKEN} bytes")]
    TooLong,
    /// Not three base64url parts.
    #[error("the token is not three base64url parts joined by dots")]
    NotCompact,
    /// The header is no JOSE header.
    #[error("the token's header is not a JOSE header")]
    Header,
    /// The payload is no JSON object.
    #[error("the token's payload is not a JSON object")]
    Payload,
    /// A critical extension (RFC 7515 §4.1.11).
    #[error("the token's header names a critical extension")]
    CriticalExtension,
}

impl<'a> UnverifiedJwt<'a> {
    /// Takes a compact JWS apart.
    ///
    /// # Errors
    /// [`MalformedJwt`].
    pub fn parse(token: &'a str) -> Result<Self, MalformedJwt> {
        if token.len() > LONGEST_TOKEN {
            return Err(MalformedJwt::TooLong);
        }
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(MalformedJwt::NotCompact);
        };
        let signed_part = &token[..header.len() + 1 + payload.len()];
        let header = from_base64url(header).ok_or(MalformedJwt::NotCompact)?;
        // By way of a map: serde would fill a struct from an array too.
        let header: Map<String, Value> =
            serde_json::from_slice(&header).map_err(|_| MalformedJwt::Header)?;
        let header =
            JoseHeader::deserialize(Value::Object(header)).map_err(|_| MalformedJwt::Header)?;
        if header.crit || header.b64 {
            return Err(MalformedJwt::CriticalExtension);
        }
        Ok(Self { header, signed_part, payload, signature })
    }

    /// The header; nothing in it is to be trusted but as a hint to the key.
    #[must_use]
    pub fn header(&self) -> &JoseHeader {
        &self.header
    }

    /// The bytes that were signed.
    #[must_use]
    pub fn signed_part(&self) -> &'a str {
        self.signed_part
    }

    /// The signature, base64url.
    #[must_use]
    pub fn signature(&self) -> &'a str {
        self.signature
    }

    /// The claims, to be asked for once the signature is verified.
    ///
    /// # Errors
    /// [`MalformedJwt::NotCompact`] or [`MalformedJwt::Payload`].
    pub fn claims(&self) -> Result<Map<String, Value>, MalformedJwt> {
        let payload = from_base64url(self.payload).ok_or(MalformedJwt::NotCompact)?;
        serde_json::from_slice(&payload).map_err(|_| MalformedJwt::Payload)
    }
}

impl fmt::Debug for UnverifiedJwt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedJwt").field("header", &self.header).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::secret::base64url;
    use super::*;

    fn token(header: &str) -> String {
        format!("{}.{}.c2ln", base64url(header.as_bytes()), base64url(b"{}"))
    }

    #[test]
    fn jv_11_critical_extensions_are_refused() {
        for header in [
            r#"{"alg":"RS256","crit":["x"]}"#,
            r#"{"alg":"RS256","crit":null}"#,
            r#"{"alg":"RS256","b64":false}"#,
        ] {
            assert_eq!(
                UnverifiedJwt::parse(&token(header)).unwrap_err(),
                MalformedJwt::CriticalExtension
            );
        }
    }

    #[test]
    fn jv_16_an_oversized_or_over_segmented_token_is_refused_early() {
        let long = "a".repeat(LONGEST_TOKEN + 1);
        assert_eq!(UnverifiedJwt::parse(&long).unwrap_err(), MalformedJwt::TooLong);
        assert_eq!(UnverifiedJwt::parse("a.b.c.d").unwrap_err(), MalformedJwt::NotCompact);
        assert_eq!(UnverifiedJwt::parse("opaque").unwrap_err(), MalformedJwt::NotCompact);
    }

    #[test]
    fn a_header_without_algorithm_is_refused() {
        assert_eq!(UnverifiedJwt::parse(&token("{}")).unwrap_err(), MalformedJwt::Header);
        assert_eq!(UnverifiedJwt::parse(&token("[]")).unwrap_err(), MalformedJwt::Header);
        let array = token(r#"["RS256"]"#);
        assert_eq!(UnverifiedJwt::parse(&array).unwrap_err(), MalformedJwt::Header);
    }
}
