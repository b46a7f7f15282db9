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
