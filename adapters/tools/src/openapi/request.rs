//! A request from a plan and arguments: to the operator's server and nowhere else.

use std::str::FromStr;

use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, HeaderName, HeaderValue};
use http::{HeaderMap, Method};
use reqwest::Request;
use reqwest::multipart;
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

use super::body::{self, Content, Part};
use super::operation::Plan;
use super::parameter::Place;
use super::writing;

/// What is preferred of several media types.
const ACCEPTED: &str = "application/json, text/*;q=0.9, */*;q=0.5";

/// A request that lacks only what authenticates it, and can be sent again.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    method: Method,
    url: Url,
    headers: HeaderMap,
    content: Option<Content>,
}

/// The request for these arguments.
///
/// # Errors
/// A text for the model, when an argument can't be sent.
pub(super) fn prepare(plan: &Plan, arguments: &Map<String, Value>) -> Result<Prepared, String> {
    let mut query: Vec<String> = plan.path.fixed_query().map(str::to_owned).into_iter().collect();
    let mut cookies = Vec::new();
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static(ACCEPTED));
    for parameter in &plan.parameters {
        let given = arguments.get(&parameter.argument).filter(|value| !value.is_null());
        let Some(value) = given else {
            if parameter.required {
                return Err(format!("argument `{}` is missing", parameter.argument));
            }
            continue;
        };
        match parameter.place {
            Place::Path => {}
            Place::Query => query.extend(writing::pairs(&parameter.name, parameter.writing, value)),
            Place::Cookie => {
                cookies.extend(writing::pairs(&parameter.name, parameter.writing, value));
            }
            Place::Header => {
                let text = writing::in_header(parameter.writing, value);
                let (name, value) = header(&parameter.name, &text)
                    .map_err(|reason| format!("argument `{}` {reason}", parameter.argument))?;
                headers.insert(name, value);
            }
        }
    }
    if !cookies.is_empty() {
        let (name, value) = header(COOKIE.as_str(), &cookies.join("; "))?;
        headers.insert(name, value);
    }
    if let Some(name) = plan.own_query.iter().find(|name| query.iter().any(|it| is_of(it, name))) {
        return Err(format!(
            "an argument would be {name:?} in the query, which is not for callers"
        ));
    }
    let content = content(plan, arguments)?;
    let url = url(plan, &plan.path.filled(arguments)?, &query)?;
    Ok(Prepared { method: plan.method.clone(), url, headers, content })
}

fn content(plan: &Plan, arguments: &Map<String, Value>) -> Result<Option<Content>, String> {
    let Some(body) = &plan.body else { return Ok(None) };
    match arguments.get(body::ARGUMENT) {
        Some(value) => body.content(value).map(Some),
        None if body.required => Err(format!("argument `{}` is missing", body::ARGUMENT)),
        None => Ok(None),
    }
}

/// Whether a piece of a query gives this parameter a value, however it is spelled: the members of an
/// object are parameters whose names the caller chooses.
fn is_of(piece: &str, name: &str) -> bool {
    form_urlencoded::parse(piece.as_bytes()).any(|(given, _)| given == name)
}

/// A header that is one line.
fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let name = HeaderName::from_str(name)
        .map_err(|_| format!("would be the header {name:?}, which is no name of one"))?;
    let value = HeaderValue::from_str(value)
        .map_err(|_| "has characters that no header has, such as a line break".to_owned())?;
    Ok((name, value))
}

/// The URL, which is what it was meant to be however a URL parser sees it.
fn url(plan: &Plan, path: &str, query: &[String]) -> Result<Url, String> {
    let base = plan.base.path().trim_end_matches('/');
    let path = format!("{base}{path}");
    let mut address = format!("{}{path}", plan.base.origin().ascii_serialization());
    if !query.is_empty() {
        address = format!("{address}?{}", query.join("&"));
    }
    let is_meant = |url: &Url| {
        url.origin() == plan.base.origin() && url.fragment().is_none() && url.path() == path
    };
    let url = Url::parse(&address).ok().filter(is_meant);
    url.ok_or_else(|| "the arguments make an address that is not the operation's".to_owned())
}

impl Prepared {
    /// What the method is.
    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    /// The request with these headers, which go before those of arguments, and with this in its
    /// query.
    pub(super) fn request(
        &self,
        own_headers: &HeaderMap,
        own_query: Option<(&str, &str)>,
    ) -> Result<Request, String> {
        let mut url = self.url.clone();
        if let Some((name, value)) = own_query {
            url.query_pairs_mut().append_pair(name, value);
        }
        let mut request = Request::new(self.method.clone(), url);
        *request.headers_mut() = self.headers.clone();
        match &self.content {
            None => {}
            Some(Content::Whole { media_type, bytes }) => {
                let (name, value) = header(CONTENT_TYPE.as_str(), media_type)?;
                request.headers_mut().insert(name, value);
                *request.body_mut() = Some(bytes.clone().into());
            }
            Some(Content::Parts(parts)) => with_parts(&mut request, parts)?,
        }
        for (name, value) in own_headers {
            request.headers_mut().insert(name, value.clone());
        }
        Ok(request)
    }
}

fn with_parts(request: &mut Request, parts: &[Part]) -> Result<(), String> {
    let mut form = multipart::Form::new();
    for part in parts {
        let mut one = multipart::Part::bytes(part.bytes.clone());
        if part.is_file {
            one = one.file_name(part.name.clone());
        }
        if let Some(media_type) = &part.media_type {
            one = one
                .mime_str(media_type)
                .map_err(|_| format!("{media_type:?} is no media type of a part"))?;
        }
        form = form.part(part.name.clone(), one);
    }
    let media_type = format!("multipart/form-data; boundary={}", form.boundary());
    let (name, value) = header(CONTENT_TYPE.as_str(), &media_type)?;
    request.headers_mut().insert(name, value);
    *request.body_mut() = Some(reqwest::Body::wrap_stream(form.into_stream()));
    Ok(())
}
