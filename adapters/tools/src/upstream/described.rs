//! From what an upstream server says of its tools, prompts and resources to what we say of them.

use mcp_oauth_core::domain::content::{Content, Members, ResourceDescription, ResourceTemplate};
use mcp_oauth_core::domain::prompt::PromptDescription;
use mcp_oauth_core::domain::requirement::Requirement;
use mcp_oauth_core::domain::tool::{ToolAnnotations, ToolDescription, ToolOutput};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// A tool; what we have no place for stays among the further members.
pub(super) fn tool(described: Value, requirement: &Requirement) -> Option<ToolDescription> {
    let Value::Object(mut members) = described else { return None };
    let text = |members: &mut Members, name: &str| match members.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let object = |members: &mut Members, name: &str| match members.remove(name) {
        Some(Value::Object(object)) => Some(object),
        _ => None,
    };
    let name = text(&mut members, "name")?;
    let title = text(&mut members, "title");
    let description = text(&mut members, "description").unwrap_or_default();
    let input_schema = object(&mut members, "inputSchema")?;
    let output_schema = object(&mut members, "outputSchema");
    let annotations: ToolAnnotations =
        members.remove("annotations").and_then(read).unwrap_or_default();
    // Calls that outlive their request are not passed on.
    members.remove("execution");
    Some(ToolDescription {
        name,
        title,
        description,
        input_schema,
        output_schema,
        annotations,
        more: members,
        requirement: requirement.clone(),
    })
}

pub(super) fn prompt(described: Value, requirement: &Requirement) -> Option<PromptDescription> {
    let prompt: PromptDescription = read(described)?;
    Some(PromptDescription { requirement: requirement.clone(), ..prompt })
}

pub(super) fn resource(described: Value, requirement: &Requirement) -> Option<ResourceDescription> {
    let resource: ResourceDescription = read(described)?;
    Some(ResourceDescription { requirement: requirement.clone(), ..resource })
}

pub(super) fn template(described: Value, requirement: &Requirement) -> Option<ResourceTemplate> {
    let template: ResourceTemplate = read(described)?;
    Some(ResourceTemplate { requirement: requirement.clone(), ..template })
}

/// The answer of a tool. A piece of a kind we don't know is passed on as its JSON.
pub(super) fn tool_output(mut result: Map<String, Value>) -> ToolOutput {
    let content = match result.remove("content") {
        Some(Value::Array(pieces)) => pieces.into_iter().map(content).collect(),
        _ => Vec::new(),
    };
    ToolOutput {
        content,
        structured: result.remove("structuredContent"),
        is_error: result.remove("isError") == Some(Value::Bool(true)),
        meta: result.remove("_meta").and_then(read),
    }
}

fn content(piece: Value) -> Content {
    serde_json::from_value(piece.clone()).unwrap_or_else(|_| Content::text(piece.to_string()))
}

fn read<T: DeserializeOwned>(value: Value) -> Option<T> {
    serde_json::from_value(value).ok()
}
