//! Content of answers, and resources: what a catalog hands to people and models (MCP 2026-07-28,
//! server/tools and server/resources).
//!
//! What no rule of ours looks at is carried as it came, in members spelled as the specification
//! spells them. `Serialize` and `Deserialize` are the shapes of the specification.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::requirement::Requirement;

/// Further members of an object of the protocol, such as `annotations`, `icons` and `_meta`.
pub type Members = Map<String, Value>;

/// One piece of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    /// Plain text.
    Text {
        /// The text.
        text: String,
        /// `annotations`, `_meta`.
        #[serde(flatten)]
        more: Members,
    },
    /// A picture.
    Image(Media),
    /// A sound.
    Audio(Media),
    /// A resource with what is in it.
    Resource {
        /// The resource.
        resource: ResourceContents,
        /// `annotations`, `_meta`.
        #[serde(flatten)]
        more: Members,
    },
    /// A resource the client may read.
    ResourceLink(ResourceDescription),
}

/// A picture or a sound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Media {
    /// In base64 (RFC 4648 §4).
    pub data: String,
    /// Its media type, e.g. `image/png`.
    #[serde(rename = "mimeType")]
    pub mime_type: String,
    /// `annotations`, `_meta`.
    #[serde(flatten)]
    pub more: Members,
}

/// What a resource holds: a text or bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResourceContents {
    /// Which resource.
    pub uri: String,
    /// Its media type.
    #[serde(rename = "mimeType", default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// What is in it.
    #[serde(flatten)]
    pub body: ResourceBody,
    /// `_meta`.
    #[serde(flatten)]
    pub more: Members,
}

/// The inside of a resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceBody {
    /// A text.
    Text(String),
    /// Bytes, in base64 (RFC 4648 §4).
    Blob(String),
}

/// A resource as a client sees it in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResourceDescription {
    /// Unique in the catalog (RFC 3986).
    pub uri: String,
    /// For programs and people.
    pub name: String,
    /// `title`, `description`, `mimeType`, `size`, `annotations`, `icons`, `_meta`.
    #[serde(flatten)]
    pub more: Members,
    /// What a caller needs to see and to read it; no business of the client.
    #[serde(skip)]
    pub requirement: Requirement,
}

/// A family of resources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResourceTemplate {
    /// With expressions in braces (RFC 6570).
    #[serde(rename = "uriTemplate")]
    pub uri_template: String,
    /// For programs and people.
    pub name: String,
    /// `title`, `description`, `mimeType`, `annotations`, `icons`, `_meta`.
    #[serde(flatten)]
    pub more: Members,
    /// What a caller needs to see it; no business of the client.
    #[serde(skip)]
    pub requirement: Requirement,
}

impl Content {
    /// A plain text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), more: Members::new() }
    }

    /// A picture of these bytes.
    #[must_use]
    pub fn image(bytes: &[u8], mime_type: impl Into<String>) -> Self {
        Self::Image(Media::new(bytes, mime_type))
    }

    /// A sound of these bytes.
    #[must_use]
    pub fn audio(bytes: &[u8], mime_type: impl Into<String>) -> Self {
        Self::Audio(Media::new(bytes, mime_type))
    }

    /// A resource with what is in it.
    #[must_use]
    pub fn resource(resource: ResourceContents) -> Self {
        Self::Resource { resource, more: Members::new() }
    }
}

impl Media {
    fn new(bytes: &[u8], mime_type: impl Into<String>) -> Self {
        let data = BASE64_STANDARD.encode(bytes);
        Self { data, mime_type: mime_type.into(), more: Members::new() }
    }
}

impl ResourceContents {
    /// A text.
    #[must_use]
    pub fn text(
        uri: impl Into<String>,
        mime_type: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self::new(uri.into(), mime_type.into(), ResourceBody::Text(text.into()))
    }

    /// Bytes.
    #[must_use]
    pub fn bytes(uri: impl Into<String>, mime_type: impl Into<String>, bytes: &[u8]) -> Self {
        Self::new(uri.into(), mime_type.into(), ResourceBody::Blob(BASE64_STANDARD.encode(bytes)))
    }

    fn new(uri: String, mime_type: String, body: ResourceBody) -> Self {
        Self { uri, mime_type: Some(mime_type), body, more: Members::new() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_came_in_the_shape_of_the_specification_leaves_in_it() {
        for shape in [
            json!({"type": "text", "text": "a", "annotations": {"priority": 1.0}}),
            json!({"type": "image", "data": "AA==", "mimeType": "image/png", "_meta": {"k": 1}}),
            json!({"type": "audio", "data": "AA==", "mimeType": "audio/wav"}),
            json!({"type": "resource", "resource": {"uri": "a:b", "text": "t", "_meta": {}}}),
            json!({"type": "resource", "resource":
                {"uri": "a:b", "mimeType": "image/png", "blob": "AA=="}}),
            json!({"type": "resource_link", "uri": "a:b", "name": "n", "size": 7}),
        ] {
            let content: Content = serde_json::from_value(shape.clone()).unwrap();
            assert_eq!(serde_json::to_value(content).unwrap(), shape);
        }
    }

    #[test]
    fn a_resource_has_a_text_or_bytes() {
        let empty = json!({"uri": "a:b"});
        assert!(serde_json::from_value::<ResourceContents>(empty).is_err());
    }
}
