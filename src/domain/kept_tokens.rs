//! Tokens of a provider that are kept for tools, sealed, for as long as the grant they came with.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::grant::GrantId;
use super::provider::ProviderName;
use super::provider_login::ProviderTokens;
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

/// What a tool gets of kept tokens: never the refresh token.
#[derive(Debug, Clone)]
pub struct ProviderAccessToken {
    /// Whose it is; it is for the interfaces of this provider alone.
    pub provider: ProviderName,
    /// The token.
    pub access_token: SecretString,
    /// When it ends, if the provider says it.
    pub expires_at: Option<Timestamp>,
}

/// Tokens as they are before they are sealed.
#[derive(Deserialize)]
struct Unsealed {
    access_token: SecretText,
    refresh_token: Option<SecretText>,
}

#[derive(Deserialize)]
#[serde(from = "String")]
struct SecretText(SecretString);

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl ProviderTokens {
    /// What is sealed: all but the end of the access token, which a store may know.
    #[must_use]
    pub fn to_unsealed(&self) -> SecretSlice<u8> {
        let refresh_token = self.refresh_token.as_ref().map(ExposeSecret::expose_secret);
        let access_token = self.access_token.expose_secret();
        let text = json!({ "access_token": access_token, "refresh_token": refresh_token });
        text.to_string().into_bytes().into()
    }

    /// What was sealed; `None` when it is something else.
    #[must_use]
    pub fn from_unsealed(text: &SecretSlice<u8>, expires_at: Option<Timestamp>) -> Option<Self> {
        let unsealed: Unsealed = serde_json::from_slice(text.expose_secret()).ok()?;
        Some(Self {
            access_token: unsealed.access_token.0,
            refresh_token: unsealed.refresh_token.map(|token| token.0),
            expires_at,
        })
    }

    /// Whether the access token has ended.
    #[must_use]
    pub fn have_ended(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// The part of them that is for tools.
    #[must_use]
    pub fn for_tools(self, provider: ProviderName) -> ProviderAccessToken {
        let Self { access_token, expires_at, .. } = self;
        ProviderAccessToken { provider, access_token, expires_at }
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
    fn up_07_tokens_are_the_same_after_they_were_sealed() {
        for refresh_token in [None, Some("refresh \"it\"")] {
            let tokens = ProviderTokens {
                access_token: "access".into(),
                refresh_token: refresh_token.map(SecretString::from),
                expires_at: Some(Timestamp::from_unix(7)),
            };
            let unsealed = tokens.to_unsealed();
            let again = ProviderTokens::from_unsealed(&unsealed, tokens.expires_at).unwrap();
            assert_eq!(again.access_token.expose_secret(), "access");
            assert_eq!(
                again.refresh_token.as_ref().map(ExposeSecret::expose_secret),
                refresh_token
            );
            assert_eq!(again.expires_at, tokens.expires_at);
        }
        let something_else = b"\x30\x82".to_vec().into();
        assert!(ProviderTokens::from_unsealed(&something_else, None).is_none());
    }

    #[test]
    fn up_07_sealed_tokens_are_not_printed() {
        assert!(!format!("{:?}", ending(None)).contains("115, 101"));
    }
}
