//! The server as a program: configuration, wiring, start and stop.
//!
//! `main` is one line over this library, so a program of your own can serve its own tools: see
//! `examples/own_tool.rs`.

mod access_settings;
mod arguments;
mod banner;
mod catalogs;
mod command;
mod configuration_schema;
mod connection_settings;
mod dev_settings;
mod document_settings;
mod identity_table;
mod limit_settings;
mod listeners;
mod log_audit;
mod logging;
mod open_files;
mod openapi_settings;
mod problem;
mod provider_choice;
mod provider_issuer;
mod provider_settings;
mod provider_tokens;
#[cfg(test)]
mod published;
mod reload;
mod run;
mod sealers;
mod setting_group;
mod setting_sources;
mod setting_table;
mod settings;
mod signals;
mod store;
mod stored_audit;
mod system;
mod tls_files;
mod tool_settings;
mod tool_table;
mod vendor_facts;
mod wiring;

pub use run::{run, run_with_catalog};
