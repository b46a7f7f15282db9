//! Telling an upstream server who is calling, and never with which token.

use std::fmt::Write;

use http::{HeaderName, HeaderValue};
use mcp_oauth_core::domain::principal::Principal;
use serde_json::{Map, Value};

/// The member of `_meta`.
pub(super) const META_KEY: &str = "mcp-oauth-server/caller";

/// No text about a caller is longer.
const MOST_BYTES: usize = 1024;

/// Headers of one request.
#[derive(Debug, Clone, Default)]
pub(super) struct CallerHeaders(pub(super) Vec<(HeaderName, HeaderValue)>);

/// `subject` and `issuer`, and `client` and `email` when known. The address is one the provider
/// verified.
pub(super) fn meta(caller: &Principal) -> Value {
    let members = facts(caller).into_iter().map(|(name, text)| (name.to_owned(), text.into()));
    Value::Object(members.collect::<Map<_, _>>())
}

/// The same in headers. What is not visible ASCII, and `%`, is in percent-encoding (RFC 3986 §2.1).
pub(super) fn headers(caller: &Principal) -> CallerHeaders {
    let header = |(name, text): (&str, String)| {
        let name = match name {
            "subject" => "x-caller-subject",
            "issuer" => "x-caller-issuer",
            "client" => "x-caller-client",
            _ => "x-caller-email",
        };
        let value = HeaderValue::from_str(&encoded(&text)).ok()?;
        Some((HeaderName::from_static(name), value))
    };
    CallerHeaders(facts(caller).into_iter().filter_map(header).collect())
}

fn facts(caller: &Principal) -> Vec<(&'static str, String)> {
    let known = [
        ("subject", Some(caller.subject.as_str().to_owned())),
        ("issuer", Some(caller.issuer.as_str().to_owned())),
        ("client", caller.client.as_ref().map(ToString::to_string)),
        ("email", caller.verified_email.clone()),
    ];
    let fits = |(name, text): (&'static str, Option<String>)| {
        text.filter(|text| text.len() <= MOST_BYTES).map(|text| (name, text))
    };
    known.into_iter().filter_map(fits).collect()
}

fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if matches!(byte, 0x21..=0x7E) && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            // Writing into a String never fails.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
