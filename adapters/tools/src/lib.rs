//! The built-in tools and how to add one, [tools made of an OpenAPI document](openapi), the tools of
//! other MCP servers ([`UpstreamCatalog`]), and several catalogs as one ([`JoinedCatalog`]).
//!
//! A tool is a type that implements [`Tool`] and one line where the catalog is made:
//!
//! ```
//! use async_trait::async_trait;
//! use mcp_oauth_core::domain::scope::ScopeSet;
//! use mcp_oauth_core::domain::tool::{CallError, Reply, ToolOutput};
//! use mcp_oauth_core::port::CallContext;
//! use mcp_oauth_tools::{BuiltinCatalog, Tool, ToolText};
//!
//! /// The arguments: their names, types and comments become the input schema.
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Shout {
//!     /// What to shout.
//!     text: String,
//! }
//!
//! struct ShoutTool;
//!
//! #[async_trait]
//! impl Tool for ShoutTool {
//!     type Arguments = Shout;
//!
//!     fn text(&self) -> ToolText {
//!         ToolText::new("shout", "Shout", "Says a text in capitals.").read_only()
//!     }
//!
//!     async fn call(
//!         &self,
//!         arguments: Shout,
//!         _: &CallContext,
//!     ) -> Result<Reply<ToolOutput>, CallError> {
//!         Ok(ToolOutput::text(arguments.text.to_uppercase()).into())
//!     }
//! }
//!
//! let catalog = BuiltinCatalog::demo(ScopeSet::parse("mcp:tools")?)?.with(ShoutTool)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod add_numbers;
mod argument_validation;
mod arguments;
mod catalog;
mod hello;
mod integer;
mod joined;
mod joined_claims;
mod joined_prompts;
mod joined_resources;
pub mod openapi;
mod tool;
mod upstream;

pub use add_numbers::AddNumbers;
pub use argument_validation::JsonSchemas;
pub use catalog::{BuiltinCatalog, UnusableTool};
pub use hello::Hello;
pub use integer::Integer;
pub use joined::{Clash, JoinedCatalog, Part, clashes};
pub use openapi::{OpenApiCatalog, OpenApiConfig, OpenApiProblem};
pub use tool::{Tool, ToolText, schema_of};
pub use upstream::{
    Address, HttpTransport, PassCaller, Program, Reach, Sharing, UnusableUpstream, UpstreamCatalog,
    UpstreamConfig, UpstreamLimits,
};
