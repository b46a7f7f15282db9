//! Remembers what clients publish of themselves, so that a request costs no fetch, and keeps
//! strangers from making this server fetch more than a little.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use mcp_oauth_core::domain::client_document::ClientDocument;
use mcp_oauth_core::domain::client_document_url::ClientDocumentUrl;
use mcp_oauth_core::domain::client_keys::{ClientKeySet, JwksUri};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{ClientDocuments, Clock, DocumentError, Fetched, WantedKeys};
use quick_cache::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::fetch_budget::FetchBudget;

/// How many fetches of what was not known before may be under way at once.
const MOST_AT_ONCE: usize = 32;

/// How long what was remembered once may be fetched anew without budget, counted from the last time.
const REST_OF_THE_KNOWN: Duration = Duration::from_secs(5);

/// What is remembered, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentMemory {
    /// At least so long, whatever the host says; keys are not fetched again sooner either.
    pub least: Duration,
    /// At most so long.
    pub most: Duration,
    /// So many documents, and as many key sets; the least used are forgotten first. The port limits
    /// the size of each, and so this the size of all.
    pub entries: usize,
}

/// Something in front of whoever fetches.
///
/// Valid documents are remembered for as long as their host allows, within bounds; failures never.
/// Whoever asks for what is being fetched already waits for the same answer. For what nobody asked
/// before there is a budget, in all and for each host, so that a flood of made-up addresses does not
/// become a flood of requests. What is remembered, if only from earlier, is fetched anew without it,
/// every few seconds at most: the flood does not keep out the clients in use.
pub struct RememberedDocuments {
    source: Arc<dyn ClientDocuments>,
    clock: Arc<dyn Clock>,
    budget: FetchBudget,
    seats: Arc<Semaphore>,
    documents: Arc<Memory<ClientDocumentUrl, ClientDocument>>,
    keys: Arc<Memory<JwksUri, ClientKeySet>>,
}

impl RememberedDocuments {
    /// Remembers what `source` fetches.
    #[must_use]
    pub fn new(
        source: Arc<dyn ClientDocuments>,
        clock: Arc<dyn Clock>,
        memory: DocumentMemory,
    ) -> Self {
        Self {
            source,
            budget: FetchBudget::new(&clock),
            seats: Arc::new(Semaphore::new(MOST_AT_ONCE)),
            clock,
            documents: Arc::new(Memory::new(memory)),
            keys: Arc::new(Memory::new(memory)),
        }
    }

    fn take_from_budget(
        &self,
        host: &str,
        address: &str,
    ) -> Result<OwnedSemaphorePermit, DocumentError> {
        let seat = Arc::clone(&self.seats).try_acquire_owned();
        let seat = seat.map_err(|_| "too much is being fetched already");
        let taken = seat.and_then(|seat| self.budget.take(host).map(|()| seat));
        taken.map_err(|reason| DocumentError::Busy {
            address: address.to_owned(),
            reason: reason.to_owned(),
        })
    }
}

#[async_trait]
impl ClientDocuments for RememberedDocuments {
    async fn fetch(
        &self,
        url: &ClientDocumentUrl,
    ) -> Result<Fetched<ClientDocument>, DocumentError> {
        let now = self.clock.now();
        if let Some(found) = self.documents.recall(url, now, WantedKeys::Any) {
            return Ok(found);
        }
        let (source, wanted) = (Arc::clone(&self.source), url.clone());
        let fetch = async move { source.fetch(&wanted).await }.boxed();
        let budget = || self.take_from_budget(url.host(), url.as_str());
        let answer = self.documents.join(url, now, fetch, budget)?;
        answer.await
    }

    async fn fetch_keys(
        &self,
        uri: &JwksUri,
        wanted: WantedKeys,
    ) -> Result<Fetched<ClientKeySet>, DocumentError> {
        let now = self.clock.now();
        if let Some(found) = self.keys.recall(uri, now, wanted) {
            return Ok(found);
        }
        let (source, address) = (Arc::clone(&self.source), uri.clone());
        let fetch = async move { source.fetch_keys(&address, WantedKeys::Latest).await }.boxed();
        let budget = || self.take_from_budget(uri.host(), uri.as_str());
        let answer = self.keys.join(uri, now, fetch, budget)?;
        answer.await
    }
}

