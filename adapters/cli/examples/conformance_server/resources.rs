//! The resources and their template.

use std::sync::Arc;

use async_trait::async_trait;
use mcp_oauth_core::domain::content::{
    Members, ResourceContents, ResourceDescription, ResourceTemplate,
};
use mcp_oauth_core::domain::requirement::Requirement;
use mcp_oauth_core::domain::tool::{CallError, Reply};
use mcp_oauth_core::port::{CallContext, ResourceCatalog, Watch};
use serde_json::json;

use crate::tools::PICTURE;

const RESOURCES: [(&str, &str, &str); 3] = [
    ("test://static-text", "static text", "text/plain"),
    ("test://static-binary", "static binary", "image/png"),
    ("test://watched-resource", "watched resource", "text/plain"),
];

/// The resources of the fixture.
pub(crate) struct FixtureResources {
    listed: Vec<Arc<ResourceDescription>>,
    templates: Vec<Arc<ResourceTemplate>>,
}

impl FixtureResources {
    /// All of them.
    pub(crate) fn new() -> Self {
        let listed = RESOURCES.map(|(uri, name, mime_type)| {
            Arc::new(ResourceDescription {
                uri: uri.to_owned(),
                name: name.to_owned(),
                more: members(mime_type),
                requirement: Requirement::default(),
            })
        });
        let template = ResourceTemplate {
            uri_template: "test://template/{id}/data".to_owned(),
            name: "template".to_owned(),
            more: members("application/json"),
            requirement: Requirement::default(),
        };
        Self { listed: listed.into(), templates: vec![Arc::new(template)] }
    }
}

#[async_trait]
impl ResourceCatalog for FixtureResources {
    async fn list(&self) -> Vec<Arc<ResourceDescription>> {
        self.listed.clone()
    }

    async fn templates(&self) -> Vec<Arc<ResourceTemplate>> {
        self.templates.clone()
    }

    async fn requirement(&self, uri: &str) -> Option<Requirement> {
        contents(uri).map(|_| Requirement::default())
    }

    async fn read(
        &self,
        uri: &str,
        _: CallContext,
    ) -> Result<Reply<Vec<ResourceContents>>, CallError> {
        let contents = contents(uri).ok_or_else(|| CallError::Unknown(uri.to_owned()))?;
        Ok(vec![contents].into())
    }

    async fn watch(&self, uri: &str) -> Result<Watch, CallError> {
        contents(uri).ok_or_else(|| CallError::Unknown(uri.to_owned()))?;
        Ok(Box::new(()))
    }
}

fn members(mime_type: &str) -> Members {
    let members = json!({ "description": "A resource of the fixture.", "mimeType": mime_type });
    members.as_object().cloned().unwrap_or_default()
}

fn contents(uri: &str) -> Option<ResourceContents> {
    let plain = |text: &str| ResourceContents::text(uri, "text/plain", text);
    Some(match uri {
        "test://static-text" => plain("This is the content of the static text resource."),
        "test://static-binary" => ResourceContents::bytes(uri, "image/png", PICTURE),
        "test://watched-resource" => plain("Watch me."),
        _ => {
            let id = uri.strip_prefix("test://template/")?.strip_suffix("/data")?;
            let data = json!({
                "id": id, "templateTest": true, "data": format!("Data for ID: {id}"),
            });
            ResourceContents::text(uri, "application/json", data.to_string())
        }
    })
}
