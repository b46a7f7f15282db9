//! How long an answer may be kept, by its headers (RFC 9111).

use std::time::Duration;

use reqwest::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, HeaderMap, HeaderName};

/// How much longer the answer is fresh; `None` when it does not say.
pub(crate) fn fresh_for(headers: &HeaderMap) -> Option<Duration> {
    let directives = || {
        let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).map(|directive| directive.trim().to_lowercase())
    };
    let never = |directive: String| {
        // A field list behind `=` does not matter: with one, the answer is not to be reused either.
        let name = directive.split('=').next().unwrap_or_default().to_owned();
        matches!(name.as_str(), "no-store" | "no-cache" | "private")
    };
    if directives().any(never) {
        return Some(Duration::ZERO);
    }
    let max_age = directives().find_map(|directive| {
        directive.strip_prefix("max-age=").map(|seconds| seconds.trim_matches('"').to_owned())
    });
    if let Some(seconds) = max_age {
        // One that can't be read is stale (RFC 9111 §4.2.1).
        let fresh = Duration::from_secs(seconds.parse().unwrap_or(0));
        return Some(fresh.saturating_sub(age(headers)));
    }
    let expires = text(headers, EXPIRES)?;
    let fresh = httpdate::parse_http_date(expires).ok().and_then(|expires| {
        let date = httpdate::parse_http_date(text(headers, DATE)?).ok()?;
        expires.duration_since(date).ok()
    });
    // `Expires: 0` and the like mean the past (RFC 9111 §5.3).
    Some(fresh.unwrap_or_default().saturating_sub(age(headers)))
}

/// How long ago the answer left its origin, when a cache is in between (RFC 9111 §5.1).
fn age(headers: &HeaderMap) -> Duration {
    let seconds = text(headers, AGE).and_then(|age| age.trim().parse().ok());
    Duration::from_secs(seconds.unwrap_or(0))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(&'static str, &str)]) -> Option<u64> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        fresh_for(&map).map(|fresh| fresh.as_secs())
    }

    #[test]
    fn ci_11_the_headers_say_how_long_an_answer_is_fresh() {
        const DATE: (&str, &str) = ("date", "Tue, 24 Nov 2026 10:00:00 GMT");
        const LATER: (&str, &str) = ("expires", "Tue, 24 Nov 2026 10:05:00 GMT");
        for (headers, fresh) in [
            (vec![], None),
            (vec![("cache-control", "public")], None),
            (vec![("cache-control", "public, max-age=300")], Some(300)),
            (vec![("cache-control", "Max-Age=\"300\"")], Some(300)),
            (vec![("cache-control", "public"), ("cache-control", "max-age=300")], Some(300)),
            (vec![("cache-control", "max-age=300"), ("age", "100")], Some(200)),
            (vec![("cache-control", "max-age=300"), ("age", "400")], Some(0)),
            (vec![("cache-control", "max-age=300"), ("age", "x")], Some(300)),
            (vec![("cache-control", "max-age=soon")], Some(0)),
            (vec![("cache-control", "max-age=99999999999999999999")], Some(0)),
            (vec![("cache-control", "max-age=300, no-store")], Some(0)),
            (vec![("cache-control", "no-cache")], Some(0)),
            (vec![("cache-control", "private=\"x\", max-age=300")], Some(0)),
            (vec![DATE, LATER], Some(300)),
            (vec![DATE, LATER, ("age", "100")], Some(200)),
            (vec![DATE, LATER, ("cache-control", "max-age=7")], Some(7)),
            (vec![LATER], Some(0)),
            (vec![DATE, ("expires", "0")], Some(0)),
            (vec![LATER, ("date", "Tue, 24 Nov 2026 11:00:00 GMT")], Some(0)),
        ] {
            assert_eq!(of(&headers), fresh, "{headers:?}");
        }
    }
}
