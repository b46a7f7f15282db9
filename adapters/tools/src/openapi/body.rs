//! The body of a request: the argument `body` in the media type that the document asks for
//! (OpenAPI 3.1 §4.8.13, §4.8.14).

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use oas3::spec::{Encoding, ParameterStyle, RequestBody};
use serde_json::{Map, Value, json};

use super::document::Document;
use super::parameter::{Writing, typed};
use super::schema::SchemaBuilder;
use super::writing;

/// The name of the argument.
pub(super) const ARGUMENT: &str = "body";

/// How an operation takes its body.
#[derive(Debug, Clone)]
pub(super) struct Body {
    pub(super) required: bool,
    /// The `Content-Type`; of `multipart/form-data` the boundary comes to it.
    media_type: String,
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    Json,
    /// `application/x-www-form-urlencoded`.
    Pairs(BTreeMap<String, Writing>),
    /// `multipart/form-data`, with the properties that are bytes and the types of parts.
    Parts {
        bytes: BTreeSet<String>,
        types: BTreeMap<String, String>,
    },
    Text,
    /// Anything else, in base64.
    Bytes,
}

/// A body that can be sent, and sent again.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    Whole { media_type: String, bytes: Vec<u8> },
    Parts(Vec<Part>),
}

/// A part of `multipart/form-data`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    /// A file has a name, too.
    pub(super) is_file: bool,
    pub(super) media_type: Option<String>,
}

impl Body {
    /// The body that the document asks for, with its schema; `None` when it asks for none.
    pub(super) fn of(
        document: &Document,
        request_body: &Value,
        builder: &mut SchemaBuilder<'_>,
    ) -> Result<Option<(Self, Value)>, String> {
        let described = document.resolve(request_body)?;
        let Some(content) = described.get("content").and_then(Value::as_object) else {
            return Ok(None);
        };
        let parsed: RequestBody = typed(&without_schemas(described), "its body")?;
        let Some((name, rank)) = best(content) else { return Ok(None) };
        let schema = content.get(name).and_then(|media| media.get("schema"));
        let schema = schema.cloned().unwrap_or_else(|| json!({}));
        let encodings = parsed.content.get(name).map(|media| &media.encoding);
        let form = Form::of(rank, document, &schema, encodings);
        let media_type = if name.contains('*') { JSON } else { name };
        let body = Self {
            required: parsed.required.unwrap_or(false),
            media_type: media_type.to_owned(),
            form,
        };
        let schema = body.described(builder.translate(&schema)?, parsed.description);
        Ok(Some((body, schema)))
    }

    /// What the argument takes.
    fn described(&self, schema: Value, description: Option<String>) -> Value {
        let mut text = description.unwrap_or_default();
        let mut schema = match self.form {
            Form::Json | Form::Pairs(_) | Form::Parts { .. } => schema,
            Form::Text => json!({ "type": "string" }),
            Form::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
        };
        match &self.form {
            Form::Parts { bytes, .. } if !bytes.is_empty() => {
                let names: Vec<&str> = bytes.iter().map(String::as_str).collect();
                text.push_str(&format!(" In base64: {}.", names.join(", ")));
            }
            Form::Text => text.push_str(&format!(" A text of {}.", self.media_type)),
            Form::Bytes => text.push_str(&format!(" {}, in base64.", self.media_type)),
            _ => {}
        }
        if let Value::Object(schema) = &mut schema
            && !text.trim().is_empty()
            && !schema.contains_key("description")
        {
            schema.insert("description".to_owned(), json!(super::dialect::cut(text.trim(), 600)));
        }
        schema
    }

    /// The argument as a body.
    ///
    /// # Errors
    /// A text for the model.
    pub(super) fn content(&self, value: &Value) -> Result<Content, String> {
        let whole = |bytes| Content::Whole { media_type: self.media_type.clone(), bytes };
        Ok(match &self.form {
            Form::Json => whole(value.to_string().into_bytes()),
            Form::Text => whole(writing::plain(value).into_bytes()),
            Form::Bytes => whole(decoded(ARGUMENT, value)?),
            Form::Pairs(writings) => whole(form(members(value)?, writings).into_bytes()),
            Form::Parts { bytes, types } => {
                let single = members(value)?
                    .iter()
                    .flat_map(|(name, value)| each(value).into_iter().map(move |it| (name, it)));
                let parts = single.map(|(name, it)| part(name, it, bytes.contains(name), types));
                Content::Parts(parts.collect::<Result<_, _>>()?)
            }
        })
    }
}

const JSON: &str = "application/json";

