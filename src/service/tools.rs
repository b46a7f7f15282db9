//! Listing and calling tools on behalf of a caller (MCP server/tools, authorization §scopes).

use std::sync::Arc;

use super::access::AccessError;
use super::policy::ScopePolicy;
use super::provider_tokens::TokensForTools;
use super::refusal::Refusal;
use crate::domain::audit::AuditEvent;
use crate::domain::principal::Principal;
use crate::domain::scope::ScopeSet;
use crate::domain::tool::{ToolCall, ToolDescription, ToolError, ToolOutput};
use crate::port::{AuditLog, CallContext, ToolCatalog};

/// The catalog behind its authorization rules.
pub struct Tools {
    pub(super) catalog: Arc<dyn ToolCatalog>,
    pub(super) audit: Arc<dyn AuditLog>,
    pub(super) scopes: Arc<ScopePolicy>,
    pub(super) provider_tokens: Option<Arc<TokensForTools>>,
}

impl Tools {
    /// The tools `caller` may use.
    pub async fn list(&self, caller: &Principal) -> Vec<Arc<ToolDescription>> {
        let mut tools = self.catalog.list().await;
        tools.retain(|tool| self.missing(caller, tool).is_empty());
        tools
    }

    /// Refuses a call that the token does not allow, before anything of it runs, and describes the
    /// tool. One that does not exist is `None`, for [`Self::call`] to refuse.
    ///
    /// # Errors
    /// [`AccessError::InsufficientScope`] with every scope a token for the tool needs.
    pub async fn authorize(
        &self,
        caller: &Principal,
        tool: &str,
    ) -> Result<Option<Arc<ToolDescription>>, AccessError> {
        let Some(tool) = self.catalog.describe(tool).await else { return Ok(None) };
        if self.missing(caller, &tool).is_empty() {
            return Ok(Some(tool));
        }
        // What the caller has is asked for again, so that stepping up loses nothing.
        let error = AccessError::InsufficientScope {
            granted: caller.scopes.to_string(),
            required: tool.required_scope.union(&self.scopes.known(&caller.scopes).permissions()),
        };
        let mut event = AuditEvent::new(Refusal::Access(&error).decision());
        event.client = caller.client.clone();
        event.subject = Some(caller.subject.clone());
        event.token = caller.token_id.clone();
        self.audit.record(event);
        Err(error)
    }

    /// Calls a tool that [`Self::authorize`] has let through.
    ///
    /// # Errors
    /// [`ToolError`].
    pub async fn call(
        &self,
        caller: Arc<Principal>,
        call: ToolCall,
    ) -> Result<ToolOutput, ToolError> {
        let tokens = self.provider_tokens.as_ref().zip(caller.grant.clone());
        let mut context = CallContext::new(caller);
        if let Some((tokens, grant)) = tokens {
            context = context.with_provider_tokens(tokens.of(grant));
        }
        self.catalog.call(call, context).await
    }

    fn missing(&self, caller: &Principal, tool: &ToolDescription) -> ScopeSet {
        self.scopes.hierarchy.missing(&caller.scopes, &tool.required_scope)
    }
}
