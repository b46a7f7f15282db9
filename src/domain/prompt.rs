//! Prompts a person may choose, and completion of what they type (MCP 2026-07-28, server/prompts and
//! server/utilities/completion).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::content::{Content, Members};
use super::requirement::Requirement;

/// A prompt as a client sees it in a list, in the shape of the specification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PromptDescription {
    /// Unique in the catalog.
    pub name: String,
    /// What may be filled in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<PromptArgument>,
    /// `title`, `description`, `icons`, `_meta`.
    #[serde(flatten)]
    pub more: Members,
    /// What a caller needs to see it and to fill it in; no business of the client.
    #[serde(skip)]
    pub requirement: Requirement,
}

/// One thing to fill in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PromptArgument {
    /// Unique in the prompt.
    pub name: String,
    /// Whether the prompt can't do without.
    #[serde(default)]
    pub required: bool,
    /// `title`, `description`.
    #[serde(flatten)]
    pub more: Members,
}

/// A prompt, filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptCall {
    /// Which prompt.
    pub name: String,
    /// What was filled in.
    pub arguments: BTreeMap<String, String>,
}

/// What a prompt makes of its arguments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PromptOutput {
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The messages, in order.
    pub messages: Vec<PromptMessage>,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PromptMessage {
    /// Whose it is.
    pub role: Role,
    /// What it says.
    pub content: Content,
}

/// Whose message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A person's.
    User,
    /// A model's.
    Assistant,
}

/// What is being typed, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletionCall {
    /// Of what it is an argument.
    pub of: Completable,
    /// The name of the argument.
    pub argument: String,
    /// What has been typed so far.
    pub value: String,
    /// Other arguments that are filled in already.
    pub filled_in: BTreeMap<String, String>,
}

/// What has arguments that can be completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completable {
    /// The prompt of that name.
    Prompt(String),
    /// The resource template, as it is spelled in the list.
    ResourceTemplate(String),
}

/// What might be meant, best first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// A client is told the first 100 of them.
    pub values: Vec<String>,
    /// How many there are, when known.
    pub total: Option<u32>,
    /// Whether there are more than these.
    pub has_more: bool,
}

impl PromptOutput {
    /// One text of a person.
    #[must_use]
    pub fn user_text(text: impl Into<String>) -> Self {
        Self { description: None, messages: vec![PromptMessage::user(Content::text(text))] }
    }
}

impl PromptMessage {
    /// What a person says.
    #[must_use]
    pub fn user(content: Content) -> Self {
        Self { role: Role::User, content }
    }
}
