//! Validates ID tokens (OpenID Connect Core §3.1.3.7).

use std::time::{Duration, UNIX_EPOCH};

use mcp_oauth_core::domain::client_keys::AssertionAlgorithm;
use mcp_oauth_core::domain::jwt::JoseHeader;
use mcp_oauth_core::domain::provider_token::MOST_SKEW;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::ProviderError;
use openidconnect::core::{
    CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm, CoreTokenResponse,
};
use openidconnect::{
    ClaimsVerificationError, ClientId, IssuerUrl, Nonce, SignatureVerificationError, TokenResponse,
};
use serde::Deserialize;
use serde_json::Value;

use crate::oidc_provider::refused;
use crate::provider_config::{ProviderClient, ProviderConfig};

/// The rules for ID tokens that are for us.
pub(crate) struct IdTokens<'a> {
    pub(crate) config: &'a ProviderConfig,
    pub(crate) client: &'a ProviderClient,
}

impl IdTokens<'_> {
    /// Only algorithms of the policy are tried.
    pub(crate) fn check_header(
        &self,
        header: &JoseHeader,
    ) -> Result<AssertionAlgorithm, ProviderError> {
        self.config.policy.algorithm_of(header).map_err(|_| {
            refused("its ID token is signed with an algorithm not accepted".to_owned())
        })
    }

    /// What the library checks: signature, audience, expiry and nonce. Of the claims the core has the
    /// last word (`ProviderPolicy::identity`): the library knows one issuer and leaves `azp` alone.
    pub(crate) fn verify(
        &self,
        response: &CoreTokenResponse,
        jwks: &Value,
        nonce: &Nonce,
        now: Timestamp,
    ) -> Result<(), ProviderError> {
        let no_verifier = |what: &str| refused(format!("{what} can't be used for its ID token"));
        let jwks =
            CoreJsonWebKeySet::deserialize(jwks).map_err(|_| no_verifier("its set of keys"))?;
        let issuer = IssuerUrl::new(self.config.policy.issuer.issuer.as_str().to_owned())
            .map_err(|_| no_verifier("its issuer"))?;
        let skew = self.config.policy.clock_skew.min(MOST_SKEW);
        let earlier = u64::try_from(now.before(skew).as_unix()).unwrap_or_default();
        let earlier = UNIX_EPOCH + Duration::from_secs(earlier);
        let verifier = CoreIdTokenVerifier::new_public_client(
            ClientId::new(self.client.client_id.clone()),
            issuer,
            jwks,
        )
        .set_allowed_algs(self.config.policy.algorithms.iter().map(|it| algorithm(*it)))
        // One of several issuers of a provider may have made it: the policy says which.
        .require_issuer_match(false)
        // Others may stand beside us if `azp` says that it was made for us.
        .set_other_audience_verifier_fn(|_| true)
        .set_time_fn(move || earlier.into());
        let id_token =
            response.id_token().ok_or_else(|| refused("there is no ID token in it".to_owned()))?;
        id_token.claims(&verifier, nonce).map_err(|why| refused(broken_rule(&why).to_owned()))?;
        Ok(())
    }
}

/// Which rule was broken, in words that repeat nothing of the token.
fn broken_rule(why: &ClaimsVerificationError) -> &'static str {
    match why {
        ClaimsVerificationError::Expired(_) => "its ID token expired",
        ClaimsVerificationError::InvalidAudience(_) => "its ID token is for another client (aud)",
        ClaimsVerificationError::InvalidNonce(_) => "its ID token has another nonce",
        ClaimsVerificationError::InvalidSubject(_) => "its ID token names nobody",
        ClaimsVerificationError::SignatureVerification(why) => match why {
            SignatureVerificationError::NoMatchingKey => {
                "its ID token is signed with a key that is not published"
            }
            SignatureVerificationError::AmbiguousKeyId(_) => {
                "its ID token does not say which of several keys signed it"
            }
            SignatureVerificationError::DisallowedAlg(_) => {
                "its ID token is signed with an algorithm not accepted"
            }
            _ => "the signature of its ID token does not verify",
        },
        ClaimsVerificationError::Unsupported(_) => "its ID token is of a kind not accepted",
        _ => "its ID token breaks a rule",
    }
}

fn algorithm(algorithm: AssertionAlgorithm) -> CoreJwsSigningAlgorithm {
    match algorithm {
        AssertionAlgorithm::Rs256 => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
        AssertionAlgorithm::Ps256 => CoreJwsSigningAlgorithm::RsaSsaPssSha256,
        AssertionAlgorithm::Es256 => CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        AssertionAlgorithm::EdDsa => CoreJwsSigningAlgorithm::EdDsa,
    }
}
