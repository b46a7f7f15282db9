//! Checking arguments against the schema of their tool.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use jsonschema::{ValidationError, Validator};
use mcp_oauth_core::domain::tool::ToolDescription;
use mcp_oauth_core::port::ArgumentSchemas;
use serde_json::{Map, Value};

/// How many faults are told at once.
const MOST_FAULTS: usize = 5;

/// The longest text of one fault, in characters.
const LONGEST_FAULT: usize = 300;

/// How many compiled schemas are kept; more than a catalog has tools.
const MOST_COMPILED: usize = 10_000;

/// JSON Schema of drafts 4 to 2020-12, each schema compiled once.
#[derive(Default)]
pub struct JsonSchemas {
    compiled: Mutex<HashMap<String, Compiled>>,
}

/// What a schema became, and the tool it was the schema of.
struct Compiled {
    tool: Weak<ToolDescription>,
    /// `None` for what is no schema.
    validator: Option<Arc<Validator>>,
}

impl JsonSchemas {
    /// Of one tool: as long as the description is the same, the schema is.
    fn validator(&self, tool: &Arc<ToolDescription>) -> Option<Arc<Validator>> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = compiled.get(&tool.name)
            && known.tool.ptr_eq(&Arc::downgrade(tool))
        {
            return known.validator.clone();
        }
        let validator = compile(tool).map(Arc::new);
        if compiled.len() >= MOST_COMPILED {
            compiled.clear();
        }
        let known = Compiled { tool: Arc::downgrade(tool), validator: validator.clone() };
        compiled.insert(tool.name.clone(), known);
        validator
    }
}

impl ArgumentSchemas for JsonSchemas {
    fn check(
        &self,
        tool: &Arc<ToolDescription>,
        arguments: &Map<String, Value>,
    ) -> Result<(), String> {
        let Some(validator) = self.validator(tool) else { return Ok(()) };
        let arguments = Value::Object(arguments.clone());
        let faults: Vec<String> =
            validator.iter_errors(&arguments).take(MOST_FAULTS).map(|it| fault(&it)).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
    }
}

impl fmt::Debug for JsonSchemas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonSchemas").finish_non_exhaustive()
    }
}

/// References to other documents are not followed: nothing here fetches.
fn compile(tool: &ToolDescription) -> Option<Validator> {
    let schema = Value::Object(tool.input_schema.clone());
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .build(&schema)
        .inspect_err(|error| {
            let reason = shortened(&error.to_string());
            tracing::warn!(
                tool = tool.name,
                reason,
                "the input schema can't be used; arguments pass unchecked"
            );
        })
        .ok()
}

/// Where and what, for a model.
fn fault(error: &ValidationError<'_>) -> String {
    let place = error.instance_path().to_string();
    let reason = shortened(&error.to_string());
    match place.trim_start_matches('/').replace('/', ".").as_str() {
        "" => reason,
        place => format!("argument `{place}`: {reason}"),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_FAULT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tool(schema: &Value) -> Arc<ToolDescription> {
        let input_schema = schema.as_object().unwrap().clone();
        Arc::new(ToolDescription { name: "t".into(), input_schema, ..ToolDescription::default() })
    }

    fn check(schema: &Value, arguments: &Value) -> Result<(), String> {
        JsonSchemas::default().check(&tool(schema), arguments.as_object().unwrap())
    }

    #[test]
    fn arguments_that_do_not_fit_are_refused_with_place_and_reason() {
        let schema = json!({
            "type": "object",
            "properties": { "a": { "type": "integer" }, "b": { "items": { "enum": ["x", "y"] } } },
            "required": ["a"],
        });
        assert_eq!(check(&schema, &json!({ "a": 1, "b": ["x"] })), Ok(()));
        let refusal = check(&schema, &json!({ "a": "1", "b": ["x", "z"] })).unwrap_err();
        assert!(refusal.contains("argument `a`: \"1\" is not of type \"integer\""), "{refusal}");
        assert!(refusal.contains("argument `b.1`"), "{refusal}");
        let refusal = check(&schema, &json!({})).unwrap_err();
        assert!(refusal.contains("\"a\" is a required property"), "{refusal}");
    }

    #[test]
    fn the_draft_that_the_schema_names_counts() {
        let schema = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "definitions": { "n": { "type": "number" } },
            "properties": { "a": { "$ref": "#/definitions/n" } },
        });
        assert_eq!(check(&schema, &json!({ "a": 1 })), Ok(()));
        assert!(check(&schema, &json!({ "a": "1" })).is_err());
    }

    #[test]
    fn nothing_is_fetched_and_what_is_no_schema_refuses_nothing() {
        let remote = json!({ "properties": { "a": { "$ref": "http://127.0.0.1:9/schema" } } });
        assert_eq!(check(&remote, &json!({ "a": 1 })), Ok(()));
        assert_eq!(check(&json!({ "type": 7 }), &json!({ "a": 1 })), Ok(()));
    }

    #[test]
    fn a_tool_of_the_same_name_with_another_schema_is_another_tool() {
        let schemas = JsonSchemas::default();
        let arguments = json!({ "a": 1 });
        let arguments = arguments.as_object().unwrap();
        let open = tool(&json!({ "type": "object" }));
        assert_eq!(schemas.check(&open, arguments), Ok(()));
        let closed = tool(&json!({ "type": "object", "additionalProperties": false }));
        assert!(schemas.check(&closed, arguments).is_err());
    }

    #[test]
    fn a_long_value_is_not_quoted_in_full() {
        let schema = json!({ "properties": { "a": { "type": "integer" } } });
        let refusal = check(&schema, &json!({ "a": "x".repeat(100_000) })).unwrap_err();
        assert!(refusal.chars().count() < 400, "{}", refusal.len());
    }
}
