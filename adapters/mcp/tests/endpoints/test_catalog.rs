//! The tools of the MCP tests.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use mcp_oauth_core::domain::correlation::CurrentRequest;
use mcp_oauth_core::domain::requirement::Requirement;
use mcp_oauth_core::domain::scope::ScopeSet;
use mcp_oauth_core::domain::tool::{
    CallError, Reply, ToolAnnotations, ToolCall, ToolDescription, ToolOutput,
};
use mcp_oauth_core::port::{CallContext, ToolCatalog};
use serde_json::{Value, json};
use tokio::sync::watch;

/// What happened in the tools.
#[derive(Clone, Default)]
pub(crate) struct Journal {
    events: Arc<Mutex<Vec<String>>>,
    changed: Arc<watch::Sender<()>>,
}

impl Journal {
    /// Everything so far.
    pub(crate) fn events(&self) -> Vec<String> {
        self.events.lock().unwrap().clone()
    }

    /// Returns once `event` has happened.
    pub(crate) async fn wait_for(&self, event: &str) {
        self.wait_for_times(event, 1).await;
    }

    /// Returns once `event` has happened so often.
    pub(crate) async fn wait_for_times(&self, event: &str, times: usize) {
        let mut changes = self.changed.subscribe();
        while self.events().iter().filter(|happened| *happened == event).count() < times {
            changes.changed().await.unwrap();
        }
    }

    pub(crate) fn write(&self, event: String) {
        self.events.lock().unwrap().push(event);
        self.changed.send_replace(());
    }
}

/// Tools that do what their names say.
pub(crate) struct TestCatalog {
    journal: Journal,
    tools: Vec<Arc<ToolDescription>>,
}

impl TestCatalog {
    pub(crate) fn new(journal: &Journal) -> Self {
        let tools = [
            ("request", "mcp:tools"),
            ("who", "mcp:tools"),
            ("count", "mcp:tools"),
            ("region", "mcp:tools"),
            ("panic", "mcp:tools"),
            ("endless", "mcp:tools"),
            ("picky", "mcp:tools"),
            ("broken", "mcp:tools"),
            ("delete_files", "files:read files:write"),
            ("vault", "mcp:tools"),
        ];
        let tools = tools.into_iter().map(|(name, scope)| Arc::new(described(name, scope)));
        Self { journal: journal.clone(), tools: tools.collect() }
    }
}

fn described(name: &str, scope: &str) -> ToolDescription {
    let properties = match name {
        "region" => json!({ "region": { "type": "string", "x-mcp-header": "Region" } }),
        _ => json!({}),
    };
    let schema = json!({ "type": "object", "properties": properties });
    let output = json!({ "type": "object", "properties": { "count": { "type": "integer" } } });
    ToolDescription {
        name: name.to_owned(),
        title: Some(format!("The tool {name}")),
        description: format!("Does {name}."),
        input_schema: schema.as_object().unwrap().clone(),
        output_schema: (name == "count").then(|| output.as_object().unwrap().clone()),
        annotations: ToolAnnotations {
            read_only_hint: Some(name != "delete_files"),
            ..ToolAnnotations::default()
        },
        more: serde_json::Map::new(),
        requirement: Requirement {
            groups: (name == "vault").then(|| ["ops".to_owned()].into()).into_iter().collect(),
            ..Requirement::scope(ScopeSet::parse(scope).unwrap())
        },
    }
}

/// Writes down when it is dropped, so that a test sees the end of a cancelled call.
struct Running {
    journal: Journal,
    tool: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.journal.write(format!("{} ended", self.tool));
    }
}

#[async_trait]
impl ToolCatalog for TestCatalog {
    async fn list(&self) -> Vec<Arc<ToolDescription>> {
        // `request` is not listed, since lists are compared.
        self.tools.iter().filter(|tool| tool.name != "request").cloned().collect()
    }

    async fn describe(&self, name: &str) -> Option<Arc<ToolDescription>> {
        assert_ne!(name, "undescribable", "this one panics before it is called");
        self.tools.iter().find(|tool| tool.name == name).cloned()
    }

    async fn call(
        &self,
        call: ToolCall,
        context: CallContext,
    ) -> Result<Reply<ToolOutput>, CallError> {
        self.journal.write(format!("{} began", call.name));
        let _running = Running { journal: self.journal.clone(), tool: call.name.clone() };
        match call.name.as_str() {
            "who" => {
                let id = context.caller.token_id.as_deref().unwrap_or_default();
                Ok(ToolOutput::text(format!("{} with {id}", context.caller.subject)).into())
            }
            "request" => {
                let request = CurrentRequest::current();
                Ok(ToolOutput::text(request.map_or_else(String::new, |it| it.id.to_string()))
                    .into())
            }
            "count" => Ok(ToolOutput::text("1").with_structured(json!({ "count": 1 })).into()),
            "region" => Ok(ToolOutput::text(Value::Object(call.arguments).to_string()).into()),
            "panic" => panic!("a bug in a tool"),
            "endless" => std::future::pending().await,
            "picky" => Err(CallError::InvalidArguments("argument `a`: expected a poem".into())),
            "broken" => Err(CallError::Failed("the database password is wrong".into())),
            _ => Err(CallError::Unknown(call.name)),
        }
    }
}
