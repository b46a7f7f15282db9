//! The keys in use: the one that signs, and every one that is still accepted.

use jsonwebtoken::{Algorithm, Header};
use mcp_oauth_core::domain::access_token::{
    ACCESS_TOKEN_TYPE, AccessTokenClaims, OwnTokenRules, VerifyError,
};
use mcp_oauth_core::domain::jwt::UnverifiedJwt;
use mcp_oauth_core::domain::principal::Principal;
use mcp_oauth_core::port::{JwkSet, SigningUnavailable};

use crate::rsa_key::RsaKey;

/// At least one key, the signing one first.
#[derive(Debug)]
pub(crate) struct KeyRing {
    signing: RsaKey,
    retired: Vec<RsaKey>,
}

impl KeyRing {
    pub(crate) fn new(signing: RsaKey, retired: Vec<RsaKey>) -> Self {
        Self { signing, retired }
    }

    pub(crate) fn sign(&self, claims: &AccessTokenClaims) -> Result<String, SigningUnavailable> {
        let mut header = Header::new(Algorithm::RS256);
        header.typ = Some(ACCESS_TOKEN_TYPE.to_owned());
        header.kid = Some(self.signing.key_id().to_owned());
        jsonwebtoken::encode(&header, &claims.to_json(), &self.signing.encoding)
            .map_err(SigningUnavailable::new)
    }

    pub(crate) fn verify(
        &self,
        token: &str,
        rules: &OwnTokenRules<'_>,
    ) -> Result<Principal, VerifyError> {
        let jwt = UnverifiedJwt::parse(token)?;
        let header = jwt.header();
        rules.check_header(header)?;
        let key = header.kid.as_deref().and_then(|key_id| self.key(key_id));
        let key = key.ok_or_else(|| VerifyError::UnknownKey(header.kid.clone()))?;
        let verified = jsonwebtoken::crypto::verify(
            jwt.signature(),
            jwt.signed_part().as_bytes(),
            &key.decoding,
            Algorithm::RS256,
        );
        match verified {
            Ok(true) => rules.accept(jwt.claims()?),
            Ok(false) | Err(_) => Err(VerifyError::BadSignature),
        }
    }

    pub(crate) fn published(&self) -> JwkSet {
        JwkSet { keys: self.keys().map(|key| key.jwk.clone()).collect() }
    }

    fn key(&self, key_id: &str) -> Option<&RsaKey> {
        self.keys().find(|key| key.key_id() == key_id)
    }

    fn keys(&self) -> impl Iterator<Item = &RsaKey> {
        std::iter::once(&self.signing).chain(&self.retired)
    }
}
