//! The requests under way on one connection of HTTP/2, and how long there have been none.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::sync::watch;
use tokio::time::timeout;

/// Counts the requests under way on a connection.
#[derive(Clone, Default)]
pub(crate) struct OpenRequests(Arc<watch::Sender<usize>>);

/// One of them, until it is dropped.
pub(crate) struct UnderWay(OpenRequests);

/// A body whose request is under way until its last byte is out, or nobody wants it any more.
pub(crate) struct CountedBody {
    body: BoxBody<Bytes, io::Error>,
    _under_way: UnderWay,
}

impl OpenRequests {
    /// Counts one more.
    pub(crate) fn begin(&self) -> UnderWay {
        self.0.send_modify(|count| *count += 1);
        UnderWay(self.clone())
    }

    /// Ends when no request begins within `first`, or later on none was under way for `later`. Pings
    /// are no requests.
    pub(crate) async fn silence(&self, first: Duration, later: Duration) {
        let mut count = self.0.subscribe();
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
}

impl UnderWay {
    /// Keeps it under way for as long as `body` is being sent.
    pub(crate) fn until_sent(self, body: BoxBody<Bytes, io::Error>) -> CountedBody {
        CountedBody { body, _under_way: self }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

impl Body for CountedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Pin::new(&mut self.body).poll_frame(context)
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
