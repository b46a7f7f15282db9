//! Whether this server can do its work right now.

use std::sync::Arc;

use thiserror::Error;

use crate::domain::client::ClientId;
use crate::port::{ClientRegistry, SigningKeys, SigningUnavailable, StoreUnavailable};

/// Asks what every request depends on.
pub struct Readiness {
    pub(super) keys: Arc<dyn SigningKeys>,
    pub(super) clients: Arc<dyn ClientRegistry>,
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
}

impl Readiness {
    /// Reads a client and the published keys.
    ///
    /// # Errors
    /// [`NotReady`].
    pub async fn check(&self) -> Result<(), NotReady> {
        self.clients.find(&ClientId::new("readiness")).await?;
        self.keys.published().await?;
        Ok(())
    }
}
