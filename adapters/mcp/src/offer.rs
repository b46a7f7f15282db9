//! What the server says of itself: the capabilities its catalog gives it.

use mcp_oauth_core::service::UseCases;
use rmcp::model::{
    Implementation, PromptsCapability, ResourcesCapability, ServerCapabilities, ServerConfig,
    ToolsCapability,
};
use serde_json::Map;

use crate::settings::McpSettings;

/// The capabilities, and who the server is. What changes is told of when the catalog tells of it.
pub(crate) fn of(use_cases: &UseCases, settings: &McpSettings) -> ServerConfig {
    let told = use_cases.changes.are_told().then_some(true);
    let mut tools = ToolsCapability::default();
    tools.list_changed = told;
    let mut capabilities = ServerCapabilities::default();
    capabilities.tools = Some(tools);
    capabilities.logging = Some(Map::new());
    capabilities.completions = use_cases.prompts.are_completed().then(Map::new);
    capabilities.prompts = use_cases.prompts.are_offered().then(|| {
        let mut prompts = PromptsCapability::default();
        prompts.list_changed = told;
        prompts
    });
    capabilities.resources = use_cases.resources.are_offered().then(|| {
        let mut resources = ResourcesCapability::default();
        resources.list_changed = told;
        resources.subscribe = told;
        resources
    });
    let identity = Implementation::new(&settings.server_name, &settings.server_version);
    ServerConfig::new(capabilities).with_server_info(identity)
}
