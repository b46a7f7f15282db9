use async_trait::async_trait;
use mcp_oauth_core::domain::audit_trail::{AuditEntry, AuditQuery};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{AuditTrail, StoreUnavailable};

use crate::MemoryStore;

/// What is kept of it all: memory is no place for a long history.
const MOST_ENTRIES: usize = 10_000;

#[async_trait]
impl AuditTrail for MemoryStore {
    async fn append(&self, entries: &[AuditEntry]) -> Result<(), StoreUnavailable> {
        let mut records = self.records();
        for entry in entries {
            records.audit_entries += 1;
            let number = records.audit_entries;
            records.audit_trail.push_back((number, entry.clone()));
        }
        while records.audit_trail.len() > MOST_ENTRIES {
            records.audit_trail.pop_front();
        }
        Ok(())
    }

    async fn read(
        &self,
        query: &AuditQuery,
        most: u32,
    ) -> Result<Vec<(i64, AuditEntry)>, StoreUnavailable> {
        let records = self.records();
        let wanted = records.audit_trail.iter().rev();
        let wanted = wanted.filter(|(number, entry)| query.includes(*number, entry));
        let mut newest: Vec<_> = wanted.take(most as usize).cloned().collect();
        newest.reverse();
        Ok(newest)
    }

    async fn forget_entries(&self, before: Timestamp, most: u32) -> Result<u64, StoreUnavailable> {
        let mut records = self.records();
        let kept_before = records.audit_trail.len();
        records.audit_trail.retain(|(_, entry)| entry.at >= before);
        let surplus = records.audit_trail.len().saturating_sub(most as usize);
        records.audit_trail.drain(..surplus);
        Ok((kept_before - records.audit_trail.len()) as u64)
    }
}
