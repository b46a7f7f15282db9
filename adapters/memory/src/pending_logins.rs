use async_trait::async_trait;
use mcp_oauth_core::domain::provider_login::PendingLogin;
use mcp_oauth_core::domain::secret::ProviderStateHash;
use mcp_oauth_core::port::{PendingLogins, StoreUnavailable};

use crate::{MemoryStore, Records, Taken};

/// How many people may be at their providers at once. Anybody may begin a login, and each holds on to
/// a request of up to 16 KiB, so that without an end to it strangers could fill the memory.
const MOST_LOGINS: usize = 4096;

#[async_trait]
impl PendingLogins for MemoryStore {
    async fn begin(&self, login: &PendingLogin) -> Result<(), StoreUnavailable> {
        let mut records = self.records();
        if records.pending_logins.contains_key(&login.state) {
            return Err(StoreUnavailable::new(Taken("state of the login")));
        }
        if records.pending_logins.len() >= MOST_LOGINS {
            records.forget_login_that_ends_first();
        }
        records.pending_logins.insert(login.state.clone(), login.clone());
        Ok(())
    }

    async fn take_once(
        &self,
        state: &ProviderStateHash,
    ) -> Result<Option<PendingLogin>, StoreUnavailable> {
        Ok(self.records().pending_logins.remove(state))
    }
}

impl Records {
    fn forget_login_that_ends_first(&mut self) {
        let first = self.pending_logins.values().min_by_key(|login| login.expires_at);
        if let Some(state) = first.map(|login| login.state.clone()) {
            self.pending_logins.remove(&state);
        }
    }
}

#[cfg(test)]
mod tests {
    use mcp_oauth_core::domain::authorization::AuthorizationQuery;
    use mcp_oauth_core::domain::client::ConsentDigest;
    use mcp_oauth_core::domain::provider::ProviderName;
    use mcp_oauth_core::domain::secret::{LoginCookie, ProviderState};
    use mcp_oauth_core::domain::timestamp::Timestamp;

    use super::*;

    fn login(number: i64) -> PendingLogin {
        PendingLogin {
            state: ProviderState::presented(&number.to_string()).hash(),
            cookie: LoginCookie::presented("cookie").hash(),
            provider: ProviderName::parse("provider").unwrap(),
            query: AuthorizationQuery::new("query"),
            client_digest: ConsentDigest::from_stored("digest"),
            expires_at: Timestamp::from_unix(number),
        }
    }

    #[tokio::test]
    async fn up_01_logins_that_nobody_finishes_do_not_fill_the_memory() {
        let store = MemoryStore::new();
        let most = i64::try_from(MOST_LOGINS).unwrap();
        for number in (0..=most).rev() {
            store.begin(&login(number)).await.unwrap();
        }
        assert_eq!(store.records().pending_logins.len(), MOST_LOGINS);
        // The last one ends first of all, but it is not the one that has to go.
        assert_eq!(store.take_once(&login(1).state).await.unwrap(), None);
        assert_eq!(store.take_once(&login(0).state).await.unwrap(), Some(login(0)));
        assert_eq!(store.take_once(&login(2).state).await.unwrap(), Some(login(2)));
    }
}
