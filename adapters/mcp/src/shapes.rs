//! What the catalog says, in the types of the engine. Both have the shapes of the specification, so
//! most of it goes over as JSON.

#![expect(deprecated, reason = "logging is for the revisions that have it")]

use std::collections::BTreeMap;
use std::sync::Arc;

use mcp_oauth_core::domain::content::{Content, ResourceContents};
use mcp_oauth_core::domain::input_required::{ClientAbilities, ClientAbility, Question};
use mcp_oauth_core::domain::log_message::{LogLevel, LogMessage};
use mcp_oauth_core::domain::prompt::{Completion, PromptOutput};
use mcp_oauth_core::domain::tool::{ToolAnnotations, ToolDescription, ToolOutput};
use rmcp::ErrorData;
use rmcp::model::{
    CallToolResult, ClientCapabilities, CompleteResult, CompletionInfo, ContentBlock,
    GetPromptResult, InputRequiredResult, LoggingLevel, LoggingMessageNotification,
    LoggingMessageNotificationParam, ProgressNotification, ProgressNotificationParam,
    ReadResourceResult, ServerNotification, Tool,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// The same in another type.
///
/// # Errors
/// An internal error, when the catalog made something that is not of the protocol.
pub(crate) fn reshaped<T: DeserializeOwned>(value: impl Serialize) -> Result<T, ErrorData> {
    let value = serde_json::to_value(value).and_then(serde_json::from_value);
    value.map_err(|error| {
        tracing::error!(%error, "the catalog made something that is not of the protocol");
        ErrorData::internal_error("the server has no answer in the shape of the protocol", None)
    })
}

/// Those that are of the protocol: one bad entry does not take the list with it.
pub(crate) fn all<T: DeserializeOwned, I: Serialize>(items: &[Arc<I>]) -> Vec<T> {
    items.iter().filter_map(|item| reshaped(&**item).ok()).collect()
}

pub(crate) fn tool(tool: &ToolDescription) -> Result<Tool, ErrorData> {
    let mut shape = tool.more.clone();
    let mut set = |name: &str, value: Value| shape.insert(name.to_owned(), value);
    set("name", tool.name.clone().into());
    set("description", tool.description.clone().into());
    // The schemas are not copied through JSON: they go over as they are.
    set("inputSchema", Value::Object(Map::new()));
    if let Some(title) = &tool.title {
        set("title", title.clone().into());
    }
    if tool.annotations != ToolAnnotations::default() {
        set("annotations", serde_json::to_value(&tool.annotations).unwrap_or_default());
    }
    let mut described: Tool = reshaped(shape)?;
    described.input_schema = Arc::new(tool.input_schema.clone());
    described.output_schema = tool.output_schema.clone().map(Arc::new);
    Ok(described)
}

pub(crate) fn tool_result(output: ToolOutput) -> Result<CallToolResult, ErrorData> {
    let content: Result<Vec<ContentBlock>, ErrorData> =
        output.content.into_iter().map(content).collect();
    let mut result = CallToolResult::success(content?);
    result.is_error = Some(output.is_error);
    result.structured_content = output.structured;
    result.meta = output.meta.map(reshaped).transpose()?;
    Ok(result)
}

fn content(content: Content) -> Result<ContentBlock, ErrorData> {
    match content {
        Content::Text { text, more } if more.is_empty() => Ok(ContentBlock::text(text)),
        other => reshaped(other),
    }
}

pub(crate) fn contents(contents: &[ResourceContents]) -> Result<ReadResourceResult, ErrorData> {
    Ok(ReadResourceResult::new(reshaped(contents)?))
}

pub(crate) fn prompt_result(output: PromptOutput) -> Result<GetPromptResult, ErrorData> {
    let mut result = GetPromptResult::new(reshaped(output.messages)?);
    result.description = output.description;
    Ok(result)
}

pub(crate) fn completion(completion: Completion) -> CompleteResult {
    let mut info = CompletionInfo::default();
    info.values = completion.values;
    info.total = completion.total;
    info.has_more = Some(completion.has_more);
    CompleteResult::new(info)
}

/// What is to be answered before the call can go on.
pub(crate) fn input_required(
    questions: &BTreeMap<String, Question>,
    state: Option<String>,
) -> Result<InputRequiredResult, ErrorData> {
    let requests = questions.iter().map(|(name, asked)| {
        let (method, params) = question(asked);
        let request = match params {
            Some(params) => json!({ "method": method, "params": params }),
            None => json!({ "method": method }),
        };
        Ok((name.clone(), reshaped(request)?))
    });
    let requests = requests.collect::<Result<_, ErrorData>>()?;
    let requests = (!questions.is_empty()).then_some(requests);
    Ok(InputRequiredResult::new(requests, state))
}

/// The request that puts a question.
pub(crate) fn question(question: &Question) -> (&'static str, Option<Value>) {
    match question {
        Question::Elicitation(params) => {
            ("elicitation/create", Some(Value::Object(params.clone())))
        }
        Question::Sampling(params) => {
            ("sampling/createMessage", Some(Value::Object(params.clone())))
        }
        Question::Roots => ("roots/list", None),
    }
}

pub(crate) fn progress(params: ProgressNotificationParam) -> ServerNotification {
    ServerNotification::ProgressNotification(ProgressNotification::new(params))
}

pub(crate) fn log(message: LogMessage) -> ServerNotification {
    let level = match message.level {
        LogLevel::Debug => LoggingLevel::Debug,
        LogLevel::Info => LoggingLevel::Info,
        LogLevel::Notice => LoggingLevel::Notice,
        LogLevel::Warning => LoggingLevel::Warning,
        LogLevel::Error => LoggingLevel::Error,
        LogLevel::Critical => LoggingLevel::Critical,
        LogLevel::Alert => LoggingLevel::Alert,
        LogLevel::Emergency => LoggingLevel::Emergency,
    };
    let mut params = LoggingMessageNotificationParam::new(level, message.data);
    params.logger = message.logger;
    ServerNotification::LoggingMessageNotification(LoggingMessageNotification::new(params))
}

pub(crate) fn log_level(level: LoggingLevel) -> LogLevel {
    match level {
        LoggingLevel::Debug => LogLevel::Debug,
        LoggingLevel::Info => LogLevel::Info,
        LoggingLevel::Notice => LogLevel::Notice,
        LoggingLevel::Warning => LogLevel::Warning,
        LoggingLevel::Error => LogLevel::Error,
        LoggingLevel::Critical => LogLevel::Critical,
        LoggingLevel::Alert => LogLevel::Alert,
        LoggingLevel::Emergency => LogLevel::Emergency,
    }
}

/// What a client's capabilities let it do (MCP 2026-07-28, client/elicitation and client/sampling).
pub(crate) fn abilities(capabilities: &ClientCapabilities) -> ClientAbilities {
    let mut abilities = ClientAbilities::default();
    let mut can = |ability: ClientAbility, declared: bool| {
        if declared {
            abilities.0.insert(ability);
        }
    };
    if let Some(elicitation) = &capabilities.elicitation {
        // Neither means forms, which were all there was at first.
        let form = elicitation.form.is_some() || elicitation.url.is_none();
        can(ClientAbility::Elicitation, form);
        can(ClientAbility::ElicitationUrl, elicitation.url.is_some());
    }
    if let Some(sampling) = &capabilities.sampling {
        can(ClientAbility::Sampling, true);
        can(ClientAbility::SamplingTools, sampling.tools.is_some());
    }
    can(ClientAbility::Roots, capabilities.roots.is_some());
    abilities
}

/// The capabilities a client would have to declare.
pub(crate) fn capabilities<'a>(
    abilities: impl IntoIterator<Item = &'a ClientAbility>,
) -> Result<ClientCapabilities, ErrorData> {
    let mut declared = json!({});
    for ability in abilities {
        let (name, part) = match ability {
            ClientAbility::Elicitation => ("elicitation", None),
            ClientAbility::ElicitationUrl => ("elicitation", Some("url")),
            ClientAbility::Sampling => ("sampling", None),
            ClientAbility::SamplingTools => ("sampling", Some("tools")),
            ClientAbility::Roots => ("roots", None),
        };
        if declared.get(name).is_none() {
            declared[name] = json!({});
        }
        if let Some(part) = part {
            declared[name][part] = json!({});
        }
    }
    reshaped(declared)
}
