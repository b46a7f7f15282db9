//! One operation as a tool: how it presents itself, and the plan of a request.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::Method;
use jsonschema::Validator;
use mcp_oauth_core::domain::tool::{ToolAnnotations, ToolDescription};
use serde_json::{Map, Value, json};
use url::Url;

use super::base_url;
use super::body::{self, Body};
use super::config::OpenApiConfig;
use super::dialect::cut;
use super::document::{Document, Found};
use super::parameter::{self, Described, Parameter, Reserved};
use super::path_template::PathTemplate;
use super::schema::{Direction, SchemaBuilder};

/// The longest description of a tool, in characters.
const LONGEST_DESCRIPTION: usize = 2_000;

/// The longest input schema, in bytes of JSON. What is longer fills the context of a model.
const LONGEST_SCHEMA: usize = 64 * 1024;

/// An operation that can be called.
pub(super) struct Operation {
    pub(super) description: Arc<ToolDescription>,
    pub(super) plan: Plan,
    /// What its answer must be like, when clients are told.
    pub(super) answer: Option<Validator>,
}

/// What a request is made from.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) method: Method,
    pub(super) base: Url,
    pub(super) path: PathTemplate,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Body>,
    /// What the operator sets in the query, and no argument does.
    pub(super) own_query: BTreeSet<String>,
}

/// Makes operations of one document.
pub(super) struct OperationBuilder<'a> {
    pub(super) config: &'a OpenApiConfig,
    pub(super) document: &'a Document,
    pub(super) base: Url,
    pub(super) reserved: Reserved,
}

impl OperationBuilder<'_> {
    /// The operation under this name, or why it can't be called.
    pub(super) fn build(&self, found: &Found<'_>, name: &str) -> Result<Operation, String> {
        let described: oas3::spec::Operation =
            parameter::typed(&Value::Object(plain_members(found.operation)), "it")?;
        let mut schemas = SchemaBuilder::new(self.document, Direction::Request);
        let body = match found.operation.get("requestBody") {
            Some(body) => Body::of(self.document, body, &mut schemas)?,
            None => None,
        };
        let parameters =
            parameter::parameters_of(self.document, found, &self.reserved, body.is_some())?;
        let method = Method::from_bytes(found.method.as_bytes()).map_err(|it| it.to_string())?;
        let plan = Plan {
            base: base_url::of_operation(self.config, found, &self.base)?,
            path: PathTemplate::new(found.path, parameters.iter().map(|it| &it.parameter))?,
            parameters: parameters.iter().map(|it| it.parameter.clone()).collect(),
            body: body.as_ref().map(|(body, _)| body.clone()),
            own_query: self.reserved.query.clone(),
            method,
        };
        let input_schema = input_schema(parameters, body, schemas)?;
        let (output_schema, answer) = self.answer(found).unzip();
        let description = ToolDescription {
            name: name.to_owned(),
            title: described.summary.as_deref().map(|text| cut(text.trim(), 100)),
            description: text(&described, found),
            input_schema,
            output_schema,
            annotations: annotations(&plan.method),
            more: Map::new(),
            requirement: self.config.requirement.clone(),
        };
        Ok(Operation { description: Arc::new(description), plan, answer })
    }

    /// The schema of a good answer, when the operator wants it told and it is that of an object.
    fn answer(&self, found: &Found<'_>) -> Option<(Map<String, Value>, Validator)> {
        if !self.config.output_schemas {
            return None;
        }
        let responses = found.operation.get("responses")?.as_object()?;
        let good: Vec<&String> = responses.keys().filter(|code| code.starts_with('2')).collect();
        // Of several good answers, each of another shape, nothing can be promised.
        let [code] = good[..] else { return None };
        let response = self.document.resolve(responses.get(code)?).ok()?;
        let content = response.get("content")?.as_object()?;
        let (_, media) = content.iter().find(|(name, _)| is_json(name))?;
        let mut schemas = SchemaBuilder::new(self.document, Direction::Response);
        let schema = schemas.translate(media.get("schema")?).ok()?;
        let mut schema = inlined(schema, schemas.finish().ok()?)?;
        if schema.get("type").and_then(Value::as_str) != Some("object") {
            return None;
        }
        schema.entry("properties").or_insert_with(|| json!({}));
        let validator = compiled(&schema).ok()?;
        (Value::Object(schema.clone()).to_string().len() <= LONGEST_SCHEMA)
            .then_some((schema, validator))
    }
}

/// Whether a media type is JSON (RFC 6839 §3.1).
pub(super) fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}

