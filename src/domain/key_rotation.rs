//! When a signing key is replaced, and how long the one before is still good.

use std::time::Duration;

use super::timestamp::Timestamp;

/// How long anybody may keep a published key set (the `max-age` it is served with, and some).
pub const PUBLISHED_AHEAD: Duration = Duration::from_secs(600);

/// When a key made at `made` begins to sign, unless it is the only one there is.
#[must_use]
pub fn signs_from(made: Timestamp) -> Timestamp {
    made.after(PUBLISHED_AHEAD)
}

/// When keys are replaced and forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRotation {
    /// A key older than this is replaced; `None` leaves that to the operator.
    pub max_age: Option<Duration>,
    /// How long a key is still accepted after its successor began to sign: at least as long as the
    /// longest token lives.
    pub overlap: Duration,
}

/// What a key does at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Published, so that verifiers have it before the first token comes.
    Upcoming,
    /// Signs.
    Signing,
    /// Signs no more; its tokens are accepted.
    Retired,
    /// All its tokens have ended.
    Forgettable,
}

impl KeyState {
    /// A stable name for people and programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Upcoming => "upcoming",
            Self::Signing => "signing",
            Self::Retired => "retired",
            Self::Forgettable => "forgettable",
        }
    }
}

impl KeyRotation {
    /// The state of each key, from when they were made, newest first.
    ///
    /// A new key signs once it was published for [`PUBLISHED_AHEAD`]; until then the one before it
    /// does. The only key there is signs at once.
    #[must_use]
    pub fn states(&self, made: &[Timestamp], now: Timestamp) -> Vec<KeyState> {
        let published = |made: &Timestamp| signs_from(*made) <= now;
        let oldest = made.len().saturating_sub(1);
        let signing = made.iter().position(published).unwrap_or(oldest);
        let state = |index: usize| match index {
            index if index < signing => KeyState::Upcoming,
            index if index == signing => KeyState::Signing,
            index if self.has_ended(made[index - 1], now) => KeyState::Forgettable,
            _ => KeyState::Retired,
        };
        (0..made.len()).map(state).collect()
    }

    /// Whether a key made at `newest` is due to be replaced.
    #[must_use]
    pub fn is_due(&self, newest: Timestamp, now: Timestamp) -> bool {
        self.max_age.is_some_and(|age| newest.after(age) <= now)
    }

    /// Whether every token of a key has ended whose successor was made at `successor`.
    fn has_ended(&self, successor: Timestamp, now: Timestamp) -> bool {
        signs_from(successor).after(self.overlap) <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROTATION: KeyRotation = KeyRotation {
        max_age: Some(Duration::from_secs(10_000)),
        overlap: Duration::from_secs(1_000),
    };

    fn states(made: &[i64], now: i64) -> Vec<KeyState> {
        let made: Vec<_> = made.iter().copied().map(Timestamp::from_unix).collect();
        ROTATION.states(&made, Timestamp::from_unix(now))
    }

    #[test]
    fn jv_20_a_new_key_is_published_before_it_signs() {
        assert_eq!(states(&[100], 100), [KeyState::Signing]);
        assert_eq!(states(&[5_000, 100], 5_599), [KeyState::Upcoming, KeyState::Signing]);
        assert_eq!(states(&[5_000, 100], 5_600), [KeyState::Signing, KeyState::Retired]);
    }

    #[test]
    fn jv_20_a_key_is_kept_until_its_last_token_has_ended() {
        assert_eq!(states(&[5_000, 100], 6_599), [KeyState::Signing, KeyState::Retired]);
        assert_eq!(states(&[5_000, 100], 6_600), [KeyState::Signing, KeyState::Forgettable]);
    }

    #[test]
    fn of_two_new_keys_neither_signs_too_early() {
        let both_new = [KeyState::Upcoming, KeyState::Upcoming, KeyState::Signing];
        assert_eq!(states(&[5_001, 5_000, 100], 5_500), both_new);
    }

    #[test]
    fn a_key_is_replaced_when_it_is_old_enough() {
        assert!(!ROTATION.is_due(Timestamp::from_unix(0), Timestamp::from_unix(9_999)));
        assert!(ROTATION.is_due(Timestamp::from_unix(0), Timestamp::from_unix(10_000)));
        let never = KeyRotation { max_age: None, ..ROTATION };
        assert!(!never.is_due(Timestamp::from_unix(0), Timestamp::from_unix(i64::MAX)));
    }

    #[test]
    fn no_key_has_no_state() {
        assert!(states(&[], 0).is_empty());
    }
}
