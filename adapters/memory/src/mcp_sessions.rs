use async_trait::async_trait;
use mcp_oauth_core::domain::mcp_session::{McpSession, SessionOwner, SessionSetup};
use mcp_oauth_core::domain::secret::McpSessionHash;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{
    McpSessions, OpenSessionError, SessionBounds, SessionUse, StoreUnavailable,
};

use crate::{MemoryStore, Records, Taken};

#[async_trait]
impl McpSessions for MemoryStore {
    async fn open_session(
        &self,
        session: &McpSession,
        bounds: SessionBounds,
    ) -> Result<Vec<McpSessionHash>, OpenSessionError> {
        let mut records = self.records();
        if records.mcp_sessions.contains_key(&session.id) {
            return Err(StoreUnavailable::new(Taken("id of the session")).into());
        }
        let now = session.opened_at;
        let ended = records.least_recently_used(&session.owner, now, bounds.per_owner);
        let open = records.mcp_sessions.values().filter(|other| other.is_open(now)).count();
        if open - ended.len() >= bounds.total {
            return Err(OpenSessionError::Full);
        }
        records.mcp_sessions.retain(|id, other| other.is_open(now) && !ended.contains(id));
        records.mcp_sessions.insert(session.id.clone(), session.clone());
        Ok(ended)
    }

    async fn find_session(
        &self,
        id: &McpSessionHash,
        owner: &SessionOwner,
    ) -> Result<Option<McpSession>, StoreUnavailable> {
        Ok(self.records().owned_session(id, owner).cloned())
    }

    async fn touch_session(
        &self,
        id: &McpSessionHash,
        owner: &SessionOwner,
        usage: SessionUse,
    ) -> Result<bool, StoreUnavailable> {
        let mut records = self.records();
        let session = records.owned_session(id, owner);
        let Some(session) = session.filter(|session| session.is_open(usage.used_at)) else {
            return Ok(false);
        };
        if usage.used_at > session.last_used_at {
            session.last_used_at = usage.used_at;
            session.expires_at = usage.expires_at;
        }
        Ok(true)
    }

    async fn replace_setup_if_current(
        &self,
        id: &McpSessionHash,
        owner: &SessionOwner,
        current: &SessionSetup,
        next: &SessionSetup,
    ) -> Result<bool, StoreUnavailable> {
        let mut records = self.records();
        let session = records.owned_session(id, owner);
        let Some(session) = session.filter(|session| session.setup == *current) else {
            return Ok(false);
        };
        session.setup = next.clone();
        Ok(true)
    }

    async fn end_session(
        &self,
        id: &McpSessionHash,
        owner: &SessionOwner,
    ) -> Result<bool, StoreUnavailable> {
        let mut records = self.records();
        let is_there = records.owned_session(id, owner).is_some();
        if is_there {
            records.mcp_sessions.remove(id);
        }
        Ok(is_there)
    }
}

impl Records {
    fn owned_session(
        &mut self,
        id: &McpSessionHash,
        owner: &SessionOwner,
    ) -> Option<&mut McpSession> {
        self.mcp_sessions.get_mut(id).filter(|session| session.owner == *owner)
    }

    /// Those that have to go before there may be one more of `most`.
    fn least_recently_used(
        &self,
        owner: &SessionOwner,
        now: Timestamp,
        most: usize,
    ) -> Vec<McpSessionHash> {
        let sessions = self.mcp_sessions.values();
        let own = sessions.filter(|session| session.owner == *owner && session.is_open(now));
        let mut own: Vec<_> = own.collect();
        own.sort_by_key(|session| (session.last_used_at, session.opened_at));
        let surplus = (own.len() + 1).saturating_sub(most);
        own.into_iter().take(surplus).map(|session| session.id.clone()).collect()
    }
}
