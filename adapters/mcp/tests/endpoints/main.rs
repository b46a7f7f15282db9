//! The MCP endpoints, called in process over mocked ports.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a scenario that can't go on fails its test"
)]

mod rich_catalog;
mod scenario;
mod session_store;
mod test_catalog;

mod authentication;
mod batches;
mod changes;
mod containment;
mod logging;
mod messages;
mod open_requests;
mod prompts_and_resources;
mod questions;
mod sse;
mod streamable_http;
mod tool_calls;
