use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;

use super::CallContext;
use crate::domain::content::{ResourceContents, ResourceDescription, ResourceTemplate};
use crate::domain::requirement::Requirement;
use crate::domain::tool::{CallError, Reply};

/// Resources that come with tools (MCP 2026-07-28, server/resources).
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ResourceCatalog: Send + Sync {
    /// Every resource that has a place in the list, in an order that does not change between calls.
    async fn list(&self) -> Vec<Arc<ResourceDescription>>;

    /// Every template, in an order that does not change between calls.
    async fn templates(&self) -> Vec<Arc<ResourceTemplate>>;

    /// What reading or watching the resource of this URI needs, or `None` when this catalog certainly
    /// has none of it: then rules of the operator alone decide. Called before every reading, and before
    /// each change of a watched resource is told, so it must be cheap.
    async fn requirement(&self, uri: &str) -> Option<Requirement>;

    /// What is in a resource, and in those below it: never nothing. That the caller meets the
    /// requirement has been checked, with the same reservation as in
    /// [`ToolCatalog::call`](super::ToolCatalog::call).
    ///
    /// Dropping the future, panics and questions are as with [`ToolCatalog::call`](super::ToolCatalog::call).
    ///
    /// # Errors
    /// [`CallError::Unknown`] when there is no such resource; any other.
    async fn read(
        &self,
        uri: &str,
        context: CallContext,
    ) -> Result<Reply<Vec<ResourceContents>>, CallError>;

    /// Begins to tell changes of one resource, by this URI and to all who listen to
    /// [`CatalogChanges`](super::CatalogChanges), at least until what is returned is dropped; who may
    /// hear of them is decided there. The same resource may be watched many times at once. A catalog
    /// that never tells any returns at once, and one that can't reach what it watches does so too, and
    /// begins when it can.
    ///
    /// # Errors
    /// [`CallError::Unknown`] when there is no such resource; any other.
    async fn watch(&self, uri: &str) -> Result<Watch, CallError>;
}

/// Dropping it ends the watching of a resource.
pub type Watch = Box<dyn Any + Send + Sync>;
