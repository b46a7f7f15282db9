//! One refresh at a time for each grant, for everybody who needs it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use mcp_oauth_core::domain::grant::GrantId;
use mcp_oauth_core::port::{ProviderTokenError, Refresh, SharedRefreshes, TokenOutcome};

/// When to try again after a refresh broke.
const AFTER_A_BREAK: Duration = Duration::from_secs(1);

/// The refreshes under way in this process.
#[derive(Default)]
pub struct RefreshesUnderWay(Arc<UnderWay>);

#[derive(Default)]
struct UnderWay(Mutex<HashMap<GrantId, Shared<BoxFuture<'static, TokenOutcome>>>>);

impl UnderWay {
    fn refreshes(
        &self,
    ) -> MutexGuard<'_, HashMap<GrantId, Shared<BoxFuture<'static, TokenOutcome>>>> {
        // Each change is one call.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a refresh, also one that breaks.
struct Ending {
    under_way: Arc<UnderWay>,
    grant: GrantId,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.under_way.refreshes().remove(&self.grant);
    }
}

impl RefreshesUnderWay {
    /// The refresh of a grant, whoever began it. It runs by itself: nobody has to wait for it.
    fn shared(
        &self,
        grant: &GrantId,
        refresh: Refresh,
    ) -> Shared<BoxFuture<'static, TokenOutcome>> {
        let mut refreshes = self.0.refreshes();
        if let Some(under_way) = refreshes.get(grant) {
            return under_way.clone();
        }
        let ending = Ending { under_way: Arc::clone(&self.0), grant: grant.clone() };
        // It can't end before it is in the map: that is locked until then.
        let running = tokio::spawn(async move {
            let _ending = ending;
            refresh.await
        });
        let outcome = running.map(|outcome| {
            let broken = ProviderTokenError::Unavailable { retry_after: AFTER_A_BREAK };
            outcome.unwrap_or(Err(broken))
        });
        let outcome = outcome.boxed().shared();
        refreshes.insert(grant.clone(), outcome.clone());
        outcome
    }
}

#[async_trait]
impl SharedRefreshes for RefreshesUnderWay {
    async fn join(&self, grant: &GrantId, refresh: Refresh) -> TokenOutcome {
        let shared = self.shared(grant, refresh);
        shared.await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use mcp_oauth_core::domain::kept_tokens::ProviderAccessToken;
    use mcp_oauth_core::domain::provider::ProviderName;
    use tokio::sync::Semaphore;

    use super::*;

    /// A refresh that waits until it may end, and how many of its kind began.
    struct Gate {
        begun: AtomicUsize,
        may_end: Semaphore,
    }

    impl Gate {
        fn new() -> Arc<Self> {
            Arc::new(Self { begun: AtomicUsize::new(0), may_end: Semaphore::new(0) })
        }

        fn refresh(self: &Arc<Self>) -> Refresh {
            let gate = Arc::clone(self);
            Box::pin(async move {
                gate.begun.fetch_add(1, Ordering::Relaxed);
                gate.may_end.acquire().await.unwrap().forget();
                Ok(Some(token()))
            })
        }

        fn begun(&self) -> usize {
            self.begun.load(Ordering::Relaxed)
        }
    }

    fn token() -> ProviderAccessToken {
        let provider = ProviderName::parse("work").unwrap();
        ProviderAccessToken { provider, access_token: "fresh".into(), expires_at: None }
    }

    fn grant(name: &str) -> GrantId {
        GrantId::new(name)
    }

    async fn give_way() {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }

    async fn join_a(refreshes: Arc<RefreshesUnderWay>, refresh: Refresh) -> TokenOutcome {
        refreshes.join(&grant("a"), refresh).await
    }

    #[tokio::test]
    async fn up_08_whoever_asks_meanwhile_shares_the_refresh() {
        let (refreshes, gate) = (Arc::new(RefreshesUnderWay::default()), Gate::new());
        let ask = || tokio::spawn(join_a(Arc::clone(&refreshes), gate.refresh()));
        let asking: Vec<_> = std::iter::repeat_with(ask).take(32).collect();
        give_way().await;
        gate.may_end.add_permits(32);
        for asked in asking {
            assert!(asked.await.unwrap().unwrap().is_some());
        }
        assert_eq!(gate.begun(), 1);
    }

    #[tokio::test]
    async fn one_that_ended_is_nobody_elses() {
        let (refreshes, gate) = (RefreshesUnderWay::default(), Gate::new());
        gate.may_end.add_permits(2);
        for _ in 0..2 {
            refreshes.join(&grant("a"), gate.refresh()).await.unwrap();
        }
        assert_eq!(gate.begun(), 2);
        assert!(refreshes.0.refreshes().is_empty());
    }

    #[tokio::test]
    async fn those_of_different_grants_do_not_wait_for_each_other() {
        let refreshes = Arc::new(RefreshesUnderWay::default());
        let (waiting, open) = (Gate::new(), Gate::new());
        let (other, refresh) = (Arc::clone(&refreshes), waiting.refresh());
        let held = tokio::spawn(async move { other.join(&grant("a"), refresh).await });
        give_way().await;
        assert_eq!(waiting.begun(), 1);
        open.may_end.add_permits(1);
        refreshes.join(&grant("b"), open.refresh()).await.unwrap();
        assert!(!held.is_finished());
        waiting.may_end.add_permits(1);
        held.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn up_08_one_that_nobody_waits_for_goes_on_to_its_end() {
        let (refreshes, gate) = (Arc::new(RefreshesUnderWay::default()), Gate::new());
        let (other, refresh) = (Arc::clone(&refreshes), gate.refresh());
        let asking = tokio::spawn(async move { other.join(&grant("a"), refresh).await });
        give_way().await;
        asking.abort();
        assert!(asking.await.unwrap_err().is_cancelled());
        assert_eq!((gate.begun(), refreshes.0.refreshes().len()), (1, 1));
        gate.may_end.add_permits(1);
        give_way().await;
        assert!(refreshes.0.refreshes().is_empty(), "it did not go on");
    }

    #[tokio::test]
    async fn one_that_breaks_may_be_tried_again() {
        let (refreshes, gate) = (RefreshesUnderWay::default(), Gate::new());
        let broken: Refresh = Box::pin(async { panic!("a bug") });
        let outcome = refreshes.join(&grant("a"), broken).await;
        assert!(matches!(outcome, Err(ProviderTokenError::Unavailable { .. })), "{outcome:?}");
        gate.may_end.add_permits(1);
        refreshes.join(&grant("a"), gate.refresh()).await.unwrap();
    }
}
