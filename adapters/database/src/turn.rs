//! What one transaction at a time may do.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, DbErr};

use crate::open::Write;

/// A kind of change that looks at more than the rows it changes. With SQLite there is one writer at
/// a time anyway; in PostgreSQL those who want the same turn queue for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Creates and changes tables.
    Migration = 1,
    /// Adds one to the clients that registered themselves, of which there may be so many.
    Registration = 2,
    /// Changes which signing key is the newest.
    SigningKeys = 3,
    /// Gives out the next numbers: readers who have seen one wait for none below it.
    AuditNumbers = 4,
    /// Removes what is left of a grant in one run, rather than half of it in each of two.
    Housekeeping = 5,
    /// Adds one to the sessions of MCP, of which there may be so many.
    McpSessions = 6,
}

impl Turn {
    /// How long a statement of it, or the wait for it, may take: `None` for as long as any.
    pub(crate) fn longest(self) -> Option<Duration> {
        match self {
            Self::Migration => Some(Duration::from_secs(60)),
            Self::Housekeeping => Some(Duration::from_secs(600)),
            Self::Registration | Self::SigningKeys | Self::AuditNumbers | Self::McpSessions => None,
        }
    }

    /// Waits for the turn; it ends with the transaction.
    pub(crate) async fn take(self, write: &Write) -> Result<(), DbErr> {
        if write.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        if let Some(longest) = self.longest() {
            let longest = longest.as_millis();
            let patience = format!(
                "SET LOCAL lock_timeout = {longest}; SET LOCAL statement_timeout = {longest}"
            );
            write.execute_unprepared(&patience).await?;
        }
        write.execute_unprepared(&self.lock()).await.map(|_| ())
    }

    /// Advisory locks are those of a database, in which there may be several installations: each in
    /// a schema, whose number is the second half of the key.
    fn lock(self) -> String {
        let kind = i32::from_be_bytes([b'm', b'c', b'p', self as u8]);
        format!(
            "SELECT pg_advisory_xact_lock({kind}, oid::int) FROM pg_namespace \
             WHERE nspname = current_schema()"
        )
    }
}
