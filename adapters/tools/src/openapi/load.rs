//! From a document to tools.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::base_url;
use super::config::OpenApiConfig;
use super::credentials::Credentials;
use super::document::{Document, Found};
use super::operation::{Operation, OperationBuilder};
use super::parameter::Reserved;
use super::problem::{OpenApiProblem, SkippedOperation};
use super::source;
use super::tool_name::{self, NameSource};

/// What became of a document.
pub(super) struct Loaded {
    /// By the names of the tools.
    pub(super) operations: BTreeMap<String, Arc<Operation>>,
    pub(super) skipped: Vec<SkippedOperation>,
}

/// Every operation of the document that is selected and can be used. It takes a while for a large
/// one, and belongs on a thread that may be kept.
pub(super) fn load(config: &OpenApiConfig, text: &[u8]) -> Result<Loaded, OpenApiProblem> {
    let malformed = |reason| OpenApiProblem::Malformed {
        name: config.name.clone(),
        document: config.document.to_string(),
        reason,
    };
    let root = source::parse(text).map_err(malformed)?;
    let document = Document::new(root).map_err(malformed)?;
    let base =
        base_url::of_document(config, &document).map_err(|reason| OpenApiProblem::NoBaseUrl {
            name: config.name.clone(),
            document: config.document.to_string(),
            reason,
        })?;
    let builder =
        OperationBuilder { config, document: &document, base, reserved: reserved(config) };
    let found = document.operations();
    let names = names(&found, &config.prefix);
    let mut loaded = Loaded { operations: BTreeMap::new(), skipped: Vec::new() };
    let mut unselected = 0;
    for (found, name) in found.iter().zip(names) {
        if !config.selection.takes(&known_as(found, &name)) {
            unselected += 1;
            continue;
        }
        loaded.take(config, found, name.clone(), builder.build(found, &name));
    }
    if loaded.operations.is_empty() {
        return Err(OpenApiProblem::NoOperations {
            name: config.name.clone(),
            document: config.document.to_string(),
            reason: nothing_left(found.len(), unselected, &loaded.skipped),
        });
    }
    Ok(loaded)
}

impl Loaded {
    fn take(
        &mut self,
        config: &OpenApiConfig,
        found: &Found<'_>,
        name: String,
        built: Result<Operation, String>,
    ) {
        let built = match built {
            Ok(_) if self.operations.contains_key(&name) => {
                Err(format!("another operation is the tool {name:?}"))
            }
            built => built,
        };
        match built {
            Ok(operation) => {
                self.operations.insert(name, Arc::new(operation));
            }
            Err(reason) => {
                let operation = found.key();
                tracing::warn!(
                    catalog = config.name,
                    operation,
                    reason,
                    "an operation becomes no tool"
                );
                self.skipped.push(SkippedOperation { operation, reason });
            }
        }
    }
}

fn nothing_left(found: usize, unselected: usize, skipped: &[SkippedOperation]) -> String {
    match skipped.first() {
        _ if found == 0 => "there is none in it".to_owned(),
        None => format!("all {unselected} of them are left out"),
        Some(first) => format!(
            "{unselected} of {found} are left out, and the others can't be used; {}: {}",
            first.operation, first.reason
        ),
    }
}

fn names(found: &[Found<'_>], prefix: &str) -> Vec<String> {
    let sources: Vec<NameSource<'_>> = found
        .iter()
        .map(|found| NameSource {
            operation_id: found.operation.get("operationId").and_then(|id| id.as_str()),
            method: &found.method,
            path: found.path,
        })
        .collect();
    tool_name::tool_names(&sources, prefix)
}

/// Everything a pattern may match.
fn known_as(found: &Found<'_>, name: &str) -> Vec<String> {
    let mut known = vec![name.to_owned(), found.key()];
    if let Some(id) = found.operation.get("operationId").and_then(|id| id.as_str()) {
        known.push(id.to_owned());
    }
    let tags = found.operation.get("tags").and_then(|tags| tags.as_array()).into_iter().flatten();
    known.extend(tags.filter_map(|tag| tag.as_str()).map(|tag| format!("tag:{tag}")));
    known
}

fn reserved(config: &OpenApiConfig) -> Reserved {
    let mut reserved = Reserved::default();
    let names = config.headers.iter().map(|(name, _)| name).chain(&config.caller_header);
    reserved.headers.extend(names.map(|name| name.to_ascii_lowercase()));
    match &config.credentials {
        Credentials::Header { name, .. } => {
            reserved.headers.insert(name.to_ascii_lowercase());
        }
        Credentials::Query { name, .. } => {
            reserved.query.insert(name.clone());
        }
        _ => {}
    }
    reserved
}
