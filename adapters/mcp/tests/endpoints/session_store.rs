//! Sessions in a map, as the port's contract has it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use mcp_oauth_core::domain::mcp_session::{McpSession, SessionOwner, SessionSetup};
use mcp_oauth_core::domain::secret::McpSessionHash;
use mcp_oauth_core::port::{
    McpSessions, OpenSessionError, SessionBounds, SessionUse, StoreUnavailable,
};

/// Whatever servers share it are replicas of one.
#[derive(Default)]
pub(crate) struct SessionStore(Mutex<HashMap<McpSessionHash, McpSession>>);

impl SessionStore {
    fn sessions(&self) -> MutexGuard<'_, HashMap<McpSessionHash, McpSession>> {
        self.0.lock().unwrap()
    }
}

fn owned<'a>(
    sessions: &'a mut HashMap<McpSessionHash, McpSession>,
    id: &McpSessionHash,
    owner: &SessionOwner,
) -> Option<&'a mut McpSession> {
    sessions.get_mut(id).filter(|session| session.owner == *owner)
}

#[async_trait]
impl McpSessions for SessionStore {
    async fn open_session(
        &self,
        session: &McpSession,
        bounds: SessionBounds,
    ) -> Result<Vec<McpSessionHash>, OpenSessionError> {
        let mut sessions = self.sessions();
        sessions.retain(|_, other| other.is_open(session.opened_at));
        let own = sessions.values().filter(|other| other.owner == session.owner);
        let mut own: Vec<_> = own.map(|it| (it.last_used_at, it.id.clone())).collect();
        own.sort();
        own.truncate((own.len() + 1).saturating_sub(bounds.per_owner));
        if sessions.len() - own.len() >= bounds.total {
            return Err(OpenSessionError::Full);
        }
        let ended: Vec<_> = own.into_iter().map(|(_, id)| id).collect();
        sessions.retain(|id, _| !ended.contains(id));
        sessions.insert(session.id.clone(), session.clone());
        Ok(ended)
    }

    async fn find_session(
        &self,
        id: &McpSessionHash,
        owner: &SessionOwner,
    ) -> Result<Option<McpSession>, StoreUnavailable> {
        Ok(owned(&mut self.sessions(), id, owner).cloned())
    }

    async fn touch_session(
        &self,
        id: &McpSessionHash,
        owner: &SessionOwner,
        usage: SessionUse,
    ) -> Result<bool, StoreUnavailable> {
        let mut sessions = self.sessions();
        let open = owned(&mut sessions, id, owner).filter(|it| it.is_open(usage.used_at));
        let Some(session) = open else { return Ok(false) };
        session.last_used_at = usage.used_at;
        session.expires_at = usage.expires_at;
        Ok(true)
    }

    async fn replace_setup_if_current(
        &self,
        id: &McpSessionHash,
        owner: &SessionOwner,
        current: &SessionSetup,
        next: &SessionSetup,
    ) -> Result<bool, StoreUnavailable> {
        let mut sessions = self.sessions();
        let session = owned(&mut sessions, id, owner).filter(|it| it.setup == *current);
        let Some(session) = session else { return Ok(false) };
        session.setup = next.clone();
        Ok(true)
    }

    async fn end_session(
        &self,
        id: &McpSessionHash,
        owner: &SessionOwner,
    ) -> Result<bool, StoreUnavailable> {
        let mut sessions = self.sessions();
        let is_there = owned(&mut sessions, id, owner).is_some();
        Ok(is_there && sessions.remove(id).is_some())
    }
}
