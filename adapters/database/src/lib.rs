//! The stores in a database, through sea-orm: SQLite now, and nothing here but `open` that
//! another database would not understand.
//!
//! A race is decided by the guard in the `WHERE` clause of one `UPDATE` and by how many rows that
//! changed, never by a read that comes before it. So it is decided the same way under SQLite, where
//! writers queue, and under READ COMMITTED, where they don't.

mod audit_trail;
mod client_registry;
mod consent_memory;
mod entity;
mod grant_directory;
mod grant_store;
mod housekeeping;
mod impossible_row;
mod key_store;
mod login_sessions;
mod migration;
mod missing_migrations;
mod open;
mod open_error;
#[cfg(test)]
mod query_plan;
mod token_revocations;

pub use open::{Database, Opened};
pub use open_error::OpenError;
