use async_trait::async_trait;
use serde::Serialize;
use thiserror::Error;

use crate::domain::access_token::AccessTokenClaims;
use crate::domain::key_rotation::KeyState;
use crate::domain::timestamp::Timestamp;

/// The keys this server signs its access tokens with.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait SigningKeys: Send + Sync {
    /// Signs an access token with the current key: a compact JWS whose header has `alg`, `kid` and
    /// the type of [`crate::domain::access_token::ACCESS_TOKEN_TYPE`].
    ///
    /// # Errors
    /// [`SigningUnavailable`].
    async fn sign(&self, claims: &AccessTokenClaims) -> Result<String, SigningUnavailable>;

    /// The public halves of every key whose tokens may still be alive, the current one first.
    ///
    /// # Errors
    /// [`SigningUnavailable`].
    async fn published(&self) -> Result<JwkSet, SigningUnavailable>;

    /// Every key, newest first, and what it does right now. A first one is made if there is none.
    ///
    /// # Errors
    /// [`SigningUnavailable`].
    async fn list(&self) -> Result<Vec<SigningKey>, SigningUnavailable>;

    /// Makes a new key and returns its id. Of concurrent calls one makes it, and the others return
    /// that of the newest key.
    ///
    /// # Errors
    /// [`SigningUnavailable`], also when the key is the operator's own. With
    /// [`RotationManner::DiscardingOld`] also when another call made a key at the same time, and
    /// nothing is discarded then.
    async fn rotate(&self, manner: RotationManner) -> Result<String, SigningUnavailable>;

    /// Replaces the key if it is old enough, forgets keys whose last token has ended, and seals
    /// anew what is sealed under an old secret. Returns the id of the new key, if one was made.
    ///
    /// # Errors
    /// [`SigningUnavailable`].
    async fn tend(&self) -> Result<Option<String>, SigningUnavailable>;
}

/// How a key is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotationManner {
    /// The old key goes on until the new one was published long enough, and its tokens are accepted
    /// to their end.
    Overlapping,
    /// The old key got into wrong hands: it and every token signed with it are worth nothing at once.
    DiscardingOld,
}

/// A key, told about without its private half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// The JWK `kid`.
    pub key_id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// What it does.
    pub state: KeyState,
}

/// A JWK set (RFC 7517 §5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JwkSet {
    /// The keys.
    pub keys: Vec<RsaPublicJwk>,
}

/// The public half of an RSA signing key (RFC 7518 §6.3.1); it has no private members to leak.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RsaPublicJwk {
    /// Always `RSA`.
    pub kty: &'static str,
    /// Always `sig`.
    #[serde(rename = "use")]
    pub usage: &'static str,
    /// Always `RS256`.
    pub alg: &'static str,
    /// The key id.
    pub kid: String,
    /// The modulus, base64url.
    pub n: String,
    /// The exponent, base64url.
    pub e: String,
}

/// No key can be had at the moment.
#[derive(Debug, Error)]
#[error("the signing keys are unavailable: {0}")]
pub struct SigningUnavailable(#[source] pub Box<dyn std::error::Error + Send + Sync>);

impl SigningUnavailable {
    /// With the adapter's own error as its source.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}
