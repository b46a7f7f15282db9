//! The tools that answer at once, report, or cause changes.

use std::time::Duration;

use mcp_oauth_core::domain::catalog_change::CatalogChange;
use mcp_oauth_core::domain::content::{Content, ResourceContents};
use mcp_oauth_core::domain::log_message::LogMessage;
use mcp_oauth_core::domain::tool::{CallError, Reply, ToolCall, ToolDescription, ToolOutput};
use mcp_oauth_core::port::CallContext;
use serde_json::{Map, Value, json};

use crate::changes::Announcer;

/// What looks like a picture. Only its base64 is looked at.
pub(crate) const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// What looks like a sound.
const SOUND: &[u8] = b"RIFF\x24\x00\x00\x00WAVEfmt ";

/// Between two steps of the tools that report.
const STEP: Duration = Duration::from_millis(50);

const WITHOUT_ARGUMENTS: [(&str, &str); 11] = [
    ("test_simple_text", "Answers a text."),
    ("test_image_content", "Answers a picture."),
    ("test_audio_content", "Answers a sound."),
    ("test_embedded_resource", "Answers a resource."),
    ("test_multiple_content_types", "Answers a text, a picture and a resource."),
    ("test_error_handling", "Fails."),
    ("test_tool_with_progress", "Tells how far it is."),
    ("test_tool_with_logging", "Writes into the client's log."),
    ("test_logging_tool", "Writes into the client's log if it wants that."),
    ("test_trigger_tool_change", "Says that the list of tools has changed."),
    ("test_trigger_prompt_change", "Says that the list of prompts has changed."),
];

/// Their descriptions.
pub(crate) fn described() -> impl Iterator<Item = ToolDescription> {
    let none = || json!({ "type": "object", "properties": {} });
    let plain = WITHOUT_ARGUMENTS.iter().map(move |(name, text)| tool(name, text, none()));
    plain.chain([
        tool("json_schema_2020_12_tool", "Takes what a rich schema allows.", rich_schema()),
        tool("test_header_argument", "Takes an argument that a header repeats.", repeated_header()),
    ])
}

/// A tool of that schema.
pub(crate) fn tool(name: &str, description: &str, schema: Value) -> ToolDescription {
    let input_schema: Map<String, Value> = schema.as_object().cloned().unwrap_or_default();
    ToolDescription {
        name: name.to_owned(),
        description: description.to_owned(),
        input_schema,
        ..ToolDescription::default()
    }
}

/// Calls one of them.
pub(crate) async fn call(
    call: &ToolCall,
    context: &CallContext,
    announcer: &Announcer,
) -> Result<Reply<ToolOutput>, CallError> {
    let output = match call.name.as_str() {
        "test_simple_text" => ToolOutput::text("This is a simple text response for testing."),
        "test_image_content" => ToolOutput::content(vec![picture()]),
        "test_audio_content" => ToolOutput::content(vec![Content::audio(SOUND, "audio/wav")]),
        "test_embedded_resource" => ToolOutput::content(vec![embedded(
            "test://embedded-resource",
            "text/plain",
            "This is an embedded resource content.",
        )]),
        "test_multiple_content_types" => several(),
        "test_error_handling" => {
            ToolOutput::failure("This tool intentionally returns an error for testing")
        }
        "test_tool_with_progress" => progress(context).await,
        "test_tool_with_logging" | "test_logging_tool" => log(context).await,
        "test_trigger_tool_change" => {
            announcer.announce(CatalogChange::Tools);
            ToolOutput::text("The list of tools has changed.")
        }
        "test_trigger_prompt_change" => {
            announcer.announce(CatalogChange::Prompts);
            ToolOutput::text("The list of prompts has changed.")
        }
        "json_schema_2020_12_tool" | "test_header_argument" => {
            ToolOutput::text(Value::Object(call.arguments.clone()).to_string())
        }
        _ => return Err(CallError::Unknown(call.name.clone())),
    };
    Ok(output.into())
}

/// The picture of the fixture.
pub(crate) fn picture() -> Content {
    Content::image(PICTURE, "image/png")
}

/// A resource with a text in it.
pub(crate) fn embedded(uri: &str, mime_type: &str, text: &str) -> Content {
    Content::resource(ResourceContents::text(uri, mime_type, text))
}

fn several() -> ToolOutput {
    let resource = r#"{"test":"data","value":123}"#;
    ToolOutput::content(vec![
        Content::text("Multiple content types test:"),
        picture(),
        embedded("test://mixed-content-resource", "application/json", resource),
    ])
}

async fn progress(context: &CallContext) -> ToolOutput {
    for done in [0.0, 50.0, 100.0] {
        context.progress(done, Some(100.0), None).await;
        tokio::time::sleep(STEP).await;
    }
    ToolOutput::text("Done.")
}

async fn log(context: &CallContext) -> ToolOutput {
    for step in ["Tool execution started", "Tool processing data", "Tool execution completed"] {
        context.log(LogMessage::info(step)).await;
        tokio::time::sleep(STEP).await;
    }
    ToolOutput::text("Logged.")
}

fn repeated_header() -> Value {
    let region = json!({ "type": "string", "x-mcp-header": "Region" });
    json!({ "type": "object", "properties": { "region": region }, "required": ["region"] })
}

fn rich_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": {
                    "street": { "type": "string" },
                    "city": { "type": "string" },
                },
            },
        },
        "properties": {
            "name": { "type": "string" },
            "address": { "$ref": "#/$defs/address" },
            "contactMethod": { "type": "string", "enum": ["phone", "email"] },
            "phone": { "type": "string" },
            "email": { "type": "string" },
        },
        "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
        "if": {
            "properties": { "contactMethod": { "const": "phone" } },
            "required": ["contactMethod"],
        },
        "then": { "required": ["phone"] },
        "else": { "required": ["email"] },
        "additionalProperties": false,
    })
}
