//! Counting requests, for this process alone: several replicas allow as many times as much.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock as Stopwatch;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};
use mcp_oauth_core::domain::limit::{Budget, LimitPolicy, Limited, LimitedAction, TooMany};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{Clock, RequestLimits};

/// How many keys are remembered of each action: 16 bytes each, so less than a megabyte.
const MOST_KEYS: usize = 32 * 1024;

/// The most that a step of the clock counts for; nanoseconds in 64 bits are no more than 584 years.
const LONGEST_STEP: Duration = Duration::from_secs(366 * 24 * 3600);

/// Counts with the generic cell rate algorithm, one cell for each key.
pub struct RequestCounts {
    actions: Vec<RateLimiter<Key, Cells, Elapsed, NoOpMiddleware<Nanos>>>,
    hasher: RandomState,
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
        let limiter = |action| {
            let cells = Cells::new(MOST_KEYS);
            RateLimiter::new(quota(policy.budget(action)), cells, Elapsed::new(Arc::clone(clock)))
        };
        let actions = LimitedAction::ALL.into_iter().map(limiter).collect();
        Self { actions, hasher: RandomState::new() }
    }

    fn ask(&self, limited: &Limited<'_>, purpose: Purpose) -> Result<(), TooMany> {
        let action = limited.action();
        let limiter = &self.actions[action as usize];
        // What is counted may be long and is somebody's name; the hash is neither, and its seed is
        // of this process, so that nobody can look for a second name with the same one.
        let key = Key { hash: self.hasher.hash_one(limited), purpose };
        limiter.check_key(&key).map_err(|not_until| {
            TooMany::until(action, not_until.wait_time_from(limiter.clock().now()))
        })
    }
}

impl RequestLimits for RequestCounts {
    fn count(&self, limited: &Limited<'_>) -> Result<(), TooMany> {
        self.ask(limited, Purpose::Count)
    }

    fn check(&self, limited: &Limited<'_>) -> Result<(), TooMany> {
        self.ask(limited, Purpose::Look)
    }
}

fn quota(budget: Budget) -> Quota {
    let burst = NonZeroU32::new(budget.burst()).unwrap_or(NonZeroU32::MIN);
    // No budget has an interval of zero, for which there would be no quota.
    let quota = Quota::with_period(budget.interval());
    quota.unwrap_or(Quota::per_minute(NonZeroU32::MIN)).allow_burst(burst)
}

/// Whose cell is asked, and what for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    hash: u64,
    purpose: Purpose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Purpose {
    /// To take one.
    Count,
    /// To learn whether one is left.
    Look,
}

/// The cells of one action: for each key, when it will have everything again.
struct Cells {
    most: usize,
    full_again: Mutex<HashMap<u64, Nanos>>,
}

impl Cells {
    fn new(most: usize) -> Self {
        Self { most, full_again: Mutex::default() }
    }
}

impl StateStore for Cells {
    type Key = Key;

    fn measure_and_replace<T, F, E>(&self, key: &Key, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        // The map is changed in one step, so a panic leaves nothing half done.
        let mut cells = self.full_again.lock().unwrap_or_else(PoisonError::into_inner);
        let (answer, next) = decide(cells.get(&key.hash).copied())?;
        if key.purpose == Purpose::Count {
            if cells.len() >= self.most && !cells.contains_key(&key.hash) {
                forget_half(&mut cells);
            }
            cells.insert(key.hash, next);
        }
        Ok(answer)
    }
}

/// Forgets the half that is full again first: those that are now, and after them those that have
/// used up least. A flood of new keys does not free one that was stopped.
fn forget_half(cells: &mut HashMap<u64, Nanos>) {
    let mut in_order: Vec<_> =
        cells.iter().map(|(hash, full_again)| (*full_again, *hash)).collect();
    let half = in_order.len().div_ceil(2);
    in_order.sort_unstable();
    for (_, hash) in &in_order[..half] {
        cells.remove(hash);
    }
}

/// The time that has passed. It only ever grows: when the clock is set back nobody waits longer for
/// it, and when it is set forward some budgets fill up early.
struct Elapsed {
    clock: Arc<dyn Clock>,
    reading: Mutex<Reading>,
}

struct Reading {
    at: Timestamp,
    elapsed: Duration,
}

impl Elapsed {
    fn new(clock: Arc<dyn Clock>) -> Self {
        let reading = Reading { at: clock.now(), elapsed: Duration::ZERO };
        Self { clock, reading: Mutex::new(reading) }
    }
}

impl Stopwatch for Elapsed {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let now = self.clock.now();
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = now.as_unix().saturating_sub(reading.at.as_unix());
        let step = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        reading.elapsed += step.min(LONGEST_STEP);
        reading.at = now;
        reading.elapsed.into()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use mcp_oauth_core::domain::client::ClientId;
    use mcp_oauth_core::domain::client_address::ClientAddress;
    use mcp_oauth_core::domain::limit::{Network, UserKey};

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

    /// How many keys are remembered after this many different ones were counted.
    fn remembered(cells: &Cells, keys: impl IntoIterator<Item = u64>, full_again: u64) -> usize {
        for hash in keys {
            let key = Key { hash, purpose: Purpose::Count };
            let counted: Result<(), ()> =
                cells.measure_and_replace(&key, |_| Ok(((), Nanos::from(full_again))));
            counted.unwrap();
        }
        cells.full_again.lock().unwrap().len()
    }

    #[test]
    fn rg_08_a_flood_of_keys_is_bounded_and_frees_nobody_who_was_stopped() {
        let cells = Cells::new(100);
        assert_eq!(remembered(&cells, 0..10, 9), 10);
        assert!((50..=100).contains(&remembered(&cells, 10..100_000, 1)));
        let kept = cells.full_again.lock().unwrap();
        assert!((0..10).all(|hash| kept.contains_key(&hash)));
    }

    #[test]
    fn a_look_remembers_nothing() {
        let cells = Cells::new(100);
        let key = Key { hash: 1, purpose: Purpose::Look };
        let looked: Result<(), ()> = cells.measure_and_replace(&key, |_| Ok(((), Nanos::from(1))));
        looked.unwrap();
        assert_eq!(cells.full_again.lock().unwrap().len(), 0);
    }
}
