//! The requests under way on one connection of HTTP/2, and how long there have been none.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

/// Counts the requests under way on a connection.
#[derive(Clone, Default)]
pub(crate) struct OpenRequests {
    count: Arc<watch::Sender<usize>>,
    unread: Arc<Mutex<Unread>>,
}

/// The answers of which the client takes nothing, and since when: HTTP/2 lets it hold back each.
#[derive(Default)]
struct Unread {
    last: u64,
    since: BTreeMap<u64, Instant>,
}

/// One of them, until it is dropped.
pub(crate) struct UnderWay(OpenRequests);

/// A body whose request is under way until its last byte is out, or nobody wants it any more.
pub(crate) struct CountedBody {
    body: BoxBody<Bytes, io::Error>,
    under_way: UnderWay,
    /// Among those that may be unread.
    name: u64,
}

impl OpenRequests {
    /// Counts one more.
    pub(crate) fn begin(&self) -> UnderWay {
        self.count.send_modify(|count| *count += 1);
        UnderWay(self.clone())
    }

    /// Ends when no request begins within `first`, or later on none was under way for `later`. Pings
    /// are no requests.
    pub(crate) async fn silence(&self, first: Duration, later: Duration) {
        let mut count = self.count.subscribe();
        let mut patience = first;
        loop {
            // An error would mean that nobody counts any more, and `self` does.
            let _ = count.wait_for(|count| *count == 0).await;
            // A request too short to be seen here is a change all the same.
            if timeout(patience, count.changed()).await.is_err() {
                return;
            }
            patience = later;
        }
    }

    /// Ends when the client has taken nothing of an answer for so long, though there is something.
    pub(crate) async fn unread(&self, patience: Duration) {
        loop {
            let oldest = self.lock().since.values().min().copied();
            let Some(end) = oldest.unwrap_or_else(Instant::now).checked_add(patience) else {
                return std::future::pending().await;
            };
            if end <= Instant::now() {
                return;
            }
            sleep_until(end).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Unread> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay {
    /// Keeps it under way for as long as `body` is being sent.
    pub(crate) fn until_sent(self, body: BoxBody<Bytes, io::Error>) -> CountedBody {
        let name = {
            let mut unread = self.0.lock();
            unread.last += 1;
            let name = unread.last;
            unread.since.insert(name, Instant::now());
            name
        };
        CountedBody { body, under_way: self, name }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.count.send_modify(|count| *count -= 1);
    }
}

impl Drop for CountedBody {
    fn drop(&mut self) {
        self.under_way.0.lock().since.remove(&self.name);
    }
}

impl Body for CountedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        // Who asks has room for more; what it is given then has to go out before it asks again.
        let frame = Pin::new(&mut self.body).poll_frame(context);
        let mut unread = self.under_way.0.lock();
        if frame.is_pending() {
            unread.since.remove(&self.name);
        } else {
            unread.since.insert(self.name, Instant::now());
        }
        drop(unread);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(30);
    const LATER: Duration = Duration::from_secs(180);

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_silent_when_no_request_ever_begins() {
        let begun = tokio::time::Instant::now();
        OpenRequests::default().silence(FIRST, LATER).await;
        assert_eq!(begun.elapsed(), FIRST);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_under_way_is_no_silence_however_long_it_takes() {
        let open = OpenRequests::default();
        let begun = tokio::time::Instant::now();
        let hour = Duration::from_secs(3600);
        let requests = async {
            tokio::task::yield_now().await;
            let (one, other) = (open.begin(), open.begin());
            drop(one);
            tokio::time::sleep(hour).await;
            drop(other);
            // Too short for anybody to see, and it counts.
            tokio::time::sleep(LATER / 2).await;
            drop(open.begin());
        };
        tokio::join!(open.silence(FIRST, LATER), requests);
        assert_eq!(begun.elapsed(), hour + LATER / 2 + LATER);
    }
}
