use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{DatabaseConnection, DbErr, RuntimeErr, SqlxSqliteConnector};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::bounded::Bounded;
use crate::open::{Database, Opened};
use crate::open_error::OpenError;
use crate::schema;

/// Reads that may run at once; a lookup by key takes microseconds, so few go a long way.
const READERS: u32 = 4;

/// How long a call may wait for its turn before the store counts as unavailable.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// How long another process may hold the file, e.g. this program's predecessor at a restart.
const LONGEST_LOCK: Duration = Duration::from_secs(5);

/// How long to wait before coming again to a file that is locked.
const PAUSE: Duration = Duration::from_millis(20);

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
        let (writer, created, applied) = connect_and_migrate(path).await?;
        let opened = Opened { created, migrations_applied: applied.len() };
        Ok(Self { reader: connect_readers(path), writer, opened })
    }
}

pub(crate) async fn migrate(path: &Path) -> Result<Vec<String>, OpenError> {
    let (writer, _, applied) = connect_and_migrate(path).await?;
    writer.close().await.map_err(|error| OpenError::unusable_file(path, error))?;
    Ok(applied)
}

pub(crate) async fn pending_migrations(path: &Path) -> Result<Vec<String>, OpenError> {
    if !path.exists() {
        return Ok(schema::all());
    }
    let reader = connect_readers(path);
    let pending = schema::pending(reader.unbounded()).await;
    reader.close().await.map_err(|error| OpenError::unusable_file(path, error))?;
    pending.map_err(|error| OpenError::file_not_migrated(path, error))
}

/// The connection that writes, whether there was no file, and the migrations that were applied.
async fn connect_and_migrate(
    path: &Path,
) -> Result<(Bounded<DatabaseConnection>, bool, Vec<String>), OpenError> {
    let created = create_private_file(path)
        .map_err(|source| OpenError::Create { path: path.to_owned(), source })?;
    let writer =
        connect_writer(path).await.map_err(|error| OpenError::unusable_file(path, error))?;
    let migrated = schema::bring_up_to_date(&writer).await;
    let migrated = migrated.map_err(|error| OpenError::file_not_migrated(path, error))?;
    Ok((writer, created, migrated.applied))
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

/// One connection: SQLite has one writer at a time, and callers queue for it here, first come,
/// first served, rather than by SQLite's sleeping and trying again.
///
/// Who opens a new file turns it into one with a WAL, and SQLite lets nobody else wait for that:
/// the others are told at once that the file is locked, and come again here.
async fn connect_writer(path: &Path) -> Result<Bounded<DatabaseConnection>, DbErr> {
    let mut left = LONGEST_LOCK.as_millis() / PAUSE.as_millis();
    loop {
        match try_connect_writer(path).await {
            Err(error) if left > 0 && is_locked(&error) => {
                left -= 1;
                tokio::time::sleep(PAUSE).await;
            }
            outcome => return outcome,
        }
    }
}

fn is_locked(error: &DbErr) -> bool {
    let DbErr::Conn(RuntimeErr::SqlxError(error)) = error else { return false };
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    // The lower byte is the primary code; SQLITE_BUSY is 5.
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == 5)
}

async fn try_connect_writer(path: &Path) -> Result<Bounded<DatabaseConnection>, DbErr> {
    let options = sqlite_options(path)
        .journal_mode(SqliteJournalMode::Wal)
        // In WAL mode NORMAL survives SIGKILL but not a power cut: a commit is in the file system's
        // cache only. A redeemed code would be good again, and a rotated refresh token lost.
        .synchronous(SqliteSynchronous::Full);
    let pool = pool_options(1).connect_with(options).await;
    let pool = pool.map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))))?;
    Ok(Bounded::new(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool), None))
}

fn connect_readers(path: &Path) -> Bounded<DatabaseConnection> {
    let options = sqlite_options(path).pragma("query_only", "ON");
    let pool = pool_options(READERS).connect_lazy_with(options);
    Bounded::new(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool), None)
}

#[cfg(test)]
mod tests {
    use sea_orm::ConnectionTrait;
    use sqlx::Executor;
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
