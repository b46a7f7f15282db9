use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sea_orm::{DbErr, RuntimeErr, SqlxError};
use sqlx::error::DatabaseError;
use thiserror::Error;

use crate::postgres_address::PostgresAddress;
use crate::schema::NotMigrated;

/// SQLite's result code for a file that is no database (<https://sqlite.org/rescode.html#notadb>).
const SQLITE_NOTADB: &str = "26";

/// PostgreSQL's codes (<https://www.postgresql.org/docs/current/errcodes-appendix.html>): the class
/// of those for somebody who may not come in, a database that is not there, and something that its
/// user may not do.
const INVALID_AUTHORIZATION: &str = "28";
const INVALID_CATALOG_NAME: &str = "3D000";
const INSUFFICIENT_PRIVILEGE: &str = "42501";

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
         migration {migration}"
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
    #[error("the PostgreSQL database {database} can't be reached: {source}")]
    Unreachable {
        /// The database and its server.
        database: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file that the address names for TLS can't be read.
    #[error("for the PostgreSQL database {database}, {} can't be read: {source}", path.display())]
    UnreadableFile {
        /// The database and its server.
        database: String,
        /// The file with a certificate or a key.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// There is no TLS as the address demands it.
    #[error("there is no TLS with the PostgreSQL database {database}: {}", words_of(source))]
    NoTls {
        /// The database and its server.
        database: String,
        /// What is missing.
        source: SqlxError,
    },
    /// The server does not let this user in.
    #[error(
        "the server of the PostgreSQL database {database} does not let its user in: {}",
        words_of(source)
    )]
    NotAdmitted {
        /// The database and its server.
        database: String,
        /// What the server says.
        source: SqlxError,
    },
    /// The server has no such database.
    #[error("there is no PostgreSQL database {database}: {}", words_of(source))]
    NoDatabase {
        /// The database and its server.
        database: String,
        /// What the server says.
        source: SqlxError,
    },
    /// The user may not do what has to be done.
    #[error(
        "the user of the PostgreSQL database {database} may not do everything: {}",
        words_within(source)
    )]
    NotPermitted {
        /// The database and its server.
        database: String,
        /// What the server says.
        source: DbErr,
    },
    /// The database can't keep every text.
    #[error("the PostgreSQL database {database} has the encoding {encoding}")]
    WrongEncoding {
        /// The database and its server.
        database: String,
        /// As the server calls it.
        encoding: String,
    },
    /// PostgreSQL does not answer as it should.
    #[error("the PostgreSQL database {database} can't be used: {}", words_within(source))]
    UnusableServer {
        /// The database and its server.
        database: String,
        /// What the server says.
        source: DbErr,
    },
}

impl OpenError {
    /// What the operator can do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Create { .. } | Self::NotADatabase { .. } | Self::UnusableFile { .. } => {
                "Choose another place with --store sqlite:PATH, or --store memory."
            }
            Self::NewerSchema { .. } => "Run that version, or restore a copy from before.",
            Self::Unreachable { .. } => {
                "Start its server, which must accept connections from here, or correct the address."
            }
            Self::UnreadableFile { .. } => "Correct sslrootcert, sslcert or sslkey in the address.",
            Self::NoTls { .. } => {
                "Let the server offer TLS with a certificate that sslrootcert or a public authority \
                 vouches for, or choose another sslmode."
            }
            Self::NotAdmitted { .. } => {
                "Correct the user or the password: in the address, store_password_file, PGPASSWORD, \
                 or the file that PGPASSFILE names, which nobody but its owner may read."
            }
            Self::NoDatabase { .. } => "Create it with createdb, or correct its name.",
            Self::NotPermitted { .. } => {
                "Make that user the owner of the database, or GRANT USAGE, CREATE ON SCHEMA to it; \
                 tables that another user created must be granted to it as well."
            }
            Self::WrongEncoding { .. } => {
                "Use one in UTF8: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0."
            }
            Self::UnusableServer { .. } => {
                "Name a PostgreSQL server that takes changes, and a database whose search_path leads \
                 to a schema."
            }
        }
    }

    pub(crate) fn unusable_file(path: &Path, source: DbErr) -> Self {
        let path = path.to_owned();
        if code_of(&source).is_some_and(|code| code == SQLITE_NOTADB) {
            Self::NotADatabase { path }
        } else {
            Self::UnusableFile { path, source }
        }
    }

    pub(crate) fn file_not_migrated(path: &Path, error: NotMigrated) -> Self {
        match error {
            NotMigrated::Unknown(migration) => {
                Self::NewerSchema { database: path.display().to_string(), migration }
            }
            NotMigrated::Failed(source) => Self::unusable_file(path, source),
        }
    }

    pub(crate) fn server_not_migrated(address: &PostgresAddress, error: NotMigrated) -> Self {
        let database = address.to_string();
        match error {
            NotMigrated::Unknown(migration) => Self::NewerSchema { database, migration },
            NotMigrated::Failed(source) => match code_of(&source).as_deref() {
                Some(INSUFFICIENT_PRIVILEGE) => Self::NotPermitted { database, source },
                _ => Self::UnusableServer { database, source },
            },
        }
    }

    /// Why the first connection could not be made.
    pub(crate) fn not_connected(address: &PostgresAddress, source: SqlxError) -> Self {
        let database = address.to_string();
        let code = source.as_database_error().and_then(DatabaseError::code).map(Cow::into_owned);
        match (source, code.as_deref()) {
            // As rustls tells that it does not accept a certificate.
            (source @ SqlxError::Io(_), _) if is_invalid_data(&source) => {
                Self::NoTls { database, source }
            }
            (SqlxError::Io(source), _) => Self::Unreachable { database, source },
            (source @ (SqlxError::Tls(_) | SqlxError::Configuration(_)), _) => {
                Self::NoTls { database, source }
            }
            (source, Some(code)) if code.starts_with(INVALID_AUTHORIZATION) => {
                Self::NotAdmitted { database, source }
            }
            (source, Some(INVALID_CATALOG_NAME)) => Self::NoDatabase { database, source },
            (source, code) => {
                let may_not = code == Some(INSUFFICIENT_PRIVILEGE);
                let source = DbErr::Conn(RuntimeErr::SqlxError(Arc::new(source)));
                if may_not {
                    Self::NotPermitted { database, source }
                } else {
                    Self::UnusableServer { database, source }
                }
            }
        }
    }
}

fn is_invalid_data(error: &SqlxError) -> bool {
    matches!(error, SqlxError::Io(error) if error.kind() == io::ErrorKind::InvalidData)
}

fn within(error: &DbErr) -> Option<&SqlxError> {
    let (DbErr::Conn(inner) | DbErr::Exec(inner) | DbErr::Query(inner)) = error else {
        return None;
    };
    let RuntimeErr::SqlxError(inner) = inner else { return None };
    Some(inner.as_ref())
}

/// The code that the database gave to an error.
fn code_of(error: &DbErr) -> Option<Cow<'_, str>> {
    within(error)?.as_database_error().and_then(DatabaseError::code)
}

/// An error in the server's own words, where it is the server that says it.
fn words_of(error: &SqlxError) -> String {
    let said = error.as_database_error().map(DatabaseError::message);
    said.map_or_else(|| error.to_string(), str::to_owned)
}

fn words_within(error: &DbErr) -> String {
    within(error).map_or_else(|| error.to_string(), words_of)
}
