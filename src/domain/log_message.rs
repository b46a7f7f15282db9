//! Messages of a tool to the client's log (MCP 2025-11-25, server/utilities/logging; RFC 5424 §6.2.1).

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How grave it is, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// For whoever debugs.
    Debug,
    /// For whoever is curious.
    Info,
    /// Normal and worth to note.
    Notice,
    /// Something may be wrong.
    Warning,
    /// Something failed.
    Error,
    /// Something important failed.
    Critical,
    /// Somebody must act at once.
    Alert,
    /// Nothing works.
    Emergency,
}

/// A message to the client's log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogMessage {
    /// How grave it is.
    pub level: LogLevel,
    /// Who says it.
    pub logger: Option<String>,
    /// What it says: a text or an object, with no secret in it.
    pub data: Value,
}

impl LogMessage {
    /// A text at level `info`.
    #[must_use]
    pub fn info(text: impl Into<String>) -> Self {
        Self { level: LogLevel::Info, logger: None, data: Value::String(text.into()) }
    }
}
