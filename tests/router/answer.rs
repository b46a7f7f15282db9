//! What came back, read as its receiver would: JSON, a challenge, a redirect, a page with a form.

use std::collections::BTreeMap;

use poem::http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::parameters::Parameters;

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// The form of a page.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) action: String,
    /// The values it carries before anybody fills it in.
    pub(crate) fields: Parameters,
}

/// Where a redirect leads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Location {
    /// Everything before the query.
    pub(crate) address: String,
    pub(crate) query: Parameters,
}

/// An access token and the refresh token that came with it.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Answer {
    /// The only value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let only = values.next().map(|value| value.to_str().unwrap());
        assert_eq!(values.next(), None, "{name} is there twice");
        only
    }

    /// The same answer, whose status has to be this one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{} {:?}", self.body, self.headers);
        self
    }

    /// The body, which has to be JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }

    /// The body, which has to be a page for a person.
    #[track_caller]
    pub(crate) fn page(&self) -> &str {
        assert_eq!(self.header("content-type"), Some("text/html; charset=utf-8"), "{}", self.body);
        &self.body
    }

    /// Asserts the error document of RFC 6749 §5.2, which nobody may keep.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, error: &str) {
        let document = self.json();
        assert_eq!(
            (self.status.as_u16(), &document["error"]),
            (status, &error.into()),
            "{document}"
        );
        assert_eq!(self.header("cache-control"), Some("no-store"));
        assert_legible(document["error_description"].as_str().unwrap());
    }

    /// Asserts a page that goes nowhere (OAuth 2.1 §4.1.2.1).
    #[track_caller]
    pub(crate) fn refused_on_a_page(&self, status: u16) {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert_eq!(self.header("location"), None);
        assert!(self.page().contains("This did not work"), "{}", self.body);
    }

    /// Where the redirect leads, which has to be 303.
    #[track_caller]
    pub(crate) fn location(&self) -> Location {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        let location = self.header("location").unwrap();
        let (address, query) = location.split_once('?').unwrap_or((location, ""));
        Location { address: address.to_owned(), query: Parameters::decoded(query) }
    }

    /// The tokens of a successful token request.
    #[track_caller]
    pub(crate) fn tokens(&self) -> Tokens {
        let document = self.json();
        let text = |name: &str| document[name].as_str().unwrap_or_else(|| panic!("{document}"));
        Tokens {
            access: text("access_token").to_owned(),
            refresh: text("refresh_token").to_owned(),
        }
    }

    /// The access token of a successful request.
    #[track_caller]
    pub(crate) fn access_token(&self) -> String {
        let document = self.json();
        document["access_token"].as_str().unwrap_or_else(|| panic!("{document}")).to_owned()
    }

    /// The JSON-RPC message of the body, in one piece or as the last event of a stream.
    #[track_caller]
    pub(crate) fn message(&self) -> Value {
        if self.header("content-type") != Some("text/event-stream") {
            return self.json();
        }
        let data = self.body.lines().filter_map(|line| line.strip_prefix("data:")).next_back();
        serde_json::from_str(data.unwrap()).unwrap()
    }

    /// The text of a tool's answer.
    #[track_caller]
    pub(crate) fn tool_text(&self) -> String {
        let message = self.message();
        let text = message["result"]["content"][0]["text"].as_str();
        text.unwrap_or_else(|| panic!("{message}")).to_owned()
    }

    /// The attributes of the one Bearer challenge, each of which is there once (RFC 6750 §3).
    #[track_caller]
    pub(crate) fn challenge(&self) -> BTreeMap<String, String> {
        let header = self.header("www-authenticate").unwrap();
        let attributes = header.strip_prefix("Bearer ").unwrap_or_else(|| panic!("{header}"));
        let mut read = BTreeMap::new();
        let mut rest = attributes;
        while !rest.is_empty() {
            let (name, quoted) = rest.split_once("=\"").unwrap_or_else(|| panic!("{header}"));
            let (value, after) = quoted.split_once('"').unwrap_or_else(|| panic!("{header}"));
            assert!(!value.contains('\\'), "{header}");
            assert_eq!(read.insert(name.to_owned(), value.to_owned()), None, "{header}");
            rest = after.strip_prefix(", ").unwrap_or(after);
        }
        read
    }

    /// The only form of the page.
    #[track_caller]
    pub(crate) fn form(&self) -> Form {
        let page = self.page();
        assert_eq!(page.matches("<form").count(), 1, "{page}");
        let form = attributes(page.split_once("<form").unwrap().1);
        assert_eq!(form["method"], "post");
        let mut fields = Parameters::default();
        for tag in page.split("<input").skip(1).map(attributes) {
            let value = tag.get("value").map_or("", String::as_str);
            fields = fields.and(&tag["name"], value);
        }
        Form { action: form["action"].clone(), fields }
    }
}

/// The characters RFC 6749 §5.2 allows in an `error_description`.
#[track_caller]
pub(crate) fn assert_legible(description: &str) {
    let allowed = |c: char| matches!(c, '\x20'..='\x21' | '\x23'..='\x5B' | '\x5D'..='\x7E');
    assert!(!description.is_empty() && description.chars().all(allowed), "{description}");
}

/// The attributes of the tag whose name `rest` follows.
fn attributes(rest: &str) -> BTreeMap<String, String> {
    let mut read = BTreeMap::new();
    let mut rest = rest;
    loop {
        rest = rest.trim_start();
        let end = rest.find(['=', '>', ' ']).unwrap();
        let name = rest[..end].to_owned();
        match &rest[end..=end] {
            "=" => {
                let (value, after) = rest[end + 2..].split_once('"').unwrap();
                read.insert(name, unescaped(value));
                rest = after;
            }
            " " => {
                read.insert(name, String::new());
                rest = &rest[end..];
            }
            _ => return read,
        }
    }
}

/// Text as a person sees it.
pub(crate) fn unescaped(html: &str) -> String {
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")];
    let coded = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    let all = named.iter().chain(&coded);
    all.fold(html.to_owned(), |text, (entity, meant)| text.replace(entity, meant))
}
