//! The built program as an operator meets it: help, start-up errors, where settings come from, what
//! is served, and the commands.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

mod operator;
mod process;

mod audit_command;
mod client_documents;
mod clients_command;
mod commands;
mod doctor_command;
mod grants_command;
mod help;
mod keys_command;
mod migrate_command;
mod provider_settings;
mod registration;
mod secrets;
mod serving;
mod sources;
mod start_up_errors;
mod tls;
mod token_command;
