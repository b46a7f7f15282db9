//! Redirect addresses: which may be registered, and which registered one a request names.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use url::Url;

use super::public_address::is_loopback;

/// The longest redirect address taken, in bytes.
pub const LONGEST_REDIRECT_URI: usize = 2048;

/// Schemes that browsers execute or that read this machine's files: never a redirect target.
const DANGEROUS_SCHEMES: [&str; 9] =
    ["javascript", "data", "file", "vbscript", "blob", "about", "view-source", "ws", "wss"];

/// Schemes of installed MCP clients that have no dot, in spite of RFC 8252 §7.1.
const KNOWN_PRIVATE_SCHEMES: [&str; 10] = [
    "cursor",
    "vscode",
    "vscode-insiders",
    "vscodium",
    "windsurf",
    "claude",
    "zed",
    "raycast",
    "goose",
    "warp",
];

/// What an answer appends, each once (RFC 6749 §4.1.2, RFC 9207 §2).
const ANSWER_PARAMETERS: [&str; 4] = ["code", "state", "iss", "error"];

/// A redirect address that may be registered, kept byte for byte (RFC 6749 §3.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedirectUri(String);

/// Why an address can't be redirected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidRedirectUri {
    /// Not an absolute URI.
    #[error("is not an absolute URI")]
    NotAbsolute,
    /// Longer than [`LONGEST_REDIRECT_URI`].
    #[error("is longer than {LONGEST_REDIRECT_URI} bytes")]
    TooLong,
    /// Has characters that belong percent-encoded (RFC 3986 §2).
    #[error("has characters that belong percent-encoded (RFC 3986 §2)")]
    NotAscii,
    /// Has a fragment (RFC 6749 §3.1.2).
    #[error("has a fragment")]
    Fragment,
    /// Has a user part, which hides the real host from a reader.
    #[error("has a user part")]
    UserPart,
    /// A browser would make another address of it, e.g. one without `//` a path of this server.
    #[error("is not spelled as scheme://host/path")]
    Ambiguous,
    /// Has a parameter that the answer will have too (RFC 6749 §4.1.2).
    #[error("has a query parameter of the answer: code, state, iss or error")]
    AnswerParameter,
    /// Plain http to another machine (RFC 9700 §2.6).
    #[error("is plain http to a host that is not loopback; use https")]
    PlainHttp,
    /// A scheme that is executed or reads files.
    #[error("has a scheme that is never a redirect target")]
    DangerousScheme,
    /// A private-use scheme nobody owns (RFC 8252 §7.1).
    #[error("has a private-use scheme without a dot; use a reversed domain name (RFC 8252 §7.1)")]
    UnownedScheme,
}

impl RedirectUri {
    /// Parses an address for registration.
    ///
    /// # Errors
    /// [`InvalidRedirectUri`] names the rule it breaks.
    pub fn parse(text: &str) -> Result<Self, InvalidRedirectUri> {
        if text.len() > LONGEST_REDIRECT_URI {
            return Err(InvalidRedirectUri::TooLong);
        }
        if !text.bytes().all(may_stand_in_a_uri) {
            return Err(InvalidRedirectUri::NotAscii);
        }
        let url = Url::parse(text).map_err(|_| InvalidRedirectUri::NotAbsolute)?;
        check_authority(&url, text)?;
        if url.fragment().is_some() {
            return Err(InvalidRedirectUri::Fragment);
        }
        check_scheme(&url)?;
        if url.query_pairs().any(|(name, _)| ANSWER_PARAMETERS.contains(&name.as_ref())) {
            return Err(InvalidRedirectUri::AnswerParameter);
        }
        Ok(Self(text.to_owned()))
    }

