//! What clients are told of the providers that are the authorization server.

use std::sync::Arc;

use async_trait::async_trait;
use mcp_oauth_core::port::{Clock, ProviderMetadata, ProviderUnavailable};
use serde_json::{Map, Value};

use crate::provider_config::TokenFormat;
use crate::provider_documents::ProviderDocuments;
use crate::provider_http::NoAnswer;
use crate::refreshed::COOLDOWN;

/// The documents of the providers whose tokens are accepted, as those who verify them remember them.
pub struct PublishedMetadata {
    providers: Vec<Arc<ProviderDocuments>>,
    clock: Arc<dyn Clock>,
}

impl PublishedMetadata {
    /// Of these; the first is the authorization server of clients that know no resource metadata.
    #[must_use]
    pub fn new(providers: Vec<Arc<ProviderDocuments>>, clock: Arc<dyn Clock>) -> Self {
        Self { providers, clock }
    }

    async fn can_verify_of(&self, provider: &ProviderDocuments) -> Result<(), NoAnswer> {
        let now = self.clock.now();
        match provider.config().token_format {
            // A provider that is asked about each token has no keys that matter.
            TokenFormat::Opaque => provider.discovery(now).await.map(|_| ()),
            TokenFormat::Jwt | TokenFormat::Auto => provider.has_keys(now).await,
        }
    }
}

#[async_trait]
impl ProviderMetadata for PublishedMetadata {
    async fn metadata(&self) -> Result<Map<String, Value>, ProviderUnavailable> {
        let none = || unavailable("there is no provider".to_owned());
        let first = self.providers.first().ok_or_else(none)?;
        let document = first.discovery_document().await;
        document.map(|document| (*document).clone()).map_err(|why| unavailable(why.to_string()))
    }

    async fn can_verify(&self) -> Result<(), ProviderUnavailable> {
        let mut reasons = Vec::new();
        for provider in &self.providers {
            match self.can_verify_of(provider).await {
                Ok(()) => return Ok(()),
                Err(why) => reasons.push(why.to_string()),
            }
        }
        Err(unavailable(reasons.join("; ")))
    }
}

fn unavailable(reason: String) -> ProviderUnavailable {
    ProviderUnavailable { reason, retry_after: COOLDOWN }
}
