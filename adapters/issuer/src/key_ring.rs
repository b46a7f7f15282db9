//! The keys in use: the one that signs, and every one that is published and accepted.

use jsonwebtoken::{Algorithm, Header};
use mcp_oauth_core::domain::access_token::{
    ACCESS_TOKEN_TYPE, AccessTokenClaims, OwnTokenRules, VerifyError,
};
use mcp_oauth_core::domain::jwt::UnverifiedJwt;
use mcp_oauth_core::domain::key_rotation::{KeyRotation, KeyState};
use mcp_oauth_core::domain::principal::Principal;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{JwkSet, SigningKey, SigningUnavailable};
use thiserror::Error;

use crate::rsa_key::RsaKey;

/// Keys, newest first.
#[derive(Debug)]
pub(crate) struct KeyRing {
    keys: Vec<AgedKey>,
    rotation: KeyRotation,
}

/// A key and when it was made.
#[derive(Debug, Clone)]
pub(crate) struct AgedKey {
    pub(crate) key: RsaKey,
    pub(crate) created_at: Timestamp,
}

#[derive(Debug, Error)]
#[error("there is no signing key")]
struct NoKey;

impl KeyRing {
    pub(crate) fn new(keys: Vec<AgedKey>, rotation: KeyRotation) -> Self {
        Self { keys, rotation }
    }

    pub(crate) fn sign(
        &self,
        claims: &AccessTokenClaims,
        now: Timestamp,
    ) -> Result<String, SigningUnavailable> {
        let signing = self.with_state(now).find(|(_, state)| *state == KeyState::Signing);
        let (signing, _) = signing.ok_or_else(|| SigningUnavailable::new(NoKey))?;
        let mut header = Header::new(Algorithm::RS256);
        header.typ = Some(ACCESS_TOKEN_TYPE.to_owned());
        header.kid = Some(signing.key.key_id().to_owned());
        jsonwebtoken::encode(&header, &claims.to_json(), &signing.key.encoding)
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

    /// The signing key first, so that whoever takes only one takes the right one.
    pub(crate) fn published(&self, now: Timestamp) -> JwkSet {
        let (signing, others): (Vec<_>, Vec<_>) =
            self.with_state(now).partition(|(_, state)| *state == KeyState::Signing);
        let keys = signing.into_iter().chain(others);
        JwkSet { keys: keys.map(|(aged, _)| aged.key.jwk.clone()).collect() }
    }

    pub(crate) fn list(&self, now: Timestamp) -> Vec<SigningKey> {
        let told = |(aged, state): (&AgedKey, KeyState)| SigningKey {
            key_id: aged.key.key_id().to_owned(),
            created_at: aged.created_at,
            state,
        };
        self.with_state(now).map(told).collect()
    }

    fn with_state(&self, now: Timestamp) -> impl Iterator<Item = (&AgedKey, KeyState)> {
        let made: Vec<_> = self.keys.iter().map(|aged| aged.created_at).collect();
        self.keys.iter().zip(self.rotation.states(&made, now))
    }

    fn key(&self, key_id: &str) -> Option<&RsaKey> {
        self.keys.iter().map(|aged| &aged.key).find(|key| key.key_id() == key_id)
    }
}
