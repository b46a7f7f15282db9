//! MCP over HTTP: Streamable HTTP (revisions 2025-03-26 to 2026-07-28) and the old HTTP+SSE transport
//! (2024-11-05), with every request authenticated before anything else is looked at.
//!
//! [`endpoints`] makes the poem endpoints; the protocol engine behind them is rmcp. The HTTP layer in
//! front checks Host and Origin, and drops an endpoint's future when its client has gone.

mod accept;
mod call_channel;
mod call_outcome;
mod call_target;
mod callers_sessions;
mod change_notices;
mod client_setup;
mod client_side;
mod containment;
mod endpoints;
mod envelope;
mod gate;
mod handler;
mod json_rpc_error;
mod log_threshold;
mod message_body;
mod offer;
mod open_requests;
mod seats;
mod session;
mod session_refusal;
mod session_replay;
mod settings;
mod shapes;
mod sse;
mod sse_messages;
mod sse_sessions;
mod sse_transport;
mod streamable_http;
mod streamable_sessions;
mod turns;

pub use endpoints::endpoints;
pub use settings::{McpSettings, SessionLimits, Transports};
