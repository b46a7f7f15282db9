//! How many requests one caller may have open at once: event streams, subscriptions, calls under way.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::StatusCode;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::BoxBody;
use mcp_oauth_core::domain::principal::Principal;
use poem::Response;

use crate::json_rpc_error::{Refused, try_again};
use crate::seats::{Seat, SeatLimits, Seats};

/// Counts the requests that are open.
#[derive(Clone)]
pub(crate) struct OpenRequests(Arc<Seats>);

/// One of them. It is open until its answer has been sent, or nobody wants it any more, and what it
/// began has ended: every clone is gone.
#[derive(Clone)]
pub(crate) struct OpenRequest(#[expect(dead_code, reason = "held, not read")] Arc<Seat>);

/// The body of an answer that keeps its request open.
struct HeldBody {
    body: BoxBody<Bytes, io::Error>,
    _request: OpenRequest,
}

impl OpenRequests {
    /// At most `per_caller` at a time for each caller.
    pub(crate) fn new(per_caller: usize) -> Self {
        Self(Seats::new(SeatLimits { total: usize::MAX, per_caller }))
    }

    /// Opens one more.
    ///
    /// # Errors
    /// 429 when the caller has as many as there may be.
    pub(crate) fn open(&self, caller: &Principal) -> Result<OpenRequest, Refused> {
        match self.0.take(&caller.identity()) {
            Ok(seat) => Ok(OpenRequest(Arc::new(seat))),
            Err(_) => {
                let text = "you have too many requests open: end a stream, or wait for an answer";
                Err(try_again(StatusCode::TOO_MANY_REQUESTS, text))
            }
        }
    }
}

impl OpenRequest {
    /// Keeps the request open until the body of `response` is out, or dropped.
    pub(crate) fn until_sent(self, mut response: Response) -> Response {
        let body = HeldBody { body: response.take_body().into(), _request: self };
        response.set_body(body.boxed());
        response
    }
}

impl fmt::Debug for OpenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenRequest").finish_non_exhaustive()
    }
}

impl Body for HeldBody {
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
