//! `mcp-oauth-server`: OAuth 2.1 in front of MCP tools.

use std::process::ExitCode;

/// Half the cost of a request is allocation, which this does with less of it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    mcp_oauth_server::run(None)
}
