//! The adapter against a provider on this machine that says what it is told to.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

mod access_tokens;
mod fake_provider;
mod faults;
mod inspection;
mod login;
mod metadata;
mod opaque;
mod signing;
mod world;
