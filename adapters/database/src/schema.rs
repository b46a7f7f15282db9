//! Bringing the tables of a database up to date, and telling whether they are.

use std::collections::BTreeSet;

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityName, EntityTrait,
};
use sea_orm_migration::seaql_migrations::Entity as AppliedMigrations;
use sea_orm_migration::{IntoSchemaManagerConnection, MigratorTrait, SchemaManager};
use thiserror::Error;

use crate::bounded::Bounded;
use crate::migration::Migrator;
use crate::open::{DatabaseAddress, begin_in_turn};
use crate::open_error::OpenError;
use crate::turn::Turn;
use crate::{open_postgres, open_sqlite};

/// Brings the schema of a database up to date, creating the database if it is a file that is not
/// there, and returns the names of the migrations that were applied, in their order.
///
/// # Errors
/// [`OpenError`]; a database that was there is unchanged then.
pub async fn migrate(address: &DatabaseAddress) -> Result<Vec<String>, OpenError> {
    match address {
        DatabaseAddress::Sqlite(path) => open_sqlite::migrate(path).await,
        DatabaseAddress::Postgres(address) => open_postgres::migrate(address).await,
    }
}

/// The names of the migrations that a database lacks, in their order: none when its schema is up to
/// date. The database is not changed.
///
/// # Errors
/// [`OpenError`].
pub async fn pending_migrations(address: &DatabaseAddress) -> Result<Vec<String>, OpenError> {
    match address {
        DatabaseAddress::Sqlite(path) => open_sqlite::pending_migrations(path).await,
        DatabaseAddress::Postgres(address) => open_postgres::pending_migrations(address).await,
    }
}

/// What the migrations found and did.
pub(crate) struct Migrated {
    /// Whether none had been applied before.
    pub(crate) from_nothing: bool,
    /// The names of those that were applied now.
    pub(crate) applied: Vec<String>,
}

/// Why the schema is not the one of this program.
#[derive(Debug, Error)]
pub(crate) enum NotMigrated {
    #[error("the migration {0} is not known here")]
    Unknown(String),
    #[error(transparent)]
    Failed(#[from] DbErr),
}

/// Applies the missing migrations, all or none, while everybody else who would do the same waits.
/// An up-to-date schema is not written to, so that the right to create tables is needed for a
/// migration only.
pub(crate) async fn bring_up_to_date(
    writer: &Bounded<DatabaseConnection>,
) -> Result<Migrated, NotMigrated> {
    let write = begin_in_turn(writer, Turn::Migration).await?;
    match apply_missing(write.unbounded()).await {
        Ok(migrated) => {
            write.commit().await?;
            Ok(migrated)
        }
        Err(error) => {
            // Now, rather than when somebody looks after the connection; it is undone in any case.
            let _ = write.rollback().await;
            Err(error)
        }
    }
}

async fn apply_missing(write: &DatabaseTransaction) -> Result<Migrated, NotMigrated> {
    let before = applied(write).await?;
    let missing = missing(&before)?;
    if !missing.is_empty() {
        Migrator::up(write, None).await?;
    }
    Ok(Migrated { from_nothing: before.is_empty(), applied: missing })
}

/// What is missing, without changing anything.
pub(crate) async fn pending(database: &DatabaseConnection) -> Result<Vec<String>, NotMigrated> {
    missing(&applied(database).await?)
}

/// Every migration there is.
pub(crate) fn all() -> Vec<String> {
    Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}

fn missing(applied: &BTreeSet<String>) -> Result<Vec<String>, NotMigrated> {
    let mut missing = all();
    if let Some(unknown) = applied.iter().find(|name| !missing.contains(name)) {
        return Err(NotMigrated::Unknown(unknown.clone()));
    }
    missing.retain(|name| !applied.contains(name));
    Ok(missing)
}

async fn applied<'c, C>(database: &'c C) -> Result<BTreeSet<String>, DbErr>
where
    C: ConnectionTrait,
    &'c C: IntoSchemaManagerConnection<'c>,
{
    if !SchemaManager::new(database).has_table(AppliedMigrations.table_name()).await? {
        return Ok(BTreeSet::new());
    }
    let rows = AppliedMigrations::find().all(database).await?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}
