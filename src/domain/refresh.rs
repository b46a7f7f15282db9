//! Refresh tokens: a lineage in which only the newest is current (OAuth 2.1 §4.3.1).

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::grant::{Grant, GrantId};
use super::secret::{RefreshToken, RefreshTokenHash, SECRET_BYTES};
use super::timestamp::Timestamp;

/// How refresh tokens live and how forgiving their rotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshPolicy {
    /// A token unused for this long is dead.
    pub idle: Duration,
    /// No token of a grant outlives it by more than this.
    pub absolute: Duration,
    /// How long a rotated token may be presented again, since clients refresh from two processes
    /// at once; after that it is a replay.
    pub grace: Duration,
    /// How often it may be presented again within the grace window.
    pub grace_uses: u32,
}

/// The stored form of a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshRecord {
    /// The token's hash.
    pub hash: RefreshTokenHash,
    /// The grant it belongs to; all tokens of a grant are one family.
    pub grant: GrantId,
    /// Keys the derivation of the successor.
    pub salt: [u8; SECRET_BYTES],
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When and how often it was rotated; `None` while it is current.
    pub rotation: Option<Rotation>,
}

/// A refresh token that has a successor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// When it was first rotated.
    pub at: Timestamp,
    /// How often it was presented again since.
    pub grace_uses: u32,
}

/// What may be done with a presented refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// The newest of its family: rotate it.
    Current,
    /// Rotated moments ago: answer with the same successor.
    WithinGrace,
    /// Used again after its successor took over: theft, or a client that lost count.
    Replayed,
    /// Its life is over.
    Expired,
}

impl RefreshRecord {
    /// A token that starts a lineage or continues it.
    #[must_use]
    pub fn issue(
        token: &RefreshToken,
        grant: &Grant,
        salt: [u8; SECRET_BYTES],
        now: Timestamp,
        policy: &RefreshPolicy,
    ) -> Self {
        let cap = grant.granted_at.after(policy.absolute);
        Self {
            hash: token.hash(),
            grant: grant.id.clone(),
            salt,
            issued_at: now,
            expires_at: now.after(policy.idle).min(cap),
            rotation: None,
        }
    }

    /// What may be done with it now.
    #[must_use]
    pub fn presented(&self, now: Timestamp, policy: &RefreshPolicy) -> Presented {
        match self.rotation {
            Some(rotation) => {
                let in_time = now <= rotation.at.after(policy.grace);
                if in_time && rotation.grace_uses < policy.grace_uses {
                    Presented::WithinGrace
                } else {
                    Presented::Replayed
                }
            }
            None if now >= self.expires_at => Presented::Expired,
            None => Presented::Current,
        }
    }

    /// The one token that succeeds `token`.
    ///
    /// It is derived (HMAC-SHA-256 under this record's salt), so that concurrent refreshes of one
    /// token all receive the same successor without any token being stored: neither the store nor
    /// the old token alone is enough to make it.
    #[must_use]
    pub fn successor_of(&self, token: &RefreshToken) -> RefreshToken {
        #[expect(clippy::expect_used, reason = "HMAC is defined for keys of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.salt).expect("any length is a key");
        mac.update(token.expose().as_bytes());
        RefreshToken::from_entropy(mac.finalize().into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RefreshPolicy = RefreshPolicy {
        idle: Duration::from_secs(100),
        absolute: Duration::from_secs(250),
        grace: Duration::from_secs(30),
        grace_uses: 2,
    };

    fn record(rotation: Option<Rotation>) -> RefreshRecord {
        RefreshRecord {
            hash: RefreshToken::presented("x").hash(),
            grant: GrantId::new("g"),
            salt: [1; SECRET_BYTES],
            issued_at: Timestamp::from_unix(0),
            expires_at: Timestamp::from_unix(100),
            rotation,
        }
    }

    #[test]
    fn rf_03_a_rotated_token_is_answered_for_a_bounded_while() {
        let rotated =
            |grace_uses| record(Some(Rotation { at: Timestamp::from_unix(50), grace_uses }));
        let presented =
            |grace_uses, now| rotated(grace_uses).presented(Timestamp::from_unix(now), &POLICY);
        assert_eq!(presented(0, 80), Presented::WithinGrace);
        assert_eq!(presented(0, 81), Presented::Replayed);
        assert_eq!(presented(2, 51), Presented::Replayed);
    }

    #[test]
    fn rf_08_an_idle_token_expires() {
        assert_eq!(record(None).presented(Timestamp::from_unix(99), &POLICY), Presented::Current);
        assert_eq!(record(None).presented(Timestamp::from_unix(100), &POLICY), Presented::Expired);
    }

    #[test]
    fn a_successor_needs_both_the_token_and_the_salt() {
        let token = RefreshToken::presented("token");
        let other_salt = RefreshRecord { salt: [2; SECRET_BYTES], ..record(None) };
        let successor = record(None).successor_of(&token);
        assert_eq!(successor.hash(), record(None).successor_of(&token).hash());
        assert_ne!(successor.hash(), other_salt.successor_of(&token).hash());
        assert_ne!(
            successor.hash(),
            record(None).successor_of(&RefreshToken::presented("other")).hash()
        );
    }
}
