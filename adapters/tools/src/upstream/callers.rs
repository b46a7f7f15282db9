//! A connection for each caller: made when they call, ended when they have not for a while.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mcp_oauth_core::domain::input_required::ClientAbility;
use mcp_oauth_core::domain::principal::CallerIdentity;
use mcp_oauth_core::domain::tool::CallError;
use mcp_oauth_core::port::CallContext;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::connecting::{Connector, Purpose};
use super::connection::Connection;
use super::handler::capabilities;
use super::passing_caller::CallerHeaders;

/// Of all connections, how many one person may have: a quarter.
const SHARE: usize = 4;

/// The connections of the callers.
pub(super) struct Callers {
    connector: Arc<Connector>,
    most: usize,
    connections: Mutex<HashMap<Key, Entry>>,
}

/// Two clients of one person are two callers, and so is a client that can do something else: the
/// server is told once for a connection what its client can do.
type Key = (CallerIdentity, BTreeSet<ClientAbility>);

#[derive(Clone)]
struct Entry {
    connection: Arc<OnceCell<Arc<Connection>>>,
    used: Instant,
}

/// A connection, which is not taken for idle while this is held.
pub(super) struct Lease {
    pub(super) connection: Arc<Connection>,
    _place: Option<Arc<OnceCell<Arc<Connection>>>>,
}

impl Lease {
    /// Of a connection that nobody ends for being idle.
    pub(super) fn of_all(connection: Arc<Connection>) -> Self {
        Self { connection, _place: None }
    }
}

impl Entry {
    /// Whether no call is under way, nor about to be.
    fn is_idle(&self) -> bool {
        let handed_out = Arc::strong_count(&self.connection) > 1;
        let busy = self.connection.get().is_some_and(|it| !it.calls.is_empty());
        !handed_out && !busy
    }

    fn is_closed(&self) -> bool {
        self.connection.get().is_some_and(|it| it.closed.is_cancelled())
    }
}

impl Callers {
    /// At most `most` connections, each ended after `idle` without a call.
    pub(super) fn start(connector: Arc<Connector>, most: usize, idle: Duration) -> Arc<Self> {
        let callers = Arc::new(Self { connector, most, connections: Mutex::default() });
        let swept = Arc::downgrade(&callers);
        let period = (idle / 4).clamp(Duration::from_millis(100), Duration::from_secs(30));
        tokio::spawn(async move {
            tokio::time::sleep(period).await;
            while let Some(callers) = swept.upgrade() {
                callers.end_idle(idle);
                drop(callers);
                tokio::time::sleep(period).await;
            }
        });
        callers
    }

    /// The connection of whoever calls. `headers` say who it is.
    pub(super) async fn connection(
        &self,
        context: &CallContext,
        headers: CallerHeaders,
    ) -> Result<Lease, CallError> {
        let abilities = context.client_abilities().0.clone();
        let key = (context.caller.identity(), abilities.clone());
        let place = self.place(key).ok_or_else(|| self.connector.errors.busy())?;
        let purpose = Purpose {
            one_caller: true,
            capabilities: capabilities(|ability| abilities.contains(&ability)),
            headers,
            changes: None,
        };
        let made = place.get_or_try_init(|| async {
            self.connector.connect(&purpose).await.map_err(|why| {
                let name = &*self.connector.name;
                tracing::warn!(upstream = name, "no connection for a caller: {why}");
                self.connector.errors.down()
            })
        });
        let connection = Arc::clone(made.await?);
        Ok(Lease { connection, _place: Some(place) })
    }

    /// The place of a caller; `None` when all that they may have are taken by calls under way.
    fn place(&self, key: Key) -> Option<Arc<OnceCell<Arc<Connection>>>> {
        let mut connections = self.lock();
        connections.retain(|_, entry| !entry.is_closed());
        if let Some(entry) = connections.get_mut(&key) {
            entry.used = Instant::now();
            return Some(Arc::clone(&entry.connection));
        }
        let person = |other: &Key| other.0.is_same_person(&key.0);
        // Who has their share makes room for themselves, with whichever clients they came.
        let has_share =
            connections.keys().filter(|it| person(it)).count() >= self.most.div_ceil(SHARE);
        if has_share || connections.len() >= self.most {
            let idle = connections
                .iter()
                .filter(|(other, entry)| entry.is_idle() && (!has_share || person(other)));
            let oldest = idle.min_by_key(|(_, entry)| entry.used).map(|(key, _)| key.clone())?;
            end(connections.remove(&oldest));
        }
        let entry = Entry { connection: Arc::default(), used: Instant::now() };
        connections.insert(key, entry.clone());
        Some(entry.connection)
    }

    fn end_idle(&self, idle: Duration) {
        let mut connections = self.lock();
        for entry in connections.values_mut().filter(|entry| !entry.is_idle()) {
            entry.used = Instant::now();
        }
        let late = connections.iter().filter(|(_, entry)| entry.used.elapsed() >= idle);
        let late: Vec<Key> = late.map(|(key, _)| key.clone()).collect();
        for key in late {
            end(connections.remove(&key));
        }
    }

    /// Ends all of them.
    pub(super) async fn end(&self) {
        let all = std::mem::take(&mut *self.lock());
        let ends = all.into_values().filter_map(|entry| entry.connection.get().cloned());
        let ends = ends.map(|connection| async move { connection.end().await });
        futures_util::future::join_all(ends).await;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn end(entry: Option<Entry>) {
    let connection = entry.and_then(|entry| entry.connection.get().cloned());
    if let Some(connection) = connection {
        tokio::spawn(async move { connection.end().await });
    }
}
