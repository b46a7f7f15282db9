//! One at a time for each key.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// Who is at it, by key. Keys nobody has a turn for are forgotten.
pub(crate) struct Turns<K>(Mutex<HashMap<K, Weak<AsyncMutex<()>>>>);

impl<K: Eq + Hash> Turns<K> {
    pub(crate) fn new() -> Self {
        Self(Mutex::default())
    }

    /// Waits until nobody else has the turn for `key`; it ends with the value.
    pub(crate) async fn take(&self, key: K) -> OwnedMutexGuard<()> {
        self.turn(key).lock_owned().await
    }

    fn turn(&self, key: K) -> Arc<AsyncMutex<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = turns.get(&key).and_then(Weak::upgrade).unwrap_or_default();
        turns.insert(key, Arc::downgrade(&turn));
        turn
    }
}
