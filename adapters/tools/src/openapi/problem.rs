//! Why a document can't be made into tools, and what the operator can do.

use thiserror::Error;

/// A document or a setting that can't be used. An operation that can't be used is none of these: it
/// is left out and named by [`OpenApiCatalog::skipped`](super::OpenApiCatalog::skipped).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenApiProblem {
    /// It can't be read.
    #[error(
        "the OpenAPI document {document} can't be read: {reason}; correct `openapi` of \
         [tools.{name}]"
    )]
    Unreadable {
        /// The catalog.
        name: String,
        /// The document.
        document: String,
        /// Why not.
        reason: String,
    },
    /// It is neither JSON nor YAML, or no OpenAPI document.
    #[error("the OpenAPI document {document} of [tools.{name}] can't be used: {reason}")]
    Malformed {
        /// The catalog.
        name: String,
        /// The document.
        document: String,
        /// What is wrong, where in the document, and what would help.
        reason: String,
    },
    /// Nothing says where to send requests.
    #[error(
        "the OpenAPI document {document} does not say where its operations are: {reason}; set \
         `base_url` of [tools.{name}]"
    )]
    NoBaseUrl {
        /// The catalog.
        name: String,
        /// The document.
        document: String,
        /// What it says instead.
        reason: String,
    },
    /// No operation is left.
    #[error(
        "no operation of the OpenAPI document {document} becomes a tool: {reason}; correct \
         `include` and `exclude` of [tools.{name}], or the document"
    )]
    NoOperations {
        /// The catalog.
        name: String,
        /// The document.
        document: String,
        /// Where they went.
        reason: String,
    },
    /// A setting makes no sense.
    #[error("`{setting}` of [tools.{name}] can't be used: {reason}")]
    Setting {
        /// The catalog.
        name: String,
        /// The key.
        setting: &'static str,
        /// What is wrong, and what would be right.
        reason: String,
    },
}

/// An operation that is no tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedOperation {
    /// `METHOD /path`.
    pub operation: String,
    /// Why not.
    pub reason: String,
}
