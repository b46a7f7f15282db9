use std::collections::BTreeSet;
use std::time::Duration;

use mcp_oauth_core::port::StoreUnavailable;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, EntityName, EntityTrait, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::seaql_migrations::Entity as AppliedMigrations;
use sea_orm_migration::{MigratorTrait, SchemaManager};
use thiserror::Error;

use crate::migration::Migrator;

/// How long a call may wait for a connection before the store counts as unavailable.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A database that holds clients, grants, login sessions and signing keys. Clones share it.
#[derive(Clone)]
pub struct Database {
    /// Sees what was committed before it is asked, and never waits for a writer.
    pub(crate) reader: DatabaseConnection,
    /// Where changes go: with SQLite the one connection that writes, with PostgreSQL the same as
    /// the reader.
    pub(crate) writer: DatabaseConnection,
    pub(crate) opened: Opened,
}

/// What opening the database did to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// Whether there was no file before, or no table.
    pub created: bool,
    /// How many migrations were applied; 0 when the schema was up to date.
    pub migrations_applied: usize,
}

impl Database {
    /// What opening it did.
    #[must_use]
    pub fn opened(&self) -> Opened {
        self.opened
    }

    /// Waits for the calls under way and closes the database, for every clone; later calls find the
    /// store unavailable. What was acknowledged is safe without this.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    pub async fn close(self) -> Result<(), StoreUnavailable> {
        self.reader.close().await.map_err(StoreUnavailable::new)?;
        self.writer.close().await.map_err(StoreUnavailable::new)
    }

    /// Begins a change of several statements; dropped without a commit, it changes nothing.
    pub(crate) async fn write(&self) -> Result<DatabaseTransaction, StoreUnavailable> {
        begin_write(&self.writer).await.map_err(StoreUnavailable::new)
    }
}

/// With SQLite, IMMEDIATE takes the write lock at once: a transaction that reads first and is then
/// overtaken by another process would be refused when it comes to write, with no way to wait.
pub(crate) async fn begin_write(writer: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    writer.begin_with_options(immediate).await
}

/// What the migrations found and did.
pub(crate) struct Migrated {
    /// How many had been applied before.
    pub(crate) before: usize,
    /// How many were applied now.
    pub(crate) applied: usize,
}

/// Why the schema is not the one of this program.
#[derive(Debug, Error)]
pub(crate) enum NotMigrated {
    #[error("the migration {0} is not known here")]
    Unknown(String),
    #[error(transparent)]
    Failed(#[from] DbErr),
}

/// Applies the missing migrations in the transaction, all or none; the transaction keeps everybody
/// else who would do the same waiting. An up-to-date schema is not written to, so that the right to
/// create tables is needed for a migration only.
pub(crate) async fn migrate(alone: DatabaseTransaction) -> Result<Migrated, NotMigrated> {
    let applied = applied(&alone).await?;
    let known: BTreeSet<_> =
        Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    if let Some(unknown) = applied.difference(&known).next() {
        return Err(NotMigrated::Unknown(unknown.clone()));
    }
    let missing = known.difference(&applied).count();
    if missing > 0 {
        Migrator::up(&alone, None).await?;
    }
    alone.commit().await?;
    Ok(Migrated { before: applied.len(), applied: missing })
}

async fn applied(database: &DatabaseTransaction) -> Result<BTreeSet<String>, DbErr> {
    if !SchemaManager::new(database).has_table(AppliedMigrations.table_name()).await? {
        return Ok(BTreeSet::new());
    }
    let rows = AppliedMigrations::find().all(database).await?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}
