//! The keys a provider signs with, ready to check signatures.

use jsonwebtoken::{Algorithm, DecodingKey};
use mcp_oauth_core::domain::client_keys::{
    AssertionAlgorithm, ClientKey, ClientKeySet, InvalidClientKeys, PublicKey,
};
use mcp_oauth_core::domain::jwt::UnverifiedJwt;
use serde_json::Value;

/// The usable keys of one provider; those of two are never mixed (RFC 8725 §3.9).
pub(crate) struct ProviderKeys {
    keys: Vec<(ClientKey, DecodingKey)>,
    jwks: Value,
}

/// What the keys say to a signature.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Signature {
    /// One of them made it.
    Verified,
    /// None of those that could have made it did.
    Bad,
    /// None of them has the key id, or is for the algorithm.
    UnknownKey,
}

impl ProviderKeys {
    /// Reads a published set.
    pub(crate) fn parse(set: &Value) -> Result<Self, InvalidClientKeys> {
        let set = ClientKeySet::from_provider(set)?;
        let keys = set.iter().filter_map(|key| {
            let decoding = match key.public() {
                PublicKey::Rsa { n, e } => DecodingKey::from_rsa_components(n, e),
                PublicKey::P256 { x, y } => DecodingKey::from_ec_components(x, y),
                PublicKey::Ed25519 { x } => DecodingKey::from_ed_components(x),
            };
            Some((key.clone(), decoding.ok()?))
        });
        Ok(Self { keys: keys.collect(), jwks: set.to_jwks() })
    }

    /// The set, without what is no use here.
    pub(crate) fn jwks(&self) -> &Value {
        &self.jwks
    }

    /// The keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &ClientKey> {
        self.keys.iter().map(|(key, _)| key)
    }

    /// Whether one of them can have made a signature of `algorithm` that names `key_id`.
    pub(crate) fn know(&self, key_id: Option<&str>, algorithm: AssertionAlgorithm) -> bool {
        self.iter().any(|key| key.may_have_signed(key_id, algorithm))
    }

    /// Checks the signature of `jwt`, whose algorithm was found acceptable.
    pub(crate) fn check(&self, jwt: &UnverifiedJwt<'_>, by: AssertionAlgorithm) -> Signature {
        let key_id = jwt.header().kid.as_deref();
        let mut answer = Signature::UnknownKey;
        for (_, key) in self.keys.iter().filter(|(key, _)| key.may_have_signed(key_id, by)) {
            let text = jwt.signed_part().as_bytes();
            if let Ok(true) =
                jsonwebtoken::crypto::verify(jwt.signature(), text, key, algorithm(by))
            {
                return Signature::Verified;
            }
            answer = Signature::Bad;
        }
        answer
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
