//! What the ports' documentation promises, executed on every store that implements them.
//!
//! A new store is one more module in [`stores::contract`], and runs every one of them.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this is a test from end to end"
)]

mod samples;
mod stores;

mod audit_trail;
mod client_registry;
mod grant_directory;
mod grant_revocation;
mod grant_store;
mod housekeeping;
mod key_store;
mod login_sessions;
mod refresh_tokens;
mod sqlite_file;
mod token_revocations;
