use std::sync::Arc;

use async_trait::async_trait;

use super::{CallContext, CatalogChanges, Completions, PromptCatalog, ResourceCatalog};
use crate::domain::tool::{CallError, Reply, ToolCall, ToolDescription, ToolOutput};

/// Tools to protect, and what may come with them. Three methods are all that a catalog of tools
/// needs; what else it offers it hands out by the others.
#[async_trait]
pub trait ToolCatalog: Send + Sync {
    /// Every tool, in an order that does not change between calls. A catalog that can't be asked now
    /// answers what it knew last.
    async fn list(&self) -> Vec<Arc<ToolDescription>>;

    /// The description of one tool, or `None`. Called before every call, so it must be cheap.
    async fn describe(&self, name: &str) -> Option<Arc<ToolDescription>>;

    /// Calls a tool. That the caller meets the requirement and that the arguments fit the schema has
    /// been checked.
    ///
    /// The call is cancelled by dropping the future. It may panic or never end: who calls a
    /// catalog contains both. After [`Reply::InputRequired`] it is called again, from the beginning,
    /// with the answers in [`CallContext::input`].
    ///
    /// # Errors
    /// [`CallError`]. A tool that ran and failed is no error but a [`ToolOutput`] with `is_error`.
    async fn call(
        &self,
        call: ToolCall,
        context: CallContext,
    ) -> Result<Reply<ToolOutput>, CallError>;

    /// The resources; `None` when the catalog never has any.
    fn resources(&self) -> Option<Arc<dyn ResourceCatalog>> {
        None
    }

    /// The prompts; `None` when the catalog never has any.
    fn prompts(&self) -> Option<Arc<dyn PromptCatalog>> {
        None
    }

    /// Completion of arguments; `None` when nothing is ever completed.
    fn completions(&self) -> Option<Arc<dyn Completions>> {
        None
    }

    /// How a model should use what is here, for clients to tell it; the same for everybody who was let
    /// in, whatever they may use.
    fn instructions(&self) -> Option<String> {
        None
    }

    /// Tells from now on what changes; `None` when nothing ever does.
    fn changes(&self) -> Option<Box<dyn CatalogChanges>> {
        None
    }
}
