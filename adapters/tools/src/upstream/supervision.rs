//! Keeping a connection to an upstream server: made anew whenever it ends, later each time it fails.

use std::sync::Arc;
use std::time::Duration;

use mcp_oauth_core::domain::catalog_change::CatalogChange;
use mcp_oauth_core::domain::tool::CallError;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::config::UpstreamLimits;
use super::connecting::{Connector, Purpose};
use super::connection::Connection;
use super::errors::Errors;
use super::listening::{keep_listening, tells_of_resources};
use super::lists::Lists;
use super::ordered::ChangeNotices;

/// A connection that has lived so long was a good one.
const GOOD: Duration = Duration::from_secs(60);

/// The connection that is kept.
pub(super) struct Link {
    state: watch::Receiver<State>,
    ended: CancellationToken,
    errors: Errors,
}

#[derive(Clone)]
enum State {
    /// An attempt is under way; why there is no connection, when there was one or an attempt before.
    Connecting(Option<Arc<str>>),
    Up(Arc<Connection>),
    Down {
        why: Arc<str>,
        next_attempt: Instant,
    },
    Ended,
}

/// Who keeps it.
pub(super) struct Supervisor {
    pub(super) connector: Arc<Connector>,
    pub(super) purpose: Purpose,
    pub(super) changes: ChangeNotices,
    pub(super) lists: Arc<Lists>,
    pub(super) limits: UpstreamLimits,
}

impl Link {
    /// The connection, waiting a little for one that is being made.
    pub(super) async fn connection(
        &self,
        patience: Duration,
    ) -> Result<Arc<Connection>, CallError> {
        let mut state = self.state.clone();
        let deadline = Instant::now() + patience;
        loop {
            let current = state.borrow_and_update().clone();
            match current {
                State::Up(connection) if !connection.closed.is_cancelled() => {
                    return Ok(connection);
                }
                State::Down { next_attempt, .. } if next_attempt > deadline => break,
                State::Ended => break,
                // Also when it closed and the supervisor has yet to notice.
                State::Up(_) | State::Connecting(_) | State::Down { .. } => {}
            }
            if !matches!(tokio::time::timeout_at(deadline, state.changed()).await, Ok(Ok(()))) {
                break;
            }
        }
        Err(self.errors.down())
    }

    /// Whether the server completes arguments.
    pub(super) async fn completes(&self, patience: Duration) -> Result<bool, CallError> {
        Ok(self.connection(patience).await?.serves.completions.is_some())
    }

    /// Whether the server is there and tells what changes in a resource.
    pub(super) fn tells_of_resources(&self) -> bool {
        matches!(&*self.state.borrow(), State::Up(connection) if tells_of_resources(connection))
    }

    /// Why there is no connection, for the operator.
    pub(super) fn trouble(&self) -> Option<String> {
        match &*self.state.borrow() {
            State::Up(_) => None,
            State::Connecting(None) => Some("it is being connected to for the first time".into()),
            State::Connecting(Some(why)) | State::Down { why, .. } => Some(why.to_string()),
            State::Ended => Some("it was shut down".into()),
        }
    }

    /// Waits until there is a connection; whether there is.
    pub(super) async fn up(&self, patience: Duration) -> bool {
        let mut state = self.state.clone();
        let up = state.wait_for(|state| matches!(state, State::Up(_) | State::Ended));
        match tokio::time::timeout(patience, up).await {
            Ok(Ok(state)) => matches!(&*state, State::Up(_)),
            Ok(Err(_)) | Err(_) => false,
        }
    }

    /// Ends the connection for good, and waits for that.
    pub(super) async fn end(&self) {
        self.ended.cancel();
        let mut state = self.state.clone();
        let _ = state.wait_for(|state| matches!(state, State::Ended)).await;
    }
}

/// The process does not outlive the catalog.
impl Drop for Link {
    fn drop(&mut self) {
        self.ended.cancel();
    }
}

impl Supervisor {
    /// Begins.
    pub(super) fn start(self) -> Link {
        let (told, state) = watch::channel(State::Connecting(None));
        let ended = CancellationToken::new();
        let errors = self.connector.errors.clone();
        tokio::spawn(self.keep(told, ended.clone()));
        Link { state, ended, errors }
    }

