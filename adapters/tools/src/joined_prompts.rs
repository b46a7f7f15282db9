//! The prompts of several catalogs as those of one, and completion in them.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use mcp_oauth_core::domain::prompt::{
    Completable, Completion, CompletionCall, PromptCall, PromptDescription, PromptOutput,
};
use mcp_oauth_core::domain::tool::{CallError, Reply};
use mcp_oauth_core::port::{CallContext, Completions, PromptCatalog, ToolCatalog};

/// Prompts of several catalogs, in their order.
pub(crate) struct JoinedPrompts(pub(crate) Vec<Arc<dyn PromptCatalog>>);

/// Catalogs that complete, in their order, each with what it has to be completed.
pub(crate) struct JoinedCompletions(pub(crate) Vec<(Arc<dyn Completions>, Arc<dyn ToolCatalog>)>);

#[async_trait]
impl PromptCatalog for JoinedPrompts {
    async fn list(&self) -> Vec<Arc<PromptDescription>> {
        let (mut seen, mut listed) = (BTreeSet::new(), Vec::new());
        for prompts in &self.0 {
            let of_one = prompts.list().await;
            listed.extend(of_one.into_iter().filter(|it| seen.insert(it.name.clone())));
        }
        listed
    }

    async fn describe(&self, name: &str) -> Option<Arc<PromptDescription>> {
        for prompts in &self.0 {
            if let Some(description) = prompts.describe(name).await {
                return Some(description);
            }
        }
        None
    }

    async fn fill_in(
        &self,
        call: PromptCall,
        context: CallContext,
    ) -> Result<Reply<PromptOutput>, CallError> {
        for prompts in &self.0 {
            if prompts.describe(&call.name).await.is_some() {
                return prompts.fill_in(call, context).await;
            }
        }
        Err(CallError::Unknown(call.name))
    }
}

#[async_trait]
impl Completions for JoinedCompletions {
    async fn complete(
        &self,
        call: CompletionCall,
        context: CallContext,
    ) -> Result<Completion, CallError> {
        for (completions, catalog) in &self.0 {
            if has(&**catalog, &call.of).await {
                return completions.complete(call, context).await;
            }
        }
        match call.of {
            Completable::Prompt(name) | Completable::ResourceTemplate(name) => {
                Err(CallError::Unknown(name))
            }
        }
    }
}

async fn has(catalog: &dyn ToolCatalog, completable: &Completable) -> bool {
    match completable {
        Completable::Prompt(name) => match catalog.prompts() {
            Some(prompts) => prompts.describe(name).await.is_some(),
            None => false,
        },
        Completable::ResourceTemplate(template) => match catalog.resources() {
            Some(resources) => {
                let templates = resources.templates().await;
                templates.iter().any(|it| it.uri_template == *template)
            }
            None => false,
        },
    }
}