impl Form {
    fn of(
        rank: Rank,
        document: &Document,
        schema: &Value,
        encodings: Option<&oas3::Map<String, Encoding>>,
    ) -> Self {
        let encodings = encodings.into_iter().flatten();
        match rank {
            Rank::Json => Self::Json,
            Rank::Text => Self::Text,
            Rank::Bytes => Self::Bytes,
            Rank::Pairs => {
                let pairs = encodings.filter_map(|(name, it)| Some((name.clone(), written(it)?)));
                Self::Pairs(pairs.collect())
            }
            Rank::Parts => {
                let types = encodings.filter_map(|(name, it)| {
                    let first = it.content_type.as_deref()?.split(',').next()?.trim().to_owned();
                    Some((name.clone(), first)).filter(|(_, first)| !first.contains('*'))
                });
                Self::Parts { bytes: properties_of_bytes(document, schema), types: types.collect() }
            }
        }
    }
}

/// Which of several media types is taken: the first of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Json,
    Pairs,
    Parts,
    Text,
    Bytes,
}

fn best(content: &Map<String, Value>) -> Option<(&str, Rank)> {
    content.keys().map(|name| (name.as_str(), rank(name))).min_by_key(|(_, rank)| *rank)
}

fn rank(media_type: &str) -> Rank {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        JSON | "*/*" | "application/*" => Rank::Json,
        json if json.ends_with("+json") => Rank::Json,
        "application/x-www-form-urlencoded" => Rank::Pairs,
        "multipart/form-data" => Rank::Parts,
        "application/xml"
        | "application/yaml"
        | "application/x-ndjson"
        | "application/graphql"
        | "application/sql" => Rank::Text,
        text if text.starts_with("text/") || text.ends_with("+xml") => Rank::Text,
        _ => Rank::Bytes,
    }
}

/// A copy that the parser's types can hold: schemas stay JSON, examples are of no use here.
fn without_schemas(described: &Value) -> Value {
    let mut copy = Map::new();
    for name in ["description", "required"] {
        if let Some(value) = described.get(name) {
            copy.insert(name.to_owned(), value.clone());
        }
    }
    let content = described.get("content").and_then(Value::as_object).into_iter().flatten();
    let content = content.map(|(name, media)| {
        let encodings = media.get("encoding").and_then(Value::as_object).into_iter().flatten();
        let encodings = encodings.map(|(name, encoding)| {
            let mut encoding = encoding.clone();
            if let Value::Object(members) = &mut encoding {
                members.remove("headers");
            }
            (name.clone(), encoding)
        });
        (name.clone(), json!({ "encoding": Value::Object(encodings.collect()) }))
    });
    copy.insert("content".to_owned(), Value::Object(content.collect()));
    Value::Object(copy)
}

/// How a property of a form is written, when the document says it.
fn written(encoding: &Encoding) -> Option<Writing> {
    if encoding.style.is_none() && encoding.explode.is_none() {
        return None;
    }
    let style = match encoding.style.as_deref() {
        Some("deepObject") => ParameterStyle::DeepObject,
        Some("spaceDelimited") => ParameterStyle::SpaceDelimited,
        Some("pipeDelimited") => ParameterStyle::PipeDelimited,
        _ => ParameterStyle::Form,
    };
    let explode = encoding.explode.unwrap_or(style == ParameterStyle::Form);
    Some(Writing { style, explode, allow_reserved: false, as_json: false })
}

fn properties_of_bytes(document: &Document, schema: &Value) -> BTreeSet<String> {
    let schema = document.resolve(schema).unwrap_or(schema);
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let are_bytes = |schema: &Value| {
        let schema = document.resolve(schema).unwrap_or(schema);
        let format = schema.get("format").and_then(Value::as_str);
        let media_type = schema.get("contentMediaType").and_then(Value::as_str);
        format == Some("binary") || media_type.is_some_and(|it| rank(it) == Rank::Bytes)
    };
    let names = properties.filter(|(_, property)| {
        let property = document.resolve(property).unwrap_or(property);
        are_bytes(property) || property.get("items").is_some_and(are_bytes)
    });
    names.map(|(name, _)| name.clone()).collect()
}

fn members(value: &Value) -> Result<&Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("argument `{ARGUMENT}` is no object"))
}

