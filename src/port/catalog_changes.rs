use async_trait::async_trait;

use crate::domain::catalog_change::CatalogChange;

/// Tells what changes in a catalog, to one listener.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait CatalogChanges: Send {
    /// The next change, or `None` when there will be no more. Dropping the future loses none. A
    /// listener that is slow may be told of several changes as one, and of changes that were none.
    async fn next(&mut self) -> Option<CatalogChange>;
}
