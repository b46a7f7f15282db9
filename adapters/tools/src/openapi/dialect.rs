//! The keywords of OpenAPI 3.0 in the words of JSON Schema 2020-12, and what is wrong in documents in
//! use mended as far as it can be.

use serde_json::{Map, Value, json};

/// The longest description of a part of a schema, in characters.
const LONGEST_DESCRIPTION: usize = 600;

/// The longest example or default that is carried, in bytes of JSON.
const LONGEST_EXAMPLE: usize = 300;

/// What a type may be (JSON Schema validation 2020-12 §6.1.1).
const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// A keyword that holds no schema; `None` when it is left out.
pub(super) fn plain_keyword(keyword: &str, value: &Value) -> Option<Value> {
    let fits = match keyword {
        "title" | "format" | "pattern" | "contentEncoding" | "contentMediaType" => {
            value.is_string()
        }
        "description" => return value.as_str().map(|text| json!(shortened(text))),
        "default" | "example" => value.to_string().len() <= LONGEST_EXAMPLE,
        "examples" => value.is_array() && value.to_string().len() <= LONGEST_EXAMPLE,
        "enum" | "required" => value.is_array(),
        "dependentRequired" => value.is_object(),
        "const" => true,
        "type" => return known_types(value),
        "minimum" | "maximum" | "multipleOf" => value.is_number(),
        "exclusiveMinimum" | "exclusiveMaximum" => value.is_number() || value.is_boolean(),
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties"
        | "minContains" | "maxContains" => value.as_u64().is_some(),
        "uniqueItems" | "deprecated" | "nullable" => value.is_boolean(),
        _ => false,
    };
    fits.then(|| value.clone())
}

fn known_types(value: &Value) -> Option<Value> {
    let known = |value: &Value| value.as_str().is_some_and(|name| TYPES.contains(&name));
    match value {
        Value::Array(names) if !names.is_empty() && names.iter().all(known) => Some(value.clone()),
        single if known(single) => Some(single.clone()),
        _ => None,
    }
}

/// A schema whose keywords are translated each for itself, made right as a whole.
pub(super) fn in_json_schema(
    original: &Map<String, Value>,
    mut schema: Map<String, Value>,
) -> Value {
    exclusive(&mut schema, "exclusiveMinimum", "minimum");
    exclusive(&mut schema, "exclusiveMaximum", "maximum");
    if let Some(example) = schema.remove("example") {
        schema.entry("examples").or_insert_with(|| json!([example]));
    }
    let nullable = schema.remove("nullable") == Some(Value::Bool(true));
    if schema.contains_key("$ref") {
        return reference(original, schema, nullable);
    }
    if nullable { or_null(schema) } else { Value::Object(schema) }
}

/// A boolean of 3.0 says whether the bound beside it belongs to the range.
fn exclusive(schema: &mut Map<String, Value>, keyword: &str, bound: &str) {
    match schema.get(keyword) {
        Some(Value::Bool(true)) => {
            schema.remove(keyword);
            if let Some(value) = schema.remove(bound) {
                schema.insert(keyword.to_owned(), value);
            }
        }
        Some(Value::Bool(false)) => {
            schema.remove(keyword);
        }
        _ => {}
    }
}

/// Beside a reference 3.0 has nothing that counts, and authors mean what 3.1 makes of it.
fn reference(
    original: &Map<String, Value>,
    mut schema: Map<String, Value>,
    nullable: bool,
) -> Value {
    if !nullable {
        return Value::Object(schema);
    }
    let description = schema.remove("description");
    let mut either = Map::new();
    either.insert("anyOf".to_owned(), json!([schema, { "type": "null" }]));
    if let Some(description) = description.filter(|_| original.contains_key("description")) {
        either.insert("description".to_owned(), description);
    }
    Value::Object(either)
}

/// The same schema, and null beside.
fn or_null(mut schema: Map<String, Value>) -> Value {
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    let is_combined = ["allOf", "anyOf", "oneOf"].iter().any(|it| schema.contains_key(*it));
    match schema.get_mut("type") {
        Some(Value::String(name)) => {
            let both = json!([name, "null"]);
            schema.insert("type".to_owned(), both);
            Value::Object(schema)
        }
        Some(Value::Array(names)) => {
            if !names.contains(&json!("null")) {
                names.push(json!("null"));
            }
            Value::Object(schema)
        }
        _ if is_combined => {
            json!({ "anyOf": [schema, { "type": "null" }] })
        }
        // Without a type it lets null pass anyway.
        _ => Value::Object(schema),
    }
}

/// A text of at most so many characters.
pub(super) fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

fn shortened(text: &str) -> String {
    cut(text.trim(), LONGEST_DESCRIPTION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openapi::document::Document;
    use crate::openapi::schema::{Direction, SchemaBuilder};

    fn translated(schema: &Value) -> Value {
        let root = json!({"openapi": "3.0.0", "components": {"schemas": {"A": {}}}});
        let document = Document::new(root).unwrap_or_else(|reason| panic!("{reason}"));
        SchemaBuilder::new(&document, Direction::Request).translate(schema).unwrap()
    }

    #[test]
    fn keywords_of_3_0_become_those_of_json_schema() {
        let reference = "#/components/schemas/A";
        for (old, new) in [
            (json!({"type": "string", "nullable": true}), json!({"type": ["string", "null"]})),
            (
                json!({"type": "string", "enum": ["a"], "nullable": true}),
                json!({"type": ["string", "null"], "enum": ["a", null]}),
            ),
            (
                json!({"allOf": [{"$ref": reference}], "nullable": true}),
                json!({"anyOf": [{"allOf": [{"$ref": "#/$defs/A"}]}, {"type": "null"}]}),
            ),
            (
                json!({"$ref": reference, "nullable": true}),
                json!({"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]}),
            ),
            (
                json!({"minimum": 1, "exclusiveMinimum": true, "maximum": 9,
                       "exclusiveMaximum": false}),
                json!({"exclusiveMinimum": 1, "maximum": 9}),
            ),
            (json!({"type": "integer", "example": 7}), json!({"type": "integer", "examples": [7]})),
        ] {
            assert_eq!(translated(&old), new);
        }
    }

    #[test]
    fn what_3_1_says_stays() {
        let schema = json!({
            "type": ["string", "null"], "exclusiveMinimum": 3, "const": null, "examples": ["a"],
            "if": {"minLength": 1}, "then": {"not": {"const": "b"}},
            "patternProperties": {"^x": {"type": "integer"}}, "dependentRequired": {"a": ["b"]},
        });
        assert_eq!(translated(&schema), schema);
    }

    #[test]
    fn what_no_schema_has_is_left_out() {
        let schema = json!({
            "type": "file", "required": true, "xml": {}, "discriminator": {"propertyName": "a"},
            "x-internal": 1, "$id": "https://a.example/", "minLength": "3",
            "example": "x".repeat(400),
        });
        assert_eq!(translated(&schema), json!({}));
        let long = translated(&json!({"description": "ä".repeat(10_000)}));
        assert_eq!(long["description"].as_str().unwrap().chars().count(), LONGEST_DESCRIPTION + 1);
    }
}
