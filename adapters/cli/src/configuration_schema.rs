//! The JSON schema of configuration files, made from the tables that also drive the parser.

use figment::Figment;
use figment::providers::{Format, Toml};
use figment::value::Dict;
use mcp_oauth_core::domain::limit::LimitedAction;
use serde_json::{Map, Value, json};

use crate::identity_table::KEYS;
use crate::openapi_settings::{CREDENTIAL_KEYS, KINDS, Kind as CredentialKind};
use crate::setting_table::{Kind, SETTINGS, Setting, defaults};
use crate::tool_table::{TOOL_KEYS, ToolKey};

/// The schema (draft 2020-12), in a notation that editors of TOML files read too.
pub(crate) fn schema() -> Value {
    let defaults = Figment::from(Toml::string(&defaults())).extract::<Dict>().unwrap_or_default();
    let property = |setting: &Setting| {
        let mut schema = match setting.kind {
            Kind::Table => table(setting.name),
            kind => of_kind(kind, setting.choices),
        };
        schema.insert("description".to_owned(), json!(setting.meaning));
        if let Some(default) =
            defaults.get(setting.name).and_then(|it| serde_json::to_value(it).ok())
        {
            schema.insert("default".to_owned(), default);
        }
        (setting.name.to_owned(), Value::Object(schema))
    };
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of mcp-oauth-server",
        "type": "object",
        "properties": SETTINGS.iter().map(property).collect::<Map<String, Value>>(),
        "additionalProperties": false,
    })
}

fn of_kind(kind: Kind, choices: &[&str]) -> Map<String, Value> {
    let schema = match kind {
        Kind::Text if choices.is_empty() => json!({ "type": "string" }),
        Kind::Text => json!({ "type": "string", "enum": choices }),
        Kind::Number => json!({ "type": "integer", "minimum": 0 }),
        Kind::Switch => json!({ "type": "boolean" }),
        Kind::List => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::Table => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
    };
    object(schema)
}

fn object(schema: Value) -> Map<String, Value> {
    match schema {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Of the settings that are tables, each has a shape of its own.
fn table(name: &str) -> Map<String, Value> {
    match name {
        "identity" => identity(),
        "access_rules" => access_rules(),
        "dev_users" => dev_users(),
        "request_limits" => request_limits(),
        "scope_includes" => scope_includes(),
        "tools" => tools(),
        _ => of_kind(Kind::Table, &[]),
    }
}

fn identity() -> Map<String, Value> {
    let key = |key: &crate::identity_table::IdentityKey| {
        let mut schema = of_kind(key.kind, &key.choices());
        schema.insert("description".to_owned(), json!(key.meaning));
        (key.name.to_owned(), Value::Object(schema))
    };
    object(json!({
        "type": "object",
        "propertyNames": { "pattern": "^[a-z0-9-]{1,32}$" },
        "additionalProperties": {
            "type": "object",
            "properties": KEYS.iter().map(key).collect::<Map<String, Value>>(),
            "additionalProperties": false,
        },
    }))
}

fn tools() -> Map<String, Value> {
    let key = |key: &ToolKey| {
        let mut schema = match key.name {
            "credentials" => credentials(),
            _ => of_kind(key.kind, key.choices),
        };
        schema.insert("description".to_owned(), json!(key.meaning));
        (key.name.to_owned(), Value::Object(schema))
    };
    let one_of = ["openapi", "command", "url"].map(|key| json!({ "required": [key] }));
    object(json!({
        "type": "object",
        "propertyNames": { "pattern": "^[A-Za-z0-9_-]{1,32}$" },
        "additionalProperties": {
            "type": "object",
            "properties": TOOL_KEYS.iter().map(key).collect::<Map<String, Value>>(),
            "oneOf": one_of,
            "additionalProperties": false,
        },
    }))
}

fn credentials() -> Map<String, Value> {
    let key = |(name, _): &(&str, &[CredentialKind])| match *name {
        "kind" => ((*name).to_owned(), json!({ "enum": KINDS.map(|(kind, _)| kind) })),
        name => (name.to_owned(), json!({ "type": "string" })),
    };
    object(json!({
        "type": "object",
        "properties": CREDENTIAL_KEYS.iter().map(key).collect::<Map<String, Value>>(),
        "required": ["kind"],
        "additionalProperties": false,
    }))
}

fn scope_includes() -> Map<String, Value> {
    let scopes = json!({ "type": "array", "items": { "type": "string" } });
    object(json!({ "type": "object", "additionalProperties": scopes }))
}

fn access_rules() -> Map<String, Value> {
    let texts = json!({ "type": "array", "items": { "type": "string" } });
    let keys = ["tools", "prompts", "resources", "scopes", "permissions", "groups", "roles"];
    object(json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": keys.map(|key| (key.to_owned(), texts.clone())).into_iter().collect::<Map<_, _>>(),
            "additionalProperties": false,
        },
    }))
}

fn dev_users() -> Map<String, Value> {
    let text = json!({ "type": "string" });
    object(json!({
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "properties": {
                "username": text, "password": text, "subject": text, "name": text, "email": text,
            },
            "required": ["username", "password"],
            "additionalProperties": false,
        },
    }))
}

fn request_limits() -> Map<String, Value> {
    let number = json!({ "type": "integer", "minimum": 1 });
    let budget = json!({
        "type": "object",
        "properties": { "burst": number, "per_minute": number },
        "required": ["burst", "per_minute"],
        "additionalProperties": false,
    });
    let action = |action: LimitedAction| (action.name().to_owned(), budget.clone());
    object(json!({
        "type": "object",
        "properties": LimitedAction::ALL.into_iter().map(action).collect::<Map<String, Value>>(),
        "additionalProperties": false,
    }))
}