fn form(members: &Map<String, Value>, writings: &BTreeMap<String, Writing>) -> String {
    let pairs = members.iter().filter(|(_, value)| !value.is_null()).flat_map(|(name, value)| {
        let plain = Writing {
            style: ParameterStyle::Form,
            explode: true,
            allow_reserved: false,
            as_json: value.is_object(),
        };
        writing::pairs(name, writings.get(name).copied().unwrap_or(plain), value)
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// The items of an array, each of which is a part.
fn each(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        single => vec![single],
    }
}

fn part(
    name: &str,
    value: &Value,
    is_file: bool,
    types: &BTreeMap<String, String>,
) -> Result<Part, String> {
    let bytes = match is_file {
        true => decoded(&format!("{ARGUMENT}.{name}"), value)?,
        false => writing::plain(value).into_bytes(),
    };
    let of_json = value.is_object().then(|| JSON.to_owned());
    let media_type = types.get(name).cloned().or(of_json);
    Ok(Part { name: name.to_owned(), bytes, is_file, media_type })
}

fn decoded(argument: &str, value: &Value) -> Result<Vec<u8>, String> {
    let text = value.as_str().map(|text| BASE64_STANDARD.decode(text.trim()));
    match text {
        Some(Ok(bytes)) => Ok(bytes),
        _ => Err(format!("argument `{argument}` is no base64")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openapi::schema::Direction;

    fn body(content: Value) -> (Body, Value) {
        let document =
            Document::new(json!({"openapi": "3.0.0"})).unwrap_or_else(|reason| panic!("{reason}"));
        let mut builder = SchemaBuilder::new(&document, Direction::Request);
        Body::of(&document, &json!({ "content": content }), &mut builder).unwrap().unwrap()
    }

    fn sent(content: Value, value: &Value) -> (String, String) {
        match body(content).0.content(value).unwrap() {
            Content::Whole { media_type, bytes } => (media_type, String::from_utf8(bytes).unwrap()),
            Content::Parts(parts) => panic!("{parts:?}"),
        }
    }

    #[test]
    fn the_media_type_that_says_most_is_taken() {
        let value = json!({"a": 1});
        let (media_type, text) =
            sent(json!({"text/plain": {}, "application/vnd.a+json": {}}), &value);
        assert_eq!((media_type.as_str(), text.as_str()), ("application/vnd.a+json", "{\"a\":1}"));
        assert_eq!(sent(json!({"*/*": {}}), &value).0, "application/json");
        let (media_type, text) = sent(json!({"text/csv": {}}), &json!("a;b"));
        assert_eq!((media_type.as_str(), text.as_str()), ("text/csv", "a;b"));
        assert_eq!(sent(json!({"application/zip": {}}), &json!("aGk=")).1, "hi");
        let (zip, schema) = body(json!({"application/zip": {}}));
        assert_eq!(schema["contentEncoding"], "base64");
        assert!(zip.content(&json!("?")).unwrap_err().contains("base64"));
    }

    #[test]
    fn a_form_is_written_as_its_encoding_says() {
        let content = json!({"application/x-www-form-urlencoded": {
            "schema": {"type": "object"},
            "encoding": {"deep": {"style": "deepObject", "explode": true},
                         "flat": {"explode": false}}}});
        let value = json!({"a": "b&c", "deep": {"x": 1}, "flat": ["1", "2"], "json": {"y": "z"},
                           "list": [1, 2], "none": null});
        let expected = "a=b%26c&deep%5Bx%5D=1&flat=1,2&json=%7B%22y%22%3A%22z%22%7D&list=1&list=2";
        assert_eq!(sent(content, &value).1, expected);
    }

    #[test]
    fn parts_are_texts_files_and_json() {
        let content = json!({"multipart/form-data": {
            "schema": {"type": "object", "properties": {
                "file": {"type": "string", "format": "binary"},
                "more": {"type": "array", "items": {"type": "string", "format": "binary"}},
                "note": {"type": "string"}}},
            "encoding": {"file": {"contentType": "image/png, image/gif"}}}});
        let (body, schema) = body(content);
        assert!(schema["description"].as_str().unwrap().contains("file, more"));
        let value = json!({"file": "aGk=", "more": ["aGk=", "aGk="], "note": "n", "o": {"a": 1}});
        let Content::Parts(parts) = body.content(&value).unwrap() else { panic!("no parts") };
        let part = |name: &str, bytes: &str, is_file, media_type: Option<&str>| Part {
            name: name.to_owned(),
            bytes: bytes.as_bytes().to_vec(),
            is_file,
            media_type: media_type.map(str::to_owned),
        };
        assert_eq!(
            parts,
            [
                part("file", "hi", true, Some("image/png")),
                part("more", "hi", true, None),
                part("more", "hi", true, None),
                part("note", "n", false, None),
                part("o", "{\"a\":1}", false, Some("application/json")),
            ]
        );
        assert!(body.content(&json!({"file": "?"})).unwrap_err().contains("body.file"));
    }
}
