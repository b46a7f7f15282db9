//! Listing and calling tools on behalf of a caller (MCP server/tools, authorization §scopes).

use std::sync::Arc;

use serde_json::{Map, Value};

use super::access::AccessError;
use super::permission::Permission;
use super::rounds::{CallIdentity, ClientSide, Round, Rounds};
use crate::domain::access_rule::Item;
use crate::domain::principal::Principal;
use crate::domain::tool::{CallError, ToolCall, ToolDescription, ToolOutput};
use crate::port::{ArgumentSchemas, CallContext, ToolCatalog};

/// The tools behind their authorization rules.
pub struct Tools {
    pub(super) catalog: Arc<dyn ToolCatalog>,
    pub(super) schemas: Arc<dyn ArgumentSchemas>,
    pub(super) permission: Permission,
    pub(super) rounds: Arc<Rounds>,
}

/// A tool that a caller may call; only [`Tools::authorize`] makes one.
#[derive(Debug, Clone)]
pub struct AuthorizedTool {
    caller: Arc<Principal>,
    name: String,
    description: Option<Arc<ToolDescription>>,
}

impl AuthorizedTool {
    /// As the client spelled it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is; `None` when there is no such tool, which is for [`Tools::call`] to say.
    #[must_use]
    pub fn description(&self) -> Option<&Arc<ToolDescription>> {
        self.description.as_ref()
    }
}

impl Tools {
    /// How a model should use what the catalog has.
    #[must_use]
    pub fn instructions(&self) -> Option<String> {
        self.catalog.instructions()
    }

    /// The tools `caller` may use.
    pub async fn list(&self, caller: &Principal) -> Vec<Arc<ToolDescription>> {
        let mut tools = self.catalog.list().await;
        tools.retain(|tool| {
            self.permission.shows(caller, Item::Tool(&tool.name), &tool.requirement)
        });
        tools
    }

    /// Refuses a call that the caller may not make, before anything of it runs. One of a tool that
    /// does not exist is let through, for [`Self::call`] to refuse.
    ///
    /// # Errors
    /// [`AccessError::InsufficientScope`] with every scope a token for the tool needs;
    /// [`AccessError::NotPermitted`].
    pub async fn authorize(
        &self,
        caller: &Arc<Principal>,
        name: &str,
    ) -> Result<AuthorizedTool, AccessError> {
        let description = self.catalog.describe(name).await;
        if let Some(tool) = &description {
            self.permission.check(caller, Item::Tool(name), &tool.requirement)?;
        }
        Ok(AuthorizedTool { caller: Arc::clone(caller), name: name.to_owned(), description })
    }

    /// Calls a tool, once its arguments fit its schema.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call(
        &self,
        tool: AuthorizedTool,
        arguments: Map<String, Value>,
        client: ClientSide,
    ) -> Result<Round<ToolOutput>, CallError> {
        let AuthorizedTool { caller, name, description } = tool;
        let Some(description) = description else { return Err(CallError::Unknown(name)) };
        self.schemas.check(&description, &arguments).map_err(CallError::InvalidArguments)?;
        let identity = CallIdentity {
            method: "tools/call",
            target: &name,
            arguments: Value::Object(arguments.clone()),
        };
        let call = |context: CallContext| {
            let context = context.with_checked(description.requirement.clone());
            let call = ToolCall { name: name.clone(), arguments: arguments.clone() };
            self.catalog.call(call, context)
        };
        self.rounds.drive(&caller, client, identity, call).await
    }
}
