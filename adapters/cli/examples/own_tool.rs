//! A server with a tool of its own: `cargo run -p mcp-oauth-server --example own_tool`.

use std::process::ExitCode;

use async_trait::async_trait;
use mcp_oauth_core::domain::tool::{CallError, Reply, ToolOutput};
use mcp_oauth_core::port::CallContext;
use mcp_oauth_tools::{Tool, ToolText};
use schemars::JsonSchema;
use serde::Deserialize;

/// What the tool takes: names, types and comments become its input schema.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Greeting {
    /// A word to greet with.
    word: String,
}

/// Greets whoever is calling.
struct Greet;

#[async_trait]
impl Tool for Greet {
    type Arguments = Greeting;

    fn text(&self) -> ToolText {
        ToolText::new("greet", "Greet", "Greets whoever is calling.").read_only()
    }

    async fn call(
        &self,
        arguments: Greeting,
        context: &CallContext,
    ) -> Result<Reply<ToolOutput>, CallError> {
        Ok(ToolOutput::text(format!("{}, {}!", arguments.word, context.caller.subject)).into())
    }
}

fn main() -> ExitCode {
    mcp_oauth_server::run(|tools| tools.with(Greet))
}
