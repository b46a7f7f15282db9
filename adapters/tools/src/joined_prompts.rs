//! The prompts of several catalogs as those of one, and completion in them.

use std::sync::Arc;

use async_trait::async_trait;
use mcp_oauth_core::domain::prompt::{
    Completable, Completion, CompletionCall, PromptCall, PromptDescription, PromptOutput,
};
use mcp_oauth_core::domain::tool::{CallError, Reply};
use mcp_oauth_core::port::{CallContext, Completions, PromptCatalog, ToolCatalog};

use crate::joined::changed_meanwhile;
use crate::joined_claims::Claims;

/// Prompts of several catalogs, in their order, with the place of each.
pub(crate) struct JoinedPrompts {
    pub(crate) catalogs: Vec<(usize, Arc<dyn PromptCatalog>)>,
    pub(crate) claims: Arc<Claims>,
}

/// Catalogs whose things are completed, in their order, and whose prompt is whose.
pub(crate) struct JoinedCompletions {
    pub(crate) catalogs: Vec<Arc<dyn ToolCatalog>>,
    pub(crate) claims: Arc<Claims>,
}

impl JoinedPrompts {
    /// The catalog whose prompt of this name counts.
    async fn having(
        &self,
        name: &str,
    ) -> Option<(&Arc<dyn PromptCatalog>, Arc<PromptDescription>)> {
        for place in self.claims.first(name, self.catalogs.iter().map(|(place, _)| *place)) {
            let of_place = self.catalogs.iter().find(|(other, _)| *other == place);
            let Some((_, prompts)) = of_place else { continue };
            if let Some(description) = prompts.describe(name).await {
                self.claims.found(name, place);
                return Some((prompts, description));
            }
        }
        None
    }
}

#[async_trait]
impl PromptCatalog for JoinedPrompts {
    async fn list(&self) -> Vec<Arc<PromptDescription>> {
        let mut listed = Vec::new();
        for (place, prompts) in &self.catalogs {
            listed.extend(prompts.list().await.into_iter().map(|prompt| (*place, prompt)));
        }
        let settled = self.claims.settle(listed, |prompt| &prompt.name);
        settled.into_iter().map(|(_, prompt)| prompt).collect()
    }

    async fn describe(&self, name: &str) -> Option<Arc<PromptDescription>> {
        Some(self.having(name).await?.1)
    }

    async fn fill_in(
        &self,
        call: PromptCall,
        context: CallContext,
    ) -> Result<Reply<PromptOutput>, CallError> {
        match self.having(&call.name).await {
            Some((prompts, prompt)) if context.was_checked_for(&prompt.requirement) => {
                prompts.fill_in(call, context).await
            }
            Some(_) => Err(changed_meanwhile()),
            None => Err(CallError::Unknown(call.name)),
        }
    }
}

#[async_trait]
impl Completions for JoinedCompletions {
    async fn complete(
        &self,
        call: CompletionCall,
        context: CallContext,
    ) -> Result<Completion, CallError> {
        let places = 0..self.catalogs.len();
        let places = match &call.of {
            Completable::Prompt(name) => self.claims.first(name, places),
            Completable::ResourceTemplate(_) => places.collect(),
        };
        for catalog in places.into_iter().filter_map(|place| self.catalogs.get(place)) {
            if !has(&**catalog, &call.of).await {
                continue;
            }
            // What the caller was let in for is this one's, and of no catalog after it.
            return match catalog.completions() {
                Some(completions) => completions.complete(call, context).await,
                None => Ok(Completion::default()),
            };
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
