//! The stores under test, and running many callers against one of them at once.

use std::path::PathBuf;
use std::sync::Arc;

use mcp_oauth_core::port::{
    ClientRegistry, GrantDirectory, GrantStore, Housekeeping, KeyStore, LoginSessions, McpSessions,
    PendingLogins, ProviderTokenStore, SpentTokenIds, TokenRevocations,
};
use mcp_oauth_database::Database;
use tempfile::TempDir;
use tokio::sync::Barrier;

/// Every port of one store, for the contracts that span several.
pub(crate) trait Store:
    ClientRegistry
    + GrantStore
    + GrantDirectory
    + TokenRevocations
    + LoginSessions
    + McpSessions
    + PendingLogins
    + ProviderTokenStore
    + KeyStore
    + Housekeeping
    + SpentTokenIds
{
}

impl<T> Store for T where
    T: ClientRegistry
        + GrantStore
        + GrantDirectory
        + TokenRevocations
        + LoginSessions
        + McpSessions
        + PendingLogins
        + ProviderTokenStore
        + KeyStore
        + Housekeeping
        + SpentTokenIds
{
}

/// An SQLite file of its own, deleted with this value.
pub(crate) struct SqliteFile {
    directory: TempDir,
}

impl SqliteFile {
    pub(crate) fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("test.db")
    }

    pub(crate) async fn open(&self) -> Database {
        Database::open_sqlite(&self.path()).await.unwrap()
    }
}

/// How many callers race.
pub(crate) const CALLERS: usize = 64;

/// Lets [`CALLERS`] tasks loose at once; each gets its number. Returns what they returned, in order.
pub(crate) async fn race<T, F>(call: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(CALLERS));
    let tasks: Vec<_> = (0..CALLERS)
        .map(|number| {
            let (start, call) = (Arc::clone(&start), call(number));
            tokio::spawn(async move {
                start.wait().await;
                call.await
            })
        })
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

/// Makes each function of a contract a test of each store.
macro_rules! contract {
    ($($test:ident),+ $(,)?) => {
        mod memory {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $test() {
                    super::$test(std::sync::Arc::new(mcp_oauth_memory::MemoryStore::new())).await;
                }
            )+
        }

        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $test() {
                    let Some(schema) = crate::postgres_schema::PostgresSchema::new().await else {
                        return;
                    };
                    super::$test(std::sync::Arc::new(schema.open().await)).await;
                }
            )+
        }

        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $test() {
                    let file = crate::stores::SqliteFile::new();
                    super::$test(std::sync::Arc::new(file.open().await)).await;
                }
            )+
        }
    };
}

pub(crate) use contract;
