//! Opening the store that was chosen.

use std::fmt::Display;
use std::sync::Arc;

use mcp_oauth_core::port::{
    AuditTrail, ClientRegistry, ConsentMemory, GrantDirectory, GrantStore, Housekeeping, KeyStore,
    LoginSessions, McpSessions, PendingLogins, ProviderTokenStore, SpentTokenIds, TokenRevocations,
};
use mcp_oauth_database::{Database, OpenError, migrate, pending_migrations};
use mcp_oauth_memory::MemoryStore;

use crate::problem::Problem;
use crate::settings::{PlaceSources, StoreChoice};

/// The driven ports that one store serves.
#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) clients: Arc<dyn ClientRegistry>,
    pub(crate) grants: Arc<dyn GrantStore>,
    pub(crate) directory: Arc<dyn GrantDirectory>,
    pub(crate) revocations: Arc<dyn TokenRevocations>,
    pub(crate) audit: Arc<dyn AuditTrail>,
    pub(crate) consents: Arc<dyn ConsentMemory>,
    pub(crate) sessions: Arc<dyn LoginSessions>,
    pub(crate) mcp_sessions: Arc<dyn McpSessions>,
    pub(crate) pending: Arc<dyn PendingLogins>,
    pub(crate) provider_tokens: Arc<dyn ProviderTokenStore>,
    pub(crate) keys: Arc<dyn KeyStore>,
    pub(crate) spent: Arc<dyn SpentTokenIds>,
    pub(crate) housekeeping: Arc<dyn Housekeeping>,
    /// What to tell the operator.
    pub(crate) report: String,
}

impl Stores {
    pub(crate) async fn open(choice: &StoreChoice) -> Result<Self, OpenError> {
        match choice {
            StoreChoice::Memory => {
                let report = "in memory; everything is forgotten at the end".to_owned();
                Ok(Self::of(Arc::new(MemoryStore::new()), report))
            }
            StoreChoice::Database(address) => {
                let database = Database::open(address).await?;
                let opened = database.opened();
                let state = match (opened.created, opened.migrations_applied) {
                    (true, _) => "created".to_owned(),
                    (false, 0) => "opened".to_owned(),
                    (false, applied) => format!("opened, {applied} migrations applied"),
                };
                let report = format!("{address} ({state})");
                Ok(Self::of(Arc::new(database), report))
            }
        }
    }

    /// Like [`Self::open`], with whatever is wrong in words for the operator.
    pub(crate) async fn take(
        choice: &StoreChoice,
        sources: &PlaceSources,
    ) -> Result<Self, Problem> {
        Self::open(choice).await.map_err(|error| unusable(sources, &error))
    }

    fn of<S>(store: Arc<S>, report: String) -> Self
    where
        S: ClientRegistry
            + GrantStore
            + GrantDirectory
            + TokenRevocations
            + ConsentMemory
            + AuditTrail
            + LoginSessions
            + McpSessions
            + PendingLogins
            + ProviderTokenStore
            + KeyStore
            + SpentTokenIds
            + Housekeeping
            + 'static,
    {
        Self {
            clients: Arc::clone(&store) as _,
            grants: Arc::clone(&store) as _,
            directory: Arc::clone(&store) as _,
            revocations: Arc::clone(&store) as _,
            audit: Arc::clone(&store) as _,
            consents: Arc::clone(&store) as _,
            sessions: Arc::clone(&store) as _,
            mcp_sessions: Arc::clone(&store) as _,
            pending: Arc::clone(&store) as _,
            provider_tokens: Arc::clone(&store) as _,
            keys: Arc::clone(&store) as _,
            spent: Arc::clone(&store) as _,
            housekeeping: store,
            report,
        }
    }
}

/// The migrations that opening the store would apply; a memory store needs none.
pub(crate) async fn missing_migrations(
    choice: &StoreChoice,
    sources: &PlaceSources,
) -> Result<Vec<String>, Problem> {
    let missing = match choice {
        StoreChoice::Memory => return Ok(Vec::new()),
        StoreChoice::Database(address) => pending_migrations(address).await,
    };
    missing.map_err(|error| unusable(sources, &error))
}

/// Applies them, and returns which were applied.
pub(crate) async fn migrate_store(
    choice: &StoreChoice,
    sources: &PlaceSources,
) -> Result<Vec<String>, Problem> {
    let applied = match choice {
        StoreChoice::Memory => return Ok(Vec::new()),
        StoreChoice::Database(address) => migrate(address).await,
    };
    applied.map_err(|error| unusable(sources, &error))
}

fn unusable(sources: &PlaceSources, error: &OpenError) -> Problem {
    Problem::new("store", &sources.store, error, error.remedy())
}

/// A store that stopped working.
pub(crate) fn store_problem(sources: &PlaceSources, error: &dyn Display) -> Problem {
    let remedy = "See that it takes changes, or choose another place with --store.";
    Problem::new("store", &sources.store, error, remedy)
}
