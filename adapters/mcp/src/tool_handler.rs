//! The server behind the engine: lists and calls tools for the caller each message was let in for.

use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use mcp_oauth_core::domain::content::Content;
use mcp_oauth_core::domain::tool::{CallError, ToolDescription, ToolOutput};
use mcp_oauth_core::service::tools::{AuthorizedTool, Tools};
use mcp_oauth_core::service::{ClientSide, Round, UseCases};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, CustomRequest,
    CustomResult, DiscoverRequestMethod, DiscoverResult, ErrorCode, Extensions, Implementation,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
    ToolAnnotations,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Map, Value};

use crate::containment::{Broken, contained};
use crate::gate::Admission;
use crate::settings::McpSettings;

/// Methods this server knows. The engine takes one whose params do not fit for a custom method.
const METHODS: [&str; 5] = ["initialize", "ping", "server/discover", "tools/list", "tools/call"];

/// The keyword that asks for an argument to be repeated in a header (MCP 2026-07-28, server/tools).
const HEADER_ANNOTATION: &str = "x-mcp-header";

/// How messages reach the handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// Both eras.
    StreamableHttp,
    /// The era of `initialize` only: HTTP+SSE is no transport of 2026-07-28.
    Sse,
}

/// Serves one message or one session.
#[derive(Clone)]
pub(crate) struct ToolHandler {
    server: Arc<Server>,
    called: Option<Arc<ToolDescription>>,
}

/// What all handlers share.
struct Server {
    tools: Arc<Tools>,
    info: ServerConfig,
    time_limit: Duration,
    transport: Transport,
}

impl ToolHandler {
    pub(crate) fn new(use_cases: &UseCases, settings: &McpSettings, transport: Transport) -> Self {
        let capabilities = ServerCapabilities::builder().enable_tools().build();
        let identity = Implementation::new(&settings.server_name, &settings.server_version);
        let server = Server {
            tools: Arc::clone(&use_cases.tools),
            info: ServerConfig::new(capabilities).with_server_info(identity),
            time_limit: settings.call_time_limit,
            transport,
        };
        Self { server: Arc::new(server), called: None }
    }

    /// The same server, told which tool the message at hand calls.
    pub(crate) fn calling(&self, tool: Option<&AuthorizedTool>) -> Self {
        let called = tool.and_then(|tool| tool.description().cloned());
        Self { server: Arc::clone(&self.server), called }
    }

    async fn run(
        &self,
        authorized: AuthorizedTool,
        arguments: Map<String, Value>,
        admission: Admission,
    ) -> Result<CallToolResult, ErrorData> {
        let tool = authorized.name().to_owned();
        let call = self.server.tools.call(authorized, arguments, ClientSide::default());
        let work = contained(self.server.time_limit, call);
        let outcome = match admission.request {
            Some(request) => request.during(work).await,
            None => work.await,
        };
        match outcome {
            Ok(Ok(Round::Done(output))) => Ok(answer(output)),
            Ok(Ok(Round::InputRequired { .. })) => {
                Err(ErrorData::internal_error("nothing can be asked yet", None))
            }
            Ok(Err(CallError::InvalidArguments(reason))) => Ok(failure(reason)),
            Ok(Err(CallError::Unknown(name))) => {
                Err(ErrorData::invalid_params(format!("unknown tool {name:?}"), None))
            }
            Ok(Err(
                error @ (CallError::Refused { .. }
                | CallError::Unavailable(_)
                | CallError::InvalidState
                | CallError::ClientLacks(_)),
            )) => Ok(failure(error.to_string())),
            Ok(Err(CallError::Failed(reason))) => {
                tracing::error!(tool, reason, "a tool failed");
                Ok(failure("The tool failed. The reason is in the server's log.".to_owned()))
            }
            Err(broken @ Broken::Panicked) => {
                tracing::error!(tool, %broken, "a tool broke");
                Err(ErrorData::internal_error("the tool broke", None))
            }
            Err(broken @ Broken::TimedOut(limit)) => {
                tracing::error!(tool, %broken, "a tool was stopped");
                let seconds = limit.as_secs_f32();
                Ok(failure(format!("The tool was stopped: it took longer than {seconds} seconds.")))
            }
        }
    }
}

