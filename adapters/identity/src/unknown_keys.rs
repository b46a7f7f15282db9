//! Key ids that nobody published, so that one token does not have the keys fetched again and again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mcp_oauth_core::domain::secret::sha256;
use mcp_oauth_core::domain::timestamp::Timestamp;

use crate::refreshed::COOLDOWN;

/// How many are remembered. Beyond it new ones are not; the cooldown still holds.
const MOST: usize = 256;

/// How long one is remembered: no longer than a provider is let alone, since a stranger may name a
/// key that the provider is about to publish.
const REMEMBERED: Duration = COOLDOWN;

/// Remembered by their hashes: a stranger chooses how long a key id is.
#[derive(Default)]
pub(crate) struct UnknownKeys(Mutex<HashMap<[u8; 32], Timestamp>>);

impl UnknownKeys {
    /// Whether the id was looked for in vain a moment ago.
    pub(crate) fn contain(&self, key_id: &str, now: Timestamp) -> bool {
        let unknown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        unknown.get(&sha256(&[key_id.as_bytes()])).is_some_and(|at| is_recent(*at, now))
    }

    /// The id was looked for in vain.
    pub(crate) fn add(&self, key_id: &str, now: Timestamp) {
        let mut unknown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if unknown.len() >= MOST {
            unknown.retain(|_, at| is_recent(*at, now));
        }
        if unknown.len() < MOST {
            unknown.insert(sha256(&[key_id.as_bytes()]), now);
        }
    }
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    at <= now && now < at.after(REMEMBERED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jv_14_unknown_keys_are_remembered_for_a_while_and_not_without_limit() {
        let (unknown, at) = (UnknownKeys::default(), Timestamp::from_unix);
        for number in 0..=MOST {
            unknown.add(&number.to_string(), at(100));
        }
        assert!(unknown.contain("0", at(129)));
        assert!(!unknown.contain("0", at(130)));
        assert!(!unknown.contain(&MOST.to_string(), at(100)));
        unknown.add("new", at(130));
        assert!(unknown.contain("new", at(130)));
    }
}
