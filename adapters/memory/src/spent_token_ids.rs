use std::collections::hash_map::Entry;

use async_trait::async_trait;
use mcp_oauth_core::domain::spent_id::SpentId;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{SpentTokenIds, StoreUnavailable};

use crate::MemoryStore;

#[async_trait]
impl SpentTokenIds for MemoryStore {
    async fn record_once(&self, id: &SpentId, until: Timestamp) -> Result<bool, StoreUnavailable> {
        match self.records().spent_token_ids.entry(id.clone()) {
            Entry::Occupied(_) => Ok(false),
            Entry::Vacant(entry) => {
                entry.insert(until);
                Ok(true)
            }
        }
    }

    async fn contains(&self, id: &SpentId) -> Result<bool, StoreUnavailable> {
        Ok(self.records().spent_token_ids.contains_key(id))
    }
}
