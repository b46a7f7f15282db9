//! The server behind the engine: does what each message asks for the caller it was let in for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::request::Parts;
use mcp_oauth_core::domain::prompt::Completable;
use mcp_oauth_core::domain::tool::{CallError, ToolDescription};
use mcp_oauth_core::port::CatalogChanges;
use mcp_oauth_core::service::changes::Changes;
use mcp_oauth_core::service::prompts::{Prompts, Typed};
use mcp_oauth_core::service::resources::{AuthorizedResource, Resources};
use mcp_oauth_core::service::tools::Tools;
use mcp_oauth_core::service::{ClientSide, Round, UseCases};
use rmcp::model::*;
use rmcp::service::{NotificationContext, Peer, RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Map, Value};

use crate::call_outcome::{self, Called, Unanswered};
use crate::change_notices::Notices;
use crate::client_side::{self, Given};
use crate::containment::{bounded, contained};
use crate::gate::{Admission, Authorized};
use crate::offer::Offer;
use crate::session::Session;
use crate::settings::McpSettings;
use crate::shapes;

/// Methods this server knows. The engine takes one whose params do not fit for a custom method.
const METHODS: [&str; 15] = [
    "initialize",
    "ping",
    "server/discover",
    "logging/setLevel",
    "completion/complete",
    "tools/list",
    "tools/call",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "subscriptions/listen",
];

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

/// Serves one message or one session. A clone serves another.
pub(crate) struct Handler {
    server: Arc<Server>,
    session: Arc<Session>,
    /// The tool that the message at hand calls.
    called: Option<Arc<ToolDescription>>,
    /// The resources that the message at hand may watch.
    watchable: Vec<AuthorizedResource>,
    /// Heard from before a listener is told that it listens, so that it misses nothing.
    heard: Mutex<Option<Box<dyn CatalogChanges>>>,
}

/// What all handlers share.
struct Server {
    tools: Arc<Tools>,
    prompts: Arc<Prompts>,
    resources: Arc<Resources>,
    changes: Arc<Changes>,
    offer: Offer,
    time_limit: Duration,
    transport: Transport,
}

impl Handler {
    pub(crate) fn new(use_cases: &UseCases, settings: &McpSettings, transport: Transport) -> Self {
        Self::of(Arc::new(Server {
            tools: Arc::clone(&use_cases.tools),
            prompts: Arc::clone(&use_cases.prompts),
            resources: Arc::clone(&use_cases.resources),
            changes: Arc::clone(&use_cases.changes),
            offer: Offer::new(use_cases, settings),
            time_limit: settings.call_time_limit,
            transport,
        }))
    }

    fn of(server: Arc<Server>) -> Self {
        Self {
            server,
            session: Arc::default(),
            called: None,
            watchable: Vec::new(),
            heard: Mutex::default(),
        }
    }

    /// The same server, told what the message at hand was let in for.
    pub(crate) fn serving(&self, admission: &Admission) -> Self {
        let mut handler = self.clone();
        match &admission.authorized {
            Authorized::Tool(tool) => handler.called = tool.description().cloned(),
            Authorized::Resources(resources) => handler.watchable.clone_from(resources),
            _ => {}
        }
        handler
    }

    /// One call, contained: it ends with its client, its time or its messages.
    async fn call<T, F>(
        &self,
        context: &RequestContext<RoleServer>,
        given: Given,
        call: impl FnOnce(ClientSide) -> F,
    ) -> Result<Round<T>, Unanswered>
    where
        F: Future<Output = Result<Round<T>, CallError>>,
    {
        let channel = client_side::channel(context, &self.session);
        let _closing = channel.closing();
        let client = client_side::of(context, &channel, given);
        let work = bounded(channel.bounds(self.server.time_limit), call(client));
        let request = admission(&context.extensions).ok().and_then(|admission| admission.request);
        let work = async {
            match request {
                Some(request) => request.during(work).await,
                None => work.await,
            }
        };
        tokio::select! {
            // Dropping the call stops it.
            () = context.ct.cancelled() => Err(Unanswered::Cancelled),
            outcome = work => match outcome {
                Ok(outcome) => outcome.map_err(Unanswered::Refused),
                Err(broken) => Err(Unanswered::Broken(broken)),
            },
        }
    }

    /// A list, contained.
    async fn list<T>(&self, list: impl Future<Output = T>) -> Result<T, ErrorData> {
        contained(self.server.time_limit, list).await.map_err(|broken| {
            tracing::error!(%broken, "the catalog failed to list");
            ErrorData::internal_error("the list is not available", None)
        })
    }

