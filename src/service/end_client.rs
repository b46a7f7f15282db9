//! Ending a client: what it was granted, and what people allowed it, goes with it.

use std::sync::Arc;

use crate::domain::client::ClientId;
use crate::domain::grant::GrantSelection;
use crate::port::{ClientRegistry, Clock, ConsentMemory, GrantDirectory, StoreUnavailable};

/// Ends clients.
pub(super) struct EndClient {
    pub(super) clients: Arc<dyn ClientRegistry>,
    pub(super) directory: Arc<dyn GrantDirectory>,
    pub(super) consents: Arc<dyn ConsentMemory>,
    pub(super) clock: Arc<dyn Clock>,
}

impl EndClient {
    /// Returns how many grants ended with the client, or `None` when it was gone.
    pub(super) async fn end(&self, id: &ClientId) -> Result<Option<u64>, StoreUnavailable> {
        // The client last: as long as it is there, this can be tried again.
        let of_client = GrantSelection { client: Some(id.clone()), ..GrantSelection::default() };
        let grants = self.directory.revoke_all(&of_client, self.clock.now()).await?;
        self.consents.forget_consents(&of_client).await?;
        let deleted = self.clients.delete(id).await?;
        Ok(deleted.then_some(grants))
    }
}
