use async_trait::async_trait;
use mcp_oauth_core::domain::client::{Client, ClientId, ClientOrigin};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{ClientRegistry, RegisterError, StoreUnavailable};

use crate::MemoryStore;

#[async_trait]
impl ClientRegistry for MemoryStore {
    async fn register(&self, client: &Client, most: u32) -> Result<(), RegisterError> {
        let mut records = self.records();
        if records.clients.contains_key(&client.id) {
            return Err(RegisterError::Exists);
        }
        let counts = |client: &&Client| client.origin == ClientOrigin::Registered;
        let registered = records.clients.values().filter(counts).count();
        if counts(&client) && registered >= most as usize {
            return Err(RegisterError::Full);
        }
        records.clients.insert(client.id.clone(), client.clone());
        Ok(())
    }

    async fn find(&self, id: &ClientId) -> Result<Option<Client>, StoreUnavailable> {
        Ok(self.records().clients.get(id).cloned())
    }

    async fn replace(&self, client: &Client) -> Result<bool, StoreUnavailable> {
        let mut records = self.records();
        let Some(registered) = records.clients.get_mut(&client.id) else { return Ok(false) };
        *registered = client.clone();
        Ok(true)
    }

    async fn touch(&self, id: &ClientId, used_at: Timestamp) -> Result<(), StoreUnavailable> {
        if let Some(client) = self.records().clients.get_mut(id) {
            client.last_used_at = client.last_used_at.max(Some(used_at));
        }
        Ok(())
    }

    async fn delete(&self, id: &ClientId) -> Result<bool, StoreUnavailable> {
        Ok(self.records().clients.remove(id).is_some())
    }

    async fn list(&self) -> Result<Vec<Client>, StoreUnavailable> {
        let mut clients: Vec<_> = self.records().clients.values().cloned().collect();
        clients.sort_by(|a, b| (a.registered_at, &a.id).cmp(&(b.registered_at, &b.id)));
        Ok(clients)
    }
}
