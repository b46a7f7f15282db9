//! Which web pages may talk to the protected resource (MCP transports, security warning on Origin).

use super::public_address::{PublicAddress, is_loopback_authority, is_loopback_origin};

/// Decides on the Origin and Host headers of requests.
#[derive(Debug, Clone)]
pub struct OriginPolicy {
    own: String,
    loopback_only: bool,
    allowed: Vec<String>,
    any: bool,
}

impl OriginPolicy {
    /// Pages of this server, pages on loopback, and those of `allowed` origins (spelled like
    /// `https://app.example.com`; `*` for all).
    #[must_use]
    pub fn new(address: &PublicAddress, allowed: Vec<String>) -> Self {
        Self {
            own: address.origin(),
            loopback_only: address.is_loopback(),
            any: allowed.iter().any(|origin| origin == "*"),
            allowed,
        }
    }

    /// Whether a page of that origin may send requests.
    #[must_use]
    pub fn permits_origin(&self, origin: &str) -> bool {
        self.any
            || origin == self.own
            || is_loopback_origin(origin)
            || self.allowed.iter().any(|allowed| allowed == origin)
    }

    /// Whether a request may name that host: with a loopback base URL, only loopback names, so that
    /// no web page can reach this server under a name of its own (DNS rebinding).
    #[must_use]
    pub fn permits_host(&self, host: &str) -> bool {
        !self.loopback_only || is_loopback_authority(host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(base: &str, allowed: &[&str]) -> OriginPolicy {
        let allowed = allowed.iter().map(|origin| (*origin).to_owned()).collect();
        OriginPolicy::new(&PublicAddress::new(base).unwrap(), allowed)
    }

    #[test]
    fn co_02_pages_elsewhere_are_let_in_only_when_allowed() {
        let strict = policy("https://mcp.example.com/a", &["https://app.example.com"]);
        assert!(strict.permits_origin("https://mcp.example.com"));
        assert!(strict.permits_origin("http://localhost:6274"));
        assert!(strict.permits_origin("https://app.example.com"));
        for origin in ["https://evil.example.com", "null", "https://localhost.evil.example", ""] {
            assert!(!strict.permits_origin(origin), "{origin}");
        }
        assert!(policy("https://h", &["*"]).permits_origin("https://evil.example.com"));
    }

    #[test]
    fn a_local_server_answers_to_loopback_names_only() {
        let local = policy("http://127.0.0.1:8000", &[]);
        assert!(local.permits_host("localhost:8000") && local.permits_host("[::1]:8000"));
        assert!(!local.permits_host("evil.example:8000"));
        assert!(policy("https://mcp.example.com", &[]).permits_host("backend:8000"));
    }
}
