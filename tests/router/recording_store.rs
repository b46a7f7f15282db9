//! The memory store, with a record of what was changed in it and a switch that puts it out of reach.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use mcp_oauth_core::domain::access_token::IssuedToken;
use mcp_oauth_core::domain::client::{Client, ClientId};
use mcp_oauth_core::domain::consent::{ConsentKey, RememberedConsent};
use mcp_oauth_core::domain::grant::{CodeRecord, Grant, GrantId, GrantSelection};
use mcp_oauth_core::domain::kept_tokens::{KeptTokens, SealedTokens};
use mcp_oauth_core::domain::login::LoginSession;
use mcp_oauth_core::domain::mcp_session::{McpSession, SessionOwner, SessionSetup};
use mcp_oauth_core::domain::provider_login::PendingLogin;
use mcp_oauth_core::domain::refresh::RefreshRecord;
use mcp_oauth_core::domain::secret::{
    CodeHash, McpSessionHash, ProviderStateHash, RefreshTokenHash, SessionHash,
};
use mcp_oauth_core::domain::spent_id::SpentId;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{
    ClientRegistry, ConsentMemory, GrantDirectory, GrantStore, LoginSessions, McpSessions,
    OpenSessionError, PendingLogins, ProviderTokenStore, RedeemError, RegisterError, RotateError,
    SessionBounds, SessionUse, SpentTokenIds, StoreUnavailable, TokenRevocations,
};
use mcp_oauth_memory::MemoryStore;

/// Clients, grants and login sessions.
#[derive(Default)]
pub(crate) struct RecordingStore {
    store: MemoryStore,
    writes: Mutex<Vec<&'static str>>,
    out_of_reach: AtomicBool,
    session_lookups: AtomicUsize,
}

impl RecordingStore {
    /// Every attempt to change something, in order.
    pub(crate) fn writes(&self) -> Vec<&'static str> {
        self.writes.lock().unwrap().clone()
    }

    /// Makes every later call fail.
    pub(crate) fn put_out_of_reach(&self) {
        self.out_of_reach.store(true, Ordering::Relaxed);
    }

    /// Makes every later call succeed again.
    pub(crate) fn put_within_reach(&self) {
        self.out_of_reach.store(false, Ordering::Relaxed);
    }

    /// How often somebody looked for a session of MCP.
    pub(crate) fn session_lookups(&self) -> usize {
        self.session_lookups.load(Ordering::Relaxed)
    }

    fn reach(&self) -> Result<&MemoryStore, StoreUnavailable> {
        if self.out_of_reach.load(Ordering::Relaxed) {
            return Err(StoreUnavailable::new("the disk of 10.0.0.7 is full"));
        }
        Ok(&self.store)
    }

    fn write(&self, what: &'static str) -> Result<&MemoryStore, StoreUnavailable> {
        let store = self.reach()?;
        self.writes.lock().unwrap().push(what);
        Ok(store)
    }
}

#[async_trait]
impl ClientRegistry for RecordingStore {
    async fn register(&self, client: &Client, most: u32) -> Result<(), RegisterError> {
        self.write("register")?.register(client, most).await
    }

    async fn find(&self, id: &ClientId) -> Result<Option<Client>, StoreUnavailable> {
        ClientRegistry::find(self.reach()?, id).await
    }

    async fn replace(&self, client: &Client) -> Result<bool, StoreUnavailable> {
        self.write("replace")?.replace(client).await
    }

    async fn touch(&self, id: &ClientId, used_at: Timestamp) -> Result<(), StoreUnavailable> {
        self.write("touch")?.touch(id, used_at).await
    }

    async fn delete(&self, id: &ClientId) -> Result<bool, StoreUnavailable> {
        self.write("delete")?.delete(id).await
    }

    async fn list(&self) -> Result<Vec<Client>, StoreUnavailable> {
        self.reach()?.list().await
    }
}

#[async_trait]
impl GrantStore for RecordingStore {
    async fn begin(&self, grant: &Grant, code: &CodeRecord) -> Result<(), StoreUnavailable> {
        GrantStore::begin(self.write("begin")?, grant, code).await
    }

    async fn find_code(
        &self,
        code: &CodeHash,
    ) -> Result<Option<(CodeRecord, Grant)>, StoreUnavailable> {
        self.reach()?.find_code(code).await
    }

    async fn redeem_code_once(
        &self,
        code: &CodeHash,
        at: Timestamp,
        refresh: Option<RefreshRecord>,
    ) -> Result<(), RedeemError> {
        self.write("redeem")?.redeem_code_once(code, at, refresh).await
    }

    async fn find_refresh(
        &self,
        token: &RefreshTokenHash,
    ) -> Result<Option<(RefreshRecord, Grant)>, StoreUnavailable> {
        self.reach()?.find_refresh(token).await
    }

    async fn rotate_if_current(
        &self,
        token: &RefreshTokenHash,
        at: Timestamp,
        successor: &RefreshRecord,
    ) -> Result<(), RotateError> {
        self.write("rotate")?.rotate_if_current(token, at, successor).await
    }

    async fn count_grace_use(
        &self,
        token: &RefreshTokenHash,
        successor: &RefreshTokenHash,
        most: u32,
    ) -> Result<bool, StoreUnavailable> {
        self.write("count grace use")?.count_grace_use(token, successor, most).await
    }

    async fn revoke(&self, grant: &GrantId, at: Timestamp) -> Result<(), StoreUnavailable> {
        self.write("revoke")?.revoke(grant, at).await
    }
}

