use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::principal::Principal;
use crate::domain::tool::{ToolCall, ToolDescription, ToolError, ToolOutput};

/// Tools to protect.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ToolCatalog: Send + Sync {
    /// Every tool, in an order that does not change between calls.
    async fn list(&self) -> Vec<Arc<ToolDescription>>;

    /// The description of one tool, or `None`. Called before every call, so it must be cheap.
    async fn describe(&self, name: &str) -> Option<Arc<ToolDescription>>;

    /// Calls a tool. The caller's scopes have been checked; the arguments have not.
    ///
    /// The call is cancelled by dropping the future. It may panic or never end: who calls a
    /// catalog contains both.
    ///
    /// # Errors
    /// [`ToolError`]. A tool that ran and failed is no error but a [`ToolOutput`] with `is_error`.
    async fn call(&self, call: ToolCall, context: CallContext) -> Result<ToolOutput, ToolError>;
}

/// What a tool knows of the call beside its arguments.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CallContext {
    /// Who is calling.
    pub caller: Arc<Principal>,
}

impl CallContext {
    /// A call by `caller`.
    #[must_use]
    pub fn new(caller: Arc<Principal>) -> Self {
        Self { caller }
    }
}
