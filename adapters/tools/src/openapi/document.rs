//! An OpenAPI document: its version, its operations and what its references refer to.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// The methods of a path item (OpenAPI 3.1 §4.8.9), those that a tool can be made of.
const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// How many references may follow one another before it is a circle.
const LONGEST_CHAIN: usize = 32;

/// A document of version 3.0 or 3.1.
pub(super) struct Document {
    root: Value,
}

/// One operation as the document has it.
pub(super) struct Found<'a> {
    /// In capitals.
    pub(super) method: String,
    /// With expressions in braces.
    pub(super) path: &'a str,
    /// Where it stands among others.
    pub(super) item: &'a Map<String, Value>,
    /// The operation itself.
    pub(super) operation: &'a Map<String, Value>,
}

impl Found<'_> {
    /// `METHOD /path`.
    pub(super) fn key(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

impl Document {
    /// A document whose version is known here. One of 3.2 is read as 3.1: what it adds is not used.
    pub(super) fn new(root: Value) -> Result<Self, String> {
        if root.get("swagger").is_some() {
            return Err("it is of Swagger 2.0; convert it to OpenAPI 3, e.g. with swagger2openapi"
                .to_owned());
        }
        let version = root.get("openapi").map(|it| match it {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        match version.as_deref() {
            None => Err("it has no `openapi` member that says its version".to_owned()),
            Some(version) if version.starts_with("3.") => Ok(Self { root }),
            Some(version) => Err(format!("it is of version {version:?}; 3.0 and 3.1 are known")),
        }
    }

    /// A member of the document itself.
    pub(super) fn member(&self, name: &str) -> Option<&Value> {
        self.root.get(name)
    }

    /// Every operation, ordered by path and method, whatever the order of the document.
    pub(super) fn operations(&self) -> Vec<Found<'_>> {
        let paths = self.root.get("paths").and_then(Value::as_object);
        let mut found: Vec<Found<'_>> = paths
            .into_iter()
            .flatten()
            .filter(|(path, _)| path.starts_with('/'))
            .flat_map(|(path, item)| self.operations_of(path, item))
            .collect();
        found.sort_by(|left, right| (left.path, &left.method).cmp(&(right.path, &right.method)));
        found
    }

    fn operations_of<'a>(&'a self, path: &'a str, item: &'a Value) -> Vec<Found<'a>> {
        let Some(item) = self.resolve(item).ok().and_then(Value::as_object) else {
            return Vec::new();
        };
        let operation = |method: &&str| {
            let operation = item.get(*method)?.as_object()?;
            Some(Found { method: method.to_ascii_uppercase(), path, item, operation })
        };
        METHODS.iter().filter_map(operation).collect()
    }

    /// The value itself, or what it refers to in the end.
    pub(super) fn resolve<'a>(&'a self, value: &'a Value) -> Result<&'a Value, String> {
        let mut here = value;
        for _ in 0..LONGEST_CHAIN {
            let Some(reference) = here.get("$ref").and_then(Value::as_str) else {
                return Ok(here);
            };
            here = self.target(reference)?;
        }
        Err("its references go in a circle".to_owned())
    }

    /// What a reference refers to, which may be a reference again (RFC 6901 §6).
    pub(super) fn target(&self, reference: &str) -> Result<&Value, String> {
        let Some(pointer) = reference.strip_prefix('#') else {
            return Err(format!(
                "it refers to {reference:?}, another document; bundle them into one, e.g. with \
                 `redocly bundle`"
            ));
        };
        let pointer = percent_decode_str(pointer).decode_utf8_lossy();
        self.root.pointer(&pointer).ok_or_else(|| {
            format!("it refers to {reference:?}, and there is nothing in the document")
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn other_versions_are_refused_with_a_remedy() {
        let refusal = |root| Document::new(root).err().unwrap_or_default();
        assert!(refusal(json!({"swagger": "2.0"})).contains("swagger2openapi"));
        assert!(refusal(json!({"openapi": "4.0.0"})).contains("\"4.0.0\""));
        assert!(refusal(json!({})).contains("`openapi`"));
        assert!(Document::new(json!({"openapi": "3.0.3"})).is_ok());
    }

    #[test]
    fn references_are_followed_to_their_end() {
        let document = Document::new(json!({
            "openapi": "3.1.0",
            "x": { "a/b": { "$ref": "#/x/c~0d" }, "c~d": { "$ref": "#/x/e%20f" }, "e f": 7 },
            "round": { "$ref": "#/round" },
        }))
        .unwrap_or_else(|reason| panic!("{reason}"));
        let resolve = |reference: &str| document.resolve(document.target(reference)?);
        assert_eq!(resolve("#/x/a~1b"), Ok(&json!(7)));
        assert!(resolve("#/round").unwrap_err().contains("circle"));
        assert!(resolve("#/nothing").unwrap_err().contains("nothing in the document"));
        assert!(resolve("other.yaml#/a").unwrap_err().contains("bundle"));
    }
}
