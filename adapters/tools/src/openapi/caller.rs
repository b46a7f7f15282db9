//! Telling an operation who is calling.

use http::header::HeaderValue;
use mcp_oauth_core::domain::principal::Principal;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What could be more than a value in a header, and the sign of the encoding itself.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%').add(b',').add(b';').add(b'\\');

/// The subject, percent-encoded where it is more than visible ASCII or [`ENCODED`].
pub(super) fn header_value(caller: &Principal) -> Option<HeaderValue> {
    let text = utf8_percent_encode(caller.subject.as_str(), ENCODED).to_string();
    HeaderValue::from_str(&text).ok()
}
