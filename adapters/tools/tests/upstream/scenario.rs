//! An upstream server to try, and people who call it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mcp_oauth_core::domain::content::Content;
use mcp_oauth_core::domain::input_required::{
    ClientAbilities, ClientAbility, InputGiven, InputRequired, Question,
};
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::log_message::{LogLevel, LogMessage};
use mcp_oauth_core::domain::person::Subject;
use mcp_oauth_core::domain::principal::{CallerKind, Principal};
use mcp_oauth_core::domain::requirement::Requirement;
use mcp_oauth_core::domain::scope::ScopeSet;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::domain::tool::{CallError, Reply, ToolCall, ToolOutput};
use mcp_oauth_core::port::{AskError, CallContext, ClientChannel, Progress, Random, ToolCatalog};
use mcp_oauth_tools::{
    PassCaller, Program, Reach, Sharing, UpstreamCatalog, UpstreamConfig, UpstreamLimits,
};
use serde_json::{Value, json};

use crate::fixture::ERA;

/// Longer than anything takes, and short of a hanging test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The server as a process of the older revisions, shared by all.
pub(crate) fn config() -> UpstreamConfig {
    config_of(Reach::Command(program("legacy")))
}

pub(crate) fn config_of(reach: Reach) -> UpstreamConfig {
    UpstreamConfig {
        name: "fixture".to_owned(),
        reach,
        prefix: String::new(),
        requirement: Requirement::scope(ScopeSet::parse("mcp:tools").unwrap()),
        sharing: Sharing::Shared,
        caller: PassCaller::No,
        limits: UpstreamLimits {
            first_delay: Duration::from_millis(1),
            longest_delay: Duration::from_millis(2),
            patience: PATIENCE,
            ..UpstreamLimits::default()
        },
    }
}

/// This program once more, as the server.
pub(crate) fn program(era: &str) -> Program {
    let arguments = ["--ignored", "--exact", "fixture::the_upstream_server", "--nocapture"];
    Program {
        program: std::env::current_exe().unwrap().to_str().unwrap().to_owned(),
        arguments: arguments.map(str::to_owned).to_vec(),
        environment: BTreeMap::from([(ERA.to_owned(), era.into())]),
        directory: None,
    }
}

pub(crate) fn per_caller() -> UpstreamConfig {
    let sharing = Sharing::PerCaller { most: 10, idle: Duration::from_secs(600) };
    UpstreamConfig { sharing, ..config() }
}

/// What a future comes to, which it does in time.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it comes to an end")
}

/// Started, and connected.
pub(crate) async fn started(config: UpstreamConfig) -> UpstreamCatalog {
    let catalog = UpstreamCatalog::start(config, Arc::new(Counter::default())).unwrap();
    assert!(catalog.ready(PATIENCE).await, "{:?}", catalog.trouble());
    catalog
}

/// Random enough for a test.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Random for Counter {
    fn entropy(&self) -> [u8; 32] {
        let mut bytes = [7; 32];
        bytes[..8].copy_from_slice(&self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        bytes
    }
}

/// Somebody, and what their client was told.
#[derive(Clone)]
pub(crate) struct Caller {
    principal: Arc<Principal>,
    abilities: Arc<ClientAbilities>,
    pub(crate) heard: Arc<Heard>,
}

#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) progress: Mutex<Vec<f64>>,
    pub(crate) log: Mutex<Vec<LogMessage>>,
}

impl Caller {
    pub(crate) fn named(subject: &str) -> Self {
        let principal = Principal {
            issuer: Issuer::new("https://issuer.test"),
            subject: Subject::new(subject),
            client: None,
            audiences: Vec::new(),
            scopes: ScopeSet::default(),
            permissions: Default::default(),
            groups: Default::default(),
            tenant: None,
            verified_email: Some("ann@mail.test".to_owned()),
            issued_at: None,
            expires_at: Timestamp::from_unix(4_000_000_000),
            token_id: Some("the-token-id".to_owned()),
            grant: None,
            kind: CallerKind::User,
            claims: Default::default(),
        };
        let abilities = Arc::new(ClientAbilities([ClientAbility::Elicitation].into()));
        Self { principal: Arc::new(principal), abilities, heard: Arc::default() }
    }

    pub(crate) fn with_abilities(self, abilities: &[ClientAbility]) -> Self {
        let abilities = ClientAbilities(abilities.iter().copied().collect());
        Self { abilities: Arc::new(abilities), ..self }
    }

    pub(crate) fn context(&self) -> CallContext {
        let heard = Arc::clone(&self.heard) as Arc<dyn ClientChannel>;
        CallContext::new(Arc::clone(&self.principal))
            .with_client(Arc::clone(&self.abilities), Some(heard))
    }

    /// Calls a tool, which answers with a text.
    pub(crate) async fn text(&self, of: &UpstreamCatalog, tool: &str, arguments: Value) -> String {
        only_text(self.call(of, tool, arguments).await.unwrap())
    }

    pub(crate) async fn call(
        &self,
        of: &UpstreamCatalog,
        tool: &str,
        arguments: Value,
    ) -> Result<Reply<ToolOutput>, CallError> {
        self.call_with(of, tool, arguments, InputGiven::default()).await
    }

    /// Calls once more, with this answer to the only question.
    pub(crate) async fn answer(
        &self,
        of: &UpstreamCatalog,
        tool: &str,
        asked: &InputRequired,
        answer: Value,
    ) -> Result<Reply<ToolOutput>, CallError> {
        let name = asked.questions.keys().next().unwrap().clone();
        let input =
            InputGiven { answers: BTreeMap::from([(name, answer)]), state: asked.state.clone() };
        self.call_with(of, tool, json!({}), input).await
    }

    pub(crate) async fn call_with(
        &self,
        of: &UpstreamCatalog,
        tool: &str,
        arguments: Value,
        input: InputGiven,
    ) -> Result<Reply<ToolOutput>, CallError> {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let call = ToolCall { name: tool.to_owned(), arguments };
        let called = of.call(call, self.context().with_input(input));
        tokio::time::timeout(PATIENCE, called).await.expect("an answer")
    }
}

#[async_trait]
impl ClientChannel for Heard {
    async fn progress(&self, progress: Progress) {
        self.progress.lock().unwrap().push(progress.done);
    }

    async fn log(&self, message: LogMessage) {
        self.log.lock().unwrap().push(message);
    }

    fn wants_log(&self, level: LogLevel) -> bool {
        level >= LogLevel::Notice
    }

    fn asks_within_the_call(&self) -> bool {
        false
    }

    async fn ask(&self, _: &Question) -> Result<Value, AskError> {
        Err(AskError::Gone)
    }
}

pub(crate) fn only_text(reply: Reply<ToolOutput>) -> String {
    match reply {
        Reply::Done(output) => match output.content.as_slice() {
            [Content::Text { text, .. }] => text.clone(),
            other => panic!("not one text: {other:?}"),
        },
        Reply::InputRequired(asked) => panic!("asks {asked:?}"),
    }
}

pub(crate) fn asked(reply: Result<Reply<ToolOutput>, CallError>) -> InputRequired {
    match reply {
        Ok(Reply::InputRequired(asked)) => asked,
        other => panic!("asks nothing: {other:?}"),
    }
}
