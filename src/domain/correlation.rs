//! The request that is being answered: an id that joins whatever is recorded about it, and where it
//! comes from.
//!
//! It is ambient, so that no use case hands it on only to have it recorded: whoever drives a request
//! wraps its future, and whoever records asks [`CurrentRequest::current`].

use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::client_address::ClientAddress;
use super::secret::{SECRET_BYTES, base64url};

/// The longest id taken over from a proxy, in characters.
const LONGEST_ID: usize = 64;

/// Names one request, across restarts and replicas.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(String);

impl RequestId {
    /// An id that no other request has: the first 128 bits.
    #[must_use]
    pub fn from_entropy(entropy: [u8; SECRET_BYTES]) -> Self {
        Self(base64url(&entropy[..16]))
    }

    /// An id that somebody in front of this server gave; `None` when it is too long or could be
    /// anything but an id where it is shown.
    #[must_use]
    pub fn given(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        let fits = (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(plain);
        fits.then(|| Self(text.to_owned()))
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The request that is being answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentRequest {
    /// Its id.
    pub id: RequestId,
    /// Where it comes from; `None` when it came over no network.
    pub address: Option<ClientAddress>,
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<CurrentRequest>>> = const { RefCell::new(None) };
}

impl CurrentRequest {
    /// The request on whose behalf this code runs; `None` outside of any.
    #[must_use]
    pub fn current() -> Option<Arc<Self>> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// `work` on behalf of this request, whichever threads it runs on. What `work` spawns is on its
    /// own, and has to be wrapped again.
    pub fn during<F: Future>(self: Arc<Self>, work: F) -> During<F> {
        During { request: self, work: Box::pin(work) }
    }
}

/// Work on behalf of a request.
pub struct During<F> {
    request: Arc<CurrentRequest>,
    work: Pin<Box<F>>,
}

impl<F: Future> Future for During<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let _entered = Entered::new(Arc::clone(&self.request));
        self.work.as_mut().poll(context)
    }
}

/// While it lives, its request is the current one of this thread; also when the work panics.
struct Entered {
    outer: Option<Arc<CurrentRequest>>,
}

impl Entered {
    fn new(request: Arc<CurrentRequest>) -> Self {
        Self { outer: CURRENT.replace(Some(request)) }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.outer.take());
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::task::Waker;

    use super::*;

    fn request(id: &str) -> Arc<CurrentRequest> {
        Arc::new(CurrentRequest { id: RequestId::given(id).unwrap(), address: None })
    }

    fn current() -> Option<String> {
        CurrentRequest::current().map(|request| request.id.to_string())
    }

    /// Gives way once, as work that waits does.
    async fn give_way() {
        let mut waited = false;
        std::future::poll_fn(|_| {
            if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn poll<F: Future>(work: &mut During<F>) -> Poll<F::Output> {
        Pin::new(work).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn co_05_two_requests_at_once_are_not_mixed() {
        let work = async || {
            let before = current();
            give_way().await;
            (before, current())
        };
        let (mut one, mut other) = (request("one").during(work()), request("other").during(work()));
        assert!(poll(&mut one).is_pending());
        assert_eq!(current(), None);
        assert!(poll(&mut other).is_pending());
        let both = |id: &str| Poll::Ready((Some(id.to_owned()), Some(id.to_owned())));
        assert_eq!(poll(&mut one), both("one"));
        assert_eq!(poll(&mut other), both("other"));
        assert_eq!(current(), None);
    }

    #[test]
    fn co_05_a_request_is_the_same_on_every_thread_it_moves_to() {
        let mut work = request("one").during(async {
            give_way().await;
            current()
        });
        assert!(poll(&mut work).is_pending());
        let elsewhere = std::thread::spawn(move || poll(&mut work)).join().unwrap();
        assert_eq!(elsewhere, Poll::Ready(Some("one".to_owned())));
    }

    #[test]
    fn an_inner_request_ends_with_the_outer_one_in_place() {
        let mut outer = request("outer").during(async {
            let inner = request("inner").during(async { current() }).await;
            (inner, current())
        });
        let expected = (Some("inner".to_owned()), Some("outer".to_owned()));
        assert_eq!(poll(&mut outer), Poll::Ready(expected));
    }

    #[test]
    fn a_panic_leaves_no_request_behind() {
        let mut work = request("one").during(async { panic!("a bug") });
        assert!(catch_unwind(AssertUnwindSafe(|| -> Poll<()> { poll(&mut work) })).is_err());
        assert_eq!(current(), None);
    }

    #[test]
    fn co_05_an_id_of_ours_is_128_bits_and_one_of_others_is_short_and_plain() {
        assert_eq!(RequestId::from_entropy([7; SECRET_BYTES]).as_str().len(), 22);
        for good in ["a", "4bf92f35-77b3.4da6_A:1", &"x".repeat(64)] {
            assert_eq!(RequestId::given(good).unwrap().as_str(), good);
        }
        for bad in ["", "a b", "a\"b", "a\nb", "\u{e9}", "a,b", &"x".repeat(65)] {
            assert_eq!(RequestId::given(bad), None, "{bad:?}");
        }
    }
}
