//! A catalog with everything a catalog may have.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use mcp_oauth_core::domain::catalog_change::CatalogChange;
use mcp_oauth_core::domain::content::{
    Content, Members, ResourceContents, ResourceDescription, ResourceTemplate,
};
use mcp_oauth_core::domain::input_required::{ClientAbility, InputRequired, Question};
use mcp_oauth_core::domain::log_message::{LogLevel, LogMessage};
use mcp_oauth_core::domain::prompt::{
    Completion, CompletionCall, PromptArgument, PromptCall, PromptDescription, PromptOutput,
};
use mcp_oauth_core::domain::requirement::Requirement;
use mcp_oauth_core::domain::scope::ScopeSet;
use mcp_oauth_core::domain::tool::{
    CallError, Reply, ToolAnnotations, ToolCall, ToolDescription, ToolOutput,
};
use mcp_oauth_core::port::{
    CallContext, CatalogChanges, Completions, PromptCatalog, ResourceCatalog, ToolCatalog, Watch,
};
use serde_json::{Value, json};
use tokio::sync::broadcast;

use crate::test_catalog::Journal;

/// The catalog, and the means to change it.
#[derive(Clone)]
pub(crate) struct RichCatalog {
    journal: Journal,
    changes: broadcast::Sender<CatalogChange>,
    locked: Arc<AtomicBool>,
}

impl RichCatalog {
    pub(crate) fn new(journal: &Journal) -> Self {
        let (changes, locked) = (broadcast::Sender::new(16), Arc::default());
        Self { journal: journal.clone(), changes, locked }
    }

    /// From now on nobody's token is good enough for any resource.
    pub(crate) fn lock(&self) {
        self.locked.store(true, Ordering::Relaxed);
    }

    /// Says that something has changed.
    pub(crate) fn change(&self, change: CatalogChange) {
        self.changes.send(change).unwrap();
    }
}

fn members(value: &Value) -> Members {
    value.as_object().unwrap().clone()
}

/// What is secret needs a scope that Alice's token has not.
fn requirement(name: &str) -> Requirement {
    let scope = if name.starts_with("secret") { "files:read" } else { "mcp:tools" };
    Requirement::scope(ScopeSet::parse(scope).unwrap())
}

#[async_trait]
impl ToolCatalog for RichCatalog {
    async fn list(&self) -> Vec<Arc<ToolDescription>> {
        let pieces = ToolCatalog::describe(self, "pieces").await;
        pieces.into_iter().collect()
    }

    async fn describe(&self, name: &str) -> Option<Arc<ToolDescription>> {
        Some(Arc::new(ToolDescription {
            name: name.to_owned(),
            title: Some("Pieces".to_owned()),
            description: "Answers.".to_owned(),
            input_schema: members(&json!({ "type": "object" })),
            output_schema: None,
            annotations: ToolAnnotations {
                idempotent_hint: Some(true),
                ..ToolAnnotations::default()
            },
            more: members(&json!({
                "icons": [{ "src": "https://example.com/icon.png" }], "_meta": { "a/b": 7 },
            })),
            requirement: requirement(name),
        }))
    }

    async fn call(
        &self,
        call: ToolCall,
        context: CallContext,
    ) -> Result<Reply<ToolOutput>, CallError> {
        self.journal.write(format!("{} began", call.name));
        match call.name.as_str() {
            "pieces" => Ok(ToolOutput::content(pieces()).into()),
            "report" => Ok(report(&context).await.into()),
            "ask" => Ok(ask(&context)),
            "remember" | "remember_too" => Ok(remember(&context)),
            "flood" => loop {
                context.progress(1.0, None, None).await;
                context.log(LogMessage::info("and on")).await;
            },
            "refused" => Err(CallError::Refused {
                code: -32099,
                message: "no".to_owned(),
                data: Some(json!({ "why": "not" })),
            }),
            _ => Err(CallError::Unknown(call.name)),
        }
    }

    fn resources(&self) -> Option<Arc<dyn ResourceCatalog>> {
        Some(Arc::new(self.clone()))
    }

    fn prompts(&self) -> Option<Arc<dyn PromptCatalog>> {
        Some(Arc::new(self.clone()))
    }

    fn completions(&self) -> Option<Arc<dyn Completions>> {
        Some(Arc::new(self.clone()))
    }

    fn changes(&self) -> Option<Box<dyn CatalogChanges>> {
        Some(Box::new(Heard(self.changes.subscribe())))
    }
}

struct Heard(broadcast::Receiver<CatalogChange>);

#[async_trait]
impl CatalogChanges for Heard {
    async fn next(&mut self) -> Option<CatalogChange> {
        self.0.recv().await.ok()
    }
}

