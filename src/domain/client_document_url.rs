//! A client identifier that is the address of the client's metadata document
//! (draft-ietf-oauth-client-id-metadata-document §2).

use std::fmt;

use thiserror::Error;
use url::Url;

use super::client::LONGEST_CLIENT_ID;

/// The address of a client's metadata document, spelled as every URL parser repeats it, so that
/// what is compared is what is fetched.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientDocumentUrl(Url);

/// Why a client identifier can't be the address of a metadata document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidDocumentUrl {
    /// Longer than [`LONGEST_CLIENT_ID`].
    #[error("is longer than {LONGEST_CLIENT_ID} bytes")]
    TooLong,
    /// Not an absolute https URL.
    #[error("is not an absolute https URL")]
    NotHttps,
    /// Has no path, or only `/`.
    #[error("has no path")]
    NoPath,
    /// Has `.` or `..` segments, spelled out or as `%2e`.
    #[error("has dot segments")]
    DotSegments,
    /// Has a fragment.
    #[error("has a fragment")]
    Fragment,
    /// Has a user part.
    #[error("has a user part")]
    UserPart,
    /// Has a query, which the draft advises against: one document would have many identifiers.
    #[error("has a query")]
    Query,
    /// A URL parser spells it otherwise.
    #[error("is not in canonical form: the host in lower case, no default port, nothing to escape")]
    NotCanonical,
}

impl ClientDocumentUrl {
    /// Parses the address.
    ///
    /// # Errors
    /// [`InvalidDocumentUrl`] names the rule it breaks.
    pub fn parse(text: &str) -> Result<Self, InvalidDocumentUrl> {
        if text.len() > LONGEST_CLIENT_ID {
            return Err(InvalidDocumentUrl::TooLong);
        }
        let rest = text.strip_prefix("https://").ok_or(InvalidDocumentUrl::NotHttps)?;
        if text.contains('#') {
            return Err(InvalidDocumentUrl::Fragment);
        }
        if text.contains('?') {
            return Err(InvalidDocumentUrl::Query);
        }
        let (authority, path) = rest.split_once('/').ok_or(InvalidDocumentUrl::NoPath)?;
        if authority.contains('@') {
            return Err(InvalidDocumentUrl::UserPart);
        }
        if path.is_empty() {
            return Err(InvalidDocumentUrl::NoPath);
        }
        if path.split('/').any(is_dot_segment) {
            return Err(InvalidDocumentUrl::DotSegments);
        }
        let url = Url::parse(text).map_err(|_| InvalidDocumentUrl::NotHttps)?;
        // A name with a final dot is another spelling of the one without.
        if url.as_str() != text || url.host_str().is_none_or(|host| host.ends_with('.')) {
            return Err(InvalidDocumentUrl::NotCanonical);
        }
        Ok(Self(url))
    }

    /// The address as it was spelled.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The address, taken apart.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Who answers for the document, without a port.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

impl fmt::Display for ClientDocumentUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn is_dot_segment(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    plain == "." || plain == ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ci_01_an_https_address_with_a_path_is_an_identifier() {
        for text in [
            "https://claude.ai/oauth/mcp-oauth-client-metadata",
            "https://chatgpt.com/oauth/tU1UVEq8rRTK/client.json",
            "https://c.example:8443/client",
            "https://c.example/a/",
            "https://c.example/.well-known/client",
            "https://c.example/a..b/c",
            "https://xn--bcher-kva.example/client",
        ] {
            let url = ClientDocumentUrl::parse(text).unwrap_or_else(|why| panic!("{text} {why}"));
            assert_eq!(url.as_str(), text);
        }
        let url = ClientDocumentUrl::parse("https://c.example:8443/client").unwrap();
        assert_eq!(url.host(), "c.example");
    }

    #[test]
    fn ci_01_what_breaks_a_rule_is_refused_by_its_name() {
        use InvalidDocumentUrl::{
            DotSegments, Fragment, NoPath, NotCanonical, NotHttps, TooLong, UserPart,
        };
        let long = format!("https://c.example/{}", "a".repeat(LONGEST_CLIENT_ID));
        for (text, why) in [
            ("http://c.example/client", NotHttps),
            ("HTTPS://c.example/client", NotHttps),
            ("client", NotHttps),
            ("https://", NoPath),
            ("https:///client", NotCanonical),
            ("https://c.example", NoPath),
            ("https://c.example/", NoPath),
            ("https://c.example/a/../b", DotSegments),
            ("https://c.example/./a", DotSegments),
            ("https://c.example/a/..", DotSegments),
            ("https://c.example/a/%2e%2E/b", DotSegments),
            ("https://c.example/a/.%2e/b", DotSegments),
            ("https://c.example/%2e", DotSegments),
            ("https://c.example/client#", Fragment),
            ("https://c.example/client#top", Fragment),
            ("https://me@c.example/client", UserPart),
            ("https://me:word@c.example/client", UserPart),
            ("https://@c.example/client", UserPart),
            ("https://C.example/client", NotCanonical),
            ("https://c.example:443/client", NotCanonical),
            ("https://c.example./client", NotCanonical),
            ("https://c.example\\client/x", NotCanonical),
            ("https://c.example/a b", NotCanonical),
            ("https://c.example/a\tb", NotCanonical),
            ("https://c.example/ü", NotCanonical),
            ("https://bücher.example/client", NotCanonical),
            ("https://127.1/client", NotCanonical),
            ("https://0x7f000001/client", NotCanonical),
            (long.as_str(), TooLong),
        ] {
            assert_eq!(ClientDocumentUrl::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn ci_02_a_query_is_refused() {
        for text in ["https://c.example/client?", "https://c.example/client?x=1"] {
            assert_eq!(ClientDocumentUrl::parse(text), Err(InvalidDocumentUrl::Query), "{text}");
        }
    }
}