type Answer<V> = Result<Fetched<V>, DocumentError>;

type Fetching<V> = Shared<BoxFuture<'static, Answer<V>>>;

/// What is remembered of one kind, and what is on its way.
struct Memory<K, V> {
    limits: DocumentMemory,
    remembered: Cache<K, Arc<Remembered<V>>>,
    under_way: Mutex<HashMap<K, UnderWay<V>>>,
}

struct Remembered<V> {
    value: V,
    since: Timestamp,
    until: Timestamp,
    /// When it was last sent for without budget.
    sent_for: AtomicI64,
}

/// A fetch that ends when nobody waits for it any more.
type UnderWay<V> = WeakShared<BoxFuture<'static, Answer<V>>>;

impl<K, V> Memory<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn new(limits: DocumentMemory) -> Self {
        Self { limits, remembered: Cache::new(limits.entries), under_way: Mutex::default() }
    }

    /// What is remembered and still good. A clock that was set back makes nothing last longer.
    fn recall(&self, key: &K, now: Timestamp, wanted: WantedKeys) -> Option<Fetched<V>> {
        let remembered = self.remembered.get(key)?;
        let until = match wanted {
            WantedKeys::Any => remembered.until,
            WantedKeys::Latest => remembered.since.after(self.limits.least),
        };
        let is_good = remembered.since <= now && now < until;
        is_good.then(|| Fetched { value: remembered.value.clone(), fresh_for: None })
    }

    /// Waits for what is on its way, or sends for it if `budget` allows.
    fn join(
        self: &Arc<Self>,
        key: &K,
        now: Timestamp,
        fetch: BoxFuture<'static, Answer<V>>,
        budget: impl FnOnce() -> Result<OwnedSemaphorePermit, DocumentError>,
    ) -> Result<Fetching<V>, DocumentError> {
        let mut under_way = self.under_way();
        if let Some(fetching) = under_way.get(key).and_then(WeakShared::upgrade) {
            return Ok(fetching);
        }
        let seat = if self.may_be_sent_for(key, now) { None } else { Some(budget()?) };
        let (memory, address) = (Arc::clone(self), key.clone());
        let fetching = async move {
            let answer = fetch.await;
            memory.arrived(address, now, &answer);
            drop(seat);
            answer
        };
        let fetching = fetching.boxed().shared();
        under_way.retain(|_, fetching| fetching.upgrade().is_some());
        under_way.extend(fetching.downgrade().map(|weak| (key.clone(), weak)));
        Ok(fetching)
    }

    /// Whether it was remembered once and has rested. Called under the lock of what is under way.
    fn may_be_sent_for(&self, key: &K, now: Timestamp) -> bool {
        let Some(remembered) = self.remembered.peek(key) else { return false };
        let last = Timestamp::from_unix(remembered.sent_for.load(Ordering::Relaxed));
        let rested = now >= last.after(REST_OF_THE_KNOWN);
        if rested {
            remembered.sent_for.store(now.as_unix(), Ordering::Relaxed);
        }
        rested
    }

    fn arrived(&self, key: K, now: Timestamp, answer: &Answer<V>) {
        if let Ok(Fetched { value, fresh_for }) = answer {
            let DocumentMemory { least, most, .. } = self.limits;
            let kept_for = fresh_for.unwrap_or(least).min(most).max(least);
            let remembered = Remembered {
                value: value.clone(),
                since: now,
                until: now.after(kept_for),
                sent_for: AtomicI64::new(now.as_unix()),
            };
            self.remembered.insert(key.clone(), Arc::new(remembered));
        }
        self.under_way().remove(&key);
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<K, UnderWay<V>>> {
        // Every change is one insertion or removal, so a panic leaves nothing half done.
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
