//! What is kept in memory and dies with the process: every store, and the tokens that were verified.
//!
//! One lock around a [`MemoryStore`] makes each method atomic, which is the whole of the ports'
//! promises but survival; so this is also the plainest reading of them.

mod client_registry;
mod fetch_budget;
mod grant_store;
mod housekeeping;
mod key_store;
mod login_sessions;
mod remembered_documents;
mod spent_token_ids;
mod verified_tokens;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mcp_oauth_core::domain::client::{Client, ClientId};
use mcp_oauth_core::domain::grant::{CodeRecord, Grant, GrantId};
use mcp_oauth_core::domain::login::LoginSession;
use mcp_oauth_core::domain::refresh::RefreshRecord;
use mcp_oauth_core::domain::secret::{CodeHash, RefreshTokenHash, SessionHash};
use mcp_oauth_core::domain::spent_id::SpentId;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::StoredKey;
use thiserror::Error;

pub use remembered_documents::{DocumentMemory, RememberedDocuments};
pub use verified_tokens::VerifiedTokens;

/// Clients, grants, login sessions, signing keys and spent ids, in memory.
#[derive(Default)]
pub struct MemoryStore(Mutex<Records>);

#[derive(Default)]
struct Records {
    clients: HashMap<ClientId, Client>,
    grants: HashMap<GrantId, Grant>,
    codes: HashMap<CodeHash, CodeRecord>,
    refresh_tokens: HashMap<RefreshTokenHash, RefreshRecord>,
    login_sessions: HashMap<SessionHash, LoginSession>,
    signing_keys: Vec<StoredKey>,
    spent_token_ids: HashMap<SpentId, Timestamp>,
}

/// An id or a hash that should be new is not.
#[derive(Debug, Error)]
#[error("the {0} is taken")]
struct Taken(&'static str);

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
