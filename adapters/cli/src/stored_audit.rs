//! Keeping decisions: collected for a moment, then stored together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mcp_oauth_core::domain::audit::AuditEvent;
use mcp_oauth_core::domain::audit_trail::AuditEntry;
use mcp_oauth_core::domain::correlation::CurrentRequest;
use mcp_oauth_core::port::{AuditLog, AuditTrail, Clock};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::log_audit::LogAudit;

/// How many decisions may wait to be stored; more are in the log only.
const MOST_WAITING: usize = 10_000;

/// How many are stored at once: a database takes only so many values in a statement.
const MOST_AT_ONCE: usize = 500;

/// How long the first of them waits for others.
const COLLECT: Duration = Duration::from_millis(200);

/// Writes every decision to the log and hands it on to be stored.
pub(crate) struct StoredAudit {
    waiting: Sender<AuditEntry>,
    clock: Arc<dyn Clock>,
    lost: Arc<AtomicU64>,
}

impl StoredAudit {
    /// Stores decisions in `trail`. The task ends after `end`, once everything that waited is
    /// stored.
    pub(crate) fn start(
        trail: Arc<dyn AuditTrail>,
        clock: Arc<dyn Clock>,
        end: CancellationToken,
    ) -> (Self, JoinHandle<()>) {
        let (waiting, arriving) = channel(MOST_WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let storing = tokio::spawn(store(arriving, trail, Arc::clone(&lost), end));
        (Self { waiting, clock, lost }, storing)
    }
}

impl AuditLog for StoredAudit {
    fn record(&self, event: AuditEvent) {
        LogAudit.record(event.clone());
        // Every client begins like this: kept, they would bury the others.
        if event.decision.is_routine() {
            return;
        }
        let entry = AuditEntry::new(event, CurrentRequest::current().as_deref(), self.clock.now());
        if self.waiting.try_send(entry).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn store(
    mut arriving: Receiver<AuditEntry>,
    trail: Arc<dyn AuditTrail>,
    lost: Arc<AtomicU64>,
    end: CancellationToken,
) {
    let mut entries = Vec::new();
    let mut closed = false;
    loop {
        let next = tokio::select! {
            biased;
            next = arriving.recv() => next,
            () = end.cancelled(), if !closed => {
                closed = true;
                arriving.close();
                continue;
            }
        };
        let Some(first) = next else { return };
        entries.push(first);
        // The rest of a burst costs no transaction of its own.
        if arriving.len() < MOST_AT_ONCE {
            let _ = tokio::time::timeout(COLLECT, end.cancelled()).await;
        }
        while entries.len() < MOST_AT_ONCE
            && let Ok(next) = arriving.try_recv()
        {
            entries.push(next);
        }
        if let Err(error) = trail.append(&entries).await {
            lost.fetch_add(entries.len() as u64, Ordering::Relaxed);
            tracing::warn!(%error, "decisions could not be stored");
        }
        entries.clear();
        let decisions = lost.swap(0, Ordering::Relaxed);
        if decisions > 0 {
            tracing::warn!(decisions, "decisions are in the log only, and not in the store");
        }
    }
}

#[cfg(test)]
mod tests {
    use mcp_oauth_core::domain::audit::Decision;
    use mcp_oauth_core::domain::audit_trail::AuditQuery;
    use mcp_oauth_memory::MemoryStore;

    use super::*;
    use crate::system::SystemClock;

    #[tokio::test]
    async fn co_05_what_was_recorded_before_the_end_is_stored() {
        let trail = Arc::new(MemoryStore::new());
        let end = CancellationToken::new();
        let clock = Arc::new(SystemClock);
        let (audit, storing) = StoredAudit::start(Arc::clone(&trail) as _, clock, end.clone());
        for _ in 0..1200 {
            audit.record(AuditEvent::new(Decision::LoggedIn));
        }
        end.cancel();
        storing.await.unwrap();
        assert_eq!(trail.read(&AuditQuery::default(), 5000).await.unwrap().len(), 1200);
    }

    #[tokio::test]
    async fn what_every_client_begins_with_is_not_stored() {
        let trail = Arc::new(MemoryStore::new());
        let end = CancellationToken::new();
        let clock = Arc::new(SystemClock);
        let (audit, storing) = StoredAudit::start(Arc::clone(&trail) as _, clock, end.clone());
        let code = mcp_oauth_core::domain::audit::NO_CREDENTIALS;
        audit.record(AuditEvent::new(Decision::Refused { code, reason: String::new() }));
        end.cancel();
        storing.await.unwrap();
        assert!(trail.read(&AuditQuery::default(), 10).await.unwrap().is_empty());
    }
}
