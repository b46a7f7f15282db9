//! What the server says of itself: the capabilities its catalog gives it.

use std::sync::Arc;

use mcp_oauth_core::service::UseCases;
use mcp_oauth_core::service::prompts::Prompts;
use mcp_oauth_core::service::resources::Resources;
use mcp_oauth_core::service::tools::Tools;
use rmcp::model::{
    Implementation, PromptsCapability, ResourcesCapability, ServerCapabilities, ServerConfig,
    ToolsCapability,
};
use serde_json::Map;

use crate::settings::McpSettings;

/// Where the capabilities come from. Another catalog may take the place of the first one.
pub(crate) struct Offer {
    tools: Arc<Tools>,
    prompts: Arc<Prompts>,
    resources: Arc<Resources>,
    /// Whether changes are told; an absent member says no.
    told: Option<bool>,
    identity: Implementation,
}

impl Offer {
    pub(crate) fn new(use_cases: &UseCases, settings: &McpSettings) -> Self {
        Self {
            tools: Arc::clone(&use_cases.tools),
            prompts: Arc::clone(&use_cases.prompts),
            resources: Arc::clone(&use_cases.resources),
            told: use_cases.changes.are_told().then_some(true),
            identity: Implementation::new(&settings.server_name, &settings.server_version),
        }
    }

    /// The capabilities of the catalog as it is now, and who the server is.
    pub(crate) fn now(&self) -> ServerConfig {
        let mut tools = ToolsCapability::default();
        tools.list_changed = self.told;
        let mut capabilities = ServerCapabilities::default();
        capabilities.tools = Some(tools);
        capabilities.logging = Some(Map::new());
        capabilities.completions = self.prompts.are_completed().then(Map::new);
        capabilities.prompts = self.prompts.are_offered().then(|| {
            let mut prompts = PromptsCapability::default();
            prompts.list_changed = self.told;
            prompts
        });
        capabilities.resources = self.resources.are_offered().then(|| {
            let mut resources = ResourcesCapability::default();
            resources.list_changed = self.told;
            resources.subscribe = self.told;
            resources
        });
        let mut config = ServerConfig::new(capabilities).with_server_info(self.identity.clone());
        config.instructions = self.tools.instructions();
        config
    }
}
