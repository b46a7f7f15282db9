//! Schemas of a document as JSON Schema 2020-12 that stand alone: what they refer to is in their own
//! `$defs`, and what only OpenAPI knows is said in its words (OpenAPI 3.0 §4.7.24, 3.1 §4.8.24).

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::dialect;
use super::document::Document;

/// How deep one schema may nest without references.
const DEEPEST: usize = 64;

/// Which way a value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// To the operation: what is `readOnly` is not asked for.
    Request,
    /// From it: what is `writeOnly` is not promised.
    Response,
}

/// Makes one schema that stands alone.
pub(super) struct SchemaBuilder<'a> {
    document: &'a Document,
    direction: Direction,
    /// The name of each reference among the definitions.
    names: HashMap<String, String>,
    /// References that are named and not yet defined.
    open: Vec<String>,
    definitions: Map<String, Value>,
}

impl<'a> SchemaBuilder<'a> {
    /// For values of one direction.
    pub(super) fn new(document: &'a Document, direction: Direction) -> Self {
        Self {
            document,
            direction,
            names: HashMap::new(),
            open: Vec::new(),
            definitions: Map::new(),
        }
    }

    /// A schema of the document, which may refer to definitions that [`Self::finish`] gives.
    pub(super) fn translate(&mut self, schema: &Value) -> Result<Value, String> {
        self.translate_at(schema, 0)
    }

    /// Every definition that what has been translated refers to.
    pub(super) fn finish(mut self) -> Result<Map<String, Value>, String> {
        while let Some(reference) = self.open.pop() {
            let target = self.document.target(&reference)?;
            let translated = self.translate_at(target, 0)?;
            let name = self.names.get(&reference).cloned().unwrap_or_default();
            self.definitions.insert(name, translated);
        }
        Ok(self.definitions)
    }

    fn translate_at(&mut self, schema: &Value, depth: usize) -> Result<Value, String> {
        if depth > DEEPEST {
            return Err(format!("a schema nests deeper than {DEEPEST} levels"));
        }
        let Value::Object(schema) = schema else {
            // A boolean schema; anything else is a mistake that must not refuse every value.
            return Ok(schema.as_bool().map_or(Value::Bool(true), Value::Bool));
        };
        let mut translated = Map::new();
        for (keyword, value) in schema {
            if let Some(value) = self.keyword(keyword, value, depth + 1)? {
                translated.insert(keyword.clone(), value);
            }
        }
        self.leave_out_what_goes_the_other_way(schema, &mut translated);
        Ok(dialect::in_json_schema(schema, translated))
    }