    /// The address as it was spelled.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it leads to a program on the person's own machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| is_http(&url) && is_loopback(&url))
    }

    /// Whether it leads to a web site: neither to this machine nor to a private scheme, where any
    /// program may wait in place of the right one (RFC 8252 §8.6).
    #[must_use]
    pub fn is_web(&self) -> bool {
        self.0.starts_with("https://") && !self.is_loopback()
    }

    /// Whether this registered address permits a redirect to `requested`: the same bytes, or, for a
    /// loopback address, the same bytes apart from the port (RFC 8252 §7.3). `localhost` and the
    /// loopback IPs are not interchangeable.
    #[must_use]
    pub fn permits(&self, requested: &Self) -> bool {
        if self == requested {
            return true;
        }
        match (loopback_without_port(self), loopback_without_port(requested)) {
            (Some(registered), Some(requested)) => registered == requested,
            _ => false,
        }
    }

    /// The address with `parameters` appended to whatever query it has.
    #[must_use]
    pub fn with_parameters(&self, parameters: &[(&str, &str)]) -> String {
        let mut encoded = url::form_urlencoded::Serializer::new(String::new());
        encoded.extend_pairs(parameters);
        let encoded = encoded.finish();
        let joint = match self.0.find('?') {
            None => "?",
            Some(at) if at + 1 == self.0.len() || self.0.ends_with('&') => "",
            Some(_) => "&",
        };
        format!("{}{joint}{encoded}", self.0)
    }
}

impl TryFrom<String> for RedirectUri {
    type Error = InvalidRedirectUri;

    fn try_from(text: String) -> Result<Self, InvalidRedirectUri> {
        Self::parse(&text)
    }
}

impl From<RedirectUri> for String {
    fn from(uri: RedirectUri) -> Self {
        uri.0
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The unreserved, reserved and percent characters of RFC 3986 §2.
fn may_stand_in_a_uri(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{'..=b'}')
}

/// The bytes that are stored and compared have to name the host that was checked, for every parser:
/// browsers repair what is between the scheme and the path, each in its way.
fn check_authority(url: &Url, text: &str) -> Result<(), InvalidRedirectUri> {
    let spelled = text.split_once("://");
    let authority = spelled.map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
    if authority.is_some_and(|authority| authority.contains('@')) || !url.username().is_empty() {
        return Err(InvalidRedirectUri::UserPart);
    }
    if !is_http(url) {
        return Ok(());
    }
    let is_plain = |authority: &str| !authority.is_empty() && !authority.contains('%');
    match spelled {
        Some((scheme, _)) if scheme == url.scheme() && authority.is_some_and(is_plain) => Ok(()),
        _ => Err(InvalidRedirectUri::Ambiguous),
    }
}

fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

fn check_scheme(url: &Url) -> Result<(), InvalidRedirectUri> {
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        "http" => Err(InvalidRedirectUri::PlainHttp),
        scheme if DANGEROUS_SCHEMES.contains(&scheme) => Err(InvalidRedirectUri::DangerousScheme),
        scheme if scheme.contains('.') || KNOWN_PRIVATE_SCHEMES.contains(&scheme) => Ok(()),
        _ => Err(InvalidRedirectUri::UnownedScheme),
    }
}

/// The spelling of a plain-http loopback address with its port cut out; `None` for any other.
fn loopback_without_port(uri: &RedirectUri) -> Option<String> {
    let rest = uri.0.strip_prefix("http://")?;
    let url = Url::parse(&uri.0).ok().filter(is_loopback)?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') => &authority[..colon],
        _ => authority,
    };
    // What a person may mistake for loopback must really be spelled so.
    (Some(host) == url.host_str()).then(|| format!("{host}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> RedirectUri {
        RedirectUri::parse(text).unwrap()
    }

    #[test]
    fn az_03_a_trailing_slash_is_another_address() {
        assert!(!uri("https://c.example/cb").permits(&uri("https://c.example/cb/")));
        assert!(!uri("https://c.example/cb").permits(&uri("https://c.example/cb?x=1")));
        assert!(!uri("https://c.example/cb").permits(&uri("https://c.example:8443/cb")));
    }

    #[test]
    fn az_04_loopback_addresses_may_use_any_port() {
        assert!(uri("http://127.0.0.1/cb").permits(&uri("http://127.0.0.1:49567/cb")));
        assert!(uri("http://[::1]:1/cb").permits(&uri("http://[::1]:2/cb")));
        assert!(!uri("http://127.0.0.1/cb").permits(&uri("http://127.0.0.1:1/other")));
        assert!(!uri("http://127.0.0.1/cb").permits(&uri("http://127.0.0.1:1/cb?x")));
        assert!(!uri("https://127.0.0.1/cb").permits(&uri("https://127.0.0.1:1/cb")));
    }

    #[test]
    fn az_05_localhost_may_use_any_port_but_is_not_its_ip() {
        assert!(uri("http://localhost/callback").permits(&uri("http://localhost:3118/callback")));
        assert!(!uri("http://localhost/cb").permits(&uri("http://127.0.0.1/cb")));
        assert!(!uri("http://127.0.0.1/cb").permits(&uri("http://127.0.0.2/cb")));
    }

    #[test]
    fn az_06_plain_http_to_another_machine_is_refused() {
        assert_eq!(RedirectUri::parse("http://evil/cb"), Err(InvalidRedirectUri::PlainHttp));
        assert_eq!(
            RedirectUri::parse("http://localhost.evil.example/cb"),
            Err(InvalidRedirectUri::PlainHttp)
        );
    }

    #[test]
    fn az_07_schemes_are_owned_or_known() {
        assert!(RedirectUri::parse("com.example.app:/cb").is_ok());
        assert!(RedirectUri::parse("cursor://anysphere.cursor-mcp/oauth/callback").is_ok());
        assert_eq!(RedirectUri::parse("myapp://cb"), Err(InvalidRedirectUri::UnownedScheme));
        for text in
            ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "JavaScript:x"]
        {
            assert_eq!(
                RedirectUri::parse(text),
                Err(InvalidRedirectUri::DangerousScheme),
                "{text}"
            );
        }
        assert_eq!(RedirectUri::parse("https://c.example/#f"), Err(InvalidRedirectUri::Fragment));
    }