    /// The resource that the message was let in for, or authorized now: a session that is brought
    /// back says again what it watched.
    async fn resource(
        &self,
        uri: &str,
        context: &RequestContext<RoleServer>,
    ) -> Result<AuthorizedResource, ErrorData> {
        let admission = admission(&context.extensions)?;
        if let Authorized::Resource(resource) = admission.authorized
            && resource.uri() == uri
        {
            return Ok(resource);
        }
        let authorized = self.server.resources.authorize(&admission.caller, uri);
        self.list(authorized).await?.map_err(|error| {
            tracing::debug!(uri, %error, "what was watched before may not be any more");
            ErrorData::invalid_request("it may not be used any more", None)
        })
    }

    /// Begins to tell the session of changes, unless that has begun.
    fn tell_session(&self, peer: &Peer<RoleServer>) {
        let Some(changes) = self.server.changes.listen() else { return };
        let Some(ended) = self.session.begin_telling() else { return };
        let notices = Notices { resources: Arc::clone(&self.server.resources) };
        notices.to_session(changes, peer.clone(), Arc::downgrade(&self.session), ended);
    }

    fn is_told_of_resources(&self) -> bool {
        self.server.resources.are_offered() && self.server.changes.are_told()
    }

    fn hears(&self) -> Option<Box<dyn CatalogChanges>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Clone for Handler {
    fn clone(&self) -> Self {
        let mut clone = Self::of(Arc::clone(&self.server));
        clone.called.clone_from(&self.called);
        clone.watchable.clone_from(&self.watchable);
        clone
    }
}

#[expect(deprecated, reason = "the older revisions have logging and subscriptions")]
impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        self.server.offer.now()
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

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        self.tell_session(&context.peer);
    }

    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if client_side::is_modern(&context) {
            return Err(ErrorData::method_not_found::<SetLevelRequestMethod>());
        }
        self.session.level.set(shapes::log_level(request.level));
        Ok(())
    }

    // Without caching hints of ours, 2026-07-28 gets "private" and a lifetime of zero for every list:
    // they depend on the caller's scopes, which may grow any moment.
    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        whole_list(request)?;
        let admission = admission(&context.extensions)?;
        let tools = self.list(self.server.tools.list(&admission.caller)).await?;
        let tools = tools.iter().filter_map(|tool| shapes::tool(tool).ok());
        Ok(ListToolsResult::with_all_items(tools.collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let admission = admission(&context.extensions)?;
        let tool = match admission.authorized {
            Authorized::Tool(tool) if tool.name() == request.name => tool,
            _ => return Err(not_authorized("tool", &request.name)),
        };
        let arguments = request.arguments.unwrap_or_default();
        let given = Given { answers: request.input_responses, state: request.request_state };
        let call = |client| self.server.tools.call(tool, arguments, client);
        let outcome = self.call(&context, given, call).await;
        call_outcome::tool_response(&request.name, outcome)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        // Asked on every call, but only a tool that annotates arguments has headers to validate.
        let tool = self.called.as_ref().filter(|tool| tool.name == name)?;
        annotates_headers(&tool.input_schema).then(|| shapes::tool(tool).ok()).flatten()
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        if !self.server.prompts.are_offered() {
            return Err(ErrorData::method_not_found::<ListPromptsRequestMethod>());
        }
        whole_list(request)?;
        let admission = admission(&context.extensions)?;
        let prompts = self.list(self.server.prompts.list(&admission.caller)).await?;
        Ok(ListPromptsResult::with_all_items(shapes::all(&prompts)))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        if !self.server.prompts.are_offered() {
            return Err(ErrorData::method_not_found::<GetPromptRequestMethod>());
        }
        let admission = admission(&context.extensions)?;
        let prompt = match admission.authorized {
            Authorized::Prompt(prompt) if prompt.name() == request.name => prompt,
            _ => return Err(not_authorized("prompt", &request.name)),
        };
        let arguments = texts(request.arguments.unwrap_or_default())?;
        let given = Given { answers: request.input_responses, state: request.request_state };
        let call = |client| self.server.prompts.fill_in(prompt, arguments, client);
        let outcome = self.call(&context, given, call).await;
        call_outcome::response(&Called::Prompt(request.name), outcome, shapes::prompt_result)
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        if !self.server.prompts.are_completed() {
            return Err(ErrorData::method_not_found::<CompleteRequestMethod>());
        }
        let admission = admission(&context.extensions)?;
        let of = match admission.authorized {
            Authorized::Completion(of) if is_about(&request.r#ref, of.of()) => of,
            _ => return Err(not_authorized("completion", &request.argument.name)),
        };
        let ArgumentInfo { name: argument, value, .. } = request.argument;
        let filled_in = request.context.and_then(|context| context.arguments).unwrap_or_default();
        let typed = Typed { argument, value };
        let given = Given { answers: None, state: None };
        let outcome = self.call(&context, given, |client| async move {
            let filled_in = filled_in.into_iter().collect();
            Ok(Round::Done(self.server.prompts.complete(of, typed, filled_in, &client).await?))
        });
        match outcome.await {
            Ok(Round::Done(completion)) => Ok(shapes::completion(completion)),
            Ok(Round::InputRequired { .. }) => Ok(CompleteResult::default()),
            Err(unanswered) => Err(call_outcome::error(&Called::Completion, unanswered)),
        }
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        if !self.server.resources.are_offered() {
            return Err(ErrorData::method_not_found::<ListResourcesRequestMethod>());
        }
        whole_list(request)?;
        let admission = admission(&context.extensions)?;
        let resources = self.list(self.server.resources.list(&admission.caller)).await?;
        Ok(ListResourcesResult::with_all_items(shapes::all(&resources)))
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        if !self.server.resources.are_offered() {
            return Err(ErrorData::method_not_found::<ListResourceTemplatesRequestMethod>());
        }
        whole_list(request)?;
        let admission = admission(&context.extensions)?;
        let templates = self.list(self.server.resources.templates(&admission.caller)).await?;
        Ok(ListResourceTemplatesResult::with_all_items(shapes::all(&templates)))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        if !self.server.resources.are_offered() {
            return Err(ErrorData::method_not_found::<ReadResourceRequestMethod>());
        }
        let resource = self.resource(&request.uri, &context).await?;
        let given = Given { answers: request.input_responses, state: request.request_state };
        let read = |client| self.server.resources.read(resource, client);
        let outcome = self.call(&context, given, read).await;
        call_outcome::response(&Called::Resource(request.uri), outcome, |contents| {
            shapes::contents(&contents)
        })
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if !self.is_told_of_resources() {
            return Err(ErrorData::method_not_found::<SubscribeRequestMethod>());
        }
        let resource = self.resource(&request.uri, &context).await?;
        let given = Given { answers: None, state: None };
        let watching = self.call(&context, given, |_| async {
            Ok(Round::Done(self.server.resources.watch(&resource).await?))
        });
        match watching.await {
            Ok(Round::Done(watch)) => {
                self.session.watch(resource, watch).map_err(|_| {
                    ErrorData::invalid_params("the session watches as much as one may", None)
                })?;
                self.tell_session(&context.peer);
                Ok(())
            }
            Ok(Round::InputRequired { .. }) => Ok(()),
            Err(unanswered) => Err(call_outcome::error(&Called::Resource(request.uri), unanswered)),
        }
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if !self.is_told_of_resources() {
            return Err(ErrorData::method_not_found::<UnsubscribeRequestMethod>());
        }
        self.session.unwatch(&request.uri);
        Ok(())
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        if self.server.transport == Transport::Sse {
            return None;
        }
        let changes = self.server.changes.listen()?;
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(changes);
        let mut accepted = requested.clone();
        let watchable = self.watchable.iter().map(|resource| resource.uri().to_owned());
        accepted.resource_subscriptions = Some(watchable.collect());
        Some(accepted)
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let Some(changes) = self.hears() else { return Ok(()) };
        let notices = Notices { resources: Arc::clone(&self.server.resources) };
        tokio::select! {
            () = context.cancelled() => {}
            () = notices.to_listener(changes, &context, self.watchable.clone()) => {}
        }
        Ok(())
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

/// Every message is authorized before it gets here.
fn not_authorized(what: &str, name: &str) -> ErrorData {
    tracing::error!(what, name, "a message came through without authorization");
    ErrorData::internal_error("it was not authorized", None)
}

/// Every list is whole, so no cursor is one of ours.
fn whole_list(request: Option<PaginatedRequestParams>) -> Result<(), ErrorData> {
    match request.and_then(|request| request.cursor) {
        Some(_) => Err(ErrorData::invalid_params("there is no such page", None)),
        None => Ok(()),
    }
}

fn is_about(reference: &Reference, of: &Completable) -> bool {
    match of {
        Completable::Prompt(name) => reference.as_prompt_name() == Some(name),
        Completable::ResourceTemplate(uri) => reference.as_resource_uri() == Some(uri),
    }
}

/// The arguments of a prompt are texts (MCP 2026-07-28, server/prompts).
fn texts(arguments: Map<String, Value>) -> Result<BTreeMap<String, String>, ErrorData> {
    let text = |(name, value)| match value {
        Value::String(value) => Ok((name, value)),
        _ => Err(ErrorData::invalid_params(format!("argument {name:?} must be a string"), None)),
    };
    arguments.into_iter().map(text).collect()
}

fn annotates_headers(schema: &Map<String, Value>) -> bool {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flat_map(Map::values)
        .filter_map(Value::as_object)
        .any(|property| property.contains_key(HEADER_ANNOTATION) || annotates_headers(property))
}
