//! Something of a provider that is remembered, fetched anew when it is old, and kept through an
//! outage.

use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use mcp_oauth_core::domain::timestamp::Timestamp;
use tokio::sync::Mutex;

use crate::provider_http::NoAnswer;

/// How long to let a provider alone after it was asked, whether or not it answered.
pub(crate) const COOLDOWN: Duration = Duration::from_secs(30);

/// How long an old value is better than none while the provider does not answer.
pub(crate) const KEPT_THROUGH_OUTAGE: Duration = Duration::from_secs(24 * 3600);

/// A value, fetched by one caller at a time.
pub(crate) struct Refreshed<T> {
    state: RwLock<State<T>>,
    flight: Mutex<()>,
    fresh: Duration,
}

struct State<T> {
    value: Option<(Arc<T>, Timestamp)>,
    asked_at: Option<Timestamp>,
    trouble: Option<NoAnswer>,
}

/// Who wants something newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Whoever sends a token, which may be anything.
    Anybody,
    /// The provider itself, which redeemed a code a moment ago and answered with a token.
    Provider,
}

/// What there is without asking anybody.
enum AtHand<T> {
    Value(Arc<T>),
    Trouble(NoAnswer),
    Nothing,
}

impl<T> Refreshed<T> {
    /// One that is fetched anew once it is `fresh` old.
    pub(crate) fn new(fresh: Duration) -> Self {
        let state = State { value: None, asked_at: None, trouble: None };
        Self { state: RwLock::new(state), flight: Mutex::new(()), fresh }
    }

    /// The value. Who comes while it is being fetched anew gets the old one, if there is one.
    pub(crate) async fn get<F>(
        &self,
        now: Timestamp,
        fetch: impl FnOnce() -> F,
    ) -> Result<Arc<T>, NoAnswer>
    where
        F: Future<Output = Result<T, NoAnswer>>,
    {
        if let AtHand::Value(value) = self.at_hand(now) {
            return Ok(value);
        }
        let flight = match (self.flight.try_lock(), self.kept(now)) {
            (Ok(flight), _) => flight,
            (Err(_), Some(old)) => return Ok(old),
            (Err(_), None) => self.flight.lock().await,
        };
        let fetched = match self.at_hand(now) {
            AtHand::Value(value) => Ok(value),
            AtHand::Trouble(trouble) => Err(trouble),
            AtHand::Nothing => self.fetched(now, fetch).await,
        };
        drop(flight);
        fetched.or_else(|trouble| self.kept(now).ok_or(trouble))
    }

    /// The value, fetched anew although it is fresh. `Who::Anybody` does not have a provider asked
    /// that was asked just now.
    pub(crate) async fn get_newer<F>(
        &self,
        now: Timestamp,
        who: Who,
        fetch: impl FnOnce() -> F,
    ) -> Result<Arc<T>, NoAnswer>
    where
        F: Future<Output = Result<T, NoAnswer>>,
    {
        let flight = self.flight.lock().await;
        let waits = who == Who::Anybody && self.was_asked_just_now(now);
        if !waits {
            // An outage is no reason to forget what was fetched before.
            let _ = self.fetched(now, fetch).await;
        }
        drop(flight);
        self.kept(now).ok_or_else(|| self.trouble())
    }

