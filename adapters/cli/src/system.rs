//! The real clock and the real source of randomness.

use std::time::{SystemTime, UNIX_EPOCH};

use mcp_oauth_core::domain::secret::SECRET_BYTES;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{Clock, Random};

/// The clock of the operating system.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where time comes from")]
    fn now(&self) -> Timestamp {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_unix(i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX))
    }
}

/// The random source of the operating system.
pub(crate) struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "this is where randomness comes from")]
    #[expect(clippy::expect_used, reason = "nothing safe can be done without randomness")]
    fn entropy(&self) -> [u8; SECRET_BYTES] {
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes).expect("the operating system has a source of randomness");
        bytes
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn tk_21_every_byte_of_a_secret_is_drawn_anew() {
        let drawn: BTreeSet<_> = (0..100).map(|_| SystemRandom.entropy()).collect();
        assert_eq!(drawn.len(), 100);
        for index in 0..SECRET_BYTES {
            let bytes: BTreeSet<_> = drawn.iter().map(|secret| secret[index]).collect();
            assert!(bytes.len() > 1, "{index}");
        }
    }
}