/// One of every kind.
fn pieces() -> Vec<Content> {
    let shape = |value: Value| serde_json::from_value(value).unwrap();
    vec![
        shape(json!({ "type": "text", "text": "a", "annotations": { "priority": 0.5 } })),
        Content::image(b"picture", "image/png"),
        Content::audio(b"sound", "audio/wav"),
        Content::resource(ResourceContents::text("test:open", "text/plain", "inside")),
        shape(json!({ "type": "resource_link", "uri": "test:open", "name": "open", "size": 6 })),
    ]
}

async fn report(context: &CallContext) -> ToolOutput {
    for done in [1.0, 2.0] {
        context.progress(done, Some(2.0), Some(format!("step {done}"))).await;
    }
    for level in [LogLevel::Debug, LogLevel::Info, LogLevel::Error] {
        let data = json!(format!("{level:?}"));
        context.log(LogMessage { level, logger: Some("report".to_owned()), data }).await;
    }
    ToolOutput::text("reported")
}

fn ask(context: &CallContext) -> Reply<ToolOutput> {
    let name = context.input.form("name").and_then(|form| form.get("name")?.as_str());
    match name {
        Some(name) => ToolOutput::text(format!("Hello, {name}!")).into(),
        None => Reply::InputRequired(question()),
    }
}

fn remember(context: &CallContext) -> Reply<ToolOutput> {
    match &context.input.state {
        Some(state) => ToolOutput::text(state.to_string()).into(),
        None => Reply::InputRequired(question().remembering(json!({ "step": 1 }))),
    }
}

fn question() -> InputRequired {
    let properties = json!({ "name": { "type": "string" } });
    let schema = json!({ "type": "object", "properties": properties, "required": ["name"] });
    InputRequired::question("name", Question::form("Your name?", schema))
}

#[async_trait]
impl PromptCatalog for RichCatalog {
    async fn list(&self) -> Vec<Arc<PromptDescription>> {
        let named = |name: &str| PromptDescription {
            name: name.to_owned(),
            arguments: vec![PromptArgument {
                name: "whom".to_owned(),
                required: true,
                more: Members::new(),
            }],
            more: members(&json!({ "description": "A prompt." })),
            requirement: requirement(name),
        };
        ["greet", "secret"].map(|name| Arc::new(named(name))).into()
    }

    async fn describe(&self, name: &str) -> Option<Arc<PromptDescription>> {
        PromptCatalog::list(self).await.into_iter().find(|prompt| prompt.name == name)
    }

    async fn fill_in(
        &self,
        call: PromptCall,
        _: CallContext,
    ) -> Result<Reply<PromptOutput>, CallError> {
        self.journal.write(format!("prompt {}", call.name));
        Ok(PromptOutput::user_text(format!("Greet {}.", call.arguments["whom"])).into())
    }
}

#[async_trait]
impl Completions for RichCatalog {
    async fn complete(
        &self,
        call: CompletionCall,
        context: CallContext,
    ) -> Result<Completion, CallError> {
        self.journal.write(format!("completion of {:?}", call.of));
        if context.client_can(ClientAbility::Elicitation) {
            self.journal.write("completion for a client that shows forms".to_owned());
        }
        let CompletionCall { argument, value, filled_in, .. } = call;
        let _: BTreeMap<String, String> = filled_in;
        let values = vec![format!("{argument}:{value}!")];
        Ok(Completion { values, total: Some(1), has_more: false })
    }
}

#[async_trait]
impl ResourceCatalog for RichCatalog {
    async fn list(&self) -> Vec<Arc<ResourceDescription>> {
        let named = |uri: &str| ResourceDescription {
            uri: uri.to_owned(),
            name: uri.to_owned(),
            more: members(&json!({ "mimeType": "text/plain" })),
            requirement: requirement(uri),
        };
        ["test:open", "secret:one"].map(|uri| Arc::new(named(uri))).into()
    }

    async fn templates(&self) -> Vec<Arc<ResourceTemplate>> {
        let named = |uri: &str| ResourceTemplate {
            uri_template: uri.to_owned(),
            name: uri.to_owned(),
            more: Members::new(),
            requirement: requirement(uri),
        };
        ["test:{id}", "secret:{id}"].map(|uri| Arc::new(named(uri))).into()
    }

    async fn requirement(&self, uri: &str) -> Option<Requirement> {
        let locked = self.locked.load(Ordering::Relaxed);
        Some(requirement(if locked { "secret" } else { uri }))
    }

    async fn read(
        &self,
        uri: &str,
        _: CallContext,
    ) -> Result<Reply<Vec<ResourceContents>>, CallError> {
        self.journal.write(format!("read {uri}"));
        match uri {
            "test:missing" => Err(CallError::Unknown(uri.to_owned())),
            _ => Ok(vec![ResourceContents::text(uri, "text/plain", "inside")].into()),
        }
    }

    async fn watch(&self, uri: &str) -> Result<Watch, CallError> {
        self.journal.write(format!("watch {uri}"));
        Ok(Box::new(()))
    }
}