/// What is read by the parser's types; the rest has its own place.
fn plain_members(operation: &Map<String, Value>) -> Map<String, Value> {
    let plain = ["summary", "description", "operationId", "deprecated", "tags"];
    operation
        .iter()
        .filter(|(name, _)| plain.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// For the model: what the document says, or at least what is called.
fn text(described: &oas3::spec::Operation, found: &Found<'_>) -> String {
    let parts = [described.summary.as_deref(), described.description.as_deref()];
    let mut parts: Vec<&str> = parts.into_iter().flatten().map(str::trim).collect();
    parts.retain(|part| !part.is_empty());
    parts.dedup();
    let mut text = parts.join("\n\n");
    if text.is_empty() {
        text = found.key();
    }
    if described.deprecated == Some(true) {
        text = format!("Deprecated. {text}");
    }
    cut(&text, LONGEST_DESCRIPTION)
}

/// RFC 9110 §9.2: what the method says of the world.
fn annotations(method: &Method) -> ToolAnnotations {
    let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    ToolAnnotations {
        title: None,
        read_only_hint: Some(reads),
        destructive_hint: (!reads)
            .then_some(matches!(*method, Method::DELETE | Method::PUT | Method::PATCH)),
        idempotent_hint: (!reads).then_some(matches!(*method, Method::DELETE | Method::PUT)),
        open_world_hint: Some(true),
    }
}

/// One object: an argument for each parameter, and `body`.
fn input_schema(
    parameters: Vec<Described>,
    body: Option<(Body, Value)>,
    mut schemas: SchemaBuilder<'_>,
) -> Result<Map<String, Value>, String> {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for Described { parameter, description, schema } in parameters {
        let schema = schemas.translate(&schema)?;
        if parameter.required {
            required.push(json!(parameter.argument));
        }
        properties.insert(parameter.argument, with_description(schema, description));
    }
    if let Some((body, schema)) = body {
        if body.required {
            required.push(json!(body::ARGUMENT));
        }
        properties.insert(body::ARGUMENT.to_owned(), schema);
    }
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        schema.insert("required".to_owned(), Value::Array(required));
    }
    schema.insert("additionalProperties".to_owned(), json!(false));
    let definitions = schemas.finish()?;
    if !definitions.is_empty() {
        schema.insert("$defs".to_owned(), Value::Object(definitions));
    }
    usable(bounded(schema))
}

fn with_description(schema: Value, description: Option<String>) -> Value {
    let Some(text) = description.filter(|text| !text.trim().is_empty()) else { return schema };
    let mut members = match schema {
        Value::Object(members) => members,
        Value::Bool(true) => Map::new(),
        other => return other,
    };
    members.insert("description".to_owned(), json!(cut(text.trim(), 600)));
    Value::Object(members)
}

/// A schema that would fill the context of a model says less: first no descriptions of parts, then
/// nothing of the body but its type.
fn bounded(mut schema: Map<String, Value>) -> Map<String, Value> {
    let is_long = |schema: &Map<String, Value>| json!(schema).to_string().len() > LONGEST_SCHEMA;
    if is_long(&schema) {
        for member in ["$defs", "properties"] {
            if let Some(part) = schema.get_mut(member) {
                without(part, &["description", "examples"], 0);
            }
        }
    }
    if is_long(&schema) {
        if let Some(body) = schema.get_mut("properties").and_then(|it| it.get_mut(body::ARGUMENT)) {
            *body = json!({
                "description": "Too large to be described here; see the documentation of the API.",
            });
        }
        if let Some(definitions) = schema.remove("$defs") {
            restore(&mut schema, definitions);
        }
    }
    schema
}

/// Puts back the definitions that something still refers to.
fn restore(schema: &mut Map<String, Value>, definitions: Value) {
    if json!(schema).to_string().contains("\"#/$defs/") {
        schema.insert("$defs".to_owned(), definitions);
    }
}

/// A schema without these keywords. What stands under `properties` is a name, no keyword.
fn without(schema: &mut Value, keywords: &[&str], depth: usize) {
    match schema {
        Value::Object(members) => {
            // The outermost object is of names: of definitions or properties.
            let of_names = depth == 0;
            if !of_names {
                members
                    .retain(|name, value| value.is_object() || !keywords.contains(&name.as_str()));
            }
            members.values_mut().for_each(|value| without(value, keywords, depth + 1));
        }
        Value::Array(items) => items.iter_mut().for_each(|it| without(it, keywords, depth + 1)),
        _ => {}
    }
}

/// A schema that validators take: without its patterns, if they are what is wrong with it.
fn usable(mut schema: Map<String, Value>) -> Result<Map<String, Value>, String> {
    if compiled(&schema).is_ok() {
        return Ok(schema);
    }
    for member in ["$defs", "properties"] {
        if let Some(part) = schema.get_mut(member) {
            without(part, &["pattern"], 0);
        }
    }
    match compiled(&schema) {
        Ok(_) => Ok(schema),
        Err(reason) => Err(format!("its schema can't be used: {reason}")),
    }
}

fn compiled(schema: &Map<String, Value>) -> Result<Validator, String> {
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .build(&Value::Object(schema.clone()))
        .map_err(|error| cut(&error.to_string(), 200))
}

/// The schema itself where it is only a reference, for clients look for `type` at its top.
fn inlined(schema: Value, mut definitions: Map<String, Value>) -> Option<Map<String, Value>> {
    let mut here = schema;
    for _ in 0..8 {
        let reference = here.get("$ref").and_then(Value::as_str).map(str::to_owned);
        let Some(reference) = reference else { break };
        here = definitions.get(reference.strip_prefix("#/$defs/")?)?.clone();
    }
    let Value::Object(mut schema) = here else { return None };
    if !json!([&schema, &definitions]).to_string().contains("\"#/$defs/") {
        definitions.clear();
    }
    if !definitions.is_empty() {
        schema.insert("$defs".to_owned(), Value::Object(definitions));
    }
    Some(schema)
}
