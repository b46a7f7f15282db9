use std::io;
use std::path::{Path, PathBuf};

use sea_orm::{DbErr, RuntimeErr, SqlxError};
use thiserror::Error;

/// SQLite's result code for a file that is no database (<https://sqlite.org/rescode.html#notadb>).
const SQLITE_NOTADB: &str = "26";

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
        "the database {} was migrated by a newer version of this program, which knows the \
         migration {migration}; run that version, or restore a copy from before",
        path.display()
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The first migration that this program does not know.
        migration: String,
    },
    /// The database does not answer as it should.
    #[error(
        "the database {} can't be used ({source}): the file and its directory, which also takes \
         the -wal and -shm files, must be writable",
        path.display()
    )]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the database says.
        source: DbErr,
    },
}

impl OpenError {
    pub(crate) fn unusable(path: &Path, source: DbErr) -> Self {
        let path = path.to_owned();
        if is_not_a_database(&source) {
            Self::NotADatabase { path }
        } else {
            Self::Unusable { path, source }
        }
    }
}

fn is_not_a_database(error: &DbErr) -> bool {
    let (DbErr::Conn(inner) | DbErr::Exec(inner) | DbErr::Query(inner)) = error else {
        return false;
    };
    let RuntimeErr::SqlxError(inner) = inner else { return false };
    let SqlxError::Database(inner) = inner.as_ref() else { return false };
    inner.code().is_some_and(|code| code == SQLITE_NOTADB)
}
