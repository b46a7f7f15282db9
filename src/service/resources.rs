//! Listing, reading and watching resources on behalf of a caller (MCP server/resources).

use std::sync::Arc;

use serde_json::Value;

use super::access::AccessError;
use super::permission::Permission;
use super::rounds::{CallIdentity, ClientSide, Round, Rounds};
use crate::domain::access_rule::Item;
use crate::domain::content::{ResourceContents, ResourceDescription, ResourceTemplate};
use crate::domain::principal::Principal;
use crate::domain::requirement::Requirement;
use crate::domain::tool::CallError;
use crate::port::{ResourceCatalog, ToolCatalog, Watch};

/// The resources behind their authorization rules.
pub struct Resources {
    pub(super) catalog: Arc<dyn ToolCatalog>,
    pub(super) permission: Permission,
    pub(super) rounds: Arc<Rounds>,
}

/// A resource that a caller may read and watch; only [`Resources::authorize`] makes one.
#[derive(Debug, Clone)]
pub struct AuthorizedResource {
    caller: Arc<Principal>,
    uri: String,
}

impl AuthorizedResource {
    /// As the client spelled it.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }
}

impl Resources {
    /// Whether there may ever be any.
    #[must_use]
    pub fn are_offered(&self) -> bool {
        self.catalog.resources().is_some()
    }

    /// The resources `caller` may read.
    pub async fn list(&self, caller: &Principal) -> Vec<Arc<ResourceDescription>> {
        let Some(resources) = self.catalog.resources() else { return Vec::new() };
        let mut resources = resources.list().await;
        resources.retain(|resource| {
            self.permission.shows(caller, Item::Resource(&resource.uri), &resource.requirement)
        });
        resources
    }

    /// The templates `caller` may use.
    pub async fn templates(&self, caller: &Principal) -> Vec<Arc<ResourceTemplate>> {
        let Some(resources) = self.catalog.resources() else { return Vec::new() };
        let mut templates = resources.templates().await;
        templates.retain(|template| {
            let item = Item::Resource(&template.uri_template);
            self.permission.shows(caller, item, &template.requirement)
        });
        templates
    }

    /// Refuses to read or watch what the caller may not, before anything of it runs. A resource that
    /// does not exist is let through, for [`Self::read`] to refuse.
    ///
    /// # Errors
    /// [`AccessError::InsufficientScope`] with every scope a token for it needs;
    /// [`AccessError::NotPermitted`].
    pub async fn authorize(
        &self,
        caller: &Arc<Principal>,
        uri: &str,
    ) -> Result<AuthorizedResource, AccessError> {
        self.permission.check_needed(caller, &self.needed(uri).await)?;
        Ok(AuthorizedResource { caller: Arc::clone(caller), uri: uri.to_owned() })
    }

    /// The same for several at once, with one refusal that names what all of them need.
    ///
    /// # Errors
    /// As [`Self::authorize`].
    pub async fn authorize_all(
        &self,
        caller: &Arc<Principal>,
        uris: &[String],
    ) -> Result<Vec<AuthorizedResource>, AccessError> {
        let mut needed = Requirement::default();
        for uri in uris {
            needed = needed.and(&self.needed(uri).await);
        }
        self.permission.check_needed(caller, &needed)?;
        let authorized =
            |uri: &String| AuthorizedResource { caller: Arc::clone(caller), uri: uri.clone() };
        Ok(uris.iter().map(authorized).collect())
    }

    /// Whether what was authorized once still is: what a resource needs may have changed while its
    /// caller waits to be told of changes.
    pub async fn is_still_authorized(&self, resource: &AuthorizedResource) -> bool {
        let own = self.own_requirement(&resource.uri).await;
        self.permission.allows(&resource.caller, Item::Resource(&resource.uri), &own)
    }

    async fn needed(&self, uri: &str) -> Requirement {
        let own = self.own_requirement(uri).await;
        self.permission.needed(Item::Resource(uri), &own)
    }

    async fn own_requirement(&self, uri: &str) -> Requirement {
        let requirement = match self.catalog.resources() {
            Some(resources) => resources.requirement(uri).await,
            None => None,
        };
        requirement.unwrap_or_default()
    }

    /// What is in a resource.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn read(
        &self,
        resource: AuthorizedResource,
        client: ClientSide,
    ) -> Result<Round<Vec<ResourceContents>>, CallError> {
        let AuthorizedResource { caller, uri } = resource;
        let resources = &*self.known(&uri)?;
        let identity =
            CallIdentity { method: "resources/read", target: &uri, arguments: Value::Null };
        let read = |context| resources.read(&uri, context);
        match self.rounds.drive(&caller, client, identity, read).await? {
            // MCP 2026-07-28, server/resources, error handling: never empty contents.
            Round::Done(contents) if contents.is_empty() => Err(CallError::Unknown(uri)),
            round => Ok(round),
        }
    }

    /// Begins to tell changes of a resource, until what is returned is dropped.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn watch(&self, resource: &AuthorizedResource) -> Result<Watch, CallError> {
        self.known(&resource.uri)?.watch(&resource.uri).await
    }

    fn known(&self, uri: &str) -> Result<Arc<dyn ResourceCatalog>, CallError> {
        self.catalog.resources().ok_or_else(|| CallError::Unknown(uri.to_owned()))
    }
}
