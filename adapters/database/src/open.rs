use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mcp_oauth_core::port::StoreUnavailable;
use sea_orm::sqlx::ConnectOptions as _;
use sea_orm::sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr, SqliteTransactionMode,
    SqlxSqliteConnector, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;

use crate::migration::Migrator;
use crate::open_error::OpenError;

/// Reads that may run at once; a lookup by key takes microseconds, so few go a long way.
const READERS: u32 = 4;

/// How long a call may wait for its turn before the store counts as unavailable.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// How long another process may hold the file, e.g. this program's predecessor at a restart.
const LONGEST_LOCK: Duration = Duration::from_secs(5);

/// A database that holds clients, grants, login sessions and signing keys. Clones share it.
#[derive(Clone)]
pub struct Database {
    /// Sees what was committed before it is asked, and never waits for a writer.
    pub(crate) reader: DatabaseConnection,
    /// One connection: SQLite has one writer at a time, and callers queue for it here, first come,
    /// first served, rather than by SQLite's sleeping and trying again.
    pub(crate) writer: DatabaseConnection,
    opened: Opened,
}

/// What opening the database did to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// Whether there was no file before.
    pub created: bool,
    /// How many migrations were applied; 0 when the schema was up to date.
    pub migrations_applied: usize,
}

impl Database {
    /// Opens an SQLite file and brings its schema up to date.
    ///
    /// A missing file is created for its owner alone (mode 0600), since it will hold private keys;
    /// SQLite gives its `-wal` and `-shm` files the same mode. The mode of a file that is there is
    /// left as it is.
    ///
    /// # Errors
    /// [`OpenError`]; a file that was there is unchanged then.
    pub async fn open_sqlite(path: &Path) -> Result<Self, OpenError> {
        let created = create_private_file(path)
            .map_err(|source| OpenError::Create { path: path.to_owned(), source })?;
        let writer =
            connect_writer(path).await.map_err(|error| OpenError::unusable(path, error))?;
        let migrations_applied = migrate(&writer, path).await?;
        let opened = Opened { created, migrations_applied };
        Ok(Self { reader: connect_readers(path), writer, opened })
    }

    /// What opening it did.
    #[must_use]
    pub fn opened(&self) -> Opened {
        self.opened
    }

    /// Waits for the calls under way and closes the file, for every clone; later calls find the
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

/// IMMEDIATE takes the write lock at once: a transaction that reads first and is then overtaken by
/// another process would be refused when it comes to write, with no way to wait.
async fn begin_write(writer: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    writer.begin_with_options(immediate).await
}

/// Returns whether there was no file.
fn create_private_file(path: &Path) -> io::Result<bool> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

fn sqlite_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(LONGEST_LOCK)
        .foreign_keys(true)
        .disable_statement_logging()
}

fn pool_options(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(LONGEST_WAIT)
        // A file does not hang up: neither retire connections nor ask whether they are there.
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

async fn connect_writer(path: &Path) -> Result<DatabaseConnection, DbErr> {
    let options = sqlite_options(path)
        .journal_mode(SqliteJournalMode::Wal)
        // In WAL mode NORMAL survives SIGKILL but not a power cut: a commit is in the file system's
        // cache only. A redeemed code would be good again, and a rotated refresh token lost.
        .synchronous(SqliteSynchronous::Full);
    let pool = pool_options(1).connect_with(options).await;
    let pool = pool.map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))))?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

pub(crate) fn connect_readers(path: &Path) -> DatabaseConnection {
    let options = sqlite_options(path).pragma("query_only", "ON");
    let pool = pool_options(READERS).connect_lazy_with(options);
    SqlxSqliteConnector::from_sqlx_sqlite_pool(pool)
}

/// Applies the missing migrations in one transaction, all or none, and returns how many.
async fn migrate(writer: &DatabaseConnection, path: &Path) -> Result<usize, OpenError> {
    let unusable = |error| OpenError::unusable(path, error);
    let transaction = begin_write(writer).await.map_err(unusable)?;
    let applied = Migrator::get_migration_models(&transaction).await.map_err(unusable)?;
    let applied: BTreeSet<_> = applied.into_iter().map(|row| row.version).collect();
    let known: BTreeSet<_> =
        Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    if let Some(unknown) = applied.difference(&known).next() {
        let migration = unknown.clone();
        return Err(OpenError::NewerSchema { path: path.to_owned(), migration });
    }
    Migrator::up(&transaction, None).await.map_err(unusable)?;
    transaction.commit().await.map_err(unusable)?;
    Ok(known.difference(&applied).count())
}

#[cfg(test)]
mod tests {
    use sea_orm::ConnectionTrait;
    use sea_orm::sqlx::Executor;
    use tempfile::TempDir;

    use super::*;

    #[tokio::test]
    async fn a_newer_schema_is_refused_by_name() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("test.db");
        let database = Database::open_sqlite(&path).await.unwrap();
        let future = "INSERT INTO seaql_migrations VALUES ('m29991231_000001_flying_cars', 0)";
        database.writer.execute_unprepared(future).await.unwrap();
        database.close().await.unwrap();
        let error = Database::open_sqlite(&path).await.err().unwrap();
        assert!(matches!(error, OpenError::NewerSchema { .. }), "{error:?}");
        assert!(error.to_string().contains("m29991231_000001_flying_cars"), "{error}");
    }

    #[tokio::test]
    async fn a_commit_is_on_the_disk_when_it_is_acknowledged() {
        let directory = TempDir::new().unwrap();
        let database = Database::open_sqlite(&directory.path().join("test.db")).await.unwrap();
        let pragmas = [("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1")];
        for (pragma, expected) in pragmas {
            let statement = sea_orm::Statement::from_string(
                sea_orm::DbBackend::Sqlite,
                format!("SELECT CAST({pragma} AS TEXT) AS value FROM pragma_{pragma}"),
            );
            let row = database.writer.query_one_raw(statement).await.unwrap().unwrap();
            assert_eq!(row.try_get::<String>("", "value").unwrap(), expected, "{pragma}");
        }
    }

    #[tokio::test]
    async fn a_transaction_has_the_write_lock_from_its_beginning() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("test.db");
        let database = Database::open_sqlite(&path).await.unwrap();
        let impatient = sqlite_options(&path).busy_timeout(Duration::ZERO);
        let mut other_process = impatient.connect().await.unwrap();
        let transaction = database.write().await.unwrap();
        assert!(other_process.execute("BEGIN IMMEDIATE").await.is_err());
        transaction.commit().await.unwrap();
        other_process.execute("BEGIN IMMEDIATE").await.unwrap();
    }

    #[tokio::test]
    async fn readers_cannot_write() {
        let directory = TempDir::new().unwrap();
        let database = Database::open_sqlite(&directory.path().join("test.db")).await.unwrap();
        let result = database.reader.execute_unprepared("DELETE FROM clients").await;
        assert!(result.is_err());
    }
}
