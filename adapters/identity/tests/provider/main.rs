//! The adapter against a provider on this machine that says what it is told to.

mod access_tokens;
mod fake_provider;
mod faults;
mod inspection;
mod login;
mod opaque;
mod signing;
mod world;
