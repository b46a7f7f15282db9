use async_trait::async_trait;
use mcp_oauth_core::domain::consent::{ConsentKey, RememberedConsent};
use mcp_oauth_core::domain::grant::GrantSelection;
use mcp_oauth_core::port::{ConsentMemory, StoreUnavailable};

use crate::MemoryStore;

#[async_trait]
impl ConsentMemory for MemoryStore {
    async fn remember(&self, consent: &RememberedConsent) -> Result<(), StoreUnavailable> {
        self.records().consents.insert(consent.key.clone(), consent.clone());
        Ok(())
    }

    async fn recall(
        &self,
        key: &ConsentKey,
    ) -> Result<Option<RememberedConsent>, StoreUnavailable> {
        Ok(self.records().consents.get(key).cloned())
    }

    async fn forget_consents(&self, selection: &GrantSelection) -> Result<u64, StoreUnavailable> {
        let GrantSelection { client, subject, .. } = selection;
        let meant = |key: &ConsentKey| {
            client.as_ref().is_none_or(|client| *client == key.client)
                && subject.as_ref().is_none_or(|subject| *subject == key.subject)
        };
        let mut records = self.records();
        let before = records.consents.len();
        records.consents.retain(|key, _| !meant(key));
        Ok((before - records.consents.len()) as u64)
    }
}
