//! What calls are to remember between two rounds, encrypted: under the secret that encrypts signing keys
//! where there is one, so that every server that has it opens it; else under one of this process.

use std::fmt;
use std::sync::Arc;

use mcp_oauth_core::port::{Random, SealingFailed, StateSealer};
use secrecy::{ExposeSecret, SecretString};

use crate::cipher::RotatedCipher;
use crate::key_sealer::SealError;

/// What the encryption key is for.
const PURPOSE: &str = "mcp-oauth-server state of calls";

/// Seals states under one secret, and opens those that were sealed under it or under the one before.
pub struct CallStateSealer(RotatedCipher);

impl CallStateSealer {
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

    /// Seals under a secret that nobody else has and that ends with the process.
    ///
    /// # Errors
    /// [`SealError::NotSealed`] when no key can be made.
    pub fn of_this_process(random: Arc<dyn Random>) -> Result<Self, SealError> {
        let secret = mcp_oauth_core::domain::secret::base64url(&random.entropy());
        Self::new(&secret.into(), None, random)
    }
}

impl StateSealer for CallStateSealer {
    fn seal(&self, about: &[u8], state: &[u8]) -> Result<Vec<u8>, SealingFailed> {
        let sealed = self.0.seal(about, &state.to_vec().into());
        sealed.map_err(|_| SealingFailed("it could not be encrypted"))
    }

    fn open(&self, about: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let opened = self.0.open(about, sealed)?;
        Some(opened.expose_secret().to_vec())
    }
}

impl fmt::Debug for CallStateSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallStateSealer").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use mcp_oauth_core::port::MockRandom;

    use super::*;

    fn random() -> Arc<MockRandom> {
        let (mut random, drawn) = (MockRandom::new(), AtomicU8::new(0));
        random.expect_entropy().returning(move || [drawn.fetch_add(1, Ordering::Relaxed); 32]);
        Arc::new(random)
    }

    fn sealer(secret: &str, previous: Option<&str>) -> CallStateSealer {
        let previous = previous.map(SecretString::from);
        CallStateSealer::new(&secret.into(), previous.as_ref(), random()).unwrap()
    }

    const OLD: &str = "an old secret of more than 32 characters";
    const NEW: &str = "a newer secret of more than 32 characters";

    #[test]
    fn a_state_opens_about_the_same_thing_only_and_unchanged_only() {
        let sealer = sealer(OLD, None);
        let sealed = sealer.seal(b"one", b"state").unwrap();
        assert_eq!(sealer.open(b"one", &sealed), Some(b"state".to_vec()));
        assert_eq!(sealer.open(b"other", &sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(sealer.open(b"one", &changed), None, "{at}");
        }
        assert_eq!(sealer.open(b"one", b""), None);
        assert_ne!(sealed, sealer.seal(b"one", b"state").unwrap());
    }

    #[test]
    fn servers_with_one_secret_open_each_others_and_a_replaced_secret_still_opens() {
        let sealed = sealer(OLD, None).seal(b"one", b"state").unwrap();
        assert!(sealer(OLD, None).open(b"one", &sealed).is_some());
        assert!(sealer(NEW, Some(OLD)).open(b"one", &sealed).is_some());
        assert_eq!(sealer(NEW, None).open(b"one", &sealed), None);
        let alone = CallStateSealer::of_this_process(random()).unwrap();
        assert_eq!(alone.open(b"one", &sealed), None);
    }
}
