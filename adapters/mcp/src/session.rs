//! What one session of the older revisions has set for itself: the level of its log, and the
//! resources it watches.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mcp_oauth_core::port::Watch;
use mcp_oauth_core::service::resources::AuthorizedResource;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::call_target::MOST_WATCHED;
use crate::log_threshold::SessionLevel;

/// The state of a session; it ends with the handler that serves it.
#[derive(Default)]
pub(crate) struct Session {
    /// From which level on it wants log messages.
    pub(crate) level: SessionLevel,
    watched: Mutex<HashMap<String, Watched>>,
    /// Ends what tells the session of changes.
    telling: Mutex<Option<DropGuard>>,
}

struct Watched {
    resource: AuthorizedResource,
    _watch: Watch,
}

/// The session watches as much as one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooManyWatched;

impl Session {
    /// Watches a resource until [`Self::unwatch`] or the end of the session.
    pub(crate) fn watch(
        &self,
        resource: AuthorizedResource,
        watch: Watch,
    ) -> Result<(), TooManyWatched> {
        let mut watched = self.watched();
        if watched.len() >= MOST_WATCHED && !watched.contains_key(resource.uri()) {
            return Err(TooManyWatched);
        }
        watched.insert(resource.uri().to_owned(), Watched { resource, _watch: watch });
        Ok(())
    }

    /// Watches it no more.
    pub(crate) fn unwatch(&self, uri: &str) {
        self.watched().remove(uri);
    }

    /// The resource, if it is watched.
    pub(crate) fn watches(&self, uri: &str) -> Option<AuthorizedResource> {
        self.watched().get(uri).map(|watched| watched.resource.clone())
    }

    /// A token that is cancelled at the end of the session, for whoever comes first.
    pub(crate) fn begin_telling(&self) -> Option<CancellationToken> {
        let mut telling = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        if telling.is_some() {
            return None;
        }
        let ended = CancellationToken::new();
        *telling = Some(ended.clone().drop_guard());
        Some(ended)
    }

    fn watched(&self) -> MutexGuard<'_, HashMap<String, Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
