//! The body of a request: how long it may take, and what becomes of one that nobody read.
//!
//! hyper closes a connection of HTTP/1.1 whose body is still on its way when the answer is out, and
//! says so to nobody: a client that keeps the connection finds it dead at its next request. So a refusal
//! that needs no body waits for a small one, and announces the end of the connection otherwise. In
//! HTTP/2 only the stream ends early, by a reset that means no error (RFC 9113 §8.1); some clients take
//! that for one, so a small body is waited for there too.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::CONNECTION;
use http::{HeaderValue, Response, Version};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::time::Sleep;

/// The largest rest that is worth waiting for, in bytes.
const LARGEST_REST: usize = 256 * 1024;

/// How long it is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a body may take to arrive once it is being read.
const LONGEST_ARRIVAL: Duration = Duration::from_secs(30);

type Slot = Arc<Mutex<Option<Incoming>>>;

/// The body of a request; dropped before its end, it leaves the rest behind.
pub(crate) struct ReturnedBody {
    body: Option<Incoming>,
    rest: Slot,
    /// Set when the body is waited for, which most never are.
    deadline: Option<Pin<Box<Sleep>>>,
}

/// Where the rest of a body turns up.
pub(crate) struct UnreadBody(Slot);

/// A body to hand on, and the place where its rest turns up.
pub(crate) fn watch(body: Incoming) -> (ReturnedBody, UnreadBody) {
    let rest = Slot::default();
    (ReturnedBody { body: Some(body), rest: Arc::clone(&rest), deadline: None }, UnreadBody(rest))
}

impl UnreadBody {
    /// Reads the rest, or lets `response` announce that the connection ends if it does so.
    pub(crate) async fn settle<B>(self, response: &mut Response<B>, version: Version) {
        let rest = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(rest) = rest.filter(|rest| !rest.is_end_stream()) else { return };
        let read = async {
            let mut rest = Limited::new(rest, LARGEST_REST);
            while let Some(frame) = rest.frame().await {
                frame?;
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        };
        let is_read = matches!(tokio::time::timeout(PATIENCE, read).await, Ok(Ok(())));
        if !is_read && version != Version::HTTP_2 {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

impl Body for ReturnedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(io::Error::other)));
        }
        let sleep = || Box::pin(tokio::time::sleep(LONGEST_ARRIVAL));
        let deadline = self.deadline.get_or_insert_with(sleep);
        match deadline.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl Drop for ReturnedBody {
    fn drop(&mut self) {
        *self.rest.lock().unwrap_or_else(PoisonError::into_inner) = self.body.take();
    }
}
