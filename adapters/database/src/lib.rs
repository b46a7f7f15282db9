//! The stores in a database, through sea-orm: SQLite or PostgreSQL. Only how one is opened, and the
//! migrations, know which it is.
//!
//! A race is decided by the guard in the `WHERE` clause of one `UPDATE` and by how many rows that
//! changed, never by a read that comes before it. So it is decided the same way under SQLite, where
//! writers queue, and under READ COMMITTED, where they don't.

mod client_registry;
mod entity;
mod grant_store;
mod housekeeping;
mod impossible_row;
mod key_store;
mod login_sessions;
mod migration;
mod open;
mod open_error;
mod open_postgres;
mod open_sqlite;
mod postgres_address;
#[cfg(test)]
mod query_plan;

pub use open::{Database, Opened};
pub use open_error::OpenError;
pub use postgres_address::{InvalidPostgresAddress, PostgresAddress};
