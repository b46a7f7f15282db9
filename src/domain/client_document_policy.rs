//! Whose metadata documents this server reads.

use thiserror::Error;
use url::Url;

/// What the operator decided about client metadata documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientDocumentPolicy {
    /// Only registered clients are known.
    Off,
    /// Only documents of these domains are read.
    Listed(Vec<DomainPattern>),
    /// Documents of any domain are read.
    Open,
}

/// A domain, or with `*.` in front everything below one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainPattern {
    domain: String,
    below: bool,
}

/// A text that is no domain.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a domain")]
pub struct InvalidDomainPattern(pub String);

impl ClientDocumentPolicy {
    /// Whether anything may be fetched from `host`, as a URL parser spells it.
    #[must_use]
    pub fn permits(&self, host: &str) -> bool {
        match self {
            Self::Off => false,
            Self::Listed(patterns) => patterns.iter().any(|pattern| pattern.matches(host)),
            Self::Open => true,
        }
    }

    /// Whether there are documents at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        *self != Self::Off
    }
}

impl DomainPattern {
    /// Parses `example.com` or `*.example.com`; the second does not include the first.
    ///
    /// # Errors
    /// [`InvalidDomainPattern`], also for a port, a path or a scheme.
    pub fn parse(text: &str) -> Result<Self, InvalidDomainPattern> {
        let invalid = || InvalidDomainPattern(text.to_owned());
        let (below, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text),
        };
        let is_bare = !name.is_empty()
            && !name.ends_with('.')
            && !name.contains([':', '/', '\\', '@', '?', '#', '*']);
        let url = Url::parse(&format!("https://{name}/")).ok().filter(|_| is_bare);
        let url = url.ok_or_else(invalid)?;
        Ok(Self { domain: url.host_str().ok_or_else(invalid)?.to_owned(), below })
    }

    fn matches(&self, host: &str) -> bool {
        if !self.below {
            return host == self.domain;
        }
        let label = host.strip_suffix(&self.domain).and_then(|rest| rest.strip_suffix('.'));
        label.is_some_and(|label| !label.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(patterns: &[&str]) -> ClientDocumentPolicy {
        let parse = |text: &&str| DomainPattern::parse(text).unwrap();
        ClientDocumentPolicy::Listed(patterns.iter().map(parse).collect())
    }

    #[test]
    fn ci_13_a_list_permits_what_is_on_it_and_nothing_else() {
        let policy = listed(&["claude.ai", "*.example.com", "Bücher.example"]);
        for host in ["claude.ai", "a.example.com", "a.b.example.com", "xn--bcher-kva.example"] {
            assert!(policy.permits(host), "{host}");
        }
        for host in [
            "example.com",
            "evilexample.com",
            "a.example.com.evil.example",
            "claude.ai.evil.example",
            "www.claude.ai",
            ".example.com",
            "",
        ] {
            assert!(!policy.permits(host), "{host}");
        }
    }

    #[test]
    fn ci_13_open_permits_everything_and_off_nothing() {
        assert!(ClientDocumentPolicy::Open.permits("c.example"));
        assert!(!ClientDocumentPolicy::Off.permits("c.example"));
        assert!(!listed(&[]).permits("c.example"));
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        for text in [
            "",
            "*",
            "*.",
            "https://c.example",
            "c.example/x",
            "c.example:443",
            "a.*.b",
            "c.example.",
        ] {
            assert_eq!(DomainPattern::parse(text), Err(InvalidDomainPattern(text.to_owned())));
        }
    }
}
