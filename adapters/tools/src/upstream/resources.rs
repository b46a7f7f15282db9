//! Resources of an upstream server.

use std::sync::Arc;

use async_trait::async_trait;
use mcp_oauth_core::domain::content::{ResourceContents, ResourceDescription, ResourceTemplate};
use mcp_oauth_core::domain::requirement::Requirement;
use mcp_oauth_core::domain::tool::{CallError, Reply};
use mcp_oauth_core::port::{CallContext, ResourceCatalog, Watch};
use serde_json::{Map, Value};

use super::catalog::{Call, Upstream};

#[async_trait]
impl ResourceCatalog for Upstream {
    async fn list(&self) -> Vec<Arc<ResourceDescription>> {
        self.lists.known().resources.clone()
    }

    async fn templates(&self) -> Vec<Arc<ResourceTemplate>> {
        self.lists.known().templates.clone()
    }

    async fn requirement(&self, uri: &str) -> Option<Requirement> {
        self.lists.known().may_have(uri).then(|| self.requirement.clone())
    }

    async fn read(
        &self,
        uri: &str,
        context: CallContext,
    ) -> Result<Reply<Vec<ResourceContents>>, CallError> {
        if !self.lists.known().may_have(uri) {
            return Err(CallError::Unknown(uri.to_owned()));
        }
        let params = Map::from_iter([("uri".to_owned(), Value::from(uri))]);
        let call = Call { method: "resources/read", target: uri.to_owned(), params };
        let mut result = match self.perform(call, &context).await {
            Ok(Reply::Done(result)) => result,
            Ok(Reply::InputRequired(required)) => return Ok(Reply::InputRequired(required)),
            Err(CallError::Unknown(_)) => return Err(CallError::Unknown(uri.to_owned())),
            Err(error) => return Err(error),
        };
        let contents = result.remove("contents").unwrap_or_default();
        let contents: Vec<ResourceContents> = serde_json::from_value(contents)
            .map_err(|error| CallError::Failed(format!("a resource of an upstream: {error}")))?;
        if contents.is_empty() {
            return Err(CallError::Unknown(uri.to_owned()));
        }
        Ok(Reply::Done(contents))
    }

    /// While there is no connection, the watching begins with the next one.
    async fn watch(&self, uri: &str) -> Result<Watch, CallError> {
        if !self.lists.known().may_have(uri) {
            return Err(CallError::Unknown(uri.to_owned()));
        }
        let watcher = self.watches.add(uri);
        if self.link.tells_of_resources() {
            let settled = tokio::time::timeout(self.limits.patience, watcher.settled()).await;
            settled.unwrap_or(Ok(()))?;
        }
        Ok(Box::new(watcher))
    }
}
