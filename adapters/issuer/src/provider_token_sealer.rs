//! Kept tokens of providers at rest: always encrypted, under the secret that encrypts signing keys, but
//! not under the same key.

use std::fmt;
use std::sync::Arc;

use mcp_oauth_core::domain::grant::GrantId;
use mcp_oauth_core::domain::kept_tokens::SealedTokens;
use mcp_oauth_core::domain::provider::ProviderName;
use mcp_oauth_core::port::{Random, SealingFailed, TokenSealer};
use secrecy::{SecretSlice, SecretString};

use crate::cipher::RotatedCipher;
use crate::key_sealer::SealError;

/// What the encryption key is for.
const PURPOSE: &str = "mcp-oauth-server tokens of providers";

/// Seals tokens under one secret, and opens those that were sealed under it or under the one before.
pub struct ProviderTokenSealer(RotatedCipher);

impl ProviderTokenSealer {
    /// Seals under `current`; also opens what was sealed under `previous`.
    ///
    /// # Errors
    /// [`SealError::ShortSecret`].
    pub fn new(
        current: &SecretString,
        previous: Option<&SecretString>,
        random: Arc<dyn Random>,
    ) -> Result<Self, SealError> {
        RotatedCipher::new(current, previous, PURPOSE, random).map(Self)
    }
}

impl TokenSealer for ProviderTokenSealer {
    fn seal(
        &self,
        grant: &GrantId,
        provider: &ProviderName,
        tokens: &SecretSlice<u8>,
    ) -> Result<SealedTokens, SealingFailed> {
        let sealed = self.0.seal(&owner(grant, provider), tokens);
        sealed.map(SealedTokens::new).map_err(|_| SealingFailed("tokens could not be encrypted"))
    }

    fn open(
        &self,
        grant: &GrantId,
        provider: &ProviderName,
        sealed: &SealedTokens,
    ) -> Result<SecretSlice<u8>, SealingFailed> {
        let opened = self.0.open(&owner(grant, provider), sealed.as_bytes());
        opened.ok_or(SealingFailed("they are encrypted under another secret, or damaged"))
    }
}

impl fmt::Debug for ProviderTokenSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderTokenSealer").finish_non_exhaustive()
    }
}

/// Whose tokens they are. There is no zero in the name of a provider.
fn owner(grant: &GrantId, provider: &ProviderName) -> Vec<u8> {
    [provider.as_str().as_bytes(), b"\0", grant.as_str().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use mcp_oauth_core::domain::timestamp::Timestamp;
    use mcp_oauth_core::port::{MockRandom, StoredKey};
    use secrecy::ExposeSecret;

    use super::*;
    use crate::key_sealer::{KeySealer, SHORTEST_SECRET};

    const TOKENS: &[u8] = b"the tokens of somebody";

    fn random() -> MockRandom {
        let (mut random, drawn) = (MockRandom::new(), AtomicU8::new(0));
        random.expect_entropy().returning(move || [drawn.fetch_add(1, Ordering::Relaxed); 32]);
        random
    }

    fn secret(character: char) -> SecretString {
        character.to_string().repeat(SHORTEST_SECRET).into()
    }

    fn sealer(current: char, previous: Option<char>) -> ProviderTokenSealer {
        let previous = previous.map(secret);
        ProviderTokenSealer::new(&secret(current), previous.as_ref(), Arc::new(random())).unwrap()
    }

    fn work() -> ProviderName {
        ProviderName::parse("work").unwrap()
    }

    fn sealed_by(sealer: &ProviderTokenSealer) -> SealedTokens {
        sealer.seal(&GrantId::new("grant"), &work(), &TOKENS.to_vec().into()).unwrap()
    }

    fn opened(sealer: &ProviderTokenSealer, sealed: &SealedTokens) -> Option<Vec<u8>> {
        let opened = sealer.open(&GrantId::new("grant"), &work(), sealed).ok()?;
        Some(opened.expose_secret().to_vec())
    }

    #[test]
    fn up_07_sealed_tokens_show_nothing_differ_each_time_and_open_again() {
        let sealer = sealer('a', None);
        let (one, other) = (sealed_by(&sealer), sealed_by(&sealer));
        assert!(!one.as_bytes().windows(TOKENS.len()).any(|window| window == TOKENS));
        assert_ne!(one, other);
        assert_eq!(opened(&sealer, &one), Some(TOKENS.to_vec()));
        assert_eq!(opened(&sealer, &other), Some(TOKENS.to_vec()));
    }

    #[test]
    fn up_07_the_secret_can_be_replaced() {
        let before = sealed_by(&sealer('a', None));
        let rotated = sealer('b', Some('a'));
        assert_eq!(opened(&rotated, &before), Some(TOKENS.to_vec()));
        assert_eq!(opened(&sealer('b', None), &sealed_by(&rotated)), Some(TOKENS.to_vec()));
        assert_eq!(opened(&sealer('b', None), &before), None);
    }

    #[test]
    fn up_07_tokens_of_one_grant_or_provider_do_not_pass_for_those_of_another() {
        let sealer = sealer('a', None);
        let sealed = sealed_by(&sealer);
        let home = ProviderName::parse("home").unwrap();
        assert!(sealer.open(&GrantId::new("other"), &work(), &sealed).is_err());
        assert!(sealer.open(&GrantId::new("grant"), &home, &sealed).is_err());
        let bytes = sealed.as_bytes();
        for damaged in [&bytes[..bytes.len() - 1], &bytes[..3], &[]] {
            assert_eq!(opened(&sealer, &SealedTokens::new(damaged.to_vec())), None);
        }
    }

    #[test]
    fn up_07_a_sealed_signing_key_does_not_open_as_tokens() {
        let keys = KeySealer::new(Some(&secret('a')), None).unwrap();
        // The same bytes are authenticated along: what differs is what the key is for.
        let owner = String::from_utf8(owner(&GrantId::new("grant"), &work())).unwrap();
        let key = keys.seal(&owner, &TOKENS.to_vec().into(), &random()).unwrap();
        let bytes = key.expose_secret();
        let without_mark = SealedTokens::new(bytes[b"sealed1\0".len()..].to_vec());
        assert_eq!(opened(&sealer('a', None), &without_mark), None);
        let marked = [b"sealed1\0", sealed_by(&sealer('a', None)).as_bytes()].concat();
        let created_at = Timestamp::from_unix(0);
        let stored = StoredKey { key_id: owner, private_key: marked.into(), created_at };
        assert!(keys.open(&stored).is_err());
    }

    #[test]
    fn a_short_secret_is_refused_and_none_is_printed() {
        let short = ProviderTokenSealer::new(&"short".into(), None, Arc::new(random()));
        assert_eq!(short.err(), Some(SealError::ShortSecret));
        assert!(!format!("{:?}", sealer('a', None)).contains("aaa"));
    }
}
