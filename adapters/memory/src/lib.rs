//! What is kept in memory and dies with the process: every store, what was verified, fetched and found
//! not to be revoked, and how often things were done.
//!
//! One lock around a [`MemoryStore`] makes each method atomic, which is the whole of the ports'
//! promises but survival; so this is also the plainest reading of them.

mod audit_trail;
mod client_registry;
mod consent_memory;
mod counter;
mod fetch_budget;
mod grant_directory;
mod grant_store;
mod housekeeping;
mod key_store;
mod login_sessions;
mod mcp_sessions;
mod pending_logins;
mod provider_tokens;
mod recent_revocations;
mod remembered_documents;
mod request_limits;
mod shared_refreshes;
mod spent_token_ids;
mod token_revocations;
mod verified_tokens;

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mcp_oauth_core::domain::audit_trail::AuditEntry;
use mcp_oauth_core::domain::client::{Client, ClientId};
use mcp_oauth_core::domain::consent::{ConsentKey, RememberedConsent};
use mcp_oauth_core::domain::grant::{CodeRecord, Grant, GrantId};
use mcp_oauth_core::domain::kept_tokens::KeptTokens;
use mcp_oauth_core::domain::login::LoginSession;
use mcp_oauth_core::domain::mcp_session::McpSession;
use mcp_oauth_core::domain::provider_login::PendingLogin;
use mcp_oauth_core::domain::refresh::RefreshRecord;
use mcp_oauth_core::domain::secret::{
    CodeHash, McpSessionHash, ProviderStateHash, RefreshTokenHash, SessionHash,
};
use mcp_oauth_core::domain::spent_id::SpentId;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::StoredKey;
use thiserror::Error;

pub use recent_revocations::RecentRevocations;
pub use remembered_documents::{DocumentMemory, RememberedDocuments};
pub use request_limits::{RequestCounts, Unlimited};
pub use shared_refreshes::RefreshesUnderWay;
pub use verified_tokens::VerifiedTokens;

/// Everything the ports of a store ask for, in memory.
#[derive(Default)]
pub struct MemoryStore(Mutex<Records>);

#[derive(Default)]
struct Records {
    clients: HashMap<ClientId, Client>,
    grants: HashMap<GrantId, Grant>,
    codes: HashMap<CodeHash, CodeRecord>,
    refresh_tokens: HashMap<RefreshTokenHash, RefreshRecord>,
    /// By token id: when it would have ended by itself.
    revoked_tokens: HashMap<String, Timestamp>,
    /// With their numbers, the last of which is `audit_entries`.
    audit_trail: VecDeque<(i64, AuditEntry)>,
    audit_entries: i64,
    consents: HashMap<ConsentKey, RememberedConsent>,
    login_sessions: HashMap<SessionHash, LoginSession>,
    mcp_sessions: HashMap<McpSessionHash, McpSession>,
    pending_logins: HashMap<ProviderStateHash, PendingLogin>,
    provider_tokens: HashMap<GrantId, KeptTokens>,
    /// In the order in which they were added.
    signing_keys: Vec<StoredKey>,
    spent_token_ids: HashMap<SpentId, Timestamp>,
}

/// An id or a hash that should be new is not.
#[derive(Debug, Error)]
#[error("the {0} is taken")]
struct Taken(&'static str);

/// What something belongs to is not there.
#[derive(Debug, Error)]
#[error("there is no {0}")]
struct Missing(&'static str);

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        // Every method checks first and changes last, so a panic leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
