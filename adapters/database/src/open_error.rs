use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sea_orm::{DbErr, RuntimeErr, SqlxError};
use sqlx::error::DatabaseError;
use thiserror::Error;

use crate::postgres_address::PostgresAddress;

/// SQLite's result code for a file that is no database (<https://sqlite.org/rescode.html#notadb>).
const SQLITE_NOTADB: &str = "26";

/// PostgreSQL's class of codes for somebody who may not come in, and its code for a database that
/// is not there (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
const INVALID_AUTHORIZATION: &str = "28";
const INVALID_CATALOG_NAME: &str = "3D000";

/// Why the database can't be used, in words for the operator.
#[derive(Debug, Error)]
pub enum OpenError {
    /// There is no file and none can be made.
    #[error(
        "the database {} can't be created ({source}): its directory must exist and be writable",
        path.display()
    )]
    Create {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// There is a file and it is something else.
    #[error("{} is not an SQLite database; it was left as it is", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// A later release of this program was here.
    #[error(
        "the database {database} was migrated by a newer version of this program, which knows the \
         migration {migration}; run that version, or restore a copy from before"
    )]
    NewerSchema {
        /// The file; or the database and its server.
        database: String,
        /// The first migration that this program does not know.
        migration: String,
    },
    /// SQLite does not answer as it should.
    #[error(
        "the database {} can't be used ({source}): the file and its directory, which also takes \
         the -wal and -shm files, must be writable",
        path.display()
    )]
    UnusableFile {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: DbErr,
    },
    /// Nobody answers at the address.
    #[error(
        "the PostgreSQL database {database} can't be reached ({source}): its server must be \
         running and accept connections from here"
    )]
    Unreachable {
        /// The database and its server.
        database: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// There is no TLS as the address demands it.
    #[error(
        "there is no TLS with the PostgreSQL database {database} ({source}): the server must \
         offer it as sslmode demands, with a certificate that sslrootcert or a public authority \
         vouches for"
    )]
    NoTls {
        /// The database and its server.
        database: String,
        /// What is missing.
        source: SqlxError,
    },
    /// The server does not let this user in.
    #[error(
        "the server of the PostgreSQL database {database} does not let its user in ({source}): \
         correct the user or the password"
    )]
    NotAdmitted {
        /// The database and its server.
        database: String,
        /// What the server says.
        source: SqlxError,
    },
    /// The server has no such database.
    #[error(
        "there is no PostgreSQL database {database} ({source}): create it, or correct its name"
    )]
    NoDatabase {
        /// The database and its server.
        database: String,
        /// What the server says.
        source: SqlxError,
    },
    /// PostgreSQL does not answer as it should.
    #[error(
        "the PostgreSQL database {database} can't be used ({source}): it must take changes, and \
         let its user create tables for a new version of this program"
    )]
    UnusableServer {
        /// The database and its server.
        database: String,
        /// What the server says.
        source: DbErr,
    },
}

impl OpenError {
    pub(crate) fn unusable_file(path: &Path, source: DbErr) -> Self {
        let path = path.to_owned();
        let is_not_a_database = database_error(&source)
            .is_some_and(|error| error.code().is_some_and(|code| code == SQLITE_NOTADB));
        if is_not_a_database {
            Self::NotADatabase { path }
        } else {
            Self::UnusableFile { path, source }
        }
    }

    pub(crate) fn unusable_server(address: &PostgresAddress, source: DbErr) -> Self {
        Self::UnusableServer { database: address.to_string(), source }
    }

    /// Why the first connection could not be made.
    pub(crate) fn not_connected(address: &PostgresAddress, source: SqlxError) -> Self {
        let database = address.to_string();
        let code = source.as_database_error().and_then(DatabaseError::code).map(Cow::into_owned);
        match (source, code.as_deref()) {
            (SqlxError::Io(source), _) => Self::Unreachable { database, source },
            (source @ SqlxError::Tls(_), _) => Self::NoTls { database, source },
            (source, Some(code)) if code.starts_with(INVALID_AUTHORIZATION) => {
                Self::NotAdmitted { database, source }
            }
            (source, Some(INVALID_CATALOG_NAME)) => Self::NoDatabase { database, source },
            (source, _) => {
                let source = DbErr::Conn(RuntimeErr::SqlxError(Arc::new(source)));
                Self::UnusableServer { database, source }
            }
        }
    }
}

fn database_error(error: &DbErr) -> Option<&dyn DatabaseError> {
    let (DbErr::Conn(inner) | DbErr::Exec(inner) | DbErr::Query(inner)) = error else {
        return None;
    };
    let RuntimeErr::SqlxError(inner) = inner else { return None };
    inner.as_database_error()
}
