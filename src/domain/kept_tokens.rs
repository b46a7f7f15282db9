//! Tokens of a provider that are kept for tools, sealed, for as long as the grant they came with.

use std::fmt;
use std::time::Duration;

use super::grant::GrantId;
use super::provider::ProviderName;
use super::timestamp::Timestamp;

/// How long before its end an access token of a provider is replaced, so that a tool has the time to
/// use it.
pub const REFRESH_AHEAD: Duration = Duration::from_secs(60);

/// The tokens of one grant as they are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptTokens {
    /// The grant they came with, and end with.
    pub grant: GrantId,
    /// Whose they are.
    pub provider: ProviderName,
    /// The tokens themselves.
    pub sealed: SealedTokens,
    /// When the access token ends, if the provider says it.
    pub access_expires_at: Option<Timestamp>,
}

impl KeptTokens {
    /// Whether the access token has ended, or is about to.
    #[must_use]
    pub fn end_soon(&self, now: Timestamp) -> bool {
        self.access_expires_at.is_some_and(|end| end <= now.after(REFRESH_AHEAD))
    }
}

/// Encrypted tokens, of which no two are the same bytes, even for the same tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedTokens(Vec<u8>);

impl SealedTokens {
    /// What a sealer made, or a store kept.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SealedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedTokens({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(access_expires_at: Option<i64>) -> KeptTokens {
        KeptTokens {
            grant: GrantId::new("grant"),
            provider: ProviderName::parse("provider").unwrap(),
            sealed: SealedTokens::new(b"sealed".to_vec()),
            access_expires_at: access_expires_at.map(Timestamp::from_unix),
        }
    }

    #[test]
    fn up_08_a_token_is_replaced_a_minute_before_its_end() {
        let now = Timestamp::from_unix(1000);
        for (end, soon) in [(999, true), (1060, true), (1061, false)] {
            assert_eq!(ending(Some(end)).end_soon(now), soon, "{end}");
        }
        assert!(!ending(None).end_soon(now), "nobody knows when, so it is used until it fails");
    }

    #[test]
    fn up_07_sealed_tokens_are_not_printed() {
        assert!(!format!("{:?}", ending(None)).contains("115, 101"));
    }
}
