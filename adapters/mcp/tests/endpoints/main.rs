//! The MCP endpoints, called in process over mocked ports.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a scenario that can't go on fails its test"
)]

mod scenario;
mod session_store;
mod test_catalog;

mod authentication;
mod messages;
mod open_requests;
mod sse;
mod streamable_http;
mod tool_calls;
