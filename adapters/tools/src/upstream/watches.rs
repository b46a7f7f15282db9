//! The resources that somebody wants to be told of.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mcp_oauth_core::domain::tool::CallError;
use tokio::sync::watch;

/// Each resource once, however many watch it.
pub(super) struct Watches {
    watched: Mutex<BTreeMap<String, Watched>>,
    version: watch::Sender<u64>,
}

struct Watched {
    by: usize,
    outcome: Option<Result<(), CallError>>,
}

/// Somebody who watches a resource; dropping it ends that.
pub(super) struct Watcher {
    watches: Arc<Watches>,
    uri: String,
}

impl Default for Watches {
    fn default() -> Self {
        Self { watched: Mutex::default(), version: watch::Sender::new(0) }
    }
}

impl Watches {
    pub(super) fn add(self: &Arc<Self>, uri: &str) -> Watcher {
        let mut watched = self.lock();
        let entry = watched.entry(uri.to_owned()).or_insert(Watched { by: 0, outcome: None });
        entry.by += 1;
        if entry.by == 1 {
            self.changed();
        }
        Watcher { watches: Arc::clone(self), uri: uri.to_owned() }
    }

    pub(super) fn include(&self, uri: &str) -> bool {
        self.lock().contains_key(uri)
    }

    pub(super) fn uris(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    /// Tells of every change of the resources and of their outcomes.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// The server watches it now, or refused to.
    pub(super) fn settle(&self, uri: &str, outcome: Result<(), CallError>) {
        if let Some(watched) = self.lock().get_mut(uri) {
            watched.outcome = Some(outcome);
        }
        self.changed();
    }

    fn outcome(&self, uri: &str) -> Option<Result<(), CallError>> {
        self.lock().get(uri)?.outcome.clone()
    }

    fn changed(&self) {
        self.version.send_modify(|version| *version = version.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher {
    /// Waits until the server watches it, or refused to.
    pub(super) async fn settled(&self) -> Result<(), CallError> {
        let mut changes = self.watches.changes();
        loop {
            if let Some(outcome) = self.watches.outcome(&self.uri) {
                return outcome;
            }
            if changes.changed().await.is_err() {
                return Ok(());
            }
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut watched = self.watches.lock();
        let Some(entry) = watched.get_mut(&self.uri) else { return };
        entry.by -= 1;
        if entry.by == 0 {
            watched.remove(&self.uri);
            drop(watched);
            self.watches.changed();
        }
    }
}
