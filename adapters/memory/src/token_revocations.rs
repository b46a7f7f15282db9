use async_trait::async_trait;
use mcp_oauth_core::domain::access_token::IssuedToken;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{StoreUnavailable, TokenRevocations};

use crate::MemoryStore;

#[async_trait]
impl TokenRevocations for MemoryStore {
    async fn revoke_token(
        &self,
        token: &IssuedToken,
        until: Timestamp,
    ) -> Result<(), StoreUnavailable> {
        self.records().revoked_tokens.entry(token.token_id.clone()).or_insert(until);
        Ok(())
    }

    async fn is_revoked(&self, token: &IssuedToken) -> Result<bool, StoreUnavailable> {
        let records = self.records();
        Ok(records.revoked_tokens.contains_key(&token.token_id) || !records.is_alive(&token.grant))
    }
}
