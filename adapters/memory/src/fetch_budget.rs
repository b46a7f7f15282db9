//! How much may be fetched because a stranger names an address.

use std::num::NonZeroU32;
use std::sync::Arc;

use governor::Quota;
use mcp_oauth_core::port::Clock;

use crate::counter::Counter;

/// Fetches from one host: at once, and a second of rest for each later one.
const BURST_OF_A_HOST: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// Fetches from all hosts: at once, and each second.
const BURST_OF_ALL: NonZeroU32 = NonZeroU32::new(50).unwrap();

/// Counts fetches by host and in all.
pub(crate) struct FetchBudget {
    hosts: Counter,
    all: Counter,
}

impl FetchBudget {
    pub(crate) fn new(clock: &Arc<dyn Clock>) -> Self {
        let of_a_host = Quota::per_second(NonZeroU32::MIN).allow_burst(BURST_OF_A_HOST);
        Self {
            hosts: Counter::new(of_a_host, clock),
            all: Counter::new(Quota::per_second(BURST_OF_ALL), clock),
        }
    }

    /// Takes one fetch out of the budget, or says which part of it is used up.
    pub(crate) fn take(&self, host: &str) -> Result<(), &'static str> {
        // The host first: one that is asked too often takes nothing from the others.
        self.hosts.count(&host).map_err(|_| "its host was asked too often lately")?;
        self.all.count(&()).map_err(|_| "too much was fetched lately")
    }
}
