//! The catalog of an upstream server.

use std::sync::Arc;

use async_trait::async_trait;
use mcp_oauth_core::domain::input_required::{ClientAbility, InputRequired};
use mcp_oauth_core::domain::log_message::LogLevel;
use mcp_oauth_core::domain::requirement::Requirement;
use mcp_oauth_core::domain::tool::{CallError, Reply, ToolCall, ToolDescription, ToolOutput};
use mcp_oauth_core::port::{
    CallContext, CatalogChanges, Completions, PromptCatalog, Random, ResourceCatalog, ToolCatalog,
};
use serde_json::{Map, Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::callers::{Callers, Lease};
use super::changes::Listeners;
use super::config::{PassCaller, Sharing, UnusableUpstream, UpstreamConfig, UpstreamLimits};
use super::connecting::{Connector, Purpose};
use super::connection::{Connection, Outgoing};
use super::described;
use super::handler::{capabilities, question_of};
use super::lists::Lists;
use super::ordered::ChangeNotices;
use super::passing_caller::{self, CallerHeaders};
use super::request::{Outcome, Request};
use super::supervision::{Link, Supervisor};
use super::suspended::{Belongs, Suspended};
use super::watches::Watches;

/// The tools, prompts and resources of one upstream server, under the requirement that the operator
/// set for them.
///
/// It connects by itself, again and again if need be: it is never an error that the server is down.
/// What it offered last stays listed meanwhile, and calls are refused.
pub struct UpstreamCatalog {
    upstream: Arc<Upstream>,
}

/// All there is to an upstream server.
pub(super) struct Upstream {
    pub(super) requirement: Requirement,
    pub(super) lists: Arc<Lists>,
    pub(super) link: Link,
    pub(super) limits: UpstreamLimits,
    pub(super) watches: Arc<Watches>,
    connector: Arc<Connector>,
    caller: PassCaller,
    callers: Option<Arc<Callers>>,
    listeners: Arc<Listeners>,
    suspended: Suspended,
    permits: Arc<Semaphore>,
}

/// A call on behalf of somebody.
pub(super) struct Call {
    pub(super) method: &'static str,
    /// The name or URI, for the server's state of a call to belong to.
    pub(super) target: String,
    pub(super) params: Map<String, Value>,
}

/// Our own part of the state of a call: the name of the suspended one.
const SUSPENDED: &str = "suspended";

/// The server's own state of the call.
const UPSTREAM: &str = "upstream";

impl UpstreamCatalog {
    /// Begins to connect. Must be called within a runtime of tokio.
    ///
    /// # Errors
    /// [`UnusableUpstream`] when it can't be used as configured.
    pub fn start(
        config: UpstreamConfig,
        random: Arc<dyn Random>,
    ) -> Result<Self, UnusableUpstream> {
        config.check()?;
        let connector = Arc::new(Connector::new(&config)?);
        let UpstreamConfig { prefix, requirement, sharing, caller, limits, .. } = config;
        let lists =
            Lists::new(Arc::clone(&connector.name), prefix, requirement.clone(), limits.start);
        let lists = Arc::new(lists);
        let changes = ChangeNotices {
            stale: Arc::default(),
            watches: Arc::default(),
            listeners: Arc::default(),
        };
        let callers = match sharing {
            Sharing::Shared => None,
            Sharing::PerCaller { most, idle } => {
                Some(Callers::start(Arc::clone(&connector), most, idle))
            }
        };
        // The tools that ask are listed when there will be somebody to ask.
        let askable = callers.is_some();
        let purpose = Purpose {
            capabilities: capabilities(|_| askable),
            changes: Some(changes.clone()),
            ..Purpose::default()
        };
        let supervisor = Supervisor {
            connector: Arc::clone(&connector),
            purpose,
            changes: changes.clone(),
            lists: Arc::clone(&lists),
            limits,
        };
        let upstream = Upstream {
            requirement,
            lists,
            link: supervisor.start(),
            limits,
            watches: changes.watches,
            connector,
            caller,
            callers,
            listeners: changes.listeners,
            suspended: Suspended::new(random, limits.most_suspended, limits.answer),
            permits: Arc::new(Semaphore::new(limits.most_calls)),
        };
        Ok(Self { upstream: Arc::new(upstream) })
    }

    /// What the operator calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.upstream.connector.name
    }

    /// Why the server can't be reached now, for the operator alone; `None` when it can.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.upstream.link.trouble()
    }

    /// Waits until the server was reached and what it offers is known, or `patience` is over; whether
    /// it was reached.
    pub async fn ready(&self, patience: std::time::Duration) -> bool {
        self.upstream.link.up(patience).await
    }

    /// Ends every connection and process, first kindly, then not, and waits for that. Calls under
    /// way are refused.
    pub async fn shut_down(&self) {
        self.upstream.suspended.clear();
        let callers = async {
            if let Some(callers) = &self.upstream.callers {
                callers.end().await;
            }
        };
        tokio::join!(self.upstream.link.end(), callers);
    }
}

