//! The prompts, and the completion of their arguments.

use std::sync::Arc;

use async_trait::async_trait;
use mcp_oauth_core::domain::content::Content;
use mcp_oauth_core::domain::input_required::{InputGiven, InputRequired, Question};
use mcp_oauth_core::domain::prompt::{
    Completable, Completion, CompletionCall, PromptArgument, PromptCall, PromptDescription,
    PromptMessage, PromptOutput,
};
use mcp_oauth_core::domain::requirement::Requirement;
use mcp_oauth_core::domain::tool::{CallError, Reply};
use mcp_oauth_core::port::{CallContext, Completions, PromptCatalog};
use serde_json::{Map, json};

use crate::asking::text_schema;
use crate::tools::{embedded, picture};

const PROMPTS: [(&str, &str, &[&str]); 5] = [
    ("test_simple_prompt", "A text.", &[]),
    ("test_prompt_with_arguments", "A text with arguments.", &["arg1", "arg2"]),
    ("test_prompt_with_embedded_resource", "A text with a resource.", &["resourceUri"]),
    ("test_prompt_with_image", "A text with a picture.", &[]),
    ("test_input_required_result_prompt", "Asks for the context first.", &[]),
];

/// The prompts of the fixture.
pub(crate) struct FixturePrompts(Vec<Arc<PromptDescription>>);

impl FixturePrompts {
    /// All of them.
    pub(crate) fn new() -> Self {
        let described = PROMPTS.iter().map(|(name, description, arguments)| {
            let argument = |name: &&str| PromptArgument {
                name: (*name).to_owned(),
                required: true,
                more: Map::from_iter([("description".to_owned(), json!("An argument."))]),
            };
            Arc::new(PromptDescription {
                name: (*name).to_owned(),
                arguments: arguments.iter().map(argument).collect(),
                more: Map::from_iter([("description".to_owned(), json!(description))]),
                requirement: Requirement::default(),
            })
        });
        Self(described.collect())
    }
}

#[async_trait]
impl PromptCatalog for FixturePrompts {
    async fn list(&self) -> Vec<Arc<PromptDescription>> {
        self.0.clone()
    }

    async fn describe(&self, name: &str) -> Option<Arc<PromptDescription>> {
        self.0.iter().find(|prompt| prompt.name == name).cloned()
    }

    async fn fill_in(
        &self,
        call: PromptCall,
        context: CallContext,
    ) -> Result<Reply<PromptOutput>, CallError> {
        let argument = |name: &str| call.arguments.get(name).map_or("", String::as_str);
        let output = match call.name.as_str() {
            "test_simple_prompt" => PromptOutput::user_text("This is a simple prompt for testing."),
            "test_prompt_with_arguments" => {
                let (first, second) = (argument("arg1"), argument("arg2"));
                let text = format!("Prompt with arguments: arg1='{first}', arg2='{second}'");
                PromptOutput::user_text(text)
            }
            "test_prompt_with_embedded_resource" => {
                let text = "Embedded resource content for testing.";
                let resource = embedded(argument("resourceUri"), "text/plain", text);
                messages([resource, Content::text("Please process the embedded resource above.")])
            }
            "test_prompt_with_image" => {
                messages([picture(), Content::text("Please analyze the image above.")])
            }
            "test_input_required_result_prompt" => return Ok(with_context(&context.input)),
            _ => return Err(CallError::Unknown(call.name)),
        };
        Ok(output.into())
    }
}

#[async_trait]
impl Completions for FixturePrompts {
    async fn complete(
        &self,
        call: CompletionCall,
        _: CallContext,
    ) -> Result<Completion, CallError> {
        if let Completable::Prompt(name) = &call.of
            && self.describe(name).await.is_none()
        {
            return Err(CallError::Unknown(name.clone()));
        }
        let known = ["hello", "help", "world"].map(ToOwned::to_owned);
        let values = known.into_iter().filter(|value| value.starts_with(&call.value));
        Ok(Completion { values: values.collect(), total: None, has_more: false })
    }
}

fn messages(contents: [Content; 2]) -> PromptOutput {
    PromptOutput { description: None, messages: contents.map(PromptMessage::user).into() }
}

fn with_context(given: &InputGiven) -> Reply<PromptOutput> {
    let context = given.form("user_context").and_then(|form| form.get("context")?.as_str());
    match context {
        Some(context) => PromptOutput::user_text(format!("In the context of {context}.")).into(),
        None => {
            let question = Question::form("What is the context?", text_schema("context"));
            Reply::InputRequired(InputRequired::question("user_context", question))
        }
    }
}
