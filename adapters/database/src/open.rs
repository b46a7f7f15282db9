use std::fmt;
use std::path::PathBuf;

use mcp_oauth_core::port::StoreUnavailable;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
};

use crate::bounded::Bounded;
use crate::open_error::OpenError;
use crate::postgres_address::PostgresAddress;
use crate::turn::Turn;

/// A database that keeps everything the ports of a store ask for. Clones share it.
#[derive(Clone)]
pub struct Database {
    /// Sees what was committed before it is asked, and never waits for a writer.
    pub(crate) reader: Bounded<DatabaseConnection>,
    /// Where changes go: with SQLite the one connection that writes, with PostgreSQL the same
    /// connections as the reader's.
    pub(crate) writer: Bounded<DatabaseConnection>,
    pub(crate) opened: Opened,
}

/// A change of several statements under way; dropped without a commit, it changes nothing.
pub(crate) type Write = Bounded<DatabaseTransaction>;

/// Where a database is.
#[derive(Debug, Clone)]
pub enum DatabaseAddress {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// A database on a PostgreSQL server.
    Postgres(PostgresAddress),
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
    /// Opens a database and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenError`]; a database that was there is unchanged then.
    pub async fn open(address: &DatabaseAddress) -> Result<Self, OpenError> {
        match address {
            DatabaseAddress::Sqlite(path) => Self::open_sqlite(path).await,
            DatabaseAddress::Postgres(address) => Self::open_postgres(address).await,
        }
    }

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

    /// Begins a change of several statements.
    pub(crate) async fn write(&self) -> Result<Write, StoreUnavailable> {
        let write = self.writer.begin(write_options(), self.writer.longest()).await;
        write.map_err(StoreUnavailable::new)
    }

    /// Like [`Self::write`], when nobody else is at the same kind of change.
    pub(crate) async fn write_in_turn(&self, turn: Turn) -> Result<Write, StoreUnavailable> {
        begin_in_turn(&self.writer, turn).await.map_err(StoreUnavailable::new)
    }
}

pub(crate) async fn begin_in_turn(
    writer: &Bounded<DatabaseConnection>,
    turn: Turn,
) -> Result<Write, DbErr> {
    // Where there is a bound at all, a kind of change may have its own.
    let longest = writer.longest().map(|usual| turn.longest().map_or(usual, |own| usual + own));
    let write = writer.begin(write_options(), longest).await?;
    turn.take(&write).await?;
    Ok(write)
}

/// With SQLite, IMMEDIATE takes the write lock at once: a transaction that reads first and is then
/// overtaken by another process would be refused when it comes to write, with no way to wait.
fn write_options() -> TransactionOptions {
    TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    }
}

impl fmt::Display for DatabaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "SQLite, {}", path.display()),
            Self::Postgres(address) => write!(f, "PostgreSQL, {address}"),
        }
    }
}
