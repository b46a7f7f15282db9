//! Values in a URL, a header, a cookie and a form (OpenAPI 3.1 §4.8.12.3, style values), encoded so
//! that none of them is more than a value there.

use oas3::spec::ParameterStyle;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::parameter::Writing;

/// All but what means nothing anywhere in a URL (RFC 3986 §2.3).
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// With `allowReserved`, what means nothing within a query stays, too.
const RESERVED_VALUE: &AsciiSet = &VALUE
    .remove(b':')
    .remove(b'/')
    .remove(b'?')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b',')
    .remove(b';');

/// A text as nothing but a value.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, VALUE).to_string()
}

/// One value as text; what has parts is JSON.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// A value in a path, without the slashes around it.
pub(super) fn in_path(name: &str, writing: Writing, value: &Value) -> String {
    let name = encoded(name);
    let (start, between) = match writing.style {
        ParameterStyle::Label => (".".to_owned(), if writing.explode { "." } else { "," }),
        ParameterStyle::Matrix if writing.explode => (";".to_owned(), ";"),
        ParameterStyle::Matrix => (format!(";{name}="), ","),
        _ => (String::new(), ","),
    };
    let each_named = writing.style == ParameterStyle::Matrix && writing.explode;
    let item = |value: &Value| match each_named {
        true => format!("{name}={}", encoded(&plain(value))),
        false => encoded(&plain(value)),
    };
    let parts: Vec<String> = match value {
        _ if writing.as_json => vec![encoded(&value.to_string())],
        Value::Array(items) => items.iter().map(item).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| {
                let equals = if writing.explode { "=" } else { "," };
                format!("{}{equals}{}", encoded(key), encoded(&plain(value)))
            })
            .collect(),
        single => vec![item(single)],
    };
    format!("{start}{}", parts.join(between))
}

