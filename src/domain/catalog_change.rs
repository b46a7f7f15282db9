//! What may change in a catalog while clients are connected.

/// Something is not as it was (MCP 2026-07-28, the `list_changed` and `updated` notifications).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogChange {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// The lists of resources and resource templates.
    Resources,
    /// What is in the resource of this URI.
    Resource(String),
}
