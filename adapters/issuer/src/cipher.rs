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

/// The length of the derived key, in bytes.
struct KeyLength;

impl KeyType for KeyLength {
    fn len(&self) -> usize {
        32
    }
}
