//! Counting requests, for this process alone: several replicas allow as many times as much.

use std::num::NonZeroU32;
use std::sync::Arc;

use governor::Quota;
use mcp_oauth_core::domain::limit::{Budget, LimitPolicy, Limited, LimitedAction, TooMany};
use mcp_oauth_core::port::{Clock, RequestLimits};

use crate::counter::Counter;

/// Counts each action apart.
pub struct RequestCounts {
    actions: Vec<Counter>,
}

/// Where there are no limits.
#[derive(Debug, Clone, Copy)]
pub struct Unlimited;

impl RequestLimits for Unlimited {
    fn count(&self, _: &Limited<'_>) -> Result<(), TooMany> {
        Ok(())
    }

    fn check(&self, _: &Limited<'_>) -> Result<(), TooMany> {
        Ok(())
    }
}

impl RequestCounts {
    /// Nothing was counted yet.
    #[must_use]
    pub fn new(policy: &LimitPolicy, clock: &Arc<dyn Clock>) -> Self {
        let counter = |action| Counter::new(quota(policy.budget(action)), clock);
        Self { actions: LimitedAction::ALL.into_iter().map(counter).collect() }
    }

    fn counter(&self, action: LimitedAction) -> &Counter {
        &self.actions[action as usize]
    }
}

impl RequestLimits for RequestCounts {
    fn count(&self, limited: &Limited<'_>) -> Result<(), TooMany> {
        let action = limited.action();
        self.counter(action).count(limited).map_err(|wait| TooMany::until(action, wait))
    }

    fn check(&self, limited: &Limited<'_>) -> Result<(), TooMany> {
        let action = limited.action();
        self.counter(action).check(limited).map_err(|wait| TooMany::until(action, wait))
    }
}

fn quota(budget: Budget) -> Quota {
    let burst = NonZeroU32::new(budget.burst()).unwrap_or(NonZeroU32::MIN);
    // No budget has an interval of zero, for which there would be no quota.
    let quota = Quota::with_period(budget.interval());
    quota.unwrap_or(Quota::per_minute(NonZeroU32::MIN)).allow_burst(burst)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::time::Duration;

    use mcp_oauth_core::domain::client::ClientId;
    use mcp_oauth_core::domain::client_address::ClientAddress;
    use mcp_oauth_core::domain::limit::{Network, UserKey};
    use mcp_oauth_core::domain::timestamp::Timestamp;

    use super::*;

    /// A clock that is set by hand.
    #[derive(Default)]
    struct Hands(AtomicI64);

    impl Clock for Hands {
        fn now(&self) -> Timestamp {
            Timestamp::from_unix(self.0.load(Ordering::Relaxed))
        }
    }

    impl Hands {
        fn set(&self, seconds: i64) {
            self.0.store(seconds, Ordering::Relaxed);
        }
    }

    /// Limits with this budget for wrong secrets and logins.
    fn limits(burst: u32, per_minute: u32) -> (RequestCounts, Arc<Hands>) {
        let budget = Budget::new(burst, per_minute).unwrap();
        let policy = LimitPolicy::default().with(LimitedAction::WrongSecret, budget);
        let policy = policy.with(LimitedAction::Login, budget);
        let hands = Arc::new(Hands::default());
        let clock: Arc<dyn Clock> = Arc::clone(&hands) as _;
        (RequestCounts::new(&policy, &clock), hands)
    }

    fn network(last: u8) -> Network {
        Network::of(Some(ClientAddress::new([192, 0, 2, last].into())))
    }

    fn waits(seconds: u64) -> Result<(), TooMany> {
        let retry_after = Duration::from_secs(seconds);
        Err(TooMany { action: LimitedAction::Login, retry_after })
    }

    #[test]
    fn tk_16_a_burst_gets_through_and_then_one_an_interval() {
        let (limits, hands) = limits(3, 6);
        let login = Limited::Login(network(1));
        for _ in 0..3 {
            assert_eq!(limits.count(&login), Ok(()));
        }
        assert_eq!(limits.count(&login), waits(10));
        hands.set(9);
        assert_eq!(limits.count(&login), waits(1));
        hands.set(10);
        assert_eq!(limits.count(&login), Ok(()));
        assert_eq!(limits.count(&login), waits(10));
        hands.set(1000);
        for _ in 0..3 {
            assert_eq!(limits.count(&login), Ok(()));
        }
        assert_eq!(limits.count(&login), waits(10));
    }

    #[test]
    fn a_look_takes_nothing_and_sees_what_is_left() {
        let (limits, hands) = limits(1, 6);
        let login = Limited::Login(network(1));
        for _ in 0..10 {
            assert_eq!(limits.check(&login), Ok(()));
        }
        assert_eq!(limits.count(&login), Ok(()));
        assert_eq!(limits.check(&login), waits(10));
        hands.set(10);
        assert_eq!(limits.check(&login), Ok(()));
        assert_eq!(limits.count(&login), Ok(()));
    }

    #[test]
    fn each_key_and_each_action_has_a_budget_of_its_own() {
        let (limits, _) = limits(1, 1);
        let clients = [ClientId::new("one"), ClientId::new("other")];
        let alice = UserKey::typed("alice");
        let different = [
            Limited::Login(network(1)),
            Limited::Login(network(2)),
            Limited::Login(Network::of(None)),
            Limited::WrongSecret(&clients[0], network(1)),
            Limited::WrongSecret(&clients[0], network(2)),
            Limited::WrongSecret(&clients[1], network(1)),
            Limited::WrongPassword(&alice, network(1)),
        ];
        for limited in &different {
            assert_eq!(limits.count(limited), Ok(()), "{limited:?}");
        }
        for limited in &different[..6] {
            assert!(limits.count(limited).is_err(), "{limited:?}");
        }
    }

    #[test]
    fn of_concurrent_counts_as_many_succeed_as_are_left() {
        let (limits, _) = limits(10, 1);
        let login = Limited::Login(network(1));
        let counts = std::thread::scope(|threads| {
            let racers: Vec<_> =
                (0..64).map(|_| threads.spawn(|| limits.count(&login).is_ok())).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(counts.into_iter().filter(|counted| *counted).count(), 10);
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_waiting_for_it() {
        let (limits, hands) = limits(1, 6);
        let login = Limited::Login(network(1));
        hands.set(10_000);
        assert_eq!(limits.count(&login), Ok(()));
        hands.set(0);
        assert_eq!(limits.count(&login), waits(10));
        hands.set(10);
        assert_eq!(limits.count(&login), Ok(()));
        hands.set(i64::MAX);
        assert_eq!(limits.count(&login), Ok(()));
    }
}
