//! Tools: what a catalog offers and what a call returns (MCP 2026-07-28, server/tools).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use super::content::{Content, Members};
use super::input_required::{ClientAbility, InputRequired};
use super::requirement::Requirement;

/// A tool as a client sees it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ToolDescription {
    /// Unique in the catalog; [`is_tool_name`] has the rule.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// For the model.
    pub description: String,
    /// JSON Schema of the arguments, an object. Without `$schema` it is of draft 2020-12.
    pub input_schema: Map<String, Value>,
    /// JSON Schema of the structured output, when there is one.
    pub output_schema: Option<Map<String, Value>>,
    /// What a call does to the world.
    pub annotations: ToolAnnotations,
    /// `icons`, `_meta`.
    pub more: Members,
    /// What a caller needs, checked before the tool runs; no business of the client.
    pub requirement: Requirement,
}

/// Whether a tool can have this name (MCP 2026-07-28, server/tools, tool names).
#[must_use]
pub fn is_tool_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    (1..=LONGEST_TOOL_NAME).contains(&name.len()) && name.bytes().all(allowed)
}

/// The longest name of a tool, in characters (MCP 2026-07-28, server/tools, tool names).
pub const LONGEST_TOOL_NAME: usize = 128;

/// What a call does to the world, as far as the tool says; clients need not believe it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ToolAnnotations {
    /// For people; `ToolDescription::title` goes before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// It changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only_hint: Option<bool>,
    /// What it changes may be lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destructive_hint: Option<bool>,
    /// Twice does no more than once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotent_hint: Option<bool>,
    /// It reaches out to things nobody here knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_world_hint: Option<bool>,
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
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ToolOutput {
    /// For the model.
    pub content: Vec<Content>,
    /// For programs, matching the output schema.
    pub structured: Option<Value>,
    /// The tool ran and failed, and `content` tells the model why.
    pub is_error: bool,
    /// `_meta`.
    pub meta: Option<Members>,
}

/// What comes of a call: what was asked for, or questions before it can be answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply<T> {
    /// The answer.
    Done(T),
    /// Call again with the answers to these.
    InputRequired(InputRequired),
}

impl ToolOutput {
    /// An answer of one text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::content(vec![Content::text(text)])
    }

    /// An answer of several pieces.
    #[must_use]
    pub fn content(content: Vec<Content>) -> Self {
        Self { content, ..Self::default() }
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

impl ToolAnnotations {
    /// Of a tool that changes nothing.
    #[must_use]
    pub fn read_only() -> Self {
        Self { read_only_hint: Some(true), ..Self::default() }
    }
}

impl<T> From<T> for Reply<T> {
    fn from(answer: T) -> Self {
        Self::Done(answer)
    }
}

/// Why a tool, a prompt or a resource has no answer.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum CallError {
    /// Nothing of that name, or that URI, is in the catalog.
    #[error("there is no {0:?}")]
    Unknown(String),
    /// The arguments don't fit; the text says which and why, for the model to correct.
    #[error("{0}")]
    InvalidArguments(String),
    /// What was to be remembered between two rounds of the call is not what was handed out, or too
    /// old.
    #[error("the requestState is not one of this call, or too old: begin the call anew")]
    InvalidState,
    /// It can't be asked without these abilities of the client.
    #[error("the client can't do what this needs")]
    ClientLacks(BTreeSet<ClientAbility>),
    /// Whoever is behind the catalog answered with an error of JSON-RPC, which is for the client.
    #[error("{message} (error {code})")]
    Refused {
        /// JSON-RPC 2.0 §5.1.
        code: i32,
        /// What is wrong.
        message: String,
        /// More about it.
        data: Option<Value>,
    },
    /// Whoever is behind the catalog can't be reached now; the text says who, for the caller.
    #[error("{0}")]
    Unavailable(String),
    /// It broke; the text is for the log, not for the caller.
    #[error("it failed: {0}")]
    Failed(String),
}
