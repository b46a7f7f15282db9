//! The parameters of an operation: where each goes, how it is written there, and which argument it
//! takes (OpenAPI 3.1 §4.8.12).

use std::collections::BTreeSet;

use oas3::spec::{ParameterIn, ParameterStyle};
use serde_json::{Map, Value, json};

use super::dialect;
use super::document::{Document, Found};
use super::tool_name::argument_name;

/// Where a parameter goes, in the order in which they get their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Path,
    Query,
    Header,
    Cookie,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Writing {
    pub(super) style: ParameterStyle,
    pub(super) explode: bool,
    /// Characters with a meaning in a URL stay as they are, where that changes no meaning.
    pub(super) allow_reserved: bool,
    /// As one JSON text, whatever the style.
    pub(super) as_json: bool,
}

/// A parameter that an argument fills.
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    /// The name of the argument.
    pub(super) argument: String,
    /// The name in the request.
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) required: bool,
    pub(super) writing: Writing,
}

/// A parameter with what the document says of its values.
pub(super) struct Described {
    pub(super) parameter: Parameter,
    pub(super) description: Option<String>,
    pub(super) schema: Value,
}

/// What no argument may set: what the transport, the credentials and the operator say, and what
/// proxies and servers take for an instruction.
const FORBIDDEN_HEADERS: [&str; 25] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "origin",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-real-ip",
];

/// Families of such headers.
const FORBIDDEN_PREFIXES: [&str; 4] = ["proxy-", "sec-", "x-forwarded-", "x-original-"];

/// What the operator sets in every request, so that no argument does.
#[derive(Debug, Default)]
pub(super) struct Reserved {
    /// In small letters.
    pub(super) headers: BTreeSet<String>,
    pub(super) query: BTreeSet<String>,
}

impl Reserved {
    fn forbids(&self, name: &str, place: Place) -> bool {
        let lower = name.to_ascii_lowercase();
        match place {
            Place::Path => false,
            Place::Query => self.query.contains(name),
            Place::Cookie => self.headers.contains("cookie"),
            Place::Header => {
                self.headers.contains(&lower)
                    || FORBIDDEN_HEADERS.contains(&lower.as_str())
                    || FORBIDDEN_PREFIXES.iter().any(|prefix| lower.starts_with(prefix))
            }
        }
    }
}

/// The parameters of an operation, those of its path included, without what no argument may set.
pub(super) fn parameters_of(
    document: &Document,
    found: &Found<'_>,
    reserved: &Reserved,
    has_body: bool,
) -> Result<Vec<Described>, String> {
    let of = |object: &Map<String, Value>| match object.get("parameters") {
        Some(Value::Array(parameters)) => parameters.clone(),
        _ => Vec::new(),
    };
    let mut described: Vec<Described> = Vec::new();
    // What the operation says of a parameter goes before what the path says of it.
    for value in of(found.operation).iter().chain(&of(found.item)) {
        let one = describe(document.resolve(value)?)?;
        let same = |it: &Described| {
            it.parameter.name == one.parameter.name && it.parameter.place == one.parameter.place
        };
        if !described.iter().any(same) {
            described.push(one);
        }
    }
    described.retain(|it| !reserved.forbids(&it.parameter.name, it.parameter.place));
    described.sort_by(|left, right| {
        let key = |it: &Described| (it.parameter.place, it.parameter.name.clone());
        key(left).cmp(&key(right))
    });
    name_arguments(&mut described, has_body);
    Ok(described)
}

fn name_arguments(described: &mut [Described], has_body: bool) {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    if has_body {
        taken.insert("body".to_owned());
    }
    for one in described {
        let plain = argument_name(&one.parameter.name);
        let place = match one.parameter.place {
            Place::Path => "path",
            Place::Query => "query",
            Place::Header => "header",
            Place::Cookie => "cookie",
        };
        let placed = argument_name(&format!("{place}_{plain}"));
        let counted = (2..).map(|count| argument_name(&format!("{count}_{placed}")));
        let name =
            [plain, placed.clone()].into_iter().chain(counted).find(|it| !taken.contains(it));
        one.parameter.argument = name.unwrap_or_default();
        taken.insert(one.parameter.argument.clone());
    }
}

