//! Keys of a provider, and tokens made with them.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RsaEncoding,
};
use mcp_oauth_core::domain::secret::base64url;
use serde_json::{Value, json};

/// A key with an id.
pub(crate) struct TestKey {
    pub(crate) id: String,
    pair: Pair,
}

enum Pair {
    Rsa(rsa::KeyPair),
    P256(EcdsaKeyPair),
}

impl TestKey {
    pub(crate) fn p256(id: &str) -> Self {
        let pair = Pair::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());
        Self { id: id.to_owned(), pair }
    }

    pub(crate) fn rsa(id: &str) -> Self {
        let pair = Pair::Rsa(rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap());
        Self { id: id.to_owned(), pair }
    }

    /// The public key as it is published.
    pub(crate) fn jwk(&self) -> Value {
        match &self.pair {
            Pair::Rsa(pair) => {
                let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
                let (n, e) =
                    (n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
                json!({ "kty": "RSA", "kid": self.id, "n": base64url(n), "e": base64url(e) })
            }
            Pair::P256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                let (x, y) = (base64url(x), base64url(y));
                json!({ "kty": "EC", "crv": "P-256", "kid": self.id, "x": x, "y": y })
            }
        }
    }

    fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::P256(_) => "ES256",
        }
    }

    /// An access token of RFC 9068.
    pub(crate) fn access_token(&self, claims: &Value) -> String {
        self.token(json!({ "typ": "at+jwt" }), claims)
    }

    pub(crate) fn id_token(&self, claims: &Value) -> String {
        self.token(json!({ "typ": "JWT" }), claims)
    }

    /// A token with header members beside or instead of `alg` and `kid`; `null` takes one out.
    pub(crate) fn token(&self, header: Value, claims: &Value) -> String {
        let mut members = json!({ "alg": self.algorithm(), "kid": self.id });
        for (name, value) in header.as_object().unwrap() {
            members[name] = value.clone();
        }
        members.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let encoded = |value: &Value| base64url(value.to_string().as_bytes());
        let text = format!("{}.{}", encoded(&members), encoded(claims));
        let padding: &'static dyn RsaEncoding = if members["alg"] == "PS256" {
            &signature::RSA_PSS_SHA256
        } else {
            &signature::RSA_PKCS1_SHA256
        };
        let signed = self.sign(text.as_bytes(), padding);
        format!("{text}.{}", base64url(&signed))
    }

    fn sign(&self, text: &[u8], padding: &'static dyn RsaEncoding) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::P256(pair) => pair.sign(&random, text).unwrap().as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signed = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, text, &mut signed).unwrap();
                signed
            }
        }
    }
}
