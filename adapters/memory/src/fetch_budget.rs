//! How much may be fetched because a stranger names an address.

use std::num::NonZeroU32;
use std::sync::Arc;

use governor::clock::{Clock as GovernorClock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::HashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use mcp_oauth_core::port::Clock;

/// Fetches from one host: at once, and a second of rest for each later one.
const BURST_OF_A_HOST: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// Fetches from all hosts: at once, and each second.
const BURST_OF_ALL: NonZeroU32 = NonZeroU32::new(50).unwrap();

/// How many hosts are counted apart; beyond that, only those that rested are forgotten.
const MOST_HOSTS: usize = 4096;

/// Counts fetches by host and in all.
pub(crate) struct FetchBudget {
    hosts: RateLimiter<String, HashMapStateStore<String>, PortClock, NoOpMiddleware<Moment>>,
    all: RateLimiter<NotKeyed, InMemoryState, PortClock, NoOpMiddleware<Moment>>,
}

impl FetchBudget {
    pub(crate) fn new(clock: &Arc<dyn Clock>) -> Self {
        let clock = || PortClock(Arc::clone(clock));
        let of_a_host = Quota::per_second(NonZeroU32::MIN).allow_burst(BURST_OF_A_HOST);
        Self {
            hosts: RateLimiter::hashmap_with_clock(of_a_host, clock()),
            all: RateLimiter::direct_with_clock(Quota::per_second(BURST_OF_ALL), clock()),
        }
    }

    /// Takes one fetch out of the budget, or says which part of it is used up.
    pub(crate) fn take(&self, host: &str) -> Result<(), &'static str> {
        if self.hosts.len() >= MOST_HOSTS {
            self.hosts.retain_recent();
        }
        if self.hosts.len() >= MOST_HOSTS {
            return Err("too many hosts were named lately");
        }
        // The host first: one that is asked too often takes nothing from the others.
        self.hosts
            .check_key(&host.to_owned())
            .map_err(|_| "its host was asked too often lately")?;
        self.all.check().map_err(|_| "too much was fetched lately")
    }
}

/// The core's clock, as governor reads it.
#[derive(Clone)]
struct PortClock(Arc<dyn Clock>);

/// Seconds since 1970, of which governor counts fractions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Moment(u64);

impl GovernorClock for PortClock {
    type Instant = Moment;

    fn now(&self) -> Moment {
        let seconds = u64::try_from(self.0.now().as_unix()).unwrap_or(0);
        Moment(seconds.saturating_mul(1_000_000_000))
    }
}

impl std::ops::Add<Nanos> for Moment {
    type Output = Self;

    fn add(self, later: Nanos) -> Self {
        Self(self.0.saturating_add(later.as_u64()))
    }
}

impl Reference for Moment {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.saturating_sub(earlier.0).into()
    }

    fn saturating_sub(&self, duration: Nanos) -> Self {
        Self(self.0.saturating_sub(duration.as_u64()))
    }
}
