use std::sync::Arc;

use async_trait::async_trait;

use super::CallContext;
use crate::domain::prompt::{
    Completion, CompletionCall, PromptCall, PromptDescription, PromptOutput,
};
use crate::domain::tool::{CallError, Reply};

/// Prompts that come with tools (MCP 2026-07-28, server/prompts).
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait PromptCatalog: Send + Sync {
    /// Every prompt, in an order that does not change between calls.
    async fn list(&self) -> Vec<Arc<PromptDescription>>;

    /// The description of one prompt, or `None`. Called before every filling in, so it must be cheap.
    async fn describe(&self, name: &str) -> Option<Arc<PromptDescription>>;

    /// Fills in a prompt. That the caller meets the requirement and that no required argument is
    /// missing has been checked, with the same reservation as in
    /// [`ToolCatalog::call`](super::ToolCatalog::call). Arguments it does not know may be among them.
    ///
    /// Dropping the future, panics and questions are as with [`ToolCatalog::call`](super::ToolCatalog::call).
    ///
    /// # Errors
    /// [`CallError`].
    async fn fill_in(
        &self,
        call: PromptCall,
        context: CallContext,
    ) -> Result<Reply<PromptOutput>, CallError>;
}

/// Completes what a person types (MCP 2026-07-28, server/utilities/completion).
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Completions: Send + Sync {
    /// What might be meant; nothing for an argument that is not completed. That the caller meets the
    /// requirement of the prompt or template has been checked, of a template as far as it is listed.
    ///
    /// Dropping the future and panics are as with [`ToolCatalog::call`](super::ToolCatalog::call); there
    /// are no questions and no later rounds.
    ///
    /// # Errors
    /// [`CallError::Unknown`] when there is no such prompt or template; any other.
    async fn complete(
        &self,
        call: CompletionCall,
        context: CallContext,
    ) -> Result<Completion, CallError>;
}