    fn at_hand(&self, now: Timestamp) -> AtHand<T> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((value, at)) = &state.value
            && *at <= now
            && now < at.after(self.fresh)
        {
            return AtHand::Value(Arc::clone(value));
        }
        match &state.trouble {
            Some(trouble) if is_just_now(state.asked_at, now) => AtHand::Trouble(trouble.clone()),
            _ => AtHand::Nothing,
        }
    }

    /// The value, unless it is older than any outage is waited for.
    fn kept(&self, now: Timestamp) -> Option<Arc<T>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let (value, at) = state.value.as_ref()?;
        (now < at.after(KEPT_THROUGH_OUTAGE)).then(|| Arc::clone(value))
    }

    fn was_asked_just_now(&self, now: Timestamp) -> bool {
        is_just_now(self.state.read().unwrap_or_else(PoisonError::into_inner).asked_at, now)
    }

    fn trouble(&self) -> NoAnswer {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let unasked =
            || NoAnswer { address: "the provider".to_owned(), reason: "was not asked".to_owned() };
        state.trouble.clone().unwrap_or_else(unasked)
    }

    async fn fetched<F>(
        &self,
        now: Timestamp,
        fetch: impl FnOnce() -> F,
    ) -> Result<Arc<T>, NoAnswer>
    where
        F: Future<Output = Result<T, NoAnswer>>,
    {
        let fetched = fetch().await.map(Arc::new);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        // Also after a failure: a provider that is down is not asked for every request.
        state.asked_at = Some(now);
        match &fetched {
            Ok(value) => {
                state.value = Some((Arc::clone(value), now));
                state.trouble = None;
            }
            Err(trouble) => {
                tracing::warn!(%trouble, "a provider's document could not be fetched");
                state.trouble = Some(trouble.clone());
            }
        }
        fetched
    }
}

/// A clock that was set back ends the wait.
fn is_just_now(asked_at: Option<Timestamp>, now: Timestamp) -> bool {
    asked_at.is_some_and(|at| at <= now && now < at.after(COOLDOWN))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const FRESH: Duration = Duration::from_secs(100);

    struct Source {
        refreshed: Refreshed<usize>,
        asked: AtomicUsize,
    }

    impl Source {
        fn new() -> Self {
            Self { refreshed: Refreshed::new(FRESH), asked: AtomicUsize::new(0) }
        }

        async fn answer(&self, is_up: bool) -> Result<usize, NoAnswer> {
            let asked = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
            tokio::task::yield_now().await;
            let down = NoAnswer { address: "p".to_owned(), reason: "is down".to_owned() };
            if is_up { Ok(asked) } else { Err(down) }
        }

        async fn get(&self, now: i64, is_up: bool) -> Option<usize> {
            let now = Timestamp::from_unix(now);
            self.refreshed.get(now, || self.answer(is_up)).await.ok().map(|value| *value)
        }

        async fn get_newer(&self, now: i64, is_up: bool) -> Option<usize> {
            let now = Timestamp::from_unix(now);
            self.refreshed
                .get_newer(now, Who::Anybody, || self.answer(is_up))
                .await
                .ok()
                .map(|value| *value)
        }
    }

    #[tokio::test]
    async fn jv_15_an_old_value_is_kept_through_an_outage_that_has_an_end() {
        let source = Source::new();
        assert_eq!(source.get(0, true).await, Some(1));
        assert_eq!(source.get(99, false).await, Some(1));
        assert_eq!(source.asked.load(Ordering::SeqCst), 1);
        for now in [100, 101, 129] {
            assert_eq!(source.get(now, false).await, Some(1));
        }
        assert_eq!(source.asked.load(Ordering::SeqCst), 2, "a failure stamps the cooldown");
        assert_eq!(source.get(24 * 3600, false).await, None);
        assert_eq!(source.get(24 * 3600 + 30, true).await, Some(4));
    }

    #[tokio::test]
    async fn jv_14_a_newer_value_is_asked_for_once_per_cooldown() {
        let source = Source::new();
        assert_eq!(source.get(0, true).await, Some(1));
        assert_eq!(source.get_newer(29, true).await, Some(1));
        assert_eq!(source.get_newer(30, true).await, Some(2));
        assert_eq!(source.get_newer(59, true).await, Some(2));
        assert_eq!(source.get_newer(60, false).await, Some(2));
        assert_eq!(source.get_newer(61, true).await, Some(2));
        assert_eq!(source.get_newer(0, true).await, Some(4), "a clock set back does not wait");
    }

    #[tokio::test]
    async fn jv_14_many_callers_are_one_question() {
        let source = Source::new();
        let callers = (0..50).map(|_| source.get(0, true));
        let answers = futures_util::future::join_all(callers).await;
        assert_eq!(answers, vec![Some(1); 50]);
    }
}
