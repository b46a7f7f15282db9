//! The path of an operation: filled with values that can't leave their place in it.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value};

use super::parameter::{Parameter, Place};
use super::writing;

/// How often a server behind another may decode a path, plus one.
const DECODINGS: usize = 3;

/// What a document may write into a path as it is, and a request may not (RFC 3986 §3.3).
const NO_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'|')
    .add(b'\\');

/// A path with expressions in braces.
#[derive(Debug, Clone)]
pub(super) struct PathTemplate {
    pieces: Vec<Piece>,
    /// What the path of the document has after a question mark.
    fixed_query: Option<String>,
}

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Value(Parameter),
}

impl PathTemplate {
    /// The path with the parameters that stand in it.
    pub(super) fn new<'a>(
        path: &str,
        parameters: impl Iterator<Item = &'a Parameter> + Clone,
    ) -> Result<Self, String> {
        if path.contains('#') {
            return Err("there is a `#` in its path, which no request can have".to_owned());
        }
        let (path, fixed_query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (path, None),
        };
        let mut pieces = Vec::new();
        let mut rest = path;
        while let Some((text, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else {
                return Err("a brace in its path is never closed".to_owned());
            };
            let mut in_path = parameters.clone().filter(|it| it.place == Place::Path);
            let Some(parameter) = in_path.find(|it| it.name == name) else {
                return Err(format!("nothing says what {{{name}}} in its path is"));
            };
            pieces.push(Piece::Text(as_path(text)));
            pieces.push(Piece::Value(parameter.clone()));
            rest = after;
        }
        pieces.push(Piece::Text(as_path(rest)));
        Ok(Self { pieces, fixed_query })
    }

    /// What the document itself asks for.
    pub(super) fn fixed_query(&self) -> Option<&str> {
        self.fixed_query.as_deref()
    }

    /// The path with these arguments in it, ready for a request.
    ///
    /// # Errors
    /// A text for the model, when a value is missing, or would be another path.
    pub(super) fn filled(&self, arguments: &Map<String, Value>) -> Result<String, String> {
        let mut path = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => path.push_str(text),
                Piece::Value(parameter) => path.push_str(&value_in_path(parameter, arguments)?),
            }
        }
        if path.split('/').any(is_dot_segment) {
            return Err("the arguments make a path with a `.` or `..` in it".to_owned());
        }
        Ok(path)
    }
}

fn as_path(text: &str) -> String {
    utf8_percent_encode(text, NO_PATH).to_string()
}

fn value_in_path(parameter: &Parameter, arguments: &Map<String, Value>) -> Result<String, String> {
    let name = &parameter.argument;
    let missing = || format!("argument `{name}` is missing, or empty, and stands in the path");
    let value = arguments.get(name).filter(|value| !value.is_null()).ok_or_else(missing)?;
    for text in texts(value) {
        if text.is_empty() {
            return Err(missing());
        }
        if text.chars().any(char::is_control) {
            return Err(format!("argument `{name}` has a control character in it"));
        }
        if leaves_its_place(&text) {
            return Err(format!("argument `{name}` has `.` or `..` as a step of a path in it"));
        }
    }
    let written = writing::in_path(&parameter.name, parameter.writing, value);
    if written.is_empty() { Err(missing()) } else { Ok(written) }
}

/// Every text in a value that is written into the path.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(writing::plain).collect(),
        Value::Object(members) => {
            members.iter().flat_map(|(key, value)| [key.clone(), writing::plain(value)]).collect()
        }
        single => vec![writing::plain(single)],
    }
}

/// Whether a server that decodes before it splits, or twice, could take it for a way up.
fn leaves_its_place(text: &str) -> bool {
    let mut text = text.to_owned();
    for _ in 0..DECODINGS {
        if text.split(['/', '\\']).any(|step| is_dots(step.split(';').next().unwrap_or_default())) {
            return true;
        }
        let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if decoded == text {
            return false;
        }
        text = decoded;
    }
    // Encoded more often than anybody means it.
    text.contains('%')
}

fn is_dots(step: &str) -> bool {
    matches!(step, "." | "..")
}

/// As a browser's URL parser sees it: `%2e` is a dot.
fn is_dot_segment(segment: &str) -> bool {
    is_dots(&segment.to_ascii_lowercase().replace("%2e", "."))
}

#[cfg(test)]
mod tests {
    use oas3::spec::ParameterStyle;
    use serde_json::json;

    use super::*;
    use crate::openapi::parameter::Writing;

    fn parameter(name: &str) -> Parameter {
        Parameter {
            argument: name.to_owned(),
            name: name.to_owned(),
            place: Place::Path,
            required: true,
            writing: Writing {
                style: ParameterStyle::Simple,
                explode: false,
                allow_reserved: true,
                as_json: false,
            },
        }
    }

    fn filled(path: &str, id: &Value) -> Result<String, String> {
        let parameters = [parameter("id")];
        let arguments = json!({ "id": id });
        PathTemplate::new(path, parameters.iter())?.filled(arguments.as_object().unwrap())
    }

    #[test]
    fn no_value_leaves_its_segment() {
        for (value, expected) in [
            ("a/b", "/x/a%2Fb/y"),
            ("a?b#c", "/x/a%3Fb%23c/y"),
            ("a%2fb", "/x/a%252fb/y"),
            ("...", "/x/.../y"),
            ("a;b=c", "/x/a%3Bb%3Dc/y"),
            ("ä 日", "/x/%C3%A4%20%E6%97%A5/y"),
            ("@evil.example:80", "/x/%40evil.example%3A80/y"),
            ("v1.2", "/x/v1.2/y"),
            ("100%", "/x/100%25/y"),
        ] {
            assert_eq!(filled("/x/{id}/y", &json!(value)), Ok(expected.to_owned()));
        }
        assert_eq!(filled("/x/{id}", &json!(["a/b", 2])), Ok("/x/a%2Fb,2".to_owned()));
    }

    #[test]
    fn ways_up_and_nothing_at_all_are_refused() {
        for value in [
            json!(""),
            json!(null),
            json!([]),
            json!("."),
            json!(".."),
            json!("../admin"),
            json!("a/../../b"),
            json!("..\\b"),
            json!("%2e%2e"),
            json!("%2E%2e%2fadmin"),
            json!("%252e%252e%252fadmin"),
            json!("..;/admin"),
            json!("a\r\nb"),
            json!("a\0"),
            json!(["a", ".."]),
            json!({"..": 1}),
            json!("%25252525252e"),
        ] {
            assert!(filled("/x/{id}/y", &value).is_err(), "{value}");
        }
        // Only together they are a way up.
        assert!(filled("/x/.{id}", &json!(".")).is_err());
    }

    #[test]
    fn a_path_that_can_be_no_request_is_refused() {
        assert!(filled("/a#b={id}", &json!("1")).unwrap_err().contains('#'));
        assert!(filled("/a/{other}", &json!("1")).unwrap_err().contains("{other}"));
        assert!(filled("/a/{id", &json!("1")).unwrap_err().contains("closed"));
    }
}
