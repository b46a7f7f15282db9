//! The sessions of the old HTTP+SSE transport: each lives as long as its stream, and belongs to the
//! caller that opened it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mcp_oauth_core::domain::principal::CallerIdentity;
use rmcp::model::ClientJsonRpcMessage;
use rmcp::transport::common::server_side_http::session_id;
use rmcp::transport::streamable_http_server::SessionId;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::seats::{NoSeat, Seat, Seats};

/// Every session of every caller.
pub(crate) struct SseSessions {
    seats: Arc<Seats>,
    open: Mutex<HashMap<SessionId, Session>>,
}

struct Session {
    owner: CallerIdentity,
    inbox: mpsc::Sender<ClientJsonRpcMessage>,
}

/// The right to open a session.
pub(crate) struct Reservation {
    owner: CallerIdentity,
    seat: Seat,
}

/// A session as its stream holds it: dropping it ends the session and cancels its calls.
pub(crate) struct OpenSession {
    id: SessionId,
    sessions: Arc<SseSessions>,
    _cancels: DropGuard,
    _seat: Seat,
}

impl SseSessions {
    pub(crate) fn new(seats: &Arc<Seats>) -> Arc<Self> {
        Arc::new(Self { seats: Arc::clone(seats), open: Mutex::default() })
    }

    /// Takes a seat for a session of `owner`.
    pub(crate) fn reserve(&self, owner: CallerIdentity) -> Result<Reservation, NoSeat> {
        let seat = self.seats.take(&owner)?;
        Ok(Reservation { owner, seat })
    }

    /// Opens a session whose messages go into `inbox`, and whose end cancels `calls`.
    pub(crate) fn open(
        self: &Arc<Self>,
        reservation: Reservation,
        inbox: mpsc::Sender<ClientJsonRpcMessage>,
        calls: CancellationToken,
    ) -> OpenSession {
        let id = session_id();
        let Reservation { owner, seat } = reservation;
        self.sessions().insert(Arc::clone(&id), Session { owner, inbox });
        let sessions = Arc::clone(self);
        OpenSession { id, sessions, _cancels: calls.drop_guard(), _seat: seat }
    }

    /// Where messages of `caller` to its session go; `None` when it has none of that id.
    pub(crate) fn inbox(
        &self,
        id: &str,
        caller: &CallerIdentity,
    ) -> Option<mpsc::Sender<ClientJsonRpcMessage>> {
        let sessions = self.sessions();
        let session = sessions.get(id).filter(|session| session.owner == *caller)?;
        Some(session.inbox.clone())
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<SessionId, Session>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenSession {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

impl Drop for OpenSession {
    fn drop(&mut self) {
        self.sessions.sessions().remove(&self.id);
    }
}