/// A value in a header: as it is, for a header has no encoding of its own.
pub(super) fn in_header(writing: Writing, value: &Value) -> String {
    match value {
        _ if writing.as_json => value.to_string(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        Value::Object(members) => {
            let equals = if writing.explode { "=" } else { "," };
            let pair = |(key, value): (&String, &Value)| format!("{key}{equals}{}", plain(value));
            members.iter().map(pair).collect::<Vec<_>>().join(",")
        }
        single => plain(single),
    }
}

/// A value in a query, a form or a cookie: pairs of name and value, ready to be joined.
pub(super) fn pairs(name: &str, writing: Writing, value: &Value) -> Vec<String> {
    let pair = |name: &str, value: &Value| {
        format!("{}={}", encoded(name), in_query(&plain(value), writing))
    };
    if writing.as_json {
        return vec![format!("{}={}", encoded(name), encoded(&value.to_string()))];
    }
    match (value, writing.style) {
        (Value::Array(_) | Value::Object(_), ParameterStyle::DeepObject) => {
            let mut deep = Vec::new();
            deepen(name, writing, value, &mut deep);
            deep
        }
        (Value::Array(items), _) if writing.explode => {
            items.iter().map(|item| pair(name, item)).collect()
        }
        (Value::Object(members), _) if writing.explode => {
            members.iter().map(|(key, value)| pair(key, value)).collect()
        }
        (Value::Array(items), style) => joined(name, style, items.iter().map(plain), writing),
        (Value::Object(members), style) => {
            let flat = members.iter().flat_map(|(key, value)| [key.clone(), plain(value)]);
            joined(name, style, flat, writing)
        }
        (single, _) => vec![pair(name, single)],
    }
}

fn in_query(text: &str, writing: Writing) -> String {
    match writing.allow_reserved {
        true => utf8_percent_encode(text, RESERVED_VALUE).to_string(),
        false => encoded(text),
    }
}

fn joined(
    name: &str,
    style: ParameterStyle,
    items: impl Iterator<Item = String>,
    writing: Writing,
) -> Vec<String> {
    let between = match style {
        ParameterStyle::SpaceDelimited => "%20",
        ParameterStyle::PipeDelimited => "%7C",
        _ => ",",
    };
    let items: Vec<String> = items.map(|item| in_query(&item, writing)).collect();
    vec![format!("{}={}", encoded(name), items.join(between))]
}

/// `name[key]=value`, as deep as the value goes; the items of an array under `name[]`.
fn deepen(name: &str, writing: Writing, value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                deepen(&format!("{name}[{key}]"), writing, value, into);
            }
        }
        Value::Array(items) => {
            for item in items {
                deepen(&format!("{name}[]"), writing, item, into);
            }
        }
        single => into.push(format!("{}={}", encoded(name), in_query(&plain(single), writing))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn writing(style: ParameterStyle, explode: bool) -> Writing {
        Writing { style, explode, allow_reserved: false, as_json: false }
    }

    /// The examples of the specification, OpenAPI 3.1 §4.8.12.4.
    #[test]
    fn a_path_is_written_in_each_style() {
        use ParameterStyle::{Label, Matrix, Simple};
        let array = json!(["blue", "black", "brown"]);
        let object = json!({"B": 150, "G": 200, "R": 100});
        for (style, explode, of_text, of_array, of_object) in [
            (Matrix, false, ";color=blue", ";color=blue,black,brown", ";color=B,150,G,200,R,100"),
            (
                Matrix,
                true,
                ";color=blue",
                ";color=blue;color=black;color=brown",
                ";B=150;G=200;R=100",
            ),
            (Label, false, ".blue", ".blue,black,brown", ".B,150,G,200,R,100"),
            (Label, true, ".blue", ".blue.black.brown", ".B=150.G=200.R=100"),
            (Simple, false, "blue", "blue,black,brown", "B,150,G,200,R,100"),
            (Simple, true, "blue", "blue,black,brown", "B=150,G=200,R=100"),
        ] {
            let write = |value: &Value| in_path("color", writing(style, explode), value);
            assert_eq!(write(&json!("blue")), of_text);
            assert_eq!(write(&array), of_array);
            assert_eq!(write(&object), of_object);
        }
    }

    #[test]
    fn a_query_is_written_in_each_style() {
        use ParameterStyle::{DeepObject, Form, PipeDelimited, SpaceDelimited};
        let array = json!(["blue", "bl,ack"]);
        let object = json!({"G": 200, "R": [1, {"x": "&"}]});
        for (style, explode, of_array, of_object) in [
            (
                Form,
                true,
                "color=blue&color=bl%2Cack",
                "G=200&R=%5B1%2C%7B%22x%22%3A%22%26%22%7D%5D",
            ),
            (
                Form,
                false,
                "color=blue,bl%2Cack",
                "color=G,200,R,%5B1%2C%7B%22x%22%3A%22%26%22%7D%5D",
            ),
            (
                SpaceDelimited,
                false,
                "color=blue%20bl%2Cack",
                "color=G%20200%20R%20%5B1%2C%7B%22x%22%3A%22%26%22%7D%5D",
            ),
            (
                PipeDelimited,
                false,
                "color=blue%7Cbl%2Cack",
                "color=G%7C200%7CR%7C%5B1%2C%7B%22x%22%3A%22%26%22%7D%5D",
            ),
            (
                DeepObject,
                true,
                "color%5B%5D=blue&color%5B%5D=bl%2Cack",
                "color%5BG%5D=200&color%5BR%5D%5B%5D=1&color%5BR%5D%5B%5D%5Bx%5D=%26",
            ),
        ] {
            let write = |value: &Value| pairs("color", writing(style, explode), value).join("&");
            assert_eq!(write(&array), of_array);
            assert_eq!(write(&object), of_object);
            assert_eq!(write(&json!("a&b=c#d+e")), "color=a%26b%3Dc%23d%2Be");
        }
    }

    #[test]
    fn reserved_characters_stay_only_where_they_mean_nothing() {
        let writing = Writing { allow_reserved: true, ..writing(ParameterStyle::Form, true) };
        let written = pairs("u", writing, &json!("https://a.example/?x=1&y#z+ %"));
        assert_eq!(written, ["u=https://a.example/?x%3D1%26y%23z%2B%20%25"]);
    }

    #[test]
    fn content_is_written_as_json() {
        let writing = Writing { as_json: true, ..writing(ParameterStyle::Form, true) };
        assert_eq!(pairs("q", writing, &json!({"a": 1})), ["q=%7B%22a%22%3A1%7D"]);
        assert_eq!(in_header(writing, &json!(["a"])), "[\"a\"]");
    }
}
