//! One RSA key pair: made, read from PKCS#8 or PEM, published as a JWK.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use jsonwebtoken::{DecodingKey, EncodingKey};
use mcp_oauth_core::domain::access_token::SIGNING_ALGORITHM;
use mcp_oauth_core::domain::secret::{base64url, sha256};
use mcp_oauth_core::port::RsaPublicJwk;
use secrecy::{ExposeSecret, SecretSlice};
use thiserror::Error;

/// An RSA key pair of at least 2048 bits, ready to sign and verify.
#[derive(Clone)]
pub struct RsaKey {
    pub(crate) encoding: EncodingKey,
    pub(crate) decoding: DecodingKey,
    pub(crate) jwk: RsaPublicJwk,
    pkcs8: SecretSlice<u8>,
}

/// Why a key can't be used. The texts never quote the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidKey {
    /// Not PEM at all.
    #[error("it is not a PEM file")]
    NotPem,
    /// PEM of something else.
    #[error("it holds no \"PRIVATE KEY\" (PKCS#8) or \"RSA PRIVATE KEY\" (PKCS#1) block")]
    NotAPrivateKey,
    /// Not RSA, too short, or damaged.
    #[error("it is not an intact RSA private key of 2048 to 8192 bits")]
    NotRsa,
    /// The cryptographic library failed.
    #[error("no RSA key could be made")]
    NotMade,
}

impl RsaKey {
    /// A new key of 2048 bits; takes tens of milliseconds of CPU.
    ///
    /// # Errors
    /// [`InvalidKey::NotMade`].
    pub fn generate() -> Result<Self, InvalidKey> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| InvalidKey::NotMade)?;
        Self::from_pair(&pair)
    }

    /// Reads unencrypted PEM, PKCS#8 or PKCS#1.
    ///
    /// # Errors
    /// [`InvalidKey`].
    pub fn from_pem(text: &[u8]) -> Result<Self, InvalidKey> {
        let block = pem::parse(text).map_err(|_| InvalidKey::NotPem)?;
        let pair = match block.tag() {
            "PRIVATE KEY" => KeyPair::from_pkcs8(block.contents()),
            "RSA PRIVATE KEY" => KeyPair::from_der(block.contents()),
            _ => return Err(InvalidKey::NotAPrivateKey),
        };
        Self::from_pair(&pair.map_err(|_| InvalidKey::NotRsa)?)
    }

    /// Reads unencrypted PKCS#8, DER.
    ///
    /// # Errors
    /// [`InvalidKey::NotRsa`].
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, InvalidKey> {
        Self::from_pair(&KeyPair::from_pkcs8(der).map_err(|_| InvalidKey::NotRsa)?)
    }

    /// Reads unencrypted PKCS#8, DER, from a store.
    pub(crate) fn from_stored(pkcs8: &SecretSlice<u8>) -> Result<Self, InvalidKey> {
        Self::from_pkcs8(pkcs8.expose_secret())
    }

    /// The private key, PKCS#8 DER.
    #[must_use]
    pub fn pkcs8(&self) -> SecretSlice<u8> {
        self.pkcs8.clone()
    }

    /// The key id: the JWK thumbprint of RFC 7638.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.jwk.kid
    }

    fn from_pair(pair: &KeyPair) -> Result<Self, InvalidKey> {
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| InvalidKey::NotMade)?;
        let public = pair.public_key();
        let n = base64url(public.modulus().big_endian_without_leading_zero());
        let e = base64url(public.exponent().big_endian_without_leading_zero());
        let pem = pem::encode(&pem::Pem::new("PRIVATE KEY", der.as_ref()));
        Ok(Self {
            encoding: EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| InvalidKey::NotRsa)?,
            decoding: DecodingKey::from_rsa_components(&n, &e).map_err(|_| InvalidKey::NotRsa)?,
            pkcs8: der.as_ref().to_vec().into(),
            jwk: RsaPublicJwk {
                kty: "RSA",
                usage: "sig",
                alg: SIGNING_ALGORITHM,
                kid: thumbprint(&n, &e),
                n,
                e,
            },
        })
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RsaKey").field("key_id", &self.jwk.kid).finish_non_exhaustive()
    }
}

/// RFC 7638 §3: the required members in lexicographic order, without white space.
fn thumbprint(n: &str, e: &str) -> String {
    let canonical = format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#);
    base64url(&sha256(&[canonical.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638_section_3_1() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        assert_eq!(thumbprint(n, "AQAB"), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn a_key_survives_being_stored() {
        let key = RsaKey::generate().unwrap();
        let again = RsaKey::from_pkcs8(key.pkcs8().expose_secret()).unwrap();
        assert_eq!(key.jwk, again.jwk);
        let pem = pem::encode(&pem::Pem::new("PRIVATE KEY", key.pkcs8().expose_secret()));
        assert_eq!(RsaKey::from_pem(pem.as_bytes()).unwrap().jwk, key.jwk);
    }

    #[test]
    fn what_is_no_key_is_refused_by_name() {
        let block = |tag: &str| pem::encode(&pem::Pem::new(tag, b"no key".to_vec()));
        let read = |text: &str| RsaKey::from_pem(text.as_bytes()).unwrap_err();
        assert_eq!(read("no pem"), InvalidKey::NotPem);
        assert_eq!(read(&block("CERTIFICATE")), InvalidKey::NotAPrivateKey);
        assert_eq!(read(&block("PRIVATE KEY")), InvalidKey::NotRsa);
    }
}
