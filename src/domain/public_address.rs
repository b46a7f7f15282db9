//! Where the world reaches this server: every address it publishes is made here, from `base_url`.

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;
use url::{Host, Url};

use super::issuer::Issuer;
use super::provider::ProviderName;
use super::resource::{ProtectedResource, ResourceDocument, ResourceUri};

/// The path that RFC 9728 §3 puts in front of a resource's own path.
pub const PROTECTED_RESOURCE_METADATA: &str = "/.well-known/oauth-protected-resource";

/// The loopback spellings people type; with a loopback base URL they are one resource.
const LOOPBACK_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// An endpoint whose address this server publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishedEndpoint {
    /// RFC 6749 §3.1.
    Authorization,
    /// RFC 6749 §3.2.
    Token,
    /// RFC 7591 §3.
    Registration,
    /// The JWK set of RFC 7517.
    Jwks,
    /// RFC 7009 §2.
    Revocation,
    /// RFC 7662 §2.
    Introspection,
    /// OpenID Connect Core §5.3.
    Userinfo,
    /// The page that documents this API.
    Docs,
}

impl PublishedEndpoint {
    /// The path below the base URL.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Authorization => "/authorize",
            Self::Token => "/token",
            Self::Registration => "/register",
            Self::Jwks => "/.well-known/jwks.json",
            Self::Revocation => "/revoke",
            Self::Introspection => "/introspect",
            Self::Userinfo => "/userinfo",
            Self::Docs => "/docs",
        }
    }
}

/// Why a base URL or an issuer can't be published.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidAddress {
    /// Not an absolute http(s) URL.
    #[error("{0:?} is not an absolute http:// or https:// URL")]
    NotHttp(String),
    /// Has a query, a fragment or a user, who may have a password: only the origin is repeated.
    #[error("a query, a fragment or a user part can't be published with {0:?}")]
    NotBare(String),
    /// Plain http to a host that is not this machine (OAuth 2.1 §1.5).
    #[error("{0:?} is plain http and not loopback: bearer tokens would travel unencrypted")]
    PlainHttp(String),
    /// An issuer that this server could not answer for.
    #[error(
        "issuer {issuer:?} is not below base_url {base:?}, so this server can't serve its metadata"
    )]
    ForeignIssuer {
        /// The issuer as configured.
        issuer: String,
        /// The base URL.
        base: String,
    },
}

/// The public address, validated.
#[derive(Debug, Clone)]
pub struct PublicAddress {
    base: Url,
    issuer: Issuer,
    resource: Arc<ProtectedResource>,
}

impl PublicAddress {
    /// Validates `base_url`; the issuer is the base URL itself, without trailing slash.
    ///
    /// # Errors
    /// [`InvalidAddress`] says what is wrong with it.
    pub fn new(base_url: &str) -> Result<Self, InvalidAddress> {
        let base = parse_base(base_url)?;
        let issuer = Issuer::new(trimmed(&base));
        let resource = Arc::new(resource_of(&base, None));
        Ok(Self { base, issuer, resource })
    }

    /// The same address with an issuer identifier spelled by the operator: the base URL with or
    /// without a trailing slash.
    ///
    /// # Errors
    /// [`InvalidAddress::ForeignIssuer`] when this server could not serve its metadata.
    pub fn with_issuer(mut self, issuer: &str) -> Result<Self, InvalidAddress> {
        if issuer.strip_suffix('/').unwrap_or(issuer) != trimmed(&self.base) {
            return Err(InvalidAddress::ForeignIssuer {
                issuer: issuer.to_owned(),
                base: trimmed(&self.base).to_owned(),
            });
        }
        self.issuer = Issuer::new(issuer);
        Ok(self)
    }

    /// The same address, whose resource is also named by `audience` in `aud` claims.
    #[must_use]
    pub fn with_audience(mut self, audience: &str) -> Self {
        self.resource = Arc::new(resource_of(&self.base, Some(audience)));
        self
    }

    /// The issuer identifier of the local authorization server.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The protected resource.
    #[must_use]
    pub fn resource(&self) -> &Arc<ProtectedResource> {
        &self.resource
    }

