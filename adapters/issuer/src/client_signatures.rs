//! Checks the signatures of clients.

use jsonwebtoken::{Algorithm, DecodingKey};
use mcp_oauth_core::domain::client_assertion::SignedText;
use mcp_oauth_core::domain::client_keys::{AssertionAlgorithm, PublicKey};
use mcp_oauth_core::port::AssertionSignatures;

/// Checks them with the keys it is handed; it has none of its own.
pub struct ClientSignatures;

impl AssertionSignatures for ClientSignatures {
    fn is_signed<'a>(&self, signed: SignedText<'a>, key: &PublicKey) -> bool {
        // A key of another kind would be taken for what the algorithm expects.
        if !key.suits(signed.algorithm) {
            return false;
        }
        let Ok(key) = decoding_key(key) else { return false };
        let (text, algorithm) = (signed.text.as_bytes(), algorithm(signed.algorithm));
        jsonwebtoken::crypto::verify(signed.signature, text, &key, algorithm).unwrap_or(false)
    }
}

fn decoding_key(key: &PublicKey) -> jsonwebtoken::errors::Result<DecodingKey> {
    match key {
        PublicKey::Rsa { n, e } => DecodingKey::from_rsa_components(n, e),
        PublicKey::P256 { x, y } => DecodingKey::from_ec_components(x, y),
        PublicKey::Ed25519 { x } => DecodingKey::from_ed_components(x),
    }
}

fn algorithm(algorithm: AssertionAlgorithm) -> Algorithm {
    match algorithm {
        AssertionAlgorithm::Rs256 => Algorithm::RS256,
        AssertionAlgorithm::Ps256 => Algorithm::PS256,
        AssertionAlgorithm::Es256 => Algorithm::ES256,
        AssertionAlgorithm::EdDsa => Algorithm::EdDSA,
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa;
    use aws_lc_rs::signature::{
        self, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    };
    use mcp_oauth_core::domain::client_keys::AssertionAlgorithm::{EdDsa, Es256, Ps256, Rs256};
    use mcp_oauth_core::domain::secret::base64url;

    use super::*;

    const TEXT: &str = "header.payload";

    /// A key, and the signature it made over [`TEXT`], base64url.
    struct Signer {
        key: PublicKey,
        algorithm: AssertionAlgorithm,
        signature: String,
    }

    impl Signer {
        /// A fresh key for each algorithm; both RSA algorithms share one.
        fn of_each_kind() -> Vec<Self> {
            let mut signers = Self::rsa();
            signers.extend([Self::p256(), Self::ed25519()]);
            signers
        }

        fn rsa() -> Vec<Self> {
            let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
            let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
            let key = PublicKey::Rsa {
                n: base64url(n.big_endian_without_leading_zero()),
                e: base64url(e.big_endian_without_leading_zero()),
            };
            let sign = |algorithm, padding: &'static dyn signature::RsaEncoding| {
                let mut signed = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &SystemRandom::new(), TEXT.as_bytes(), &mut signed).unwrap();
                Self { key: key.clone(), algorithm, signature: base64url(&signed) }
            };
            vec![sign(Rs256, &signature::RSA_PKCS1_SHA256), sign(Ps256, &signature::RSA_PSS_SHA256)]
        }

        fn p256() -> Self {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
            // The uncompressed point: 4, x, y.
            let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
            let signed = pair.sign(&SystemRandom::new(), TEXT.as_bytes()).unwrap();
            let key = PublicKey::P256 { x: base64url(x), y: base64url(y) };
            Self { key, algorithm: Es256, signature: base64url(signed.as_ref()) }
        }

        fn ed25519() -> Self {
            let pair = Ed25519KeyPair::generate().unwrap();
            let key = PublicKey::Ed25519 { x: base64url(pair.public_key().as_ref()) };
            let signed = pair.sign(TEXT.as_bytes());
            Self { key, algorithm: EdDsa, signature: base64url(signed.as_ref()) }
        }

        fn is_accepted_with(&self, text: &str, signature: &str) -> bool {
            let signed = SignedText { text, signature, algorithm: self.algorithm };
            ClientSignatures.is_signed(signed, &self.key)
        }
    }

    #[test]
    fn ex_02_a_signature_counts_with_its_own_key_text_and_algorithm() {
        let signers = Signer::of_each_kind();
        for signer in &signers {
            assert!(signer.is_accepted_with(TEXT, &signer.signature), "{:?}", signer.algorithm);
            assert!(!signer.is_accepted_with("header.other", &signer.signature));
        }
        for (signer, other) in signers.iter().flat_map(|it| signers.iter().map(move |of| (it, of)))
        {
            let is_own = signer.algorithm == other.algorithm;
            assert_eq!(signer.is_accepted_with(TEXT, &other.signature), is_own);
            let algorithm = other.algorithm;
            let signed = SignedText { text: TEXT, signature: &signer.signature, algorithm };
            assert_eq!(ClientSignatures.is_signed(signed, &signer.key), is_own, "{algorithm:?}");
        }
        let (one, another) = (Signer::ed25519(), Signer::ed25519());
        assert!(!one.is_accepted_with(TEXT, &another.signature));
    }

    #[test]
    fn what_is_no_signature_or_no_key_is_a_plain_no() {
        for signer in Signer::of_each_kind() {
            let long = format!("{}AAAA", signer.signature);
            for no_signature in ["", "!", "AAAA", &signer.signature[4..], &long] {
                assert!(!signer.is_accepted_with(TEXT, no_signature), "{no_signature}");
            }
        }
        for byte in [0, 1] {
            let number = base64url(&[byte; 32]);
            let no_point = PublicKey::P256 { x: number.clone(), y: number };
            let signature = base64url(&[byte; 64]);
            let signed = SignedText { text: TEXT, signature: &signature, algorithm: Es256 };
            assert!(!ClientSignatures.is_signed(signed, &no_point));
        }
    }
}
