//! Moments as people write and read them.

use std::time::Duration;

use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::Clock;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::format::NONE;
use crate::system::SystemClock;

/// A moment in RFC 3339, UTC.
pub(super) fn written(moment: Timestamp) -> String {
    let seconds = moment.as_unix();
    let moment = OffsetDateTime::from_unix_timestamp(seconds).ok();
    // What the calendar does not reach, nobody made here.
    moment.and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_else(|| seconds.to_string())
}

/// The same for a moment that may not have come.
pub(super) fn written_if(moment: Option<Timestamp>) -> String {
    moment.map_or_else(|| NONE.to_owned(), written)
}

/// Reads a moment: in RFC 3339, a date, seconds since 1970, or so long ago.
pub(super) fn read(text: &str) -> Result<Timestamp, String> {
    read_at(text, SystemClock.now()).ok_or_else(|| {
        "write 2026-11-26T12:00:00Z, 2026-11-26 (UTC), seconds since 1970, or how long ago: 90s, \
         15m, 2h, 7d"
            .to_owned()
    })
}

fn read_at(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse() {
        return Some(Timestamp::from_unix(seconds));
    }
    if let Some(age) = age(text) {
        return Some(now.before(age));
    }
    let date = format!("{text}T00:00:00Z");
    let moment = [text, &date].into_iter().find_map(|it| OffsetDateTime::parse(it, &Rfc3339).ok());
    moment.map(|moment| Timestamp::from_unix(moment.unix_timestamp()))
}

fn age(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_however_it_is_written() {
        let now = Timestamp::from_unix(1_800_000_000);
        for (text, seconds) in [
            ("2026-11-26T12:00:00Z", 1_795_694_400),
            ("2026-11-26T13:00:00+01:00", 1_795_694_400),
            ("2026-11-26", 1_795_651_200),
            ("1795694400", 1_795_694_400),
            ("90s", 1_799_999_910),
            ("15m", 1_799_999_100),
            ("2h", 1_799_992_800),
            ("7d", 1_799_395_200),
        ] {
            assert_eq!(read_at(text, now), Some(Timestamp::from_unix(seconds)), "{text}");
        }
        for text in ["", "s", "yesterday", "2026-13-01", "-5m", "1.5h", "2ä"] {
            assert_eq!(read_at(text, now), None, "{text}");
        }
    }

    #[test]
    fn a_moment_is_written_in_utc() {
        assert_eq!(written(Timestamp::from_unix(1_795_694_400)), "2026-11-26T12:00:00Z");
        assert_eq!(written(Timestamp::from_unix(i64::MAX)), i64::MAX.to_string());
        assert_eq!(written_if(None), "-");
    }
}