    /// The path of the base URL, without trailing slash; empty when it is an origin.
    #[must_use]
    pub fn base_path(&self) -> &str {
        self.base.path().trim_end_matches('/')
    }

    /// The base URL without trailing slash.
    #[must_use]
    pub fn base_url(&self) -> &str {
        trimmed(&self.base)
    }

    /// The origin of the base URL, as a browser spells it.
    #[must_use]
    pub fn origin(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    /// Whether only this machine can reach the base URL.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.base)
    }

    /// Whether the base URL is https, so that cookies may be `Secure`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.base.scheme() == "https"
    }

    /// Every spelling of the address: one, and with a loopback base URL those people type for it.
    #[must_use]
    pub fn spellings(&self) -> Vec<AskedAddress> {
        base_spellings(&self.base).into_iter().map(|base| AskedAddress { base }).collect()
    }

    /// The address of an endpoint.
    #[must_use]
    pub fn endpoint(&self, endpoint: PublishedEndpoint) -> String {
        format!("{}{}", trimmed(&self.base), endpoint.path())
    }

    /// Where a provider sends people back to; the address to register there.
    #[must_use]
    pub fn callback(&self, provider: &ProviderName) -> String {
        format!("{}/callback/{provider}", trimmed(&self.base))
    }

    /// The address as a caller spells it: with a loopback base URL, a loopback `host` header of the
    /// same port replaces the host; anything else leaves the configured address.
    #[must_use]
    pub fn as_asked(&self, host: Option<&str>) -> AskedAddress {
        let alias = host.filter(|_| self.is_loopback()).and_then(|host| {
            let asked = Url::parse(&format!("{}://{host}/", self.base.scheme())).ok()?;
            let known = asked.host_str().is_some_and(|host| LOOPBACK_HOSTS.contains(&host))
                && asked.port_or_known_default() == self.base.port_or_known_default();
            let mut base = self.base.clone();
            (known && base.set_host(asked.host_str()).is_ok()).then_some(base)
        });
        AskedAddress { base: alias.unwrap_or_else(|| self.base.clone()) }
    }
}

/// The public address in the spelling of one caller.
#[derive(Debug, Clone)]
pub struct AskedAddress {
    base: Url,
}

impl AskedAddress {
    /// The base URL without trailing slash.
    #[must_use]
    pub fn base_url(&self) -> &str {
        trimmed(&self.base)
    }

    /// The resource a document describes; `trailing_slash` keeps the caller's `…/mcp/`.
    #[must_use]
    pub fn resource(&self, document: ResourceDocument, trailing_slash: bool) -> String {
        let slash = if trailing_slash && document != ResourceDocument::Base { "/" } else { "" };
        format!("{}{}{slash}", trimmed(&self.base), document.path())
    }

    /// Where a document of the resource is served (RFC 9728 §3.1: before the resource's path).
    #[must_use]
    pub fn resource_metadata(&self, document: ResourceDocument) -> String {
        let path = self.base.path().trim_end_matches('/');
        let origin = self.base.origin().ascii_serialization();
        format!("{origin}{PROTECTED_RESOURCE_METADATA}{path}{}", document.path())
    }
}

/// Whether `host` (the value of a Host header or an authority) names this machine.
#[must_use]
pub fn is_loopback_authority(host: &str) -> bool {
    let is_authority = !host.contains(['@', '/', '\\', '?', '#']);
    is_authority && Url::parse(&format!("http://{host}/")).is_ok_and(|url| is_loopback(&url))
}

/// Whether `origin` (the value of an Origin header) is a page served from this machine.
#[must_use]
pub fn is_loopback_origin(origin: &str) -> bool {
    Url::parse(origin)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && is_loopback(&url))
}

/// Whether a URL's host is `localhost`, in 127.0.0.0/8, or `::1`.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn parse_base(text: &str) -> Result<Url, InvalidAddress> {
    let url = Url::parse(text).map_err(|_| InvalidAddress::NotHttp(text.to_owned()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(InvalidAddress::NotHttp(text.to_owned()));
    }
    let bare = url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !bare {
        return Err(InvalidAddress::NotBare(url.origin().ascii_serialization()));
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(InvalidAddress::PlainHttp(text.to_owned()));
    }
    Ok(url)
}