fn describe(value: &Value) -> Result<Described, String> {
    let Value::Object(members) = value else {
        return Err("a parameter is no object".to_owned());
    };
    let mut plain = members.clone();
    // Schemas stay JSON: a typed model would lose keywords. Examples are of no use here.
    let schema = plain.remove("schema");
    let content = plain.remove("content");
    plain.retain(|name, _| name != "example" && name != "examples");
    let parsed: oas3::spec::Parameter = typed(&Value::Object(plain), "a parameter")?;
    let place = match parsed.location {
        ParameterIn::Path => Place::Path,
        ParameterIn::Query => Place::Query,
        ParameterIn::Header => Place::Header,
        ParameterIn::Cookie => Place::Cookie,
    };
    let style = parsed.style.unwrap_or(match place {
        Place::Path | Place::Header => ParameterStyle::Simple,
        Place::Query | Place::Cookie => ParameterStyle::Form,
    });
    let content_schema = content.as_ref().and_then(Value::as_object).and_then(|content| {
        let (_, media) = content.iter().next()?;
        Some(media.get("schema").cloned().unwrap_or_else(|| json!({})))
    });
    let writing = Writing {
        style,
        explode: parsed.explode.unwrap_or(style == ParameterStyle::Form),
        allow_reserved: parsed.allow_reserved.unwrap_or(false),
        as_json: content_schema.is_some(),
    };
    let parameter = Parameter {
        argument: String::new(),
        name: parsed.name,
        place,
        required: parsed.required.unwrap_or(false) || place == Place::Path,
        writing,
    };
    let mut description = parsed.description;
    if parsed.deprecated == Some(true) {
        let text = description.unwrap_or_default();
        description = Some(format!("Deprecated. {text}").trim().to_owned());
    }
    let schema = content_schema.or(schema).unwrap_or_else(|| json!({}));
    Ok(Described { parameter, description, schema })
}

/// A part of the document in the parser's types, or where and why it is none.
pub(super) fn typed<T: serde::de::DeserializeOwned>(
    value: &Value,
    what: &str,
) -> Result<T, String> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let reason = dialect::cut(&error.inner().to_string(), 200);
        match (error.path().to_string().as_str(), value.get("name").and_then(Value::as_str)) {
            (".", None) => format!("{what} can't be read: {reason}"),
            (".", Some(name)) => format!("{what}, {name:?}, can't be read: {reason}"),
            (path, None) => format!("`{path}` of {what} can't be read: {reason}"),
            (path, Some(name)) => format!("`{path}` of {what}, {name:?}, can't be read: {reason}"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(parameters: Value, has_body: bool) -> Result<Vec<Described>, String> {
        let root = json!({"openapi": "3.0.0", "paths": {"/a": {
            "parameters": [{"name": "x", "in": "query", "description": "of the path"}],
            "get": {"parameters": parameters}}}});
        let document = Document::new(root).unwrap_or_else(|reason| panic!("{reason}"));
        let found = document.operations();
        let mut reserved = Reserved::default();
        reserved.headers.insert("x-api-key".to_owned());
        reserved.query.insert("key".to_owned());
        parameters_of(&document, &found[0], &reserved, has_body)
    }

    #[test]
    fn arguments_of_one_name_are_told_apart_by_their_place() {
        let parameters = json!([
            {"name": "id", "in": "header"}, {"name": "id", "in": "path"},
            {"name": "id", "in": "query"}, {"name": "body", "in": "query"},
            {"name": "x", "in": "query", "description": "of the operation"},
            {"name": "filter[a]", "in": "query"}, {"name": "filter_a", "in": "query"},
        ]);
        let described = described(parameters, true).unwrap();
        let names: Vec<&str> = described.iter().map(|it| it.parameter.argument.as_str()).collect();
        assert_eq!(
            names,
            ["id", "query_body", "filter_a", "query_filter_a", "query_id", "x", "header_id"]
        );
        assert_eq!(described[5].description.as_deref(), Some("of the operation"));
    }

    #[test]
    fn no_argument_sets_what_the_transport_the_credentials_or_the_operator_say() {
        let header = |name: &str| json!({"name": name, "in": "header", "required": true});
        let parameters = json!([
            header("Host"), header("AUTHORIZATION"), header("Cookie"), header("Content-Length"),
            header("X-Forwarded-For"), header("X-Api-Key"), header("Proxy-Authorization"),
            header("X-HTTP-Method-Override"), {"name": "key", "in": "query"}, header("X-Fine"),
        ]);
        let described = described(parameters, false).unwrap();
        let names: Vec<&str> = described.iter().map(|it| it.parameter.name.as_str()).collect();
        assert_eq!(names, ["x", "X-Fine"]);
    }

    #[test]
    fn a_parameter_that_is_none_is_named() {
        let refusal = described(json!([{"name": "a", "in": "body"}]), false).err().unwrap();
        assert!(refusal.contains("`in` of a parameter, \"a\""), "{refusal}");
    }
}
