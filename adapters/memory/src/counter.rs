//! Counting by key with the generic cell rate algorithm, in bounded memory.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock as Stopwatch;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::Clock;

/// How many keys one counter remembers: 16 bytes each, so less than a megabyte.
const MOST_KEYS: usize = 32 * 1024;

/// The most that a step of the clock counts for; nanoseconds in 64 bits are no more than 584 years.
const LONGEST_STEP: Duration = Duration::from_secs(366 * 24 * 3600);

/// The same quota for each key.
pub(crate) struct Counter {
    limiter: RateLimiter<Key, Cells, Elapsed, NoOpMiddleware<Nanos>>,
    hasher: RandomState,
}

impl Counter {
    /// Nothing was counted yet.
    pub(crate) fn new(quota: Quota, clock: &Arc<dyn Clock>) -> Self {
        let (cells, elapsed) = (Cells::new(MOST_KEYS), Elapsed::new(Arc::clone(clock)));
        let limiter = RateLimiter::new(quota, cells, elapsed);
        Self { limiter, hasher: RandomState::new() }
    }

    /// Takes one, or tells how long it is until one is left.
    pub(crate) fn count(&self, key: &impl Hash) -> Result<(), Duration> {
        self.ask(key, Purpose::Count)
    }

    /// Whether one is left, or how long it is until then.
    pub(crate) fn check(&self, key: &impl Hash) -> Result<(), Duration> {
        self.ask(key, Purpose::Look)
    }

    fn ask(&self, key: &impl Hash, purpose: Purpose) -> Result<(), Duration> {
        // What is counted may be long and is somebody's name; the hash is neither, and its seed is
        // of this process, so that nobody can look for a second name with the same one.
        let key = Key { hash: self.hasher.hash_one(key), purpose };
        let asked = self.limiter.check_key(&key);
        asked.map_err(|not_until| not_until.wait_time_from(self.limiter.clock().now()))
    }
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

/// The cells of one counter: for each key, when it will have everything again.
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
    use super::*;

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
