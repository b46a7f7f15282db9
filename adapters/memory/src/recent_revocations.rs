//! Remembers for a moment whether a token was revoked, so that not every request asks the store.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mcp_oauth_core::domain::access_token::IssuedToken;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{Clock, StoreUnavailable, TokenRevocations};
use quick_cache::sync::Cache;

/// How many tokens are remembered; the least used are forgotten first.
const MOST_TOKENS: usize = 4096;

/// A store of revocations behind a short memory.
///
/// That a token is revoked is remembered for good, since it stays so; that it is not, no longer than
/// the time given.
pub struct RecentRevocations {
    store: Arc<dyn TokenRevocations>,
    clock: Arc<dyn Clock>,
    keep: Duration,
    asked: Cache<IssuedToken, Answer>,
}

#[derive(Clone, Copy)]
enum Answer {
    Revoked,
    NotAt(Timestamp),
}

impl RecentRevocations {
    /// Remembers what `store` answered for `keep`, in whole seconds.
    #[must_use]
    pub fn new(store: Arc<dyn TokenRevocations>, clock: Arc<dyn Clock>, keep: Duration) -> Self {
        Self { store, clock, keep, asked: Cache::new(MOST_TOKENS) }
    }
}

#[async_trait]
impl TokenRevocations for RecentRevocations {
    async fn revoke_token(
        &self,
        token: &IssuedToken,
        until: Timestamp,
    ) -> Result<(), StoreUnavailable> {
        self.store.revoke_token(token, until).await?;
        self.asked.insert(token.clone(), Answer::Revoked);
        Ok(())
    }

    async fn is_revoked(&self, token: &IssuedToken) -> Result<bool, StoreUnavailable> {
        let now = self.clock.now();
        match self.asked.get(token) {
            Some(Answer::Revoked) => return Ok(true),
            // A clock that was set back makes the answer old, not new.
            Some(Answer::NotAt(asked)) if asked <= now && now < asked.after(self.keep) => {
                return Ok(false);
            }
            _ => {}
        }
        let revoked = self.store.is_revoked(token).await?;
        let answer = if revoked { Answer::Revoked } else { Answer::NotAt(now) };
        self.asked.insert(token.clone(), answer);
        Ok(revoked)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use mcp_oauth_core::domain::grant::GrantId;
    use mcp_oauth_core::port::{MockClock, MockTokenRevocations};

    use super::*;

    fn token(id: &str) -> IssuedToken {
        IssuedToken { token_id: id.to_owned(), grant: GrantId::new("g") }
    }

    fn over(store: MockTokenRevocations) -> (RecentRevocations, Arc<AtomicI64>) {
        let now = Arc::new(AtomicI64::new(100));
        let clock_now = Arc::clone(&now);
        let mut clock = MockClock::new();
        clock
            .expect_now()
            .returning(move || Timestamp::from_unix(clock_now.load(Ordering::Relaxed)));
        let keep = Duration::from_secs(2);
        (RecentRevocations::new(Arc::new(store), Arc::new(clock), keep), now)
    }

    #[tokio::test]
    async fn the_store_is_asked_again_when_the_answer_is_old() {
        let mut store = MockTokenRevocations::new();
        store.expect_is_revoked().times(2).returning(|_| Ok(false));
        let (recent, now) = over(store);
        for second in [100, 101, 102] {
            now.store(second, Ordering::Relaxed);
            assert!(!recent.is_revoked(&token("a")).await.unwrap());
        }
    }

    #[tokio::test]
    async fn an_answer_from_the_future_is_old() {
        let mut store = MockTokenRevocations::new();
        store.expect_is_revoked().times(2).returning(|_| Ok(false));
        let (recent, now) = over(store);
        assert!(!recent.is_revoked(&token("a")).await.unwrap());
        now.store(50, Ordering::Relaxed);
        assert!(!recent.is_revoked(&token("a")).await.unwrap());
    }

    #[tokio::test]
    async fn a_revoked_token_stays_revoked_and_others_are_not() {
        let mut store = MockTokenRevocations::new();
        store.expect_revoke_token().times(1).returning(|_, _| Ok(()));
        store.expect_is_revoked().times(1).returning(|_| Ok(false));
        let (recent, now) = over(store);
        recent.revoke_token(&token("a"), Timestamp::from_unix(200)).await.unwrap();
        now.store(1000, Ordering::Relaxed);
        assert!(recent.is_revoked(&token("a")).await.unwrap());
        assert!(!recent.is_revoked(&token("b")).await.unwrap());
    }

    #[tokio::test]
    async fn a_store_out_of_reach_is_not_remembered() {
        let mut store = MockTokenRevocations::new();
        store.expect_is_revoked().times(1).returning(|_| Err(StoreUnavailable::new("gone")));
        store.expect_is_revoked().times(1).returning(|_| Ok(true));
        let (recent, _) = over(store);
        assert!(recent.is_revoked(&token("a")).await.is_err());
        assert!(recent.is_revoked(&token("a")).await.unwrap());
    }
}
