//! Telling listeners what changed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use mcp_oauth_core::domain::catalog_change::CatalogChange;
use mcp_oauth_core::port::CatalogChanges;
use tokio::sync::Notify;

/// Everybody who wants to be told.
#[derive(Default)]
pub(super) struct Listeners {
    mailboxes: Mutex<Vec<Weak<Mailbox>>>,
}

/// What one listener has yet to be told: each change once, so that it is bounded by what can change.
#[derive(Default)]
struct Mailbox {
    pending: Mutex<Pending>,
    arrived: Notify,
}

#[derive(Default)]
struct Pending {
    changes: Vec<CatalogChange>,
    ended: bool,
}

struct Listener(Arc<Mailbox>);

/// Which lists the server has said are not as they were.
#[derive(Default)]
pub(super) struct Stale {
    tools: AtomicBool,
    prompts: AtomicBool,
    resources: AtomicBool,
    arrived: Notify,
}

impl Stale {
    pub(super) fn mark(&self, list: &CatalogChange) {
        let flag = match list {
            CatalogChange::Tools => &self.tools,
            CatalogChange::Prompts => &self.prompts,
            CatalogChange::Resources | CatalogChange::Resource(_) => &self.resources,
        };
        flag.store(true, Ordering::Release);
        self.arrived.notify_one();
    }

    pub(super) fn mark_all(&self) {
        for list in [CatalogChange::Tools, CatalogChange::Prompts, CatalogChange::Resources] {
            self.mark(&list);
        }
    }

    /// Waits for a list that is stale, and takes all that are.
    pub(super) async fn next(&self) -> Vec<CatalogChange> {
        loop {
            let stale = [
                (&self.tools, CatalogChange::Tools),
                (&self.prompts, CatalogChange::Prompts),
                (&self.resources, CatalogChange::Resources),
            ];
            let stale = stale.into_iter().filter(|(flag, _)| flag.swap(false, Ordering::AcqRel));
            let stale: Vec<CatalogChange> = stale.map(|(_, list)| list).collect();
            if !stale.is_empty() {
                return stale;
            }
            self.arrived.notified().await;
        }
    }
}

impl Listeners {
    /// Listens from now on.
    pub(super) fn listen(&self) -> Box<dyn CatalogChanges> {
        let mailbox = Arc::new(Mailbox::default());
        let mut mailboxes = lock(&self.mailboxes);
        mailboxes.retain(|it| it.strong_count() > 0);
        mailboxes.push(Arc::downgrade(&mailbox));
        Box::new(Listener(mailbox))
    }

    pub(super) fn tell(&self, change: &CatalogChange) {
        self.each(|pending| {
            if !pending.changes.contains(change) {
                pending.changes.push(change.clone());
            }
        });
    }

    /// There will be no more.
    pub(super) fn end(&self) {
        self.each(|pending| pending.ended = true);
    }

    fn each(&self, what: impl Fn(&mut Pending)) {
        for mailbox in lock(&self.mailboxes).iter().filter_map(Weak::upgrade) {
            what(&mut lock(&mailbox.pending));
            mailbox.arrived.notify_one();
        }
    }
}

#[async_trait]
impl CatalogChanges for Listener {
    async fn next(&mut self) -> Option<CatalogChange> {
        loop {
            {
                let mut pending = lock(&self.0.pending);
                if !pending.changes.is_empty() {
                    return Some(pending.changes.remove(0));
                }
                if pending.ended {
                    return None;
                }
            }
            self.0.arrived.notified().await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
