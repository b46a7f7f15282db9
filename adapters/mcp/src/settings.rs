//! What the operator decides about the MCP endpoints.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// The settings of the MCP endpoints.
#[derive(Debug, Clone)]
pub struct McpSettings {
    /// Which transports are served.
    pub transports: Transports,
    /// The name of the server in `serverInfo`.
    pub server_name: String,
    /// The version of the server in `serverInfo`.
    pub server_version: String,
    /// The largest message a client may send, in bytes.
    pub max_body_bytes: usize,
    /// How long a tool may take to answer.
    pub call_time_limit: Duration,
    /// How many sessions there may be, and for how long.
    pub sessions: SessionLimits,
    /// How many requests one caller may have open at once, over both transports: event streams and
    /// calls under way among them. One more is refused before anything of it runs.
    pub open_requests_per_caller: usize,
    /// Cancelled when the server shuts down: ends every session, stream and call.
    pub shutdown: CancellationToken,
}

/// Which transports are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transports {
    /// Streamable HTTP on `/mcp`.
    pub streamable_http: bool,
    /// HTTP+SSE of revision 2024-11-05 on `/mcp/sse` and `/mcp/messages`.
    pub sse: bool,
}

/// How many sessions there may be, and for how long. Revision 2026-07-28 has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// A Streamable HTTP session ends when its client has sent nothing for this time, or at most a
    /// minute later; an SSE session ends with its stream.
    pub idle: Duration,
    /// Of all callers: Streamable HTTP sessions in the store, and both transports together in this
    /// process.
    pub total: usize,
    /// Of one caller, counted the same way. One more Streamable HTTP session ends the caller's least recently used one;
    /// one more SSE stream is refused.
    pub per_caller: usize,
}

impl McpSettings {
    /// The defaults: both transports, 4 MiB, 60 seconds a call, sessions of 30 idle minutes, 10,000
    /// in total and 64 for each caller, who may have 256 requests open.
    #[must_use]
    pub fn new(server_name: impl Into<String>, server_version: impl Into<String>) -> Self {
        Self {
            transports: Transports { streamable_http: true, sse: true },
            server_name: server_name.into(),
            server_version: server_version.into(),
            max_body_bytes: 4 * 1024 * 1024,
            call_time_limit: Duration::from_secs(60),
            sessions: SessionLimits {
                idle: Duration::from_secs(30 * 60),
                total: 10_000,
                per_caller: 64,
            },
            open_requests_per_caller: 256,
            shutdown: CancellationToken::new(),
        }
    }
}
