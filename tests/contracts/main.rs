//! What the ports' documentation promises, executed on every store that implements them.
//!
//! PostgreSQL is among them when `TEST_POSTGRES_URL` says where a server is; a line on standard error
//! says when its tests are not run.
//!
//! A new store is one more module in [`stores::contract`], and runs every one of them.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod everything;
mod postgres_relay;
mod postgres_schema;
mod samples;
mod stores;

mod audit_trail;
mod client_registry;
mod consent_memory;
mod grant_directory;
mod grant_revocation;
mod grant_store;
mod housekeeping;
mod key_store;
mod login_sessions;
mod mcp_sessions;
mod pending_logins;
mod postgres_database;
mod postgres_outage;
mod postgres_waiting;
mod provider_tokens;
mod refresh_tokens;
mod spent_token_ids;
mod sqlite_file;
mod token_revocations;
