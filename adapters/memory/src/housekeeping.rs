use std::collections::HashSet;

use async_trait::async_trait;
use mcp_oauth_core::domain::client::{Client, ClientOrigin};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{Housekeeping, StoreUnavailable, UnusedClients};

use crate::{MemoryStore, Records};

#[async_trait]
impl Housekeeping for MemoryStore {
    async fn forget_expired(&self, before: Timestamp) -> Result<u64, StoreUnavailable> {
        let mut records = self.records();
        let kept_before = records.perishable();
        records.login_sessions.retain(|_, session| session.expires_at >= before);
        records.mcp_sessions.retain(|_, session| session.expires_at >= before);
        records.pending_logins.retain(|_, login| login.expires_at >= before);
        records.codes.retain(|_, code| code.expires_at >= before);
        records.consents.retain(|_, consent| consent.expires_at >= before);
        records.revoked_tokens.retain(|_, expires_at| *expires_at >= before);
        records.refresh_tokens.retain(|_, token| token.expires_at >= before);
        records.spent_token_ids.retain(|_, until| *until >= before);
        records.forget_bare_grants(before);
        records.forget_tokens_of_ended_grants();
        Ok((kept_before - records.perishable()) as u64)
    }

    async fn forget_clients(&self, unused: UnusedClients) -> Result<u64, StoreUnavailable> {
        let is_unused = |client: &Client| match client.last_used_at {
            Some(used_at) => used_at < unused.last_before,
            None => client.registered_at < unused.never_since,
        };
        let mut records = self.records();
        let before = records.clients.len();
        records
            .clients
            .retain(|_, client| client.origin != ClientOrigin::Registered || !is_unused(client));
        Ok((before - records.clients.len()) as u64)
    }
}

impl Records {
    /// How many records there are of the kinds that can expire.
    fn perishable(&self) -> usize {
        self.login_sessions.len()
            + self.mcp_sessions.len()
            + self.pending_logins.len()
            + self.codes.len()
            + self.refresh_tokens.len()
            + self.revoked_tokens.len()
            + self.consents.len()
            + self.grants.len()
            + self.spent_token_ids.len()
    }

    fn forget_bare_grants(&mut self, before: Timestamp) {
        let carried = self.codes.values().map(|code| &code.grant);
        let refreshed = self.refresh_tokens.values().map(|token| &token.grant);
        let wanted: HashSet<_> = carried.chain(refreshed).collect();
        self.grants.retain(|id, grant| grant.granted_at >= before || wanted.contains(id));
    }
}
