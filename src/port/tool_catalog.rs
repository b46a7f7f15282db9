use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::{CallerTokens, TokenOutcome};
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
#[derive(Clone)]
#[non_exhaustive]
pub struct CallContext {
    /// Who is calling.
    pub caller: Arc<Principal>,
    provider_tokens: Option<Arc<dyn CallerTokens>>,
}

impl CallContext {
    /// A call by `caller`.
    #[must_use]
    pub fn new(caller: Arc<Principal>) -> Self {
        Self { caller, provider_tokens: None }
    }

    /// The same, by somebody whose provider's tokens are kept.
    #[must_use]
    pub fn with_provider_tokens(self, tokens: Arc<dyn CallerTokens>) -> Self {
        Self { provider_tokens: Some(tokens), ..self }
    }

    /// An access token for the interfaces of the provider that the caller logged in at. Nothing is
    /// asked, refreshed or even read before a tool calls this. `None` when none is kept, which is
    /// how it is unless the operator set `keep_tokens`.
    ///
    /// It must not be in the answer of the tool: it is no business of the client.
    ///
    /// # Errors
    /// [`ProviderTokenError`](super::ProviderTokenError).
    pub async fn provider_token(&self) -> TokenOutcome {
        match &self.provider_tokens {
            Some(tokens) => tokens.provider_token().await,
            None => Ok(None),
        }
    }
}

/// Who calls is all there is to see.
impl fmt::Debug for CallContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallContext").field("caller", &self.caller).finish_non_exhaustive()
    }
}
