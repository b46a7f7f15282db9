//! Who may be asked.

use std::net::IpAddr;

use mcp_oauth_core::domain::special_address::is_special;
use url::{Host, Url};

/// How far requests reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Public addresses, on the port of https.
    Public,
    /// This machine too, on any port: for tests.
    LoopbackToo,
}

impl Reach {
    /// Why a URL is not asked, as far as its spelling shows. Addresses spelled out never meet a
    /// resolver, so they are judged here.
    pub(crate) fn objection(self, url: &Url) -> Option<String> {
        if url.scheme() != "https" {
            return Some("it is not https".to_owned());
        }
        if self == Self::Public && url.port().is_some_and(|port| port != 443) {
            return Some("its port is not 443".to_owned());
        }
        match url.host() {
            None => Some("it has no host".to_owned()),
            Some(Host::Domain(name)) => self.objection_to_name(name),
            Some(Host::Ipv4(address)) => self.objection_to_address(address.into()),
            Some(Host::Ipv6(address)) => self.objection_to_address(address.into()),
        }
    }

    /// These names mean this machine whatever a resolver says (RFC 6761 §6.3).
    fn objection_to_name(self, name: &str) -> Option<String> {
        let name = name.trim_end_matches('.');
        let is_local = name == "localhost" || name.ends_with(".localhost");
        (is_local && self == Self::Public).then(|| format!("{name} is this machine"))
    }

    /// Why an address is not asked.
    pub(crate) fn objection_to_address(self, address: IpAddr) -> Option<String> {
        let is_permitted =
            !is_special(address) || (self == Self::LoopbackToo && address.is_loopback());
        (!is_permitted).then(|| format!("{address} is of special use (RFC 6890)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(reach: Reach, url: &str) -> bool {
        reach.objection(&Url::parse(url).unwrap()).is_some()
    }

    #[test]
    fn ci_04_what_is_spelled_out_is_judged_before_it_is_asked() {
        for url in [
            "https://127.0.0.1/c",
            "https://127.1/c",
            "https://2130706433/c",
            "https://0x7f000001/c",
            "https://169.254.169.254/latest/meta-data",
            "https://10.0.0.1/c",
            "https://[::1]/c",
            "https://[::ffff:10.0.0.1]/c",
            "https://[64:ff9b::a00:1]/c",
            "https://[2002:a00:1::]/c",
            "https://localhost/c",
            "https://localhost./c",
            "https://a.localhost/c",
            "https://c.example:8443/c",
            "http://c.example/c",
        ] {
            assert!(objects(Reach::Public, url), "{url}");
        }
        for url in ["https://c.example/c", "https://c.example:443/c", "https://1.1.1.1/c"] {
            assert!(!objects(Reach::Public, url), "{url}");
        }
    }

    #[test]
    fn ci_04_for_tests_loopback_can_be_asked_and_nothing_else_more() {
        for url in ["https://127.0.0.1:1/c", "https://[::1]:1/c", "https://localhost:8443/c"] {
            assert!(!objects(Reach::LoopbackToo, url), "{url}");
        }
        for url in ["https://10.0.0.1/c", "https://[::ffff:127.0.0.1]/c", "http://127.0.0.1/c"] {
            assert!(objects(Reach::LoopbackToo, url), "{url}");
        }
    }
}
