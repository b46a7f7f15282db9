//! Operations of an OpenAPI document as tools.
//!
//! [`OpenApiCatalog::load`] reads a document of version 3.0 or 3.1, in JSON or YAML, from a file or
//! the web, and makes a tool of each operation: its parameters are arguments, its body is the
//! argument `body`. The structure of a document is read with the types of the `oas3` crate, which
//! fit both versions where schemas are left aside; schemas stay JSON, for they are JSON Schema, and
//! any typed model of them loses keywords. An operation that can't be used is left out and named,
//! and takes no other with it.
//!
//! Requests go to the operator's server with the operator's credentials. The token of the client is
//! not even within reach.

mod answer;
mod base_url;
mod body;
mod caller;
mod catalog;
mod config;
mod credentials;
mod dialect;
mod document;
mod http_client;
mod load;
mod operation;
mod parameter;
mod path_template;
mod problem;
mod request;
mod schema;
mod source;
mod tool_name;
mod writing;

pub use catalog::OpenApiCatalog;
pub use config::{CallLimits, OpenApiConfig, Selection, Source};
pub use credentials::{ClientAuthentication, Credentials, TokenGrant};
pub use problem::{OpenApiProblem, SkippedOperation};
