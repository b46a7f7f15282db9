//! The tool `hello`.

use async_trait::async_trait;
use mcp_oauth_core::domain::tool::{CallError, Reply, ToolOutput};
use mcp_oauth_core::port::CallContext;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::tool::{Tool, ToolText};

/// Greets somebody: the shortest proof that a protected call works.
#[derive(Debug, Clone, Copy)]
pub struct Hello;

/// The arguments of [`Hello`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HelloArguments {
    /// Whom to greet.
    name: String,
}

#[async_trait]
impl Tool for Hello {
    type Arguments = HelloArguments;

    fn text(&self) -> ToolText {
        ToolText::new("hello", "Hello", "Greets somebody by name.").read_only()
    }

    async fn call(
        &self,
        arguments: HelloArguments,
        _: &CallContext,
    ) -> Result<Reply<ToolOutput>, CallError> {
        let name = arguments.name;
        Ok(ToolOutput::text(format!("Hello, {name}! This is a protected endpoint.")).into())
    }
}
