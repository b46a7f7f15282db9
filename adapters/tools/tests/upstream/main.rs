//! Another MCP server behind us, as a process and over HTTP.

mod asking;
mod calling;
mod fixture;
mod listing;
mod passing_caller;
mod restarting;
mod scenario;
mod web;
