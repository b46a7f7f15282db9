//! Telling clients what changes in the catalog: sessions of the older revisions on their own stream,
//! clients of 2026-07-28 on the one they listen on.

use std::sync::{Arc, Weak};

use mcp_oauth_core::domain::catalog_change::CatalogChange;
use mcp_oauth_core::port::{CatalogChanges, Watch};
use mcp_oauth_core::service::resources::{AuthorizedResource, Resources};
use rmcp::RoleServer;
use rmcp::model::ResourceUpdatedNotificationParam;
use rmcp::service::{
    Peer, ServiceError, SubscriptionContext, SubscriptionSendError, SubscriptionSink,
};
use tokio_util::sync::CancellationToken;

use crate::containment::{CHEAP_LIMIT, contained};
use crate::session::Session;

/// What it takes to tell somebody.
#[derive(Clone)]
pub(crate) struct Notices {
    pub(crate) resources: Arc<Resources>,
}

/// What there is to tell, to one listener.
type Heard = Box<dyn CatalogChanges>;

impl Notices {
    /// Tells a session until it ends.
    pub(crate) fn to_session(
        &self,
        changes: Heard,
        peer: Peer<RoleServer>,
        session: Weak<Session>,
        ended: CancellationToken,
    ) {
        let notices = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = ended.cancelled() => {}
                () = notices.tell_session(changes, &peer, &session) => {}
            }
        });
    }

    async fn tell_session(
        &self,
        mut changes: Heard,
        peer: &Peer<RoleServer>,
        session: &Weak<Session>,
    ) {
        while let Some(change) = changes.next().await {
            let told = match change {
                CatalogChange::Tools => peer.notify_tool_list_changed().await,
                CatalogChange::Prompts => peer.notify_prompt_list_changed().await,
                CatalogChange::Resources => peer.notify_resource_list_changed().await,
                CatalogChange::Resource(uri) => {
                    let watched = session.upgrade().and_then(|session| session.watches(&uri));
                    self.tell_of_resource(peer, watched).await
                }
            };
            if told.is_err() {
                return;
            }
        }
    }

    async fn tell_of_resource(
        &self,
        peer: &Peer<RoleServer>,
        watched: Option<AuthorizedResource>,
    ) -> Result<(), ServiceError> {
        match watched {
            Some(resource) if self.may_know(&resource).await => {
                let params = ResourceUpdatedNotificationParam::new(resource.uri());
                peer.notify_resource_updated(params).await
            }
            _ => Ok(()),
        }
    }

    /// Tells whoever listens until they stop; `watched` are the resources they may know of.
    pub(crate) async fn to_listener(
        &self,
        mut changes: Heard,
        listener: &SubscriptionContext,
        watched: Vec<AuthorizedResource>,
    ) {
        let accepted = listener.accepted().resource_subscriptions.clone().unwrap_or_default();
        let accepts =
            |resource: &AuthorizedResource| accepted.iter().any(|uri| uri == resource.uri());
        let watched: Vec<AuthorizedResource> = watched.into_iter().filter(accepts).collect();
        let _watches = self.watch_all(&watched).await;
        let sink = listener.sink();
        while let Some(change) = changes.next().await {
            let told = match change {
                CatalogChange::Tools => sink.notify_tool_list_changed().await,
                CatalogChange::Prompts => sink.notify_prompt_list_changed().await,
                CatalogChange::Resources => sink.notify_resource_list_changed().await,
                CatalogChange::Resource(uri) => self.tell_listener(sink, &watched, uri).await,
            };
            match told {
                Ok(()) | Err(SubscriptionSendError::NotificationNotAccepted(_)) => {}
                Err(_) => return,
            }
        }
    }

    async fn tell_listener(
        &self,
        sink: &SubscriptionSink,
        watched: &[AuthorizedResource],
        uri: String,
    ) -> Result<(), SubscriptionSendError> {
        match watched.iter().find(|resource| resource.uri() == uri) {
            Some(resource) if self.may_know(resource).await => {
                sink.notify_resource_updated(uri).await
            }
            _ => Ok(()),
        }
    }

    /// A resource that can't be watched tells no changes; that is nothing the listener could mend.
    async fn watch_all(&self, resources: &[AuthorizedResource]) -> Vec<Watch> {
        let mut watches = Vec::new();
        for resource in resources {
            match contained(CHEAP_LIMIT, self.resources.watch(resource)).await {
                Ok(Ok(watch)) => watches.push(watch),
                Ok(Err(error)) => {
                    tracing::debug!(uri = resource.uri(), %error, "a resource can't be watched");
                }
                Err(broken) => {
                    tracing::error!(uri = resource.uri(), %broken, "a resource can't be watched");
                }
            }
        }
        watches
    }

    /// What a resource needs may have changed since its watching was authorized.
    async fn may_know(&self, resource: &AuthorizedResource) -> bool {
        let authorized = self.resources.is_still_authorized(resource);
        contained(CHEAP_LIMIT, authorized).await.unwrap_or(false)
    }
}
