//! What one caller sees of the sessions, for the time of one request.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use futures_util::Stream;
use futures_util::stream::poll_fn;
use mcp_oauth_core::domain::mcp_session::session_id_of_ours;
use mcp_oauth_core::domain::principal::CallerIdentity;
use mcp_oauth_core::domain::secret::{McpSessionHash, McpSessionId};
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::WorkerTransport;
use rmcp::transport::streamable_http_server::SessionManager;
use rmcp::transport::streamable_http_server::session::local::{
    EventIdParseError, LocalSessionHandle, LocalSessionWorker, SessionError,
    StreamableHttpMessageReceiver,
};
use rmcp::transport::streamable_http_server::session::{ServerSseMessage, SessionId};
use thiserror::Error;

use crate::client_setup::{ClientSetup, Setting};
use crate::gate::Admission;
use crate::handler::Handler;
use crate::session_refusal::SessionRefusal;
use crate::streamable_sessions::{Beginning, StreamableSessions};

/// The sessions behind the engine.
pub(crate) struct CallersSessions {
    all: Arc<StreamableSessions>,
    caller: CallerIdentity,
    purpose: Purpose,
    /// The session this request has opened.
    opened: OnceLock<Beginning>,
    /// The engine would answer each of them with 500.
    refusal: Mutex<Option<SessionRefusal>>,
}

/// What the request is for.
pub(crate) enum Purpose {
    /// Opening a session.
    Open(Box<ClientSetup>),
    /// A message or a stream in one, which may have to be brought back.
    Use(Handler, Admission),
    /// Ending one.
    End,
}

/// Why the engine gets no session.
#[derive(Debug, Error)]
pub(crate) enum SessionFailure {
    #[error(transparent)]
    Refused(#[from] SessionRefusal),
    #[error(transparent)]
    Engine(#[from] SessionError),
    #[error(transparent)]
    EventId(#[from] EventIdParseError),
}

impl CallersSessions {
    pub(crate) fn new(
        all: &Arc<StreamableSessions>,
        caller: CallerIdentity,
        purpose: Purpose,
    ) -> Self {
        let (opened, refusal) = (OnceLock::new(), Mutex::default());
        Self { all: Arc::clone(all), caller, purpose, opened, refusal }
    }

    /// Why the engine could do nothing, if that was because of the session.
    pub(crate) fn refusal(&self) -> Option<SessionRefusal> {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this request is one in a session that takes batches. A use of the session.
    pub(crate) async fn takes_batches(&self, id: &str) -> Result<bool, SessionRefusal> {
        let id = SessionId::from(id);
        let there = self.has_session(&id).await;
        match (there, self.refusal()) {
            (_, Some(refusal)) => Err(refusal),
            (Ok(true), None) => Ok(self.all.takes_batches(&hash(&id), &self.caller)),
            _ => Err(SessionRefusal::Unknown),
        }
    }

    fn refuse(&self, refusal: SessionRefusal) -> SessionFailure {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
        refusal.into()
    }

    async fn open(&self) -> Result<(SessionId, LocalSessionWorker), SessionRefusal> {
        let Purpose::Open(setup) = &self.purpose else { return Err(SessionRefusal::Unknown) };
        let opened = self.all.open(&self.caller, setup, setup.encode()?).await?;
        // The engine opens one session a request.
        let _ = self.opened.set(opened.beginning);
        Ok((opened.id.expose().into(), opened.worker))
    }

    fn handle(&self, id: &SessionId) -> Result<LocalSessionHandle, SessionFailure> {
        let handle = self.all.handle(&hash(id), &self.caller);
        handle.ok_or_else(|| self.refuse(SessionRefusal::Unknown))
    }
}

impl SessionManager for CallersSessions {
    type Error = SessionFailure;
    type Transport = WorkerTransport<LocalSessionWorker>;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), SessionFailure> {
        let (id, worker) = self.open().await.map_err(|refusal| self.refuse(refusal))?;
        Ok((id, WorkerTransport::spawn(worker)))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, SessionFailure> {
        let answer = self.handle(id)?.initialize(message).await;
        if answer.is_err() {
            self.all.end_unanswered(&hash(id), &self.caller).await;
        }
        Ok(answer?)
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, SessionFailure> {
        let Purpose::Use(handler, admission) = &self.purpose else { return Ok(false) };
        let Some(id) = session_id_of_ours(id) else { return Ok(false) };
        let is_there = self.all.is_there(id, handler, admission).await;
        is_there.map_err(|refusal| self.refuse(refusal))
    }

    /// Asked by a request that ends the session, or when what this process has of one has ended,
    /// which it may with the process.
    async fn close_session(&self, id: &SessionId) -> Result<(), SessionFailure> {
        if let Some(ended) = self.opened.get() {
            self.all.forget(ended);
        }
        if !matches!(self.purpose, Purpose::End) {
            return Ok(());
        }
        let Some(id) = session_id_of_ours(id) else {
            return Err(self.refuse(SessionRefusal::Unknown));
        };
        let ended = self.all.end(&id.hash(), &self.caller).await;
        ended.map_err(|refusal| self.refuse(refusal))
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionFailure> {
        let handle = self.handle(id)?;
        if let Some(setting) = Setting::of(&message) {
            self.all.keep(&hash(id), &self.caller, &setting).await;
        }
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

fn hash(id: &SessionId) -> McpSessionHash {
    McpSessionId::presented(id).hash()
}

fn stream(
    mut receiver: StreamableHttpMessageReceiver,
) -> impl Stream<Item = ServerSseMessage> + Send + Sync + 'static {
    poll_fn(move |context| receiver.inner.poll_recv(context))
}
