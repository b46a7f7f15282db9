//! The catalog of tools written in Rust.

use std::sync::Arc;

use async_trait::async_trait;
use mcp_oauth_core::domain::requirement::Requirement;
use mcp_oauth_core::domain::scope::ScopeSet;
use mcp_oauth_core::domain::tool::{
    CallError, Reply, ToolAnnotations, ToolCall, ToolDescription, ToolOutput, is_tool_name,
};
use mcp_oauth_core::port::{CallContext, ToolCatalog};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::add_numbers::AddNumbers;
use crate::arguments;
use crate::hello::Hello;
use crate::tool::{Tool, schema_of};

/// Tools written in Rust, listed in the order they were added.
pub struct BuiltinCatalog {
    required: Requirement,
    tools: Vec<Registered>,
}

/// Why a tool can't be in the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnusableTool {
    /// Another tool has that name.
    #[error("there are two tools named {0:?}")]
    Duplicate(String),
    /// Not a tool name (MCP 2026-07-28, server/tools, tool names).
    #[error("{0:?} is no tool name: 1 to 128 of A-Z, a-z, 0-9, '_', '-' and '.'")]
    InvalidName(String),
    /// A call's arguments are a JSON object, so the type must be a struct with named fields.
    #[error("the arguments of tool {0:?} are not an object")]
    NotAnObject(String),
}

struct Registered {
    description: Arc<ToolDescription>,
    tool: Box<dyn CallWithJson>,
}

impl BuiltinCatalog {
    /// An empty catalog, whose tools need these scopes unless they say otherwise.
    #[must_use]
    pub fn new(required: ScopeSet) -> Self {
        Self { required: Requirement::scope(required), tools: Vec::new() }
    }

    /// The tools `hello` and `add_numbers`.
    ///
    /// # Errors
    /// [`UnusableTool`], which neither of these is.
    pub fn demo(required: ScopeSet) -> Result<Self, UnusableTool> {
        Self::new(required).with(Hello)?.with(AddNumbers)
    }

    /// The same catalog with one more tool.
    ///
    /// # Errors
    /// [`UnusableTool`] when its name is taken or malformed, or its arguments are no object.
    pub fn with<T: Tool>(mut self, tool: T) -> Result<Self, UnusableTool> {
        let description = self.describe_new(&tool)?;
        self.tools.push(Registered { description: Arc::new(description), tool: Box::new(tool) });
        Ok(self)
    }

    fn describe_new<T: Tool>(&self, tool: &T) -> Result<ToolDescription, UnusableTool> {
        let text = tool.text();
        let name = text.name.to_owned();
        if !is_tool_name(&name) {
            return Err(UnusableTool::InvalidName(name));
        }
        if self.find(&name).is_some() {
            return Err(UnusableTool::Duplicate(name));
        }
        let input_schema = schema_of::<T::Arguments>();
        if input_schema.get("type").and_then(Value::as_str) != Some("object") {
            return Err(UnusableTool::NotAnObject(name));
        }
        Ok(ToolDescription {
            name,
            title: Some(text.title.to_owned()),
            description: text.description.to_owned(),
            input_schema,
            output_schema: tool.output_schema(),
            annotations: if text.read_only {
                ToolAnnotations::read_only()
            } else {
                ToolAnnotations::default()
            },
            more: Map::new(),
            requirement: tool.requirement().unwrap_or_else(|| self.required.clone()),
        })
    }

    fn find(&self, name: &str) -> Option<&Registered> {
        self.tools.iter().find(|registered| registered.description.name == name)
    }
}

#[async_trait]
impl ToolCatalog for BuiltinCatalog {
    async fn list(&self) -> Vec<Arc<ToolDescription>> {
        self.tools.iter().map(|registered| Arc::clone(&registered.description)).collect()
    }

    async fn describe(&self, name: &str) -> Option<Arc<ToolDescription>> {
        self.find(name).map(|registered| Arc::clone(&registered.description))
    }

    async fn call(
        &self,
        call: ToolCall,
        context: CallContext,
    ) -> Result<Reply<ToolOutput>, CallError> {
        match self.find(&call.name) {
            Some(registered) => registered.tool.call_with_json(call.arguments, &context).await,
            None => Err(CallError::Unknown(call.name)),
        }
    }
}

/// A [`Tool`] of whatever arguments.
#[async_trait]
trait CallWithJson: Send + Sync {
    async fn call_with_json(
        &self,
        arguments: Map<String, Value>,
        context: &CallContext,
    ) -> Result<Reply<ToolOutput>, CallError>;
}

#[async_trait]
impl<T: Tool> CallWithJson for T {
    async fn call_with_json(
        &self,
        arguments: Map<String, Value>,
        context: &CallContext,
    ) -> Result<Reply<ToolOutput>, CallError> {
        self.call(arguments::read(arguments)?, context).await
    }
}
