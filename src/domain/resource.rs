//! Resource indicators (RFC 8707) and the one protected resource this server is.

use std::collections::BTreeMap;
use std::fmt;

use thiserror::Error;
use url::Url;

/// An absolute URI without fragment that names a protected resource (RFC 8707 §2).
///
/// Scheme and host are lower case and a default port is dropped, so `HTTPS://MCP.Example/mcp` is
/// `https://mcp.example/mcp`; the path is kept as it was spelled, except that a bare `/` is dropped.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceUri(String);

/// A text that is no resource indicator.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not an absolute http(s) URI without fragment (RFC 8707 §2)")]
pub struct InvalidResource(pub String);

impl ResourceUri {
    /// Parses a resource indicator.
    ///
    /// # Errors
    /// [`InvalidResource`] when it is relative, has a fragment, or is not http(s).
    pub fn parse(text: &str) -> Result<Self, InvalidResource> {
        let invalid = || InvalidResource(text.to_owned());
        let url = Url::parse(text).map_err(|_| invalid())?;
        if !matches!(url.scheme(), "http" | "https") || url.fragment().is_some() {
            return Err(invalid());
        }
        let bare = url.path() == "/" && url.query().is_none();
        let spelled = url.as_str();
        Ok(Self(if bare { spelled.trim_end_matches('/') } else { spelled }.to_owned()))
    }

    /// A name this server publishes, made from its validated base URL.
    pub(super) fn published(spelling: String) -> Self {
        Self(spelling)
    }

    /// The URI.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResourceUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One of the documents under `/.well-known/oauth-protected-resource` (RFC 9728 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResourceDocument {
    /// The base URL.
    Base,
    /// The Streamable HTTP endpoint, `…/mcp`.
    StreamableHttp,
    /// The HTTP+SSE endpoint, `…/mcp/sse`.
    Sse,
}

impl ResourceDocument {
    /// Every document.
    pub const ALL: [Self; 3] = [Self::Base, Self::StreamableHttp, Self::Sse];

    /// The path below the base URL: empty, `/mcp` or `/mcp/sse`.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Base => "",
            Self::StreamableHttp => "/mcp",
            Self::Sse => "/mcp/sse",
        }
    }
}

/// Every spelling that names this server's protected resource.
///
/// The base URL, the Streamable HTTP URL and the SSE URL are one resource: a token for any of them
/// opens all.
#[derive(Debug, Clone)]
pub struct ProtectedResource {
    spellings: BTreeMap<String, ResourceDocument>,
    canonical: ResourceUri,
}

impl ProtectedResource {
    /// The resource whose canonical name is `canonical`, also known by `spellings`.
    #[must_use]
    pub fn new(canonical: ResourceUri, spellings: BTreeMap<String, ResourceDocument>) -> Self {
        Self { spellings, canonical }
    }

    /// The name bound to a grant when the client named none.
    #[must_use]
    pub fn canonical(&self) -> &ResourceUri {
        &self.canonical
    }

    /// Whether `audience` (one value of an `aud` claim) names this resource.
    #[must_use]
    pub fn is_named_by(&self, audience: &str) -> bool {
        self.spellings.contains_key(audience)
    }

    /// Whether two names of this resource mean the same document of it, e.g. because they differ
    /// only in the loopback host.
    #[must_use]
    pub fn same_document(&self, left: &ResourceUri, right: &ResourceUri) -> bool {
        let document = |name: &ResourceUri| self.spellings.get(name.as_str());
        left == right || document(left).is_some_and(|found| Some(found) == document(right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn az_16_upper_case_scheme_and_host_are_the_same_resource() {
        let parsed = ResourceUri::parse("HTTPS://MCP.Example:443/mcp").unwrap();
        assert_eq!(parsed.as_str(), "https://mcp.example/mcp");
    }

    #[test]
    fn an_origin_has_no_trailing_slash() {
        assert_eq!(ResourceUri::parse("https://h/").unwrap().as_str(), "https://h");
        assert_eq!(ResourceUri::parse("https://h/mcp/").unwrap().as_str(), "https://h/mcp/");
    }

    #[test]
    fn az_14_a_fragment_a_relative_or_a_foreign_scheme_is_no_resource() {
        for text in ["https://h/mcp#x", "/mcp", "mcp", "urn:mcp", "", "https://h/mcp#"] {
            assert!(ResourceUri::parse(text).is_err(), "{text}");
        }
    }
}
