//! The Bearer scheme: reading credentials from a request and writing challenges (RFC 6750).

use thiserror::Error;

use super::error_text::error_text;
use super::scope::ScopeSet;
use super::secret::BearerToken;

/// Why the Authorization header of a request can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MalformedCredentials {
    /// More than one Authorization header.
    #[error("more than one Authorization header was sent")]
    Several,
    /// The scheme is Bearer but no b64token follows (RFC 6750 §2.1).
    #[error("the Authorization header is not \"Bearer\" and one token (RFC 6750 §2.1)")]
    NotAToken,
}

/// Reads the bearer token from the values of all Authorization headers.
///
/// No header, or one of another scheme, is no bearer credential at all.
///
/// # Errors
/// [`MalformedCredentials`] (400 `invalid_request`, OAuth 2.1 §5.3.2).
pub fn bearer_token(headers: &[&[u8]]) -> Result<Option<BearerToken>, MalformedCredentials> {
    let [header] = headers else {
        return if headers.is_empty() { Ok(None) } else { Err(MalformedCredentials::Several) };
    };
    let text = std::str::from_utf8(header).map_err(|_| MalformedCredentials::NotAToken)?;
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Ok(None);
    }
    let token = rest.trim_matches(' ');
    let b64token = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
    };
    if token.is_empty() || !token.bytes().all(b64token) {
        return Err(MalformedCredentials::NotAToken);
    }
    Ok(Some(BearerToken::presented(token)))
}

/// A `WWW-Authenticate: Bearer` challenge (RFC 6750 §3, RFC 9728 §5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The RFC 6750 §3.1 code; `None` when no credentials were sent.
    pub error: Option<&'static str>,
    /// What went wrong, for the developer of the client.
    pub description: Option<String>,
    /// Every scope the operation needs.
    pub scope: ScopeSet,
    /// Where the client learns which authorization server to ask.
    pub resource_metadata: String,
}

impl Challenge {
    /// The value of the header; every attribute once, in a fixed order.
    #[must_use]
    pub fn header_value(&self) -> String {
        let scope = self.scope.to_string();
        let attributes = [
            ("error", self.error),
            ("error_description", self.description.as_deref()),
            ("scope", Some(scope.as_str()).filter(|scope| !scope.is_empty())),
            ("resource_metadata", Some(self.resource_metadata.as_str())),
        ];
        let present = attributes.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let quoted: Vec<_> =
            present.map(|(name, value)| format!("{name}=\"{}\"", error_text(value))).collect();
        format!("Bearer {}", quoted.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[&str]) -> Result<Option<String>, MalformedCredentials> {
        let headers: Vec<&[u8]> = headers.iter().map(|header| header.as_bytes()).collect();
        Ok(bearer_token(&headers)?.map(|token| token.expose().to_owned()))
    }

    #[test]
    fn rs_16_the_scheme_is_case_insensitive() {
        assert_eq!(read(&["bearer a.b-c"]), Ok(Some("a.b-c".into())));
        assert_eq!(read(&["BEARER  x "]), Ok(Some("x".into())));
    }

    #[test]
    fn no_header_or_another_scheme_is_no_credential() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["Basic dTpw"]), Ok(None));
        assert_eq!(read(&[""]), Ok(None));
    }

    #[test]
    fn rs_14_two_or_malformed_tokens_are_an_invalid_request() {
        assert_eq!(read(&["Bearer a", "Bearer a"]), Err(MalformedCredentials::Several));
        for text in ["Bearer", "Bearer ", "Bearer a b", "Bearer é", "Bearer a,Bearer b"] {
            assert_eq!(read(&[text]), Err(MalformedCredentials::NotAToken), "{text}");
        }
    }

    #[test]
    fn rs_21_a_challenge_can_not_be_broken_out_of() {
        let challenge = Challenge {
            error: Some("invalid_token"),
            description: Some("a \"quoted\"\r\nword\\".into()),
            scope: ScopeSet::parse("read write").unwrap(),
            resource_metadata: "https://h/.well-known/oauth-protected-resource".into(),
        };
        assert_eq!(
            challenge.header_value(),
            "Bearer error=\"invalid_token\", error_description=\"a 'quoted'  word/\", \
             scope=\"read write\", \
             resource_metadata=\"https://h/.well-known/oauth-protected-resource\""
        );
    }
}
