//! The way to the client while one of its calls is under way: progress, log messages, questions.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use mcp_oauth_core::domain::input_required::Question;
use mcp_oauth_core::domain::log_message::{LogLevel, LogMessage};
use mcp_oauth_core::port::{AskError, ClientChannel, Progress};
use rmcp::RoleServer;
use rmcp::model::{
    CancelledNotificationParam, CustomRequest, ProgressNotificationParam, ProgressToken, RequestId,
    ServerNotification, ServerRequest,
};
use rmcp::service::{OriginatingRequestId, Peer, PeerRequestOptions, RequestContext, ServiceError};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::containment::Bounds;
use crate::log_threshold::LogThreshold;
use crate::shapes;

/// How many messages one call may send.
const MOST_MESSAGES: usize = 10_000;

/// How many bytes the messages of one call may have.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// How long a client may take to answer a question: a person may have to be found.
const QUESTION_LIMIT: Duration = Duration::from_secs(600);

/// The channel of one call.
pub(crate) struct CallChannel {
    peer: Peer<RoleServer>,
    call: RequestId,
    progress_token: Option<ProgressToken>,
    threshold: LogThreshold,
    asks_within_the_call: bool,
    messages: AtomicUsize,
    bytes: AtomicUsize,
    /// How many questions are open.
    asking: watch::Sender<usize>,
    flooded: CancellationToken,
    over: CancellationToken,
}

impl CallChannel {
    /// The channel of a call; who is asked within it has sessions.
    pub(crate) fn new(
        context: &RequestContext<RoleServer>,
        threshold: LogThreshold,
        asks_within_the_call: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            peer: context.peer.clone(),
            call: context.id.clone(),
            progress_token: context.meta.get_progress_token(),
            threshold,
            asks_within_the_call,
            messages: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            asking: watch::Sender::new(0),
            flooded: CancellationToken::new(),
            over: CancellationToken::new(),
        })
    }

    /// The bounds of a call that may work for `limit`.
    pub(crate) fn bounds(&self, limit: Duration) -> Bounds {
        Bounds { limit, asking: self.asking.subscribe(), flooded: self.flooded.clone() }
    }

    /// Dropping it closes the channel, whoever may still have it.
    pub(crate) fn closing(&self) -> DropGuard {
        self.over.clone().drop_guard()
    }

    /// Counts a message; one too many ends the call.
    async fn count(&self, bytes: usize) {
        let messages = self.messages.fetch_add(1, Ordering::Relaxed);
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if messages >= MOST_MESSAGES || before.saturating_add(bytes) > MOST_BYTES {
            self.flooded.cancel();
            // The call is over: whoever sent this waits until it is dropped.
            std::future::pending::<()>().await;
        }
    }

    async fn send(&self, notification: ServerNotification, bytes: usize) {
        if self.over.is_cancelled() {
            return;
        }
        self.count(bytes).await;
        if let Err(error) = self.peer.send_notification(notification).await {
            tracing::debug!(%error, "a notification found no client");
        }
    }

    async fn put(&self, request: ServerRequest) -> Result<Value, ServiceError> {
        let options = PeerRequestOptions::with_timeout(QUESTION_LIMIT);
        let asked = self.peer.send_cancellable_request(request, options).await?;
        let mut open = OpenQuestion { peer: self.peer.clone(), id: Some(asked.id.clone()) };
        let answer = asked.await_response().await;
        open.id = None;
        serde_json::to_value(answer?).map_err(|_| ServiceError::UnexpectedResponse)
    }
}

#[async_trait]
impl ClientChannel for CallChannel {
    async fn progress(&self, progress: Progress) {
        let Some(token) = self.progress_token.clone() else { return };
        let Progress { done, total, message } = progress;
        let bytes = message.as_ref().map_or(0, String::len);
        let mut params = ProgressNotificationParam::new(token, done);
        params.total = total;
        params.message = message;
        self.send(shapes::progress(params), bytes).await;
    }

    async fn log(&self, message: LogMessage) {
        if self.wants_log(message.level) {
            let bytes = length(&message.data);
            self.send(shapes::log(message), bytes).await;
        }
    }

    fn wants_log(&self, level: LogLevel) -> bool {
        self.threshold.lets_pass(level)
    }

    fn asks_within_the_call(&self) -> bool {
        self.asks_within_the_call
    }

    async fn ask(&self, question: &Question) -> Result<Value, AskError> {
        if self.over.is_cancelled() {
            return Err(AskError::Gone);
        }
        let (method, params) = shapes::question(question);
        self.count(params.as_ref().map_or(0, length)).await;
        let mut request = CustomRequest::new(method, params);
        // The question travels on the stream of the call, whichever task asks it.
        request.extensions.insert(OriginatingRequestId(self.call.clone()));
        let _asking = Asking::begin(&self.asking);
        self.put(ServerRequest::CustomRequest(request)).await.map_err(|error| match error {
            ServiceError::McpError(error) => {
                AskError::Refused { code: error.code.0, message: error.message.into_owned() }
            }
            _ => AskError::Gone,
        })
    }
}

/// While a question is open, the time of the call stands still.
struct Asking<'a>(&'a watch::Sender<usize>);

impl<'a> Asking<'a> {
    fn begin(asking: &'a watch::Sender<usize>) -> Self {
        asking.send_modify(|open| *open += 1);
        Self(asking)
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

/// A question whose call ends before its answer comes is taken back.
struct OpenQuestion {
    peer: Peer<RoleServer>,
    id: Option<RequestId>,
}

impl Drop for OpenQuestion {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let peer = self.peer.clone();
        let params = json!({ "requestId": id, "reason": "the call is over" });
        runtime.spawn(async move {
            if let Ok(params) = serde_json::from_value::<CancelledNotificationParam>(params) {
                let _ = peer.notify_cancelled(params).await;
            }
        });
    }
}

/// How long a value is in JSON, without writing it down.
fn length(value: &Value) -> usize {
    struct Counter(usize);
    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    // A value is always JSON, and the counter takes everything.
    let _ = value.serialize(&mut serde_json::Serializer::new(&mut counter));
    counter.0
}
