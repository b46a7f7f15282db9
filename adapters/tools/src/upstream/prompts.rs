//! Prompts of an upstream server, and completion.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use mcp_oauth_core::domain::prompt::{
    Completable, Completion, CompletionCall, PromptCall, PromptDescription, PromptOutput,
};
use mcp_oauth_core::domain::tool::{CallError, Reply};
use mcp_oauth_core::port::{CallContext, Completions, PromptCatalog};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::catalog::{Call, Upstream};

#[async_trait]
impl PromptCatalog for Upstream {
    async fn list(&self) -> Vec<Arc<PromptDescription>> {
        self.lists.known().prompts.clone()
    }

    async fn describe(&self, name: &str) -> Option<Arc<PromptDescription>> {
        self.lists.known().prompts.iter().find(|prompt| prompt.name == name).cloned()
    }

    async fn fill_in(
        &self,
        call: PromptCall,
        context: CallContext,
    ) -> Result<Reply<PromptOutput>, CallError> {
        let name = self.own_prompt(&call.name)?;
        let mut params = Map::new();
        params.insert("name".to_owned(), name.into());
        if !call.arguments.is_empty() {
            params.insert("arguments".to_owned(), texts(call.arguments));
        }
        let call = Call { method: "prompts/get", target: call.name, params };
        match self.perform(call, &context).await? {
            Reply::InputRequired(required) => Ok(Reply::InputRequired(required)),
            Reply::Done(result) => serde_json::from_value(Value::Object(result))
                .map(Reply::Done)
                .map_err(|error| CallError::Failed(format!("a prompt of an upstream: {error}"))),
        }
    }
}

#[async_trait]
impl Completions for Upstream {
    async fn complete(
        &self,
        call: CompletionCall,
        context: CallContext,
    ) -> Result<Completion, CallError> {
        let (reference, target) = match call.of {
            Completable::Prompt(name) => {
                let own = self.own_prompt(&name)?;
                (json!({ "type": "ref/prompt", "name": own }), name)
            }
            Completable::ResourceTemplate(uri) => {
                (json!({ "type": "ref/resource", "uri": uri.clone() }), uri)
            }
        };
        if !self.link.completes(self.limits.patience).await? {
            return Ok(Completion::default());
        }
        let mut params = Map::new();
        params.insert("ref".to_owned(), reference);
        params.insert("argument".to_owned(), json!({ "name": call.argument, "value": call.value }));
        if !call.filled_in.is_empty() {
            params.insert("context".to_owned(), json!({ "arguments": call.filled_in }));
        }
        let call = Call { method: "completion/complete", target, params };
        match self.perform(call, &context).await? {
            Reply::Done(mut result) => Ok(completion(result.remove("completion"))),
            // There is nobody to ask while somebody types.
            Reply::InputRequired(_) => Ok(Completion::default()),
        }
    }
}

impl Upstream {
    /// What the server itself calls the prompt.
    fn own_prompt(&self, name: &str) -> Result<String, CallError> {
        let known = self.lists.known();
        let listed = known.prompts.iter().any(|prompt| prompt.name == name);
        let own = self.lists.own_name(name).filter(|_| listed);
        own.map(str::to_owned).ok_or_else(|| CallError::Unknown(name.to_owned()))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Completed {
    values: Vec<String>,
    total: Option<u32>,
    #[serde(default)]
    has_more: bool,
}

fn completion(completed: Option<Value>) -> Completion {
    let completed = completed.and_then(|it| serde_json::from_value::<Completed>(it).ok());
    let Some(Completed { values, total, has_more }) = completed else {
        return Completion::default();
    };
    Completion { values, total, has_more }
}

fn texts(texts: BTreeMap<String, String>) -> Value {
    Value::Object(texts.into_iter().map(|(name, text)| (name, text.into())).collect())
}
