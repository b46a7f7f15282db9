//! The stores in a database, through sea-orm: SQLite or PostgreSQL. How one is opened, the
//! migrations, and whose turn it is to write are all that know which it is.
//!
//! A race is decided by the guard in the `WHERE` clause of one `UPDATE` and by how many rows that
//! changed, never by a read that comes before it. So it is decided the same way under SQLite, where
//! writers queue, and under READ COMMITTED, where they don't. Where more than a row decides, as when
//! something is counted or numbered, there is a turn to take (`turn`).

// By this name the contract suites know it, whose way to a server the tests in here take too.
#[cfg(test)]
extern crate self as mcp_oauth_database;

mod audit_trail;
mod bounded;
mod client_registry;
mod consent_memory;
mod entity;
mod grant_directory;
mod grant_store;
mod held_rows;
mod housekeeping;
mod impossible_row;
mod key_store;
mod login_sessions;
mod mcp_sessions;
mod migration;
mod open;
mod open_error;
mod open_postgres;
mod open_sqlite;
mod pending_logins;
mod postgres_address;
#[cfg(test)]
#[path = "../../../tests/contracts/postgres_schema.rs"]
mod postgres_schema;
mod provider_tokens;
#[cfg(test)]
mod query_plan;
mod schema;
mod spent_token_ids;
mod token_revocations;
mod turn;

pub use open::{Database, DatabaseAddress, Opened};
pub use open_error::OpenError;
pub use postgres_address::{InvalidPostgresAddress, PostgresAddress};
pub use schema::{migrate, pending_migrations};