    async fn keep(self, state: watch::Sender<State>, ended: CancellationToken) {
        let mut delay = Duration::ZERO;
        loop {
            let attempt = tokio::select! {
                attempt = self.connector.connect(&self.purpose) => attempt,
                () = ended.cancelled() => break,
            };
            let good = match &attempt {
                Ok(connection) => self.serve(connection, &state, &ended).await,
                Err(_) => false,
            };
            if good {
                delay = Duration::ZERO;
            }
            let ended_by_itself = || "its connection ended".to_owned();
            let why: Arc<str> = attempt.err().unwrap_or_else(ended_by_itself).into();
            if ended.is_cancelled() {
                break;
            }
            tracing::warn!(
                upstream = &*self.connector.name,
                "the tool server is down: {why}; it is tried again in {} ms",
                delay.as_millis()
            );
            self.pause(&state, &ended, why, delay).await;
            delay = longer(delay, &self.limits);
        }
        self.changes.listeners.end();
        state.send_replace(State::Ended);
    }

    async fn pause(
        &self,
        state: &watch::Sender<State>,
        ended: &CancellationToken,
        why: Arc<str>,
        delay: Duration,
    ) {
        if !delay.is_zero() {
            let next_attempt = Instant::now() + delay;
            state.send_replace(State::Down { why: Arc::clone(&why), next_attempt });
            tokio::select! {
                () = tokio::time::sleep_until(next_attempt) => {}
                () = ended.cancelled() => {}
            }
        }
        state.send_replace(State::Connecting(Some(why)));
    }

    /// Until the connection ends, or is to end; whether it was good for something.
    async fn serve(
        &self,
        connection: &Arc<Connection>,
        state: &watch::Sender<State>,
        ended: &CancellationToken,
    ) -> bool {
        let begun = Instant::now();
        tokio::select! {
            () = self.stay_current(connection, state) => {}
            () = connection.closed.cancelled() => {}
            () = ended.cancelled() => {}
        }
        connection.end().await;
        connection.has_answered() || begun.elapsed() > GOOD
    }

    /// Reads the lists, and again whenever they change.
    async fn stay_current(&self, connection: &Arc<Connection>, state: &watch::Sender<State>) {
        // First, so that what changes while the lists are read is not missed.
        let listening =
            keep_listening(Arc::clone(connection), self.changes.clone(), self.limits.start);
        tokio::spawn(listening);
        let all = [CatalogChange::Tools, CatalogChange::Prompts, CatalogChange::Resources];
        self.refresh(connection, &all).await;
        if connection.closed.is_cancelled() {
            return;
        }
        tracing::info!(upstream = &*self.connector.name, "the tool server is connected");
        state.send_replace(State::Up(Arc::clone(connection)));
        loop {
            let stale = self.changes.stale.next().await;
            self.refresh(connection, &stale).await;
            // What changes meanwhile is read in one go.
            tokio::time::sleep(REST).await;
        }
    }

    async fn refresh(&self, connection: &Connection, stale: &[CatalogChange]) {
        for kind in stale {
            match self.lists.refresh(connection, kind).await {
                Ok(true) => self.changes.listeners.tell(kind),
                Ok(false) => {}
                Err(error) => tracing::warn!(
                    upstream = &*self.connector.name,
                    "a list of the tool server can't be had: {error}"
                ),
            }
        }
    }
}

/// Between two readings of the lists: a server whose lists never come to rest must not flood clients.
const REST: Duration = Duration::from_millis(200);

/// The delay after this one failed.
fn longer(delay: Duration, limits: &UpstreamLimits) -> Duration {
    (delay * 2).max(limits.first_delay).min(limits.longest_delay)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_delay_is_twice_the_one_before_up_to_the_longest() {
        let limits = UpstreamLimits {
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_secs(5),
            ..UpstreamLimits::default()
        };
        let delays = std::iter::successors(Some(Duration::ZERO), |it| Some(longer(*it, &limits)));
        let seconds: Vec<u64> = delays.take(6).map(|it| it.as_secs()).collect();
        assert_eq!(seconds, [0, 1, 2, 4, 5, 5]);
    }
}
