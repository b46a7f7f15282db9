use async_trait::async_trait;
use mcp_oauth_core::port::{KeyStore, StoreUnavailable, StoredKey};

use crate::{MemoryStore, Taken};

#[async_trait]
impl KeyStore for MemoryStore {
    async fn keys(&self) -> Result<Vec<StoredKey>, StoreUnavailable> {
        Ok(self.records().signing_keys.iter().rev().cloned().collect())
    }

    async fn keep_first(&self, key: StoredKey) -> Result<StoredKey, StoreUnavailable> {
        let mut records = self.records();
        if let Some(oldest) = records.signing_keys.first() {
            return Ok(oldest.clone());
        }
        records.signing_keys.push(key.clone());
        Ok(key)
    }

    async fn add_after(&self, after: &str, key: StoredKey) -> Result<bool, StoreUnavailable> {
        let mut records = self.records();
        if records.signing_keys.last().is_none_or(|newest| newest.key_id != after) {
            return Ok(false);
        }
        if records.signing_keys.iter().any(|known| known.key_id == key.key_id) {
            return Err(StoreUnavailable::new(Taken("id of the key")));
        }
        records.signing_keys.push(key);
        Ok(true)
    }

    async fn reseal(&self, key: StoredKey) -> Result<(), StoreUnavailable> {
        let mut records = self.records();
        if let Some(known) = records.signing_keys.iter_mut().find(|it| it.key_id == key.key_id) {
            known.private_key = key.private_key;
        }
        Ok(())
    }

    async fn forget(&self, key_ids: &[String]) -> Result<u64, StoreUnavailable> {
        let mut records = self.records();
        let Some(newest) = records.signing_keys.pop() else { return Ok(0) };
        let before = records.signing_keys.len();
        records.signing_keys.retain(|key| !key_ids.contains(&key.key_id));
        let gone = before - records.signing_keys.len();
        records.signing_keys.push(newest);
        Ok(gone as u64)
    }
}
