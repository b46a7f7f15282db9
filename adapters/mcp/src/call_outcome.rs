//! What becomes of a call: its answer, its questions, or the error the specification has for it.

use std::fmt;

use mcp_oauth_core::domain::tool::{CallError, ToolOutput};
use mcp_oauth_core::service::Round;
use rmcp::ErrorData;
use rmcp::model::{CallToolResponse, ErrorCode, InputRequiredResult};
use serde_json::json;

use crate::containment::Broken;
use crate::shapes;

/// What is called, for whoever reads of it.
#[derive(Debug)]
pub(crate) enum Called {
    Tool(String),
    Prompt(String),
    Resource(String),
    Completion,
}

impl Called {
    fn kind(&self) -> &'static str {
        match self {
            Self::Tool(_) => "tool",
            Self::Prompt(_) => "prompt",
            Self::Resource(_) => "resource",
            Self::Completion => "completion",
        }
    }
}

impl fmt::Display for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        match self {
            Self::Tool(name) | Self::Prompt(name) | Self::Resource(name) => write!(f, " {name:?}"),
            Self::Completion => Ok(()),
        }
    }
}

/// Why there is no outcome.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// The catalog says why.
    Refused(CallError),
    /// It was stopped.
    Broken(Broken),
    /// The client does not want it any more; nobody waits for this answer.
    Cancelled,
}

/// One round of a call other than a tool's, shaped by `shape`.
pub(crate) fn response<T, R, S>(
    called: &Called,
    outcome: Result<Round<T>, Unanswered>,
    shape: impl FnOnce(T) -> Result<S, ErrorData>,
) -> Result<R, ErrorData>
where
    R: From<S> + From<InputRequiredResult>,
{
    match outcome.map_err(|unanswered| error(called, unanswered))? {
        Round::Done(answer) => Ok(R::from(shape(answer)?)),
        Round::InputRequired { questions, state } => {
            Ok(R::from(shapes::input_required(&questions, state)?))
        }
    }
}

/// One round of the call of a tool. What a model may read and correct is an answer, not an error
/// (MCP 2026-07-28, server/tools, error handling).
pub(crate) fn tool_response(
    name: &str,
    outcome: Result<Round<ToolOutput>, Unanswered>,
) -> Result<CallToolResponse, ErrorData> {
    let called = Called::Tool(name.to_owned());
    let for_the_model = match &outcome {
        Err(Unanswered::Refused(
            error @ (CallError::InvalidArguments(_) | CallError::Unavailable(_)),
        )) => Some(error.to_string()),
        Err(Unanswered::Refused(CallError::Failed(reason))) => {
            tracing::error!(tool = name, reason, "a tool failed");
            Some("The tool failed. The reason is in the server's log.".to_owned())
        }
        Err(Unanswered::Broken(broken @ Broken::TimedOut(limit))) => {
            tracing::error!(tool = name, %broken, "a tool was stopped");
            let seconds = limit.as_secs_f32();
            Some(format!("The tool was stopped: it took longer than {seconds} seconds."))
        }
        Err(Unanswered::Broken(broken @ Broken::Flooded)) => {
            tracing::error!(tool = name, %broken, "a tool was stopped");
            Some("The tool was stopped: it sent more messages than one call may.".to_owned())
        }
        _ => None,
    };
    match for_the_model {
        Some(text) => Ok(shapes::tool_result(ToolOutput::failure(text))?.into()),
        None => response(&called, outcome, shapes::tool_result),
    }
}

/// The error of JSON-RPC for what has no outcome.
pub(crate) fn error(called: &Called, unanswered: Unanswered) -> ErrorData {
    match unanswered {
        Unanswered::Refused(error) => refusal(called, error),
        Unanswered::Cancelled => ErrorData::internal_error("cancelled", None),
        Unanswered::Broken(Broken::Panicked) => {
            tracing::error!(%called, "something of the catalog broke");
            ErrorData::internal_error(format!("the {} broke", called.kind()), None)
        }
        Unanswered::Broken(broken) => {
            tracing::error!(%called, %broken, "something of the catalog was stopped");
            ErrorData::internal_error(format!("the {} was stopped: {broken}", called.kind()), None)
        }
    }
}

fn refusal(called: &Called, error: CallError) -> ErrorData {
    match error {
        CallError::Unknown(name) => unknown(called, name),
        CallError::InvalidArguments(_) | CallError::InvalidState => {
            ErrorData::invalid_params(error.to_string(), None)
        }
        CallError::ClientLacks(abilities) => match shapes::capabilities(&abilities) {
            Ok(required) => ErrorData::missing_required_client_capability(required),
            Err(error) => error,
        },
        CallError::Refused { code, message, data } => {
            ErrorData::new(ErrorCode(code), message, data)
        }
        CallError::Unavailable(reason) => ErrorData::internal_error(reason, None),
        CallError::Failed(reason) => {
            tracing::error!(%called, reason, "something of the catalog failed");
            ErrorData::internal_error("it failed; the reason is in the server's log", None)
        }
    }
}

fn unknown(called: &Called, name: String) -> ErrorData {
    let what = match called {
        Called::Tool(_) | Called::Prompt(_) => called.kind(),
        Called::Completion => "prompt or resource template",
        Called::Resource(_) => {
            let data = json!({ "uri": name });
            return ErrorData::resource_not_found("there is no such resource", Some(data));
        }
    };
    ErrorData::invalid_params(format!("unknown {what} {name:?}"), None)
}
