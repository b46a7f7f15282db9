use async_trait::async_trait;
use mcp_oauth_core::domain::login::LoginSession;
use mcp_oauth_core::domain::secret::SessionHash;
use mcp_oauth_core::port::{LoginSessions, StoreUnavailable};

use crate::{MemoryStore, Taken};

#[async_trait]
impl LoginSessions for MemoryStore {
    async fn open(&self, session: &LoginSession) -> Result<(), StoreUnavailable> {
        let mut records = self.records();
        if records.login_sessions.contains_key(&session.hash) {
            return Err(StoreUnavailable::new(Taken("hash of the login session")));
        }
        records.login_sessions.insert(session.hash.clone(), session.clone());
        Ok(())
    }

    async fn find(&self, session: &SessionHash) -> Result<Option<LoginSession>, StoreUnavailable> {
        Ok(self.records().login_sessions.get(session).cloned())
    }

    async fn end(&self, session: &SessionHash) -> Result<Option<LoginSession>, StoreUnavailable> {
        Ok(self.records().login_sessions.remove(session))
    }
}
