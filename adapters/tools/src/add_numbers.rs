//! The tool `add_numbers`.

use async_trait::async_trait;
use mcp_oauth_core::domain::tool::{CallError, Reply, ToolOutput};
use mcp_oauth_core::port::CallContext;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::integer::Integer;
use crate::tool::{Tool, ToolText, schema_of};

/// Adds two integers, and answers in text and in structured form.
#[derive(Debug, Clone, Copy)]
pub struct AddNumbers;

/// The arguments of [`AddNumbers`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddNumbersArguments {
    /// The first number.
    a: Integer,
    /// The second number.
    b: Integer,
}

/// The structured output of [`AddNumbers`].
#[derive(Debug, JsonSchema)]
#[expect(dead_code, reason = "read for its schema only")]
struct Sum {
    /// The sum of both.
    result: Integer,
}

#[async_trait]
impl Tool for AddNumbers {
    type Arguments = AddNumbersArguments;

    fn text(&self) -> ToolText {
        ToolText::new("add_numbers", "Add numbers", "Adds two integers.").read_only()
    }

    fn output_schema(&self) -> Option<Map<String, Value>> {
        Some(schema_of::<Sum>())
    }

    async fn call(
        &self,
        arguments: AddNumbersArguments,
        _: &CallContext,
    ) -> Result<Reply<ToolOutput>, CallError> {
        let AddNumbersArguments { a: Integer(a), b: Integer(b) } = arguments;
        let sum = a.checked_add(b).ok_or_else(|| {
            CallError::InvalidArguments(format!("the sum of a = {a} and b = {b} exceeds 64 bits"))
        })?;
        Ok(ToolOutput::text(sum.to_string()).with_structured(json!({ "result": sum })).into())
    }
}
