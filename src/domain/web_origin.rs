//! Which web pages may talk to the protected resource (MCP transports, security warning on Origin).

use super::public_address::{PublicAddress, is_loopback_authority, is_loopback_origin};

/// Decides on the Origin and Host headers of requests.
#[derive(Debug, Clone)]
pub struct OriginPolicy {
    own: String,
    loopback_only: bool,
    hosts: Vec<String>,
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
            hosts: Vec::new(),
            any: allowed.iter().any(|origin| origin == "*"),
            allowed,
        }
    }

    /// The same with more hosts that requests may name, spelled like `mcp.internal` (with any port) or
    /// `mcp.internal:8000`. With a base URL that is not loopback, requests may then name these, that of
    /// the base URL and loopback ones, and no others.
    #[must_use]
    pub fn with_hosts(self, hosts: Vec<String>) -> Self {
        Self { hosts, ..self }
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
        let any = !self.loopback_only && self.hosts.is_empty();
        any || is_loopback_authority(host) || self.is_own(host) || self.is_listed(host)
    }

    fn is_own(&self, host: &str) -> bool {
        let own = self.own.split_once("://").map_or("", |(_, own)| own);
        host.eq_ignore_ascii_case(own)
    }

    fn is_listed(&self, host: &str) -> bool {
        let name = host.rsplit_once(':').filter(|(_, port)| is_port(port)).map(|(name, _)| name);
        self.hosts.iter().any(|listed| {
            host.eq_ignore_ascii_case(listed)
                || name.is_some_and(|name| name.eq_ignore_ascii_case(listed))
        })
    }
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
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

    #[test]
    fn hosts_of_the_operator_are_permitted_and_close_a_public_server_to_others() {
        let hosts =
            || vec!["mcp.internal".to_owned(), "proxy:8443".to_owned(), "[fd00::1]".to_owned()];
        let local = policy("http://localhost:8000", &[]).with_hosts(hosts());
        let public = policy("https://mcp.example.com", &[]).with_hosts(hosts());
        for policy in [&local, &public] {
            for host in
                ["mcp.internal", "MCP.internal:9", "proxy:8443", "[fd00::1]:1", "localhost:8000"]
            {
                assert!(policy.permits_host(host), "{host}");
            }
            for host in [
                "evil.example",
                "proxy",
                "proxy:8444",
                "x.mcp.internal",
                "mcp.internal:x",
                "mcp.internal@evil.example",
                "",
            ] {
                assert!(!policy.permits_host(host), "{host}");
            }
        }
        assert!(public.permits_host("mcp.example.com") && !local.permits_host("mcp.example.com"));
    }
}
