use std::cmp::Reverse;

use async_trait::async_trait;
use mcp_oauth_core::domain::grant::{Grant, GrantId, GrantSelection};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{GrantDirectory, StoreUnavailable};

use crate::{MemoryStore, Taken};

#[async_trait]
impl GrantDirectory for MemoryStore {
    async fn begin_without_code(&self, grant: &Grant) -> Result<(), StoreUnavailable> {
        let mut records = self.records();
        if records.grants.contains_key(&grant.id) {
            return Err(StoreUnavailable::new(Taken("id of the grant")));
        }
        records.grants.insert(grant.id.clone(), grant.clone());
        Ok(())
    }

    async fn find_grant(&self, id: &GrantId) -> Result<Option<Grant>, StoreUnavailable> {
        Ok(self.records().grants.get(id).cloned())
    }

    async fn list_grants(
        &self,
        selection: &GrantSelection,
        most: u32,
    ) -> Result<Vec<Grant>, StoreUnavailable> {
        let records = self.records();
        let meant = records.grants.values().filter(|grant| selection.includes(grant));
        let mut grants: Vec<_> = meant.cloned().collect();
        grants.sort_by(|a, b| (Reverse(a.granted_at), &a.id).cmp(&(Reverse(b.granted_at), &b.id)));
        grants.truncate(most as usize);
        Ok(grants)
    }

    async fn revoke_all(
        &self,
        selection: &GrantSelection,
        at: Timestamp,
    ) -> Result<u64, StoreUnavailable> {
        let mut records = self.records();
        let alive = GrantSelection { alive: true, ..selection.clone() };
        let meant = records.grants.values_mut().filter(|grant| alive.includes(grant));
        Ok(meant.map(|grant| grant.revoked_at = Some(at)).count() as u64)
    }
}
