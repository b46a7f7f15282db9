//! A server with the fixture that the official conformance suite asks for, over the same port as
//! every other catalog: `cargo run -p mcp-oauth-server --example conformance_server`.
//!
//! It is for `tests/conformance` alone, and no part of the server that is shipped.

mod asking;
mod changes;
mod prompts;
mod resources;
mod tools;

use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use mcp_oauth_core::domain::tool::{CallError, Reply, ToolCall, ToolDescription, ToolOutput};
use mcp_oauth_core::port::{
    CallContext, CatalogChanges, Completions, PromptCatalog, ResourceCatalog, ToolCatalog,
};

use crate::changes::Announcer;
use crate::prompts::FixturePrompts;
use crate::resources::FixtureResources;

/// Everything the suite asks for.
struct Fixture {
    tools: Vec<Arc<ToolDescription>>,
    resources: Arc<FixtureResources>,
    prompts: Arc<FixturePrompts>,
    announcer: Announcer,
}

#[async_trait]
impl ToolCatalog for Fixture {
    async fn list(&self) -> Vec<Arc<ToolDescription>> {
        self.tools.clone()
    }

    async fn describe(&self, name: &str) -> Option<Arc<ToolDescription>> {
        self.tools.iter().find(|tool| tool.name == name).cloned()
    }

    async fn call(
        &self,
        call: ToolCall,
        context: CallContext,
    ) -> Result<Reply<ToolOutput>, CallError> {
        if let Some(reply) = asking::call(&call, &context) {
            return reply;
        }
        tools::call(&call, &context, &self.announcer).await
    }

    fn resources(&self) -> Option<Arc<dyn ResourceCatalog>> {
        Some(Arc::clone(&self.resources) as _)
    }

    fn prompts(&self) -> Option<Arc<dyn PromptCatalog>> {
        Some(Arc::clone(&self.prompts) as _)
    }

    fn completions(&self) -> Option<Arc<dyn Completions>> {
        Some(Arc::clone(&self.prompts) as _)
    }

    fn changes(&self) -> Option<Box<dyn CatalogChanges>> {
        Some(Box::new(self.announcer.listen()))
    }
}

fn main() -> ExitCode {
    let tools = tools::described().chain(asking::described()).map(Arc::new);
    mcp_oauth_server::run_with_catalog(Arc::new(Fixture {
        tools: tools.collect(),
        resources: Arc::new(FixtureResources::new()),
        prompts: Arc::new(FixturePrompts::new()),
        announcer: Announcer::default(),
    }))
}