    #[test]
    fn an_address_that_hides_its_host_is_refused() {
        assert_eq!(
            RedirectUri::parse("https://good.example@evil.example/"),
            Err(InvalidRedirectUri::UserPart)
        );
        assert_eq!(
            RedirectUri::parse("https://c.example/\u{202e}"),
            Err(InvalidRedirectUri::NotAscii)
        );
        assert_eq!(RedirectUri::parse("https://c.example/a b"), Err(InvalidRedirectUri::NotAscii));
        assert_eq!(RedirectUri::parse("https://@c.example/"), Err(InvalidRedirectUri::UserPart));
        assert_eq!(RedirectUri::parse("com.example://@"), Err(InvalidRedirectUri::UserPart));
    }

    #[test]
    fn an_address_that_browsers_read_otherwise_is_refused() {
        for text in ["https:evil.example/cb", "https:/docs", "http:localhost/cb", "HTTPS://h/cb"] {
            assert_eq!(RedirectUri::parse(text), Err(InvalidRedirectUri::Ambiguous), "{text}");
        }
        for text in ["https://evil.example\\@good.example/", "https://h/{x}", "https://h/`"] {
            assert_eq!(RedirectUri::parse(text), Err(InvalidRedirectUri::NotAscii), "{text}");
        }
    }

    #[test]
    fn az_11_a_parameter_of_the_answer_can_not_be_registered() {
        for text in ["https://h/cb?code=1", "https://h/cb?a=1&%73tate=2", "http://localhost/?iss"] {
            assert_eq!(
                RedirectUri::parse(text),
                Err(InvalidRedirectUri::AnswerParameter),
                "{text}"
            );
        }
    }

    #[test]
    fn az_11_an_existing_query_is_kept() {
        let parameters = [("code", "a b"), ("iss", "https://h")];
        assert_eq!(
            uri("https://c.example/cb?x=1").with_parameters(&parameters),
            "https://c.example/cb?x=1&code=a+b&iss=https%3A%2F%2Fh"
        );
        assert!(uri("https://c.example/cb").with_parameters(&parameters).contains("/cb?code="));
        assert!(uri("https://c.example/cb?").with_parameters(&parameters).contains("/cb?code="));
    }
}
