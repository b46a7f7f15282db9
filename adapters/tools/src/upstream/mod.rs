//! The tools, prompts and resources of another MCP server, which needs no authentication of its own.
//!
//! It is a process that is spoken to through its standard input and output, or an address. Either era
//! of the protocol will do, and the older HTTP+SSE transport.

mod address;
mod call_in_flight;
mod callers;
mod catalog;
mod changes;
mod config;
mod connecting;
mod connection;
mod described;
mod errors;
mod handler;
mod listening;
mod lists;
mod ordered;
mod passing_caller;
mod process;
mod prompts;
mod request;
mod resources;
mod sse;
mod supervision;
mod suspended;
mod uri_template;
mod watches;

pub use catalog::UpstreamCatalog;
pub use config::{
    Address, HttpTransport, PassCaller, Program, Reach, Sharing, UnusableUpstream, UpstreamConfig,
    UpstreamLimits,
};
