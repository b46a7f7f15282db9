//! Where a command works: the store of the server, running or not, and the use cases over it.

use std::process::ExitCode;
use std::sync::Arc;

use mcp_oauth_core::service::UseCases;
use mcp_oauth_issuer::LocalIssuer;
use mcp_oauth_tools::BuiltinCatalog;
use tokio_util::sync::CancellationToken;

use super::CommandError;
use crate::problem::Problem;
use crate::settings::{Settings, StoreChoice};
use crate::store::{Stores, missing_migrations};
use crate::stored_audit::StoredAudit;
use crate::system::SystemClock;
use crate::wiring::{self, Wired};

/// The store, and the use cases over it.
pub(super) struct Workplace {
    pub(super) settings: Settings,
    pub(super) stores: Stores,
    pub(super) use_cases: UseCases,
    issuer: Arc<LocalIssuer>,
}

/// What is done there.
pub(super) trait Work {
    /// Does it, and prints what it did.
    async fn run(&self, place: &Workplace) -> Result<(), CommandError>;
}

/// Opens the store, if it is one that a server can be looked after in, and does the work; what was
/// decided is stored before it ends.
pub(super) async fn work(settings: Settings, work: &impl Work) -> Result<ExitCode, CommandError> {
    check_store(&settings).await?;
    let stores = Stores::take(&settings.store, &settings.sources).await?;
    let end = CancellationToken::new();
    let (trail, clock) = (Arc::clone(&stores.audit), Arc::new(SystemClock));
    let (audit, storing) = StoredAudit::start(trail, clock, end.clone());
    let worked = work.run(&Workplace::new(settings, stores, audit)?).await;
    end.cancel();
    if storing.await.is_err() {
        tracing::warn!("the last decisions are not stored");
    }
    worked.map(|()| ExitCode::SUCCESS)
}

impl Workplace {
    fn new(settings: Settings, stores: Stores, audit: StoredAudit) -> Result<Self, Problem> {
        let address = wiring::public_address(&settings, settings.port)?;
        // No command calls a tool.
        let tools = Arc::new(BuiltinCatalog::new(settings.policy.scopes.default.clone()));
        let Wired { use_cases, issuer, .. } =
            wiring::wire(&settings, address, &stores, tools, Arc::new(audit))?;
        Ok(Self { settings, stores, use_cases, issuer })
    }

    /// Whether the stored signing keys can be read.
    pub(super) async fn check_keys(&self) -> Result<(), CommandError> {
        Ok(wiring::check_keys(&self.issuer).await?)
    }
}

/// A command that made the store it looks into would answer from an empty one, and hide that it was
/// given another name than the server.
async fn check_store(settings: &Settings) -> Result<(), Problem> {
    no_memory(settings)?;
    let missing = missing_migrations(&settings.store, &settings.sources).await?;
    if missing.is_empty() {
        return Ok(());
    }
    let store = &settings.store;
    let lacks = missing.join(", ");
    let reason = format!("{store} is not there, or not up to date: it lacks {lacks}");
    let remedy = "Name the store of the server with --store or --config; or start the server once, \
                  or run `mcp-oauth-server migrate`.";
    Err(Problem::new("store", &settings.sources.store, &reason, remedy))
}

/// What another process keeps in memory is out of reach.
pub(super) fn no_memory(settings: &Settings) -> Result<(), Problem> {
    if !matches!(settings.store, StoreChoice::Memory) {
        return Ok(());
    }
    let reason = "what is in the memory of a server, no other process can reach: its clients, \
                  grants and keys, and what it decided, are there alone";
    let remedy = "Let the server keep them in a file or a database, and name that here too, e.g. --store \
                  sqlite:PATH.";
    Err(Problem::new("store", &settings.sources.store, &reason, remedy))
}
