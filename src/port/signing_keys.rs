use async_trait::async_trait;
use serde::Serialize;
use thiserror::Error;

use crate::domain::access_token::AccessTokenClaims;

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
