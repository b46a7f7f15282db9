//! The built program as an operator meets it: help, start-up errors, where settings come from, and
//! what is served.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

mod process;

mod client_documents;
mod help;
mod registration;
mod secrets;
mod serving;
mod sources;
mod start_up_errors;
