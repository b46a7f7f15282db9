//! Whether this server can do its work right now: answer a load balancer, which sends requests
//! elsewhere as long as it can't.
//!
//! Where providers issue the tokens, no request depends on the store nor on keys of our own, but on
//! verifying tokens. Keys that were known when a provider went away still do that, so it may be down
//! for long before this server is not ready: taking every replica out of service would help nobody.

use std::sync::Arc;

use thiserror::Error;

use crate::domain::client::ClientId;
use crate::port::{
    ClientRegistry, ProviderMetadata, ProviderUnavailable, SigningKeys, SigningUnavailable,
    StoreUnavailable,
};

/// Asks what every request depends on.
pub struct Readiness {
    pub(super) keys: Arc<dyn SigningKeys>,
    pub(super) clients: Arc<dyn ClientRegistry>,
    /// `None` where this server issues the tokens.
    pub(super) providers: Option<Arc<dyn ProviderMetadata>>,
}

/// What is out of reach.
#[derive(Debug, Error)]
pub enum NotReady {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreUnavailable),
    /// The signing keys.
    #[error(transparent)]
    Keys(#[from] SigningUnavailable),
    /// The keys of every provider.
    #[error(transparent)]
    Providers(#[from] ProviderUnavailable),
}

impl Readiness {
    /// Reads a client and the published keys; where providers issue the tokens, asks whether those
    /// can be verified.
    ///
    /// # Errors
    /// [`NotReady`].
    pub async fn check(&self) -> Result<(), NotReady> {
        if let Some(providers) = &self.providers {
            return Ok(providers.can_verify().await?);
        }
        self.clients.find(&ClientId::new("readiness")).await?;
        self.keys.published().await?;
        Ok(())
    }
}