#[async_trait]
impl ToolCatalog for UpstreamCatalog {
    async fn list(&self) -> Vec<Arc<ToolDescription>> {
        self.upstream.lists.known().tools.clone()
    }

    async fn describe(&self, name: &str) -> Option<Arc<ToolDescription>> {
        self.upstream.lists.known().tool(name).cloned()
    }

    async fn call(
        &self,
        call: ToolCall,
        context: CallContext,
    ) -> Result<Reply<ToolOutput>, CallError> {
        let lists = &self.upstream.lists;
        let known = lists.known().tool(&call.name).is_some();
        let Some(name) = lists.own_name(&call.name).filter(|_| known) else {
            return Err(CallError::Unknown(call.name));
        };
        let mut params = Map::new();
        params.insert("name".to_owned(), name.into());
        params.insert("arguments".to_owned(), call.arguments.into());
        let call = Call { method: "tools/call", target: call.name.clone(), params };
        Ok(match self.upstream.perform(call, &context).await? {
            Reply::Done(result) => Reply::Done(described::tool_output(result)),
            Reply::InputRequired(required) => Reply::InputRequired(required),
        })
    }

    fn instructions(&self) -> Option<String> {
        self.upstream.lists.known().instructions.clone()
    }

    fn resources(&self) -> Option<Arc<dyn ResourceCatalog>> {
        Some(Arc::clone(&self.upstream) as Arc<dyn ResourceCatalog>)
    }

    fn prompts(&self) -> Option<Arc<dyn PromptCatalog>> {
        Some(Arc::clone(&self.upstream) as Arc<dyn PromptCatalog>)
    }

    fn completions(&self) -> Option<Arc<dyn Completions>> {
        Some(Arc::clone(&self.upstream) as Arc<dyn Completions>)
    }

    fn changes(&self) -> Option<Box<dyn CatalogChanges>> {
        Some(self.upstream.listeners.listen())
    }
}

impl Upstream {
    /// Calls the server, or goes on with a call that waits for this answer.
    pub(super) async fn perform(
        &self,
        mut call: Call,
        context: &CallContext,
    ) -> Result<Reply<Map<String, Value>>, CallError> {
        let belongs = Belongs {
            caller: context.caller.identity(),
            method: call.method,
            target: call.target.clone(),
        };
        let state = context.input.state.as_ref();
        if let Some(name) = state.and_then(|state| state.get(SUSPENDED)) {
            let name = name.as_str().ok_or(CallError::InvalidState)?;
            let request = self.suspended.take(name, &belongs).ok_or(CallError::InvalidState)?;
            return self.resume(request, belongs, context).await;
        }
        if let Some(state) = state {
            let theirs = state.get(UPSTREAM).cloned().ok_or(CallError::InvalidState)?;
            call.params.insert("requestState".to_owned(), theirs);
        }
        let permit = self.permit().await?;
        let lease = self.connection(context).await?;
        let connection = &lease.connection;
        if connection.modern && !context.input.answers.is_empty() {
            let answers = context.input.answers.clone().into_iter().collect::<Map<_, _>>();
            call.params.insert("inputResponses".to_owned(), answers.into());
        }
        if self.callers.is_some() {
            connection.want_log(wanted_log(context), self.limits.patience).await;
        }
        let outgoing = self.outgoing(call, connection, context);
        let request = Request::send(Arc::clone(connection), outgoing, permit).await?;
        drop(lease);
        self.drive(request, belongs, context).await
    }

