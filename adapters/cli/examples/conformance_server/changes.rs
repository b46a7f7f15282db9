//! Telling everybody who listens what has changed.

use async_trait::async_trait;
use mcp_oauth_core::domain::catalog_change::CatalogChange;
use mcp_oauth_core::port::CatalogChanges;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// How many changes a slow listener may be behind.
const BEHIND: usize = 64;

/// Tells of changes.
pub(crate) struct Announcer(broadcast::Sender<CatalogChange>);

/// One listener.
pub(crate) struct Listener(broadcast::Receiver<CatalogChange>);

impl Default for Announcer {
    fn default() -> Self {
        Self(broadcast::Sender::new(BEHIND))
    }
}

impl Announcer {
    /// Tells everybody; that may be nobody.
    pub(crate) fn announce(&self, change: CatalogChange) {
        let _ = self.0.send(change);
    }

    /// Listens from now on.
    pub(crate) fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

#[async_trait]
impl CatalogChanges for Listener {
    async fn next(&mut self) -> Option<CatalogChange> {
        loop {
            match self.0.recv().await {
                Ok(change) => return Some(change),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
