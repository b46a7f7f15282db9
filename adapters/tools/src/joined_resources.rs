//! The resources of several catalogs as those of one.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use mcp_oauth_core::domain::content::{ResourceContents, ResourceDescription, ResourceTemplate};
use mcp_oauth_core::domain::requirement::Requirement;
use mcp_oauth_core::domain::tool::{CallError, Reply};
use mcp_oauth_core::port::{CallContext, ResourceCatalog, Watch};

/// Resources of several catalogs, in their order.
pub(crate) struct JoinedResources(pub(crate) Vec<Arc<dyn ResourceCatalog>>);

impl JoinedResources {
    /// Those that may have it.
    async fn having(&self, uri: &str) -> Vec<(&Arc<dyn ResourceCatalog>, Requirement)> {
        let mut having = Vec::new();
        for resources in &self.0 {
            if let Some(requirement) = resources.requirement(uri).await {
                having.push((resources, requirement));
            }
        }
        having
    }
}

#[async_trait]
impl ResourceCatalog for JoinedResources {
    async fn list(&self) -> Vec<Arc<ResourceDescription>> {
        let (mut seen, mut listed) = (BTreeSet::new(), Vec::new());
        for resources in &self.0 {
            let of_one = resources.list().await;
            listed.extend(of_one.into_iter().filter(|it| seen.insert(it.uri.clone())));
        }
        listed
    }

    async fn templates(&self) -> Vec<Arc<ResourceTemplate>> {
        let (mut seen, mut listed) = (BTreeSet::new(), Vec::new());
        for resources in &self.0 {
            let of_one = resources.templates().await;
            listed.extend(of_one.into_iter().filter(|it| seen.insert(it.uri_template.clone())));
        }
        listed
    }

    /// A catalog may have templates of which only a reading tells whether there is something behind:
    /// then another is asked for it. So whoever reads must be allowed by all that may have it.
    async fn requirement(&self, uri: &str) -> Option<Requirement> {
        let having = self.having(uri).await;
        having.into_iter().map(|(_, requirement)| requirement).reduce(|one, other| one.and(&other))
    }

    async fn read(
        &self,
        uri: &str,
        context: CallContext,
    ) -> Result<Reply<Vec<ResourceContents>>, CallError> {
        for (resources, _) in self.having(uri).await {
            match resources.read(uri, context.clone()).await {
                Err(CallError::Unknown(_)) => {}
                other => return other,
            }
        }
        Err(CallError::Unknown(uri.to_owned()))
    }

    async fn watch(&self, uri: &str) -> Result<Watch, CallError> {
        for (resources, _) in self.having(uri).await {
            match resources.watch(uri).await {
                Err(CallError::Unknown(_)) => {}
                other => return other,
            }
        }
        Err(CallError::Unknown(uri.to_owned()))
    }
}
