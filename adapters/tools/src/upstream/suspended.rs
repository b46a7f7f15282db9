//! Calls that wait for an answer of their client. They live in this process, under a name that nobody
//! can guess, and each for its caller alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mcp_oauth_core::domain::principal::CallerIdentity;
use mcp_oauth_core::domain::secret::base64url;
use mcp_oauth_core::port::Random;
use tokio::task::AbortHandle;

use super::request::Request;

/// Of all places, how many one caller may take: a quarter.
const SHARE: usize = 4;

/// The calls that wait.
pub(super) struct Suspended {
    random: Arc<dyn Random>,
    most: usize,
    wait: Duration,
    calls: Arc<Mutex<HashMap<String, Waiting>>>,
}

struct Waiting {
    request: Request,
    belongs: Belongs,
    expiry: AbortHandle,
}

/// Whose call it is, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Belongs {
    pub(super) caller: CallerIdentity,
    pub(super) method: &'static str,
    pub(super) target: String,
}

/// There is no room for another.
pub(super) struct Full;

impl Suspended {
    pub(super) fn new(random: Arc<dyn Random>, most: usize, wait: Duration) -> Self {
        Self { random, most, wait, calls: Arc::default() }
    }

    /// Keeps the request until it is asked for, or nobody answers in time, which cancels it. Returns
    /// the name to ask for it by.
    pub(super) fn keep(&self, request: Request, belongs: Belongs) -> Result<String, Full> {
        let name = base64url(&self.random.entropy());
        let mut calls = lock(&self.calls);
        let of_caller = calls.values().filter(|it| it.belongs.caller == belongs.caller).count();
        if calls.len() >= self.most || of_caller >= self.most.div_ceil(SHARE) {
            return Err(Full);
        }
        let (table, expired, wait) = (Arc::downgrade(&self.calls), name.clone(), self.wait);
        let expiry = tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let late = table.upgrade().and_then(|calls| lock(&calls).remove(&expired));
            drop(late);
        });
        let expiry = expiry.abort_handle();
        calls.insert(name.clone(), Waiting { request, belongs, expiry });
        Ok(name)
    }

    /// The request of that name, if it is this caller's and of this call.
    pub(super) fn take(&self, name: &str, belongs: &Belongs) -> Option<Request> {
        let mut calls = lock(&self.calls);
        if calls.get(name)?.belongs != *belongs {
            return None;
        }
        let waiting = calls.remove(name)?;
        waiting.expiry.abort();
        Some(waiting.request)
    }

    /// Cancels all of them.
    pub(super) fn clear(&self) {
        let all = std::mem::take(&mut *lock(&self.calls));
        all.values().for_each(|it| it.expiry.abort());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
