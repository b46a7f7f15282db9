//! The resources of several catalogs as those of one.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use mcp_oauth_core::domain::content::{ResourceContents, ResourceDescription, ResourceTemplate};
use mcp_oauth_core::domain::requirement::Requirement;
use mcp_oauth_core::domain::tool::{CallError, Reply};
use mcp_oauth_core::port::{CallContext, ResourceCatalog, Watch};

use crate::joined::changed_meanwhile;
use crate::joined_claims::Claims;

/// Resources of several catalogs, in their order, with the place of each.
pub(crate) struct JoinedResources {
    pub(crate) catalogs: Vec<(usize, Arc<dyn ResourceCatalog>)>,
    pub(crate) claims: Arc<Claims>,
}

impl JoinedResources {
    /// Those that may have it, the one first whose it is: templates of another may fit it, too.
    async fn having(&self, uri: &str) -> Vec<(&Arc<dyn ResourceCatalog>, Requirement)> {
        let mut having = Vec::new();
        for place in self.claims.first(uri, self.catalogs.iter().map(|(place, _)| *place)) {
            let of_place = self.catalogs.iter().find(|(other, _)| *other == place);
            let Some((_, resources)) = of_place else { continue };
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
        let mut listed = Vec::new();
        for (place, resources) in &self.catalogs {
            listed.extend(resources.list().await.into_iter().map(|it| (*place, it)));
        }
        let settled = self.claims.settle(listed, |resource| &resource.uri);
        settled.into_iter().map(|(_, resource)| resource).collect()
    }

    async fn templates(&self) -> Vec<Arc<ResourceTemplate>> {
        let (mut seen, mut listed) = (BTreeSet::new(), Vec::new());
        for (_, resources) in &self.catalogs {
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
        for (resources, requirement) in self.having(uri).await {
            if !context.was_checked_for(&requirement) {
                return Err(changed_meanwhile());
            }
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
