use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use mcp_oauth_core::port::Random;
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use crate::key_sealer::{SHORTEST_SECRET, SealError};

const NONCE_BYTES: usize = 12;

/// AES-256-GCM under a key derived from a secret for one purpose. What it is about is authenticated
/// along, so that nothing sealed passes for anything else.
pub(crate) struct Cipher(LessSafeKey);

impl Cipher {
    /// Nothing sealed for one purpose opens for another.
    pub(crate) fn new(secret: &SecretString, purpose: &str) -> Result<Self, SealError> {
        let secret = secret.expose_secret();
        if secret.chars().count() < SHORTEST_SECRET {
            return Err(SealError::ShortSecret);
        }
        let purpose = [purpose.as_bytes()];
        let derived = Salt::new(HKDF_SHA256, &[]).extract(secret.as_bytes());
        let mut key = [0; 32];
        let okm = derived.expand(&purpose, KeyLength).map_err(|_| SealError::NotSealed)?;
        okm.fill(&mut key).map_err(|_| SealError::NotSealed)?;
        let key = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| SealError::NotSealed)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// The nonce, then what was encrypted and authenticated.
    pub(crate) fn seal(
        &self,
        about: &[u8],
        text: &SecretSlice<u8>,
        random: &dyn Random,
    ) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&random.entropy()[..NONCE_BYTES]);
        let mut text = text.expose_secret().to_vec();
        let unique = Nonce::assume_unique_for_key(nonce);
        self.0
            .seal_in_place_append_tag(unique, Aad::from(about), &mut text)
            .map_err(|_| SealError::NotSealed)?;
        Ok([&nonce, &*text].concat())
    }

    /// `None` for what was sealed under another key, for another purpose or about something else.
    pub(crate) fn open(&self, about: &[u8], sealed: &[u8]) -> Option<SecretSlice<u8>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_BYTES)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let opened = self.0.open_in_place(nonce, Aad::from(about), &mut text).ok()?;
        Some(opened.to_vec().into())
    }
}

/// The cipher of a secret, and of the one before, so that the secret can be replaced.
pub(crate) struct RotatedCipher {
    current: Cipher,
    previous: Option<Cipher>,
    random: Arc<dyn Random>,
}

impl RotatedCipher {
    /// Nothing sealed for one purpose opens for another.
    pub(crate) fn new(
        current: &SecretString,
        previous: Option<&SecretString>,
        purpose: &str,
        random: Arc<dyn Random>,
    ) -> Result<Self, SealError> {
        Ok(Self {
            current: Cipher::new(current, purpose)?,
            previous: previous.map(|secret| Cipher::new(secret, purpose)).transpose()?,
            random,
        })
    }

    /// Seals under the secret of today.
    pub(crate) fn seal(&self, about: &[u8], text: &SecretSlice<u8>) -> Result<Vec<u8>, SealError> {
        self.current.seal(about, text, &*self.random)
    }

    /// Opens what was sealed under the secret of today or the one before.
    pub(crate) fn open(&self, about: &[u8], sealed: &[u8]) -> Option<SecretSlice<u8>> {
        let mut ciphers = [Some(&self.current), self.previous.as_ref()].into_iter().flatten();
        ciphers.find_map(|cipher| cipher.open(about, sealed))
    }
}

/// The length of the derived key, in bytes.
struct KeyLength;

impl KeyType for KeyLength {
    fn len(&self) -> usize {
        32
    }
}
