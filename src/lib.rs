//! The core of `mcp-oauth-server`: OAuth 2.1 in front of MCP tools.
//!
//! [`domain`] holds values and rules, [`port`] what the core needs from the world, and [`service`]
//! the use cases. Nothing here knows a web framework, a database, an MCP SDK, an HTTP client or a
//! runtime; adapters do, and they depend on this crate, never the reverse.

pub mod domain;
pub mod port;
pub mod service;
