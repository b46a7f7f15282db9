use async_trait::async_trait;
use mcp_oauth_core::port::{KeyStore, StoreUnavailable, StoredKey};

use crate::MemoryStore;

#[async_trait]
impl KeyStore for MemoryStore {
    async fn keys(&self) -> Result<Vec<StoredKey>, StoreUnavailable> {
        Ok(self.records().signing_keys.clone())
    }

    async fn keep_first(&self, key: StoredKey) -> Result<StoredKey, StoreUnavailable> {
        // No method adds a second key, so the only one is both the newest and the oldest.
        let mut records = self.records();
        if let Some(first) = records.signing_keys.first() {
            return Ok(first.clone());
        }
        records.signing_keys.push(key.clone());
        Ok(key)
    }
}
