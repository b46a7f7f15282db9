//! Telling clients what changes in the catalog (MCP, the `list_changed` and `updated` notifications).

use std::sync::Arc;

use crate::port::{CatalogChanges, ToolCatalog};

/// What changes in the catalog.
pub struct Changes {
    pub(super) catalog: Arc<dyn ToolCatalog>,
}

impl Changes {
    /// Whether anything ever does.
    #[must_use]
    pub fn are_told(&self) -> bool {
        self.catalog.changes().is_some()
    }

    /// Tells from now on, to one client. A change of a resource is for those only that were
    /// authorized to read it.
    #[must_use]
    pub fn listen(&self) -> Option<Box<dyn CatalogChanges>> {
        self.catalog.changes()
    }
}