#[async_trait]
impl SpentTokenIds for RecordingStore {
    async fn record_once(&self, id: &SpentId, until: Timestamp) -> Result<bool, StoreUnavailable> {
        self.write("record once")?.record_once(id, until).await
    }

    async fn contains(&self, id: &SpentId) -> Result<bool, StoreUnavailable> {
        self.reach()?.contains(id).await
    }
}

#[async_trait]
impl LoginSessions for RecordingStore {
    async fn open(&self, session: &LoginSession) -> Result<(), StoreUnavailable> {
        self.write("open session")?.open(session).await
    }

    async fn find(&self, session: &SessionHash) -> Result<Option<LoginSession>, StoreUnavailable> {
        LoginSessions::find(self.reach()?, session).await
    }

    async fn end(&self, session: &SessionHash) -> Result<Option<LoginSession>, StoreUnavailable> {
        self.write("end")?.end(session).await
    }
}

#[async_trait]
impl PendingLogins for RecordingStore {
    async fn begin(&self, login: &PendingLogin) -> Result<(), StoreUnavailable> {
        PendingLogins::begin(self.write("begin login")?, login).await
    }

    async fn take_once(
        &self,
        state: &ProviderStateHash,
    ) -> Result<Option<PendingLogin>, StoreUnavailable> {
        self.write("take login")?.take_once(state).await
    }
}

#[async_trait]
impl ProviderTokenStore for RecordingStore {
    async fn keep_tokens(&self, tokens: &KeptTokens) -> Result<(), StoreUnavailable> {
        self.write("keep tokens")?.keep_tokens(tokens).await
    }

    async fn find_tokens(&self, grant: &GrantId) -> Result<Option<KeptTokens>, StoreUnavailable> {
        self.reach()?.find_tokens(grant).await
    }

    async fn replace_tokens_if_current(
        &self,
        current: &SealedTokens,
        next: &KeptTokens,
    ) -> Result<bool, StoreUnavailable> {
        self.write("replace tokens")?.replace_tokens_if_current(current, next).await
    }

    async fn forget_tokens_if_current(
        &self,
        grant: &GrantId,
        current: &SealedTokens,
    ) -> Result<bool, StoreUnavailable> {
        self.write("forget tokens")?.forget_tokens_if_current(grant, current).await
    }
}

#[async_trait]
impl GrantDirectory for RecordingStore {
    async fn begin_without_code(&self, grant: &Grant) -> Result<(), StoreUnavailable> {
        self.write("begin_without_code")?.begin_without_code(grant).await
    }

    async fn find_grant(&self, id: &GrantId) -> Result<Option<Grant>, StoreUnavailable> {
        self.reach()?.find_grant(id).await
    }

    async fn list_grants(
        &self,
        selection: &GrantSelection,
        most: u32,
    ) -> Result<Vec<Grant>, StoreUnavailable> {
        self.reach()?.list_grants(selection, most).await
    }

    async fn revoke_all(
        &self,
        selection: &GrantSelection,
        at: Timestamp,
    ) -> Result<u64, StoreUnavailable> {
        self.write("revoke_all")?.revoke_all(selection, at).await
    }
}

#[async_trait]
impl TokenRevocations for RecordingStore {
    async fn revoke_token(
        &self,
        token: &IssuedToken,
        until: Timestamp,
    ) -> Result<(), StoreUnavailable> {
        self.write("revoke_token")?.revoke_token(token, until).await
    }

    async fn is_revoked(&self, token: &IssuedToken) -> Result<bool, StoreUnavailable> {
        self.reach()?.is_revoked(token).await
    }
}

#[async_trait]
impl ConsentMemory for RecordingStore {
    async fn remember(&self, consent: &RememberedConsent) -> Result<(), StoreUnavailable> {
        self.write("remember")?.remember(consent).await
    }

    async fn recall(
        &self,
        key: &ConsentKey,
    ) -> Result<Option<RememberedConsent>, StoreUnavailable> {
        self.reach()?.recall(key).await
    }

    async fn forget_consents(&self, selection: &GrantSelection) -> Result<u64, StoreUnavailable> {
        self.write("forget_consents")?.forget_consents(selection).await
    }
}

#[async_trait]
impl McpSessions for RecordingStore {
    async fn open_session(
        &self,
        session: &McpSession,
        bounds: SessionBounds,
    ) -> Result<Vec<McpSessionHash>, OpenSessionError> {
        self.write("open session")?.open_session(session, bounds).await
    }

    async fn find_session(
        &self,
        id: &McpSessionHash,
        owner: &SessionOwner,
    ) -> Result<Option<McpSession>, StoreUnavailable> {
        self.session_lookups.fetch_add(1, Ordering::Relaxed);
        self.reach()?.find_session(id, owner).await
    }

    async fn touch_session(
        &self,
        id: &McpSessionHash,
        owner: &SessionOwner,
        usage: SessionUse,
    ) -> Result<bool, StoreUnavailable> {
        self.write("touch session")?.touch_session(id, owner, usage).await
    }

    async fn replace_setup_if_current(
        &self,
        id: &McpSessionHash,
        owner: &SessionOwner,
        current: &SessionSetup,
        next: &SessionSetup,
    ) -> Result<bool, StoreUnavailable> {
        let store = self.write("replace setup")?;
        store.replace_setup_if_current(id, owner, current, next).await
    }

    async fn end_session(
        &self,
        id: &McpSessionHash,
        owner: &SessionOwner,
    ) -> Result<bool, StoreUnavailable> {
        self.write("end session")?.end_session(id, owner).await
    }
}
