use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};
use thiserror::Error;

/// What is known of the providers whose tokens are accepted, where they and not this server are the
/// authorization server.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ProviderMetadata: Send + Sync {
    /// The metadata document of the first provider (RFC 8414 §2, OpenID Connect Discovery §3), every
    /// member as the provider has it.
    ///
    /// It is asked for by anybody, so it comes from memory while it is fresh, and of any number of
    /// concurrent calls at most one asks the provider. A document that is no longer fresh may be
    /// returned while the provider can't be asked.
    ///
    /// # Errors
    /// [`ProviderUnavailable`]: there is no document, or it is not that of the provider's issuer.
    async fn metadata(&self) -> Result<Map<String, Value>, ProviderUnavailable>;

    /// Whether a token of some provider could be verified at this moment: its keys are known, however
    /// old, or it answers questions about tokens that have no keys. What is not known yet may be
    /// asked for, within the same limits as above.
    ///
    /// # Errors
    /// [`ProviderUnavailable`]: no token of any provider can be verified.
    async fn can_verify(&self) -> Result<(), ProviderUnavailable>;
}

/// A provider can't be asked at the moment, or its answer is no answer. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the provider is unavailable: {reason}")]
pub struct ProviderUnavailable {
    /// What is out of reach, and why.
    pub reason: String,
    /// When to try again.
    pub retry_after: Duration,
}

/// Of a server that issues the tokens itself: nothing is known of any provider, since none is asked.
#[derive(Debug, Clone, Copy)]
pub struct NoProviders;

#[async_trait]
impl ProviderMetadata for NoProviders {
    async fn metadata(&self) -> Result<Map<String, Value>, ProviderUnavailable> {
        Err(ProviderUnavailable::not_configured())
    }

    async fn can_verify(&self) -> Result<(), ProviderUnavailable> {
        Err(ProviderUnavailable::not_configured())
    }
}

impl ProviderUnavailable {
    fn not_configured() -> Self {
        let reason = "this server was started without any".to_owned();
        Self { reason, retry_after: Duration::from_secs(60) }
    }
}
