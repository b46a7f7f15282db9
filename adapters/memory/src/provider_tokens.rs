use async_trait::async_trait;
use mcp_oauth_core::domain::grant::GrantId;
use mcp_oauth_core::domain::kept_tokens::{KeptTokens, SealedTokens};
use mcp_oauth_core::port::{ProviderTokenStore, StoreUnavailable};

use crate::{MemoryStore, Missing, Records, Taken};

#[async_trait]
impl ProviderTokenStore for MemoryStore {
    async fn keep_tokens(&self, tokens: &KeptTokens) -> Result<(), StoreUnavailable> {
        let mut records = self.records();
        if !records.grants.contains_key(&tokens.grant) {
            return Err(StoreUnavailable::new(Missing("grant of the tokens")));
        }
        if records.provider_tokens.contains_key(&tokens.grant) {
            return Err(StoreUnavailable::new(Taken("place of the tokens")));
        }
        records.provider_tokens.insert(tokens.grant.clone(), tokens.clone());
        Ok(())
    }

    async fn find_tokens(&self, grant: &GrantId) -> Result<Option<KeptTokens>, StoreUnavailable> {
        let records = self.records();
        let found = records.provider_tokens.get(grant);
        Ok(found.filter(|_| records.is_alive(grant)).cloned())
    }

    async fn replace_tokens_if_current(
        &self,
        current: &SealedTokens,
        next: &KeptTokens,
    ) -> Result<bool, StoreUnavailable> {
        let mut records = self.records();
        if !records.is_alive(&next.grant) || !records.has_tokens(&next.grant, current) {
            return Ok(false);
        }
        records.provider_tokens.insert(next.grant.clone(), next.clone());
        Ok(true)
    }

    async fn forget_tokens_if_current(
        &self,
        grant: &GrantId,
        current: &SealedTokens,
    ) -> Result<bool, StoreUnavailable> {
        let mut records = self.records();
        let are_current = records.has_tokens(grant, current);
        if are_current {
            records.provider_tokens.remove(grant);
        }
        Ok(are_current)
    }
}

impl Records {
    fn has_tokens(&self, grant: &GrantId, tokens: &SealedTokens) -> bool {
        self.provider_tokens.get(grant).is_some_and(|kept| kept.sealed == *tokens)
    }

    pub(crate) fn forget_tokens_of_ended_grants(&mut self) {
        let grants = &self.grants;
        let is_alive =
            |id: &GrantId| grants.get(id).is_some_and(|grant| grant.revoked_at.is_none());
        self.provider_tokens.retain(|grant, _| is_alive(grant));
    }
}
