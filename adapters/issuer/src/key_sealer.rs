//! Private keys at rest: encrypted under a secret of the operator, or plain without one.

use std::fmt;

use mcp_oauth_core::port::{Random, StoredKey};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use thiserror::Error;

use crate::cipher::Cipher;

/// The fewest characters of an encryption secret.
pub const SHORTEST_SECRET: usize = 32;

/// Begins a sealed key; DER begins with another byte.
const SEALED: &[u8] = b"sealed1\0";

/// What the encryption key is for.
const PURPOSE: &str = "mcp-oauth-server signing keys";

/// Seals keys under one secret, and opens those that were sealed under it, under the secret before
/// it, or not at all.
#[derive(Default)]
pub struct KeySealer {
    current: Option<Cipher>,
    previous: Option<Cipher>,
}

/// Why a stored key can't be opened. The texts never quote the key or a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SealError {
    /// The secret has too few characters to be one.
    #[error("an encryption secret has at least {SHORTEST_SECRET} characters")]
    ShortSecret,
    /// It is sealed, and there is no secret.
    #[error("the stored signing keys are encrypted, and no encryption secret is set")]
    NoSecret,
    /// It is sealed under another secret, or damaged.
    #[error("the stored signing keys are encrypted under another secret, or damaged")]
    WrongSecret,
    /// The cryptographic library failed.
    #[error("nothing could be encrypted")]
    NotSealed,
}

/// A key that was opened.
pub(crate) struct OpenedKey {
    /// PKCS#8, DER.
    pub(crate) pkcs8: SecretSlice<u8>,
    /// Whether it should be sealed anew, under the current secret.
    pub(crate) is_outdated: bool,
}

impl KeySealer {
    /// Seals under `current`; also opens what was sealed under `previous`. Without a secret keys
    /// are stored as they are.
    ///
    /// # Errors
    /// [`SealError::ShortSecret`].
    pub fn new(
        current: Option<&SecretString>,
        previous: Option<&SecretString>,
    ) -> Result<Self, SealError> {
        let cipher = |secret: &SecretString| Cipher::new(secret, PURPOSE);
        Ok(Self {
            current: current.map(cipher).transpose()?,
            previous: previous.map(cipher).transpose()?,
        })
    }

    /// The key as it is to be stored.
    pub(crate) fn seal(
        &self,
        key_id: &str,
        pkcs8: &SecretSlice<u8>,
        random: &dyn Random,
    ) -> Result<SecretSlice<u8>, SealError> {
        match &self.current {
            None => Ok(pkcs8.clone()),
            // The id goes along, so that no sealed key passes for another.
            Some(cipher) => {
                let sealed = cipher.seal(key_id.as_bytes(), pkcs8, random)?;
                Ok([SEALED, &sealed].concat().into())
            }
        }
    }

    /// The key behind what was stored.
    pub(crate) fn open(&self, stored: &StoredKey) -> Result<OpenedKey, SealError> {
        let Some(sealed) = stored.private_key.expose_secret().strip_prefix(SEALED) else {
            let is_outdated = self.current.is_some();
            return Ok(OpenedKey { pkcs8: stored.private_key.clone(), is_outdated });
        };
        let under = |cipher: &Option<Cipher>| {
            cipher.as_ref().and_then(|cipher| cipher.open(stored.key_id.as_bytes(), sealed))
        };
        if let Some(pkcs8) = under(&self.current) {
            return Ok(OpenedKey { pkcs8, is_outdated: false });
        }
        if let Some(pkcs8) = under(&self.previous) {
            return Ok(OpenedKey { pkcs8, is_outdated: true });
        }
        let has_secret = self.current.is_some() || self.previous.is_some();
        Err(if has_secret { SealError::WrongSecret } else { SealError::NoSecret })
    }
}

impl fmt::Debug for KeySealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySealer")
            .field("encrypts", &self.current.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use mcp_oauth_core::domain::timestamp::Timestamp;
    use mcp_oauth_core::port::MockRandom;

    use super::*;

    const DER: &[u8] = b"\x30the private key";

    fn secret(character: char) -> SecretString {
        character.to_string().repeat(SHORTEST_SECRET).into()
    }

    fn sealer(current: Option<char>, previous: Option<char>) -> KeySealer {
        let [current, previous] = [current, previous].map(|it| it.map(secret));
        KeySealer::new(current.as_ref(), previous.as_ref()).unwrap()
    }

    fn sealed_by(sealer: &KeySealer, key_id: &str) -> StoredKey {
        let mut random = MockRandom::new();
        random.expect_entropy().returning(|| [7; 32]);
        let private_key = sealer.seal(key_id, &DER.to_vec().into(), &random).unwrap();
        let created_at = Timestamp::from_unix(0);
        StoredKey { key_id: key_id.to_owned(), private_key, created_at }
    }

    fn opened(sealer: &KeySealer, stored: &StoredKey) -> Result<(Vec<u8>, bool), SealError> {
        let opened = sealer.open(stored)?;
        Ok((opened.pkcs8.expose_secret().to_vec(), opened.is_outdated))
    }

    #[test]
    fn a_sealed_key_shows_nothing_and_opens_again() {
        let sealer = sealer(Some('a'), None);
        let stored = sealed_by(&sealer, "k");
        let bytes = stored.private_key.expose_secret();
        assert!(!bytes.windows(DER.len()).any(|window| window == DER));
        assert_eq!(opened(&sealer, &stored), Ok((DER.to_vec(), false)));
    }

    #[test]
    fn without_a_secret_a_key_is_stored_as_it_is_until_there_is_one() {
        let stored = sealed_by(&sealer(None, None), "k");
        assert_eq!(stored.private_key.expose_secret(), DER);
        assert_eq!(opened(&sealer(Some('a'), None), &stored), Ok((DER.to_vec(), true)));
    }

    #[test]
    fn the_secret_before_still_opens() {
        let stored = sealed_by(&sealer(Some('a'), None), "k");
        assert_eq!(opened(&sealer(Some('b'), Some('a')), &stored), Ok((DER.to_vec(), true)));
        assert_eq!(opened(&sealer(None, Some('a')), &stored), Ok((DER.to_vec(), true)));
    }

    #[test]
    fn a_missing_and_a_wrong_secret_are_told_apart() {
        let stored = sealed_by(&sealer(Some('a'), None), "k");
        assert_eq!(opened(&sealer(None, None), &stored), Err(SealError::NoSecret));
        assert_eq!(opened(&sealer(Some('b'), None), &stored), Err(SealError::WrongSecret));
    }

    #[test]
    fn a_sealed_key_does_not_pass_for_another_or_for_a_damaged_one() {
        let sealer = sealer(Some('a'), None);
        let renamed = StoredKey { key_id: "other".to_owned(), ..sealed_by(&sealer, "k") };
        assert_eq!(opened(&sealer, &renamed), Err(SealError::WrongSecret));
        let mut stored = sealed_by(&sealer, "k");
        let bytes = stored.private_key.expose_secret();
        stored.private_key = bytes[..bytes.len() - 1].to_vec().into();
        assert_eq!(opened(&sealer, &stored), Err(SealError::WrongSecret));
    }

    #[test]
    fn a_short_secret_is_refused_and_none_is_printed() {
        let short = KeySealer::new(Some(&"short".into()), None);
        assert_eq!(short.err(), Some(SealError::ShortSecret));
        assert!(!format!("{:?}", sealer(Some('a'), None)).contains("aaa"));
    }
}
