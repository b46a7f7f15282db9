//! One connection to an upstream server.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mcp_oauth_core::domain::log_message::LogLevel;
use mcp_oauth_core::domain::tool::CallError;
use rmcp::RoleClient;
use rmcp::model::{
    ClientRequest, CustomRequest, ErrorCode, RequestMetaObject, ServerCapabilities, ServerResult,
};
use rmcp::service::{Peer, PeerRequestOptions, ServiceError};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::call_in_flight::{CallTag, CallsInFlight};
use super::errors::Errors;
use super::handler::{Engine, as_written};
use super::passing_caller::CallerHeaders;

/// How long the engine may take to end before it is dropped, which kills what is left.
const GRACE: Duration = Duration::from_secs(10);

/// How long a server may take to say that it is still there.
const PROBE: Duration = Duration::from_secs(10);

/// A connection on which the handshake is done.
pub(super) struct Connection {
    pub(super) peer: Peer<RoleClient>,
    pub(super) calls: Arc<CallsInFlight>,
    pub(super) closed: CancellationToken,
    pub(super) serves: ServerCapabilities,
    /// How a model should use it; no more than the beginning of a very long text.
    pub(super) instructions: Option<String>,
    /// Whether it is of revision 2026-07-28 or later, where the server does not ask within a call.
    pub(super) modern: bool,
    pub(super) errors: Errors,
    engine: Mutex<Option<Engine>>,
    answered: AtomicBool,
    doubted: AtomicBool,
    log_level: Mutex<Option<LogLevel>>,
}

/// A request as it goes out.
pub(super) struct Outgoing {
    pub(super) method: &'static str,
    pub(super) params: Map<String, Value>,
    pub(super) meta: Map<String, Value>,
    pub(super) headers: CallerHeaders,
    /// Whether somebody answers questions of the server.
    pub(super) askable: bool,
}

impl Outgoing {
    /// One that is not on behalf of a caller.
    pub(super) fn own(method: &'static str, params: Value) -> Self {
        let params = match params {
            Value::Object(params) => params,
            _ => Map::new(),
        };
        let headers = CallerHeaders::default();
        Self { method, params, meta: Map::new(), headers, askable: false }
    }

    /// As the engine takes it. It stays untyped, so that nothing of it is lost.
    pub(super) fn into_request(self, tag: Option<CallTag>) -> (ClientRequest, PeerRequestOptions) {
        let params = (!self.params.is_empty()).then_some(Value::Object(self.params));
        let mut request = CustomRequest::new(self.method, params);
        if !self.headers.0.is_empty() {
            request.extensions.insert(self.headers);
        }
        if let Some(tag) = tag {
            request.extensions.insert(tag);
        }
        let options = PeerRequestOptions::no_options();
        let options = match self.meta.is_empty() {
            true => options,
            false => options.with_meta(RequestMetaObject::from(self.meta)),
        };
        (ClientRequest::CustomRequest(request), options)
    }
}

/// In characters.
const LONGEST_INSTRUCTIONS: usize = 16 * 1024;

impl Connection {
    /// What `engine` connected.
    pub(super) fn new(
        engine: Engine,
        calls: Arc<CallsInFlight>,
        closed: CancellationToken,
        errors: Errors,
    ) -> Self {
        let peer = engine.peer().clone();
        let info = peer.peer_info();
        Self {
            modern: info.as_ref().is_some_and(|it| !it.protocol_version.has_initialize()),
            serves: info.as_ref().map(|it| it.capabilities.clone()).unwrap_or_default(),
            instructions: info
                .and_then(|it| it.instructions.clone())
                .map(|text| text.chars().take(LONGEST_INSTRUCTIONS).collect()),
            peer,
            calls,
            closed,
            errors,
            engine: Mutex::new(Some(engine)),
            answered: AtomicBool::new(false),
            doubted: AtomicBool::new(false),
            log_level: Mutex::default(),
        }
    }

    /// Whether it ever answered a call.
    pub(super) fn has_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    /// Asks for something on nobody's behalf, within `limit`.
    pub(super) async fn ask(
        &self,
        request: Outgoing,
        limit: Duration,
    ) -> Result<Map<String, Value>, CallError> {
        let (request, mut options) = request.into_request(None);
        options.timeout = Some(limit);
        let sent = self.peer.send_request_with_option(request, options);
        let handle = sent.await.map_err(|error| self.error(error))?;
        tokio::select! {
            answer = handle.await_response() => self.members(answer),
            () = self.closed.cancelled() => Err(self.errors.ended()),
        }
    }

    /// The answer to a call.
    pub(super) fn read(
        &self,
        answer: Result<ServerResult, ServiceError>,
    ) -> Result<Map<String, Value>, CallError> {
        if matches!(answer, Ok(_) | Err(ServiceError::McpError(_))) {
            self.answered.store(true, Ordering::Relaxed);
        }
        self.members(answer)
    }

    fn members(
        &self,
        answer: Result<ServerResult, ServiceError>,
    ) -> Result<Map<String, Value>, CallError> {
        let result = answer.map_err(|error| self.error(error))?;
        match as_written(&result) {
            Some(Value::Object(members)) => Ok(members),
            _ => Err(self.errors.senseless("the result is no object")),
        }
    }

    fn error(&self, error: ServiceError) -> CallError {
        match error {
            ServiceError::McpError(error) if error.code == ErrorCode::RESOURCE_NOT_FOUND => {
                CallError::Unknown(error.message.into_owned())
            }
            ServiceError::McpError(error) => self.errors.refused(error),
            ServiceError::TransportClosed => self.errors.ended(),
            ServiceError::TransportSend(cause) => {
                self.errors.log(&cause.error);
                self.errors.unreachable()
            }
            other => {
                self.errors.log(&other);
                self.errors.unreachable()
            }
        }
    }

    /// Tells a server of the older revisions which messages the caller wants in their log.
    pub(super) async fn want_log(&self, level: Option<LogLevel>, limit: Duration) {
        if self.modern || self.serves.logging.is_none() {
            return;
        }
        let Some(level) = level else { return };
        {
            let mut current = self.log_level.lock().unwrap_or_else(PoisonError::into_inner);
            if current.replace(level) == Some(level) {
                return;
            }
        }
        let request = Outgoing::own("logging/setLevel", json!({ "level": level }));
        if let Err(error) = self.ask(request, limit).await {
            tracing::debug!("an upstream server did not take the log level: {error}");
        }
    }

    /// A request failed: looks whether the server is still there, and ends the connection otherwise.
    pub(super) fn doubt(self: &Arc<Self>) {
        if self.closed.is_cancelled() || self.doubted.swap(true, Ordering::Relaxed) {
            return;
        }
        let connection = Arc::clone(self);
        tokio::spawn(async move {
            if !connection.answers(PROBE).await {
                connection.end().await;
            }
            connection.doubted.store(false, Ordering::Relaxed);
        });
    }

    async fn answers(&self, limit: Duration) -> bool {
        let method = if self.modern { "server/discover" } else { "ping" };
        let answer = self.ask(Outgoing::own(method, Value::Null), limit).await;
        !matches!(answer, Err(CallError::Unavailable(_)))
    }

    /// Ends it, and the process behind it.
    pub(super) async fn end(&self) {
        self.closed.cancel();
        let engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut engine) = engine {
            let _ = engine.close_with_timeout(GRACE).await;
        }
    }
}