    async fn resume(
        &self,
        mut request: Request,
        belongs: Belongs,
        context: &CallContext,
    ) -> Result<Reply<Map<String, Value>>, CallError> {
        let permit = self.permit().await?;
        match request.answer(&context.input.answers, permit) {
            Ok(()) => self.drive(request, belongs, context).await,
            Err(question) => self.suspend(request, belongs, question),
        }
    }

    async fn drive(
        &self,
        mut request: Request,
        belongs: Belongs,
        context: &CallContext,
    ) -> Result<Reply<Map<String, Value>>, CallError> {
        match request.drive(context).await? {
            Outcome::Asks(question) => self.suspend(request, belongs, question),
            Outcome::Answered(result) => match result.get("resultType").and_then(Value::as_str) {
                Some("input_required") => self.input_required(result).map(Reply::InputRequired),
                _ => Ok(Reply::Done(result)),
            },
        }
    }

    fn suspend<T>(
        &self,
        request: Request,
        belongs: Belongs,
        question: InputRequired,
    ) -> Result<Reply<T>, CallError> {
        let kept = self.suspended.keep(request, belongs);
        let name = kept.map_err(|_| self.connector.errors.busy())?;
        Ok(Reply::InputRequired(question.remembering(json!({ SUSPENDED: name }))))
    }

    /// The questions of a server of the newest revision, with its state in ours.
    fn input_required(&self, mut result: Map<String, Value>) -> Result<InputRequired, CallError> {
        let senseless = |why: &str| self.connector.errors.senseless(why);
        let mut required = InputRequired::default();
        if let Some(Value::Object(requests)) = result.remove("inputRequests") {
            for (name, mut request) in requests {
                let params = request.get_mut("params").map(Value::take);
                let method = request.get("method").and_then(Value::as_str).unwrap_or_default();
                let question = question_of(method, params)
                    .ok_or_else(|| senseless("it asks what no client can answer"))?;
                required.questions.insert(name, question);
            }
        }
        required.state = result.remove("requestState").map(|state| json!({ UPSTREAM: state }));
        Ok(required)
    }

    fn outgoing(&self, call: Call, to: &Connection, context: &CallContext) -> Outgoing {
        let mut meta = Map::new();
        if self.caller == PassCaller::Meta {
            let caller = passing_caller::meta(&context.caller);
            meta.insert(passing_caller::META_KEY.to_owned(), caller);
        }
        if to.modern {
            // Declared with each request: a question comes back with the answer, so its addressee is
            // certain on any connection.
            let can = |ability: ClientAbility| context.client_can(ability);
            let declared = serde_json::to_value(capabilities(can)).unwrap_or_default();
            meta.insert("io.modelcontextprotocol/clientCapabilities".to_owned(), declared);
            if let Some(level) = wanted_log(context).filter(|_| self.callers.is_some()) {
                meta.insert("io.modelcontextprotocol/logLevel".to_owned(), json!(level));
            }
        }
        let headers = match &self.callers {
            None => self.headers(context),
            Some(_) => CallerHeaders::default(),
        };
        // While somebody types there is nobody to answer.
        let askable = call.method != "completion/complete";
        Outgoing { method: call.method, params: call.params, meta, headers, askable }
    }

    fn headers(&self, context: &CallContext) -> CallerHeaders {
        match self.caller {
            PassCaller::Header => passing_caller::headers(&context.caller),
            PassCaller::No | PassCaller::Meta => CallerHeaders::default(),
        }
    }

    async fn connection(&self, context: &CallContext) -> Result<Lease, CallError> {
        match &self.callers {
            None => self.link.connection(self.limits.patience).await.map(Lease::of_all),
            Some(callers) => callers.connection(context, self.headers(context)).await,
        }
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, CallError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        permit.map_err(|_| self.connector.errors.down())
    }
}

/// The least level that the caller wants.
fn wanted_log(context: &CallContext) -> Option<LogLevel> {
    let levels = [
        LogLevel::Debug,
        LogLevel::Info,
        LogLevel::Notice,
        LogLevel::Warning,
        LogLevel::Error,
        LogLevel::Critical,
        LogLevel::Alert,
        LogLevel::Emergency,
    ];
    levels.into_iter().find(|level| context.wants_log(*level))
}