    /// The value of a keyword; `None` when it is left out.
    fn keyword(
        &mut self,
        keyword: &str,
        value: &Value,
        depth: usize,
    ) -> Result<Option<Value>, String> {
        let translated = match (keyword, value) {
            ("$ref", Value::String(reference)) => json!(self.local(reference)?),
            ("properties" | "patternProperties" | "dependentSchemas", Value::Object(schemas)) => {
                let schemas = schemas
                    .iter()
                    .map(|(name, schema)| Ok((name.clone(), self.translate_at(schema, depth)?)));
                Value::Object(schemas.collect::<Result<Map<_, _>, String>>()?)
            }
            ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(schemas)) => {
                let schemas = schemas.iter().map(|schema| self.translate_at(schema, depth));
                Value::Array(schemas.collect::<Result<_, String>>()?)
            }
            (
                "items"
                | "additionalProperties"
                | "not"
                | "contains"
                | "propertyNames"
                | "if"
                | "then"
                | "else"
                | "unevaluatedItems"
                | "unevaluatedProperties"
                | "contentSchema",
                schema,
            ) => self.translate_at(schema, depth)?,
            (keyword, value) => return Ok(dialect::plain_keyword(keyword, value)),
        };
        Ok(Some(translated))
    }

    /// The same reference into the definitions.
    fn local(&mut self, reference: &str) -> Result<String, String> {
        if let Some(name) = self.names.get(reference) {
            return Ok(format!("#/$defs/{name}"));
        }
        self.document.target(reference)?;
        let last = reference.rsplit('/').next().unwrap_or_default();
        let allowed = |it: char| if it.is_ascii_alphanumeric() { it } else { '_' };
        let base: String = last.chars().map(allowed).collect();
        let taken = |name: &str| self.names.values().any(|known| known == name);
        let name = (1..)
            .map(|count| if count == 1 { base.clone() } else { format!("{base}_{count}") })
            .find(|name| !taken(name))
            .unwrap_or(base);
        self.names.insert(reference.to_owned(), name.clone());
        self.open.push(reference.to_owned());
        Ok(format!("#/$defs/{name}"))
    }

    fn leave_out_what_goes_the_other_way(
        &self,
        schema: &Map<String, Value>,
        translated: &mut Map<String, Value>,
    ) {
        let flag = match self.direction {
            Direction::Request => "readOnly",
            Direction::Response => "writeOnly",
        };
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
        let other_way: Vec<&String> = properties
            .iter()
            .filter(|(_, property)| {
                let property = self.document.resolve(property).unwrap_or(property);
                property.get(flag).and_then(Value::as_bool) == Some(true)
            })
            .map(|(name, _)| name)
            .collect();
        if let Some(Value::Object(kept)) = translated.get_mut("properties") {
            kept.retain(|name, _| !other_way.contains(&name));
        }
        let is_kept = |name: &Value| !other_way.iter().any(|other| name.as_str() == Some(*other));
        if let Some(Value::Array(required)) = translated.get_mut("required") {
            required.retain(is_kept);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing_alone(schemas: Value, schema: &Value, direction: Direction) -> (Value, Value) {
        let root = json!({"openapi": "3.0.3", "components": {"schemas": schemas}});
        let document = Document::new(root).unwrap_or_else(|reason| panic!("{reason}"));
        let mut builder = SchemaBuilder::new(&document, direction);
        let translated = builder.translate(schema).unwrap();
        (translated, Value::Object(builder.finish().unwrap()))
    }

    #[test]
    fn what_a_schema_refers_to_comes_along_however_it_goes_round() {
        let (schema, definitions) = standing_alone(
            json!({
                "Tree": {"type": "object", "properties": {
                    "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
                    "leaf": {"$ref": "#/components/schemas/Leaf.1"}}},
                "Leaf.1": {"type": "string", "nullable": true},
            }),
            &json!({"$ref": "#/components/schemas/Tree"}),
            Direction::Request,
        );
        assert_eq!(schema, json!({"$ref": "#/$defs/Tree"}));
        assert_eq!(
            definitions,
            json!({
                "Tree": {"type": "object", "properties": {
                    "children": {"type": "array", "items": {"$ref": "#/$defs/Tree"}},
                    "leaf": {"$ref": "#/$defs/Leaf_1"}}},
                "Leaf_1": {"type": ["string", "null"]},
            })
        );
    }

    #[test]
    fn what_is_read_only_is_not_asked_for_and_what_is_write_only_not_promised() {
        let schemas = json!({"Id": {"type": "string", "readOnly": true}});
        let schema = json!({"type": "object", "required": ["id", "name", "password"], "properties": {
            "id": {"$ref": "#/components/schemas/Id"},
            "name": {"type": "string"},
            "password": {"type": "string", "writeOnly": true}}});
        let names = |direction| {
            let (schema, _) = standing_alone(schemas.clone(), &schema, direction);
            let properties = schema["properties"].as_object().unwrap();
            (properties.keys().cloned().collect::<Vec<_>>(), schema["required"].clone())
        };
        let expected =
            (vec!["name".to_owned(), "password".to_owned()], json!(["name", "password"]));
        assert_eq!(names(Direction::Request), expected);
        let expected = (vec!["id".to_owned(), "name".to_owned()], json!(["id", "name"]));
        assert_eq!(names(Direction::Response), expected);
    }

    #[test]
    fn a_schema_without_end_and_one_that_is_not_there_are_refused() {
        let document =
            Document::new(json!({"openapi": "3.1.0"})).unwrap_or_else(|reason| panic!("{reason}"));
        let mut builder = SchemaBuilder::new(&document, Direction::Request);
        let deep = (0..200).fold(json!({}), |inner, _| json!({ "items": inner }));
        assert!(builder.translate(&deep).unwrap_err().contains("deeper"));
        let missing = json!({"$ref": "#/components/schemas/No"});
        assert!(builder.translate(&missing).unwrap_err().contains("#/components/schemas/No"));
    }
}
