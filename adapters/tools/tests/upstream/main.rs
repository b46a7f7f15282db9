//! Another MCP server behind us, as a process and over HTTP.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a call that goes wrong fails its test"
)]

mod asking;
mod calling;
mod everything;
mod fixture;
mod listing;
mod passing_caller;
mod restarting;
mod scenario;
mod web;
mod web_server;
