//! The sessions of Streamable HTTP: each belongs to the caller that opened it, and to any other it
//! does not exist. Revision 2026-07-28 has none.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::poll_fn;
use mcp_oauth_core::domain::principal::CallerIdentity;
use rmcp::model::{ClientJsonRpcMessage, ProtocolVersion, ServerJsonRpcMessage};
use rmcp::transport::WorkerTransport;
use rmcp::transport::common::server_side_http::session_id;
use rmcp::transport::streamable_http_server::SessionManager;
use rmcp::transport::streamable_http_server::session::local::{
    EventIdParseError, LocalSessionHandle, LocalSessionWorker, SessionConfig, SessionError,
    StreamableHttpMessageReceiver, create_local_session,
};
use rmcp::transport::streamable_http_server::session::{ServerSseMessage, SessionId};
use thiserror::Error;

use crate::seats::{NoSeat, Seat, Seats};

/// After which time a client should come back for a stream that ended early.
pub(crate) const RECONNECT_AFTER: Duration = Duration::from_secs(3);

/// The first revision whose clients understand an event without data.
const PRIMING_SINCE: ProtocolVersion = ProtocolVersion::V_2025_11_25;

/// Every session of every caller.
pub(crate) struct StreamableSessions {
    seats: Arc<Seats>,
    idle: Duration,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    sessions: HashMap<SessionId, Session>,
    /// Counts uses, so that the least recently used session is known.
    uses: u64,
}

struct Session {
    owner: CallerIdentity,
    handle: LocalSessionHandle,
    /// The revision in which it was opened.
    revision: ProtocolVersion,
    last_use: u64,
    _seat: Seat,
}

/// What one caller sees of the sessions, for the time of one request.
pub(crate) struct CallersSessions {
    all: Arc<StreamableSessions>,
    caller: CallerIdentity,
    /// For a session this request may open.
    seat: Mutex<Option<Seat>>,
    /// What the client says that it speaks.
    revision: ProtocolVersion,
}

/// Why the engine gets no session.
#[derive(Debug, Error)]
pub(crate) enum SessionFailure {
    #[error("no such session")]
    Unknown,
    #[error("no seat was taken for a session")]
    NoSeat,
    #[error(transparent)]
    Engine(#[from] SessionError),
    #[error(transparent)]
    EventId(#[from] EventIdParseError),
}

impl StreamableSessions {
    pub(crate) fn new(seats: &Arc<Seats>, idle: Duration) -> Arc<Self> {
        Arc::new(Self { seats: Arc::clone(seats), idle, open: Mutex::default() })
    }

    /// What `caller` sees, whose client says that it speaks `revision`.
    pub(crate) fn of(
        self: &Arc<Self>,
        caller: CallerIdentity,
        revision: ProtocolVersion,
    ) -> CallersSessions {
        CallersSessions { all: Arc::clone(self), caller, seat: Mutex::default(), revision }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn owned(&mut self, id: &SessionId, caller: &CallerIdentity) -> Option<&mut Session> {
        self.uses += 1;
        let session = self.sessions.get_mut(id).filter(|session| session.owner == *caller)?;
        session.last_use = self.uses;
        Some(session)
    }

    fn least_recently_used(&self, caller: &CallerIdentity) -> Option<SessionId> {
        let owned = self.sessions.iter().filter(|(_, session)| session.owner == *caller);
        owned.min_by_key(|(_, session)| session.last_use).map(|(id, _)| Arc::clone(id))
    }
}

impl CallersSessions {
    /// Takes a seat for a session this request is about to open. Many clients never end theirs, so
    /// the caller's least recently used one makes room.
    pub(crate) async fn take_seat(&self) -> Result<(), NoSeat> {
        let mut seat = self.all.seats.take(&self.caller);
        if matches!(seat, Err(NoSeat::OfThisCaller)) {
            let oldest = self.all.open().least_recently_used(&self.caller);
            if let Some(oldest) = oldest {
                self.end(&oldest).await;
                seat = self.all.seats.take(&self.caller);
            }
        }
        *self.seat() = Some(seat?);
        Ok(())
    }

    /// Whether the client understands events without data.
    pub(crate) fn primes(&self) -> bool {
        self.revision.as_str() >= PRIMING_SINCE.as_str()
    }

    /// Whether the caller has a session of that id that takes batches (MCP 2025-03-26, basic/index;
    /// no other revision has them).
    pub(crate) fn takes_batches(&self, id: &SessionId) -> bool {
        let mut open = self.all.open();
        let session = open.owned(id, &self.caller);
        session.is_some_and(|session| session.revision == ProtocolVersion::V_2025_03_26)
    }

    /// Whether the caller has a session of that id; a use of it.
    pub(crate) fn has(&self, id: &SessionId) -> bool {
        self.all.open().owned(id, &self.caller).is_some()
    }

    async fn end(&self, id: &SessionId) {
        let ended = {
            let mut open = self.all.open();
            open.owned(id, &self.caller).is_some().then(|| open.sessions.remove(id)).flatten()
        };
        if let Some(session) = ended {
            // An error means that it has ended already.
            let _ = session.handle.close().await;
        }
    }

    fn handle(&self, id: &SessionId) -> Result<LocalSessionHandle, SessionFailure> {
        let mut open = self.all.open();
        let session = open.owned(id, &self.caller).ok_or(SessionFailure::Unknown)?;
        Ok(session.handle.clone())
    }

    fn seat(&self) -> MutexGuard<'_, Option<Seat>> {
        self.seat.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionManager for CallersSessions {
    type Error = SessionFailure;
    type Transport = WorkerTransport<LocalSessionWorker>;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), SessionFailure> {
        let seat = self.seat().take().ok_or(SessionFailure::NoSeat)?;
        let mut config = SessionConfig::default();
        config.keep_alive = Some(self.all.idle);
        config.sse_retry = self.primes().then_some(RECONNECT_AFTER);
        let id = session_id();
        let (handle, worker) = create_local_session(Arc::clone(&id), config);
        let mut open = self.all.open();
        open.uses += 1;
        let session = Session {
            owner: self.caller.clone(),
            handle,
            revision: self.revision.clone(),
            last_use: open.uses,
            _seat: seat,
        };
        open.sessions.insert(Arc::clone(&id), session);
        Ok((id, WorkerTransport::spawn(worker)))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, SessionFailure> {
        Ok(self.handle(id)?.initialize(message).await?)
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, SessionFailure> {
        Ok(self.has(id))
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), SessionFailure> {
        self.end(id).await;
        Ok(())
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionFailure> {
        let handle = self.handle(id)?;
        let receiver = handle.establish_request_wise_channel().await?;
        handle.push_message(message, receiver.http_request_id).await?;
        Ok(stream(receiver))
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<(), SessionFailure> {
        Ok(self.handle(id)?.push_message(message, None).await?)
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionFailure> {
        Ok(stream(self.handle(id)?.establish_common_channel().await?))
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionFailure> {
        Ok(stream(self.handle(id)?.resume(last_event_id.parse()?).await?))
    }
}

fn stream(
    mut receiver: StreamableHttpMessageReceiver,
) -> impl Stream<Item = ServerSseMessage> + Send + Sync + 'static {
    poll_fn(move |context| receiver.inner.poll_recv(context))
}
