//! What a request is about, as far as that must be authorized: read out of its params before the
//! engine reads them.

use std::borrow::Cow;

use mcp_oauth_core::domain::prompt::Completable;
use serde::Deserialize;
use serde_json::value::RawValue;

/// How many resources one client may watch at once.
pub(crate) const MOST_WATCHED: usize = 256;

/// Something that not everybody may use.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    /// A tool to call.
    Tool(Cow<'a, str>),
    /// A prompt to fill in.
    Prompt(Cow<'a, str>),
    /// A resource to read or to watch.
    Resource(Cow<'a, str>),
    /// Resources to watch.
    Resources(Vec<String>),
    /// What has an argument to complete.
    Completion(Completable),
}

/// A repeated member is an error in each of these, so that no parser can read another name than the
/// one that was authorized.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Located<'a> {
    #[serde(borrow)]
    uri: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Completed {
    r#ref: Reference,
}

#[derive(Deserialize)]
struct Reference {
    r#type: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    uri: Option<String>,
}

#[derive(Deserialize)]
struct Listened {
    notifications: Wanted,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    #[serde(default)]
    resource_subscriptions: Option<Vec<String>>,
}

impl<'a> Target<'a> {
    /// What the params of a method name, if it is a method that names something.
    ///
    /// # Errors
    /// What is wrong with the params.
    pub(crate) fn of(
        method: &str,
        params: Option<&'a RawValue>,
    ) -> Result<Option<Self>, &'static str> {
        let params = params.map_or("{}", RawValue::get);
        Ok(Some(match method {
            "tools/call" => Self::Tool(named(params)?),
            "prompts/get" => Self::Prompt(named(params)?),
            "resources/read" | "resources/subscribe" => {
                let located: Located<'a> = serde_json::from_str(params)
                    .map_err(|_| "\"params.uri\" must be one string")?;
                Self::Resource(located.uri)
            }
            "subscriptions/listen" => Self::Resources(listened(params)?),
            "completion/complete" => Self::Completion(completed(params)?),
            _ => return Ok(None),
        }))
    }
}

fn named(params: &str) -> Result<Cow<'_, str>, &'static str> {
    let params: Named<'_> =
        serde_json::from_str(params).map_err(|_| "\"params.name\" must be one string")?;
    let is_object = |arguments: &RawValue| arguments.get().starts_with('{');
    if !params.arguments.is_none_or(is_object) {
        return Err("\"params.arguments\" must be an object");
    }
    Ok(params.name)
}

fn listened(params: &str) -> Result<Vec<String>, &'static str> {
    let params: Listened = serde_json::from_str(params)
        .map_err(|_| "\"params.notifications\" must say what to be told of")?;
    let uris = params.notifications.resource_subscriptions.unwrap_or_default();
    if uris.len() > MOST_WATCHED {
        return Err("\"params.notifications.resourceSubscriptions\" are too many");
    }
    Ok(uris)
}

fn completed(params: &str) -> Result<Completable, &'static str> {
    let wrong = "\"params.ref\" must name a prompt or a resource template";
    let Completed { r#ref: reference } = serde_json::from_str(params).map_err(|_| wrong)?;
    match (reference.r#type.as_str(), reference.name, reference.uri) {
        ("ref/prompt", Some(name), _) => Ok(Completable::Prompt(name)),
        ("ref/resource", _, Some(uri)) => Ok(Completable::ResourceTemplate(uri)),
        _ => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target<'a>(method: &str, params: &'a RawValue) -> Result<Option<Target<'a>>, &'static str> {
        Target::of(method, Some(params))
    }

    fn raw(params: &str) -> Box<RawValue> {
        RawValue::from_string(params.to_owned()).unwrap()
    }

    #[test]
    fn every_method_that_names_something_is_known_to() {
        for (method, params, expected) in [
            ("tools/call", r#"{"name":"a"}"#, Target::Tool("a".into())),
            ("prompts/get", r#"{"name":"a","arguments":{}}"#, Target::Prompt("a".into())),
            ("resources/read", r#"{"uri":"a:b"}"#, Target::Resource("a:b".into())),
            ("resources/subscribe", r#"{"uri":"a:b"}"#, Target::Resource("a:b".into())),
            (
                "subscriptions/listen",
                r#"{"notifications":{"resourceSubscriptions":["a:b","c:d"]}}"#,
                Target::Resources(vec!["a:b".to_owned(), "c:d".to_owned()]),
            ),
            (
                "completion/complete",
                r#"{"ref":{"type":"ref/prompt","name":"a"},"argument":{}}"#,
                Target::Completion(Completable::Prompt("a".to_owned())),
            ),
            (
                "completion/complete",
                r#"{"ref":{"type":"ref/resource","uri":"a:{b}"}}"#,
                Target::Completion(Completable::ResourceTemplate("a:{b}".to_owned())),
            ),
        ] {
            assert_eq!(target(method, &raw(params)), Ok(Some(expected)), "{method} {params}");
        }
        assert_eq!(target("tools/list", &raw("{}")), Ok(None));
        assert_eq!(target("resources/unsubscribe", &raw(r#"{"uri":"a:b"}"#)), Ok(None));
    }

    #[test]
    fn two_names_are_none() {
        for (method, params) in [
            ("tools/call", r#"{"name":"a","name":"b"}"#),
            ("prompts/get", r#"{"name":"a","name":"b"}"#),
            ("resources/read", r#"{"uri":"a","uri":"b"}"#),
            ("subscriptions/listen", r#"{"notifications":{},"notifications":{}}"#),
            (
                "subscriptions/listen",
                r#"{"notifications":{"resourceSubscriptions":[],"resourceSubscriptions":["a"]}}"#,
            ),
            ("completion/complete", r#"{"ref":{"type":"ref/prompt","name":"a","name":"b"}}"#),
            ("completion/complete", r#"{"ref":{"type":"ref/prompt","uri":"a"}}"#),
        ] {
            assert!(target(method, &raw(params)).is_err(), "{method} {params}");
        }
    }
}
