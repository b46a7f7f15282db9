//! Tools: what a catalog offers and what a call returns (MCP 2026-07-28, server/tools).

use serde_json::{Map, Value};
use thiserror::Error;

use super::scope::ScopeSet;

/// A tool as a client sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolDescription {
    /// Unique in the catalog; `[A-Za-z0-9_.-]`, 1 to 128 characters.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// For the model.
    pub description: String,
    /// JSON Schema of the arguments, an object.
    pub input_schema: Map<String, Value>,
    /// JSON Schema of the structured output, when there is one.
    pub output_schema: Option<Map<String, Value>>,
    /// Whether a call changes nothing.
    pub read_only: bool,
    /// What a caller's token must allow, checked before the tool runs.
    pub required_scope: ScopeSet,
}

/// A call of one tool.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    /// Which tool.
    pub name: String,
    /// Its arguments, empty when the client sent none.
    pub arguments: Map<String, Value>,
}

/// What a tool answered.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolOutput {
    /// For the model.
    pub content: Vec<ToolContent>,
    /// For programs, matching the output schema.
    pub structured: Option<Value>,
    /// The tool ran and failed, and `content` tells the model why.
    pub is_error: bool,
}

/// One piece of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolContent {
    /// Plain text.
    Text(String),
}

impl ToolOutput {
    /// An answer of one text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { content: vec![ToolContent::Text(text.into())], structured: None, is_error: false }
    }

    /// A failure that the model should read.
    #[must_use]
    pub fn failure(text: impl Into<String>) -> Self {
        Self { is_error: true, ..Self::text(text) }
    }

    /// The same answer with a form for programs.
    #[must_use]
    pub fn with_structured(mut self, value: Value) -> Self {
        self.structured = Some(value);
        self
    }
}

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ToolError {
    /// No tool of that name is in the catalog.
    #[error("unknown tool {0:?}")]
    Unknown(String),
    /// The arguments don't fit; the text says which and why, for the model to correct.
    #[error("{0}")]
    InvalidArguments(String),
    /// The tool broke; the text is for the log, not for the caller.
    #[error("the tool failed: {0}")]
    Failed(String),
}
