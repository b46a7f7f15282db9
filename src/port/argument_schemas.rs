use serde_json::{Map, Value};
use std::sync::Arc;

use crate::domain::tool::ToolDescription;

/// Checks arguments against the schema of their tool (MCP 2026-07-28, server/tools; JSON Schema
/// 2020-12, or the draft that `$schema` names).
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait ArgumentSchemas: Send + Sync {
    /// Whether the arguments fit. References out of the schema are never followed. What is not a
    /// schema, or names a draft nobody here knows, refuses nothing: the tool looks for itself.
    ///
    /// Asked before every call. What a schema is made into may be kept for as long as the description
    /// is the very same one; another of the same name is another tool.
    ///
    /// # Errors
    /// What does not fit and why, at most a few of several faults, for a model to correct. Nothing
    /// longer than an error has a right to be is quoted.
    fn check(
        &self,
        tool: &Arc<ToolDescription>,
        arguments: &Map<String, Value>,
    ) -> Result<(), String>;
}
