//! What a tool written in Rust implements.

use async_trait::async_trait;
use mcp_oauth_core::domain::requirement::Requirement;
use mcp_oauth_core::domain::tool::{CallError, Reply, ToolOutput};
use mcp_oauth_core::port::CallContext;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// A tool of the built-in catalog.
#[async_trait]
pub trait Tool: Send + Sync + 'static {
    /// What a call takes. Its JSON Schema is what clients see; with `#[serde(deny_unknown_fields)]`
    /// arguments it does not know are refused instead of ignored.
    type Arguments: DeserializeOwned + JsonSchema + Send;

    /// How the tool presents itself; asked once, when the catalog is made.
    fn text(&self) -> ToolText;

    /// The schema of the structured output, made by [`schema_of`]; asked once, too.
    fn output_schema(&self) -> Option<Map<String, Value>> {
        None
    }

    /// What a caller needs, when it is not the catalog's own requirement.
    fn requirement(&self) -> Option<Requirement> {
        None
    }

    /// Runs the tool for `context.caller`, who has been authenticated and meets the requirement. The
    /// answer is a [`ToolOutput`], or questions to the client before there is one: the tool is then
    /// called again, with the answers in `context.input`.
    ///
    /// # Errors
    /// [`CallError::InvalidArguments`] for what the schema could not say, as a text for the model;
    /// [`CallError::Failed`] when the tool broke, as a text for the log.
    async fn call(
        &self,
        arguments: Self::Arguments,
        context: &CallContext,
    ) -> Result<Reply<ToolOutput>, CallError>;
}

/// How a tool presents itself to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToolText {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) description: &'static str,
    pub(crate) read_only: bool,
}

impl ToolText {
    /// A tool's `name` for programs, `title` for people and `description` for models.
    #[must_use]
    pub const fn new(name: &'static str, title: &'static str, description: &'static str) -> Self {
        Self { name, title, description, read_only: false }
    }

    /// The same for a tool whose calls change nothing, so that clients need not ask a person first.
    #[must_use]
    pub const fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }
}

/// The JSON Schema (2020-12) of a type, inlined; without title and description of the whole, which
/// speak of a Rust type.
#[must_use]
pub fn schema_of<T: JsonSchema>() -> Map<String, Value> {
    let settings =
        schemars::generate::SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    let mut object = schema.as_object_mut().map(std::mem::take).unwrap_or_default();
    object.retain(|keyword, _| !matches!(keyword.as_str(), "title" | "description"));
    object
}