fn trimmed(url: &Url) -> &str {
    url.as_str().trim_end_matches('/')
}

fn base_spellings(base: &Url) -> Vec<Url> {
    let hosts = LOOPBACK_HOSTS.iter().filter(|_| is_loopback(base));
    let aliases = hosts.filter_map(|host| {
        let mut alias = base.clone();
        alias.set_host(Some(host)).is_ok().then_some(alias)
    });
    let mut spellings: Vec<Url> = std::iter::once(base.clone()).chain(aliases).collect();
    spellings.sort();
    spellings.dedup();
    spellings
}

fn resource_of(base: &Url, audience: Option<&str>) -> ProtectedResource {
    let mut spellings = BTreeMap::new();
    for spelling in base_spellings(base) {
        for document in ResourceDocument::ALL {
            let name = format!("{}{}", trimmed(&spelling), document.path());
            spellings.insert(format!("{name}/"), document);
            spellings.insert(name, document);
        }
    }
    if let Some(audience) = audience {
        spellings.insert(audience.to_owned(), ResourceDocument::StreamableHttp);
    }
    let canonical = format!("{}{}", trimmed(base), ResourceDocument::StreamableHttp.path());
    ProtectedResource::new(ResourceUri::published(canonical), spellings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn md_12_plain_http_is_for_loopback_only() {
        assert!(PublicAddress::new("http://127.0.0.1:8000").is_ok());
        assert!(PublicAddress::new("https://mcp.example.com").is_ok());
        let refused = PublicAddress::new("http://mcp.example.com").unwrap_err();
        assert_eq!(refused, InvalidAddress::PlainHttp("http://mcp.example.com".into()));
    }

    #[test]
    fn an_address_with_a_query_or_a_user_is_refused() {
        for text in ["https://h/?a", "https://u:p@h/", "https://h/#f"] {
            let refused = PublicAddress::new(text).unwrap_err();
            assert_eq!(refused, InvalidAddress::NotBare("https://h".to_owned()));
        }
    }

    #[test]
    fn the_three_loopback_spellings_are_one_resource() {
        let address = PublicAddress::new("http://127.0.0.1:8000").unwrap();
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            for path in ["", "/", "/mcp", "/mcp/", "/mcp/sse"] {
                let name = format!("http://{host}:8000{path}");
                assert!(address.resource().is_named_by(&name), "{name}");
            }
        }
        assert!(!address.resource().is_named_by("http://localhost:8001/mcp"));
    }

    #[test]
    fn rs_25_only_a_loopback_host_of_the_same_port_changes_the_spelling() {
        let local = PublicAddress::new("http://127.0.0.1:8000").unwrap();
        assert_eq!(local.as_asked(Some("localhost:8000")).base_url(), "http://localhost:8000");
        assert_eq!(local.as_asked(Some("[::1]:8000")).base_url(), "http://[::1]:8000");
        for foreign in ["evil.example", "localhost:9", "127.0.0.1:8000@evil", "", "a b"] {
            assert_eq!(local.as_asked(Some(foreign)).base_url(), "http://127.0.0.1:8000");
        }
        let public = PublicAddress::new("https://mcp.example.com").unwrap();
        assert_eq!(public.as_asked(Some("localhost")).base_url(), "https://mcp.example.com");
    }

    #[test]
    fn rs_03_metadata_goes_before_the_path_of_the_base_url() {
        let address = PublicAddress::new("https://h/a/").unwrap().as_asked(None);
        assert_eq!(
            address.resource_metadata(ResourceDocument::StreamableHttp),
            "https://h/.well-known/oauth-protected-resource/a/mcp"
        );
        assert_eq!(address.resource(ResourceDocument::StreamableHttp, false), "https://h/a/mcp");
    }

    #[test]
    fn an_issuer_elsewhere_is_refused() {
        let address = PublicAddress::new("https://h/a").unwrap();
        assert!(address.clone().with_issuer("https://h/a/").is_ok());
        assert!(address.with_issuer("https://other").is_err());
    }
}