impl ServerHandler for ToolHandler {
    fn get_info(&self) -> ServerConfig {
        self.server.info.clone()
    }

    async fn discover(&self, _: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        match self.server.transport {
            Transport::StreamableHttp => Ok(DiscoverResult::from_server_info(
                self.supported_protocol_versions().into_owned(),
                self.get_info(),
            )),
            // Not "unsupported version", which would tell a client of both eras to stay in the new
            // one (MCP 2026-07-28, basic/versioning, backward compatibility).
            Transport::Sse => Err(ErrorData::method_not_found::<DiscoverRequestMethod>()),
        }
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let admission = admission(&context.extensions)?;
        let work = self.server.tools.list(&admission.caller);
        let tools = contained(self.server.time_limit, work).await.map_err(|broken| {
            tracing::error!(%broken, "the catalog failed to list its tools");
            ErrorData::internal_error("the tools can't be listed", None)
        })?;
        // Without caching hints of ours, 2026-07-28 gets "private" and a lifetime of zero: the list
        // depends on the caller's scopes, which may grow any moment.
        Ok(ListToolsResult::with_all_items(tools.iter().map(|tool| described(tool)).collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let admission = admission(&context.extensions)?;
        let authorized = admission.tool.clone().filter(|tool| tool.name() == request.name);
        let Some(authorized) = authorized else {
            tracing::error!(tool = %request.name, "a call came through without authorization");
            return Err(ErrorData::internal_error("the call was not authorized", None));
        };
        let arguments = request.arguments.unwrap_or_default();
        tokio::select! {
            // Dropping the call stops it; nobody waits for this answer.
            () = context.ct.cancelled() => Err(ErrorData::internal_error("cancelled", None)),
            result = self.run(authorized, arguments, admission) => result.map(CallToolResponse::from),
        }
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        // Asked on every call, but only a tool that annotates arguments has headers to validate.
        let tool = self.called.as_ref().filter(|tool| tool.name == name)?;
        annotates_headers(&tool.input_schema).then(|| described(tool))
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let method = request.method;
        if METHODS.contains(&method.as_str()) {
            return Err(ErrorData::invalid_params(format!("the params do not fit {method}"), None));
        }
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method, None))
    }
}

/// What the message was let in for. The engine carries the head of its HTTP request along.
fn admission(extensions: &Extensions) -> Result<Admission, ErrorData> {
    let admission = extensions.get::<Parts>().and_then(|parts| parts.extensions.get::<Admission>());
    admission.cloned().ok_or_else(|| {
        tracing::error!("a message came through without a caller");
        ErrorData::internal_error("the caller is unknown", None)
    })
}

fn described(tool: &ToolDescription) -> Tool {
    let description = tool.description.clone();
    let mut described = Tool::new(tool.name.clone(), description, tool.input_schema.clone());
    described.title = tool.title.clone();
    described.output_schema = tool.output_schema.clone().map(Arc::new);
    let read_only = tool.annotations.read_only_hint.unwrap_or_default();
    described.with_annotations(ToolAnnotations::new().read_only(read_only))
}

fn answer(output: ToolOutput) -> CallToolResult {
    let content = output.content.into_iter().map(|content| match content {
        Content::Text { text, .. } => ContentBlock::text(text),
        other => ContentBlock::text(format!("{other:?}")),
    });
    let mut result = if output.is_error {
        CallToolResult::error(content.collect())
    } else {
        CallToolResult::success(content.collect())
    };
    result.structured_content = output.structured;
    result
}

/// A failure that the model should read and may correct.
fn failure(text: String) -> CallToolResult {
    answer(ToolOutput::failure(text))
}

fn annotates_headers(schema: &Map<String, Value>) -> bool {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flat_map(Map::values)
        .filter_map(Value::as_object)
        .any(|property| property.contains_key(HEADER_ANNOTATION) || annotates_headers(property))
}
