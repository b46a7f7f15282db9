//! What a client is willing to receive, read leniently: `*/*`, `application/*` and no header at all
//! are common among clients, and the engine wants both media types spelled out.

use http::HeaderMap;
use http::header::ACCEPT;

/// The media type of an answer in one piece.
pub(crate) const JSON: &str = "application/json";

/// The media type of a stream.
pub(crate) const EVENT_STREAM: &str = "text/event-stream";

/// Whether the client takes at least one of `offered`; one that does not say takes anything
/// (RFC 9110 §12.5.1).
pub(crate) fn accepts(headers: &HeaderMap, offered: &[&str]) -> bool {
    if !headers.contains_key(ACCEPT) {
        return true;
    }
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut ranges = values.flat_map(|value| value.split(','));
    ranges.any(|range| offered.iter().any(|offer| includes(range, offer)))
}

/// Whether a media range such as `text/*;q=0.5` includes a media type.
fn includes(range: &str, media_type: &str) -> bool {
    let mut parts = range.split(';');
    let essence = parts.next().unwrap_or_default().trim();
    if parts.any(is_zero_quality) {
        return false;
    }
    let family = media_type.split('/').next().unwrap_or_default();
    essence == "*/*"
        || essence.eq_ignore_ascii_case(media_type)
        || essence.strip_suffix("/*").is_some_and(|range| range.eq_ignore_ascii_case(family))
}

fn is_zero_quality(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let value = value.trim();
    name.trim().eq_ignore_ascii_case("q")
        && value.starts_with('0')
        && value.bytes().all(|byte| matches!(byte, b'0' | b'.'))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn accepted(value: &'static str, offered: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(value));
        accepts(&headers, offered)
    }

    #[test]
    fn a_range_or_no_header_takes_everything_in_it() {
        assert!(accepts(&HeaderMap::new(), &[JSON]));
        for value in ["*/*", "application/*", "text/html, */*;q=0.1", "Application/JSON; q=0.9"] {
            assert!(accepted(value, &[JSON, EVENT_STREAM]), "{value}");
        }
        assert!(accepted("text/*", &[EVENT_STREAM]));
    }

    #[test]
    fn a_client_that_excludes_what_is_offered_takes_nothing() {
        for value in ["text/html", "application/xml", "*/*;q=0", "application/json;q=0.0", ""] {
            assert!(!accepted(value, &[JSON, EVENT_STREAM]), "{value}");
        }
        assert!(!accepted("application/json", &[EVENT_STREAM]));
    }
}
