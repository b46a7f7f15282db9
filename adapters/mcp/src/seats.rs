//! How much there may be at once, of all callers and of each: sessions over both transports, and
//! requests that are open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;
use mcp_oauth_core::domain::principal::CallerIdentity;
use thiserror::Error;

use crate::json_rpc_error::{Refused, try_again};

/// How many seats there are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SeatLimits {
    /// Of all callers together.
    pub(crate) total: usize,
    /// Of one caller.
    pub(crate) per_caller: usize,
}

/// Counts the seats that are taken.
pub(crate) struct Seats {
    limits: SeatLimits,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    total: usize,
    by_caller: HashMap<CallerIdentity, usize>,
}

/// The right to have one open, given back when dropped.
pub(crate) struct Seat {
    seats: Arc<Seats>,
    caller: CallerIdentity,
}

/// Why there is no seat; the texts are for sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum NoSeat {
    #[error("you have too many sessions open")]
    OfThisCaller,
    #[error("the server has too many sessions open")]
    OfAnyone,
}

impl Seats {
    pub(crate) fn new(limits: SeatLimits) -> Arc<Self> {
        Arc::new(Self { limits, taken: Mutex::default() })
    }

    /// Takes a seat for `caller`.
    pub(crate) fn take(self: &Arc<Self>, caller: &CallerIdentity) -> Result<Seat, NoSeat> {
        let mut taken = self.taken();
        if taken.by_caller.get(caller).is_some_and(|count| *count >= self.limits.per_caller) {
            return Err(NoSeat::OfThisCaller);
        }
        if taken.total >= self.limits.total {
            return Err(NoSeat::OfAnyone);
        }
        taken.total += 1;
        *taken.by_caller.entry(caller.clone()).or_default() += 1;
        Ok(Seat { seats: Arc::clone(self), caller: caller.clone() })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        taken.total -= 1;
        if let Some(count) = taken.by_caller.get_mut(&self.caller) {
            *count -= 1;
            if *count == 0 {
                taken.by_caller.remove(&self.caller);
            }
        }
    }
}

impl From<NoSeat> for Refused {
    fn from(reason: NoSeat) -> Self {
        let status = match reason {
            NoSeat::OfThisCaller => StatusCode::TOO_MANY_REQUESTS,
            NoSeat::OfAnyone => StatusCode::SERVICE_UNAVAILABLE,
        };
        try_again(status, &reason.to_string())
    }
}
