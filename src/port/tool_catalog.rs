use std::sync::Arc;

use async_trait::async_trait;

use super::{CallContext, CatalogChanges, Completions, PromptCatalog, ResourceCatalog};
use crate::domain::tool::{CallError, Reply, ToolCall, ToolDescription, ToolOutput};

/// Tools to protect, and what may come with them. Three methods are all that a catalog of tools
/// needs; what else it offers it hands out by the others.
///
/// Any method may be called at any time, many times at once, and by many callers: what depends on who
/// calls is for [`CallContext`], and the lists are the same for everybody. Who may see or use what is
/// decided in front of the catalog, by the requirement in each description.
#[async_trait]
pub trait ToolCatalog: Send + Sync {
    /// Every tool, in an order that does not change between calls. A catalog that can't be asked now
    /// answers what it knew last.
    async fn list(&self) -> Vec<Arc<ToolDescription>>;

    /// The description of one tool, or `None`. Called before every call, so it must be cheap.
    async fn describe(&self, name: &str) -> Option<Arc<ToolDescription>>;

    /// Calls a tool. That the caller meets the requirement and that the arguments fit the schema has
    /// been checked, of the tool as [`Self::describe`] had it a moment before. Where another tool may
    /// have taken its name since, or its requirement have changed,
    /// [`CallContext::was_checked_for`] tells, and the call is refused as [`CallError::Unavailable`].
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

    /// The resources; `None` when the catalog has none, and is not going to have any. Asked anew each
    /// time, and so are the next three: what is handed out is not kept.
    fn resources(&self) -> Option<Arc<dyn ResourceCatalog>> {
        None
    }

    /// The prompts; `None` as with [`Self::resources`].
    fn prompts(&self) -> Option<Arc<dyn PromptCatalog>> {
        None
    }

    /// Completion of arguments; `None` when nothing is completed.
    fn completions(&self) -> Option<Arc<dyn Completions>> {
        None
    }

    /// How a model should use what is here, for clients to tell it; the same for everybody who was let
    /// in, whatever they may use.
    fn instructions(&self) -> Option<String> {
        None
    }

    /// Tells from now on what changes, each who calls this for itself; `None` when nothing ever does.
    /// Which of the two it is does not change: clients are told at the beginning.
    fn changes(&self) -> Option<Box<dyn CatalogChanges>> {
        None
    }
}
