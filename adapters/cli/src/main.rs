//! `mcp-oauth-server`: OAuth 2.1 in front of MCP tools.

use std::process::ExitCode;

fn main() -> ExitCode {
    mcp_oauth_server::run(Ok)
}
