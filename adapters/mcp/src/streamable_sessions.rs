//! The sessions of Streamable HTTP: each belongs to the caller that opened it, and to any other it
//! does not exist. Revision 2026-07-28 has none.
//!
//! A session is open as long as the store says so. What a process has of it, its streams and the calls
//! under way, is here, and may be gone: the next message of its client, to this process or another,
//! brings the session back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mcp_oauth_core::domain::mcp_session::{DueOnUse, SessionSetup, SessionTerms, SessionUses};
use mcp_oauth_core::domain::principal::CallerIdentity;
use mcp_oauth_core::domain::secret::{McpSessionHash, McpSessionId};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::OpenSessionError;
use mcp_oauth_core::service::mcp_sessions::KeptSessions;
use rmcp::transport::streamable_http_server::session::local::{
    LocalSessionHandle, LocalSessionWorker, SessionConfig, create_local_session,
};
use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

use crate::client_setup::{ClientSetup, Setting};
use crate::gate::Admission;
use crate::handler::Handler;
use crate::seats::{NoSeat, Seat, Seats};
use crate::session_refusal::SessionRefusal;
use crate::session_replay::{Served, replay};
use crate::settings::SessionLimits;
use crate::turns::Turns;

/// After which time a client should come back for a stream that ended early.
pub(crate) const RECONNECT_AFTER: Duration = Duration::from_secs(3);

/// Every session of every caller.
pub(crate) struct StreamableSessions {
    seats: Arc<Seats>,
    kept: Arc<KeptSessions>,
    terms: SessionTerms,
    shutdown: CancellationToken,
    live: Mutex<Live>,
    bringing_back: Turns<(McpSessionHash, CallerIdentity)>,
}

/// Those this process has.
#[derive(Default)]
struct Live {
    sessions: HashMap<McpSessionHash, LiveSession>,
    /// Counts beginnings and uses, so that each beginning is known, and what was used last.
    events: u64,
}

struct LiveSession {
    /// Unlike the id, no other has or will have it.
    number: u64,
    owner: CallerIdentity,
    handle: LocalSessionHandle,
    last_use: u64,
    uses: SessionUses,
    takes_batches: bool,
    _seat: Seat,
}

/// What this process does of a session.
struct Work {
    handle: LocalSessionHandle,
    uses: SessionUses,
    takes_batches: bool,
}

/// One beginning of a session in this process; a session that is brought back begins again.
pub(crate) struct Beginning {
    id: McpSessionHash,
    number: u64,
}

/// A session that was opened.
pub(crate) struct Opened {
    pub(crate) id: McpSessionId,
    pub(crate) beginning: Beginning,
    pub(crate) worker: LocalSessionWorker,
}

impl StreamableSessions {
    pub(crate) fn new(
        seats: &Arc<Seats>,
        kept: &Arc<KeptSessions>,
        limits: SessionLimits,
        shutdown: &CancellationToken,
    ) -> Arc<Self> {
        let SessionLimits { idle, total, per_caller } = limits;
        Arc::new(Self {
            seats: Arc::clone(seats),
            kept: Arc::clone(kept),
            terms: SessionTerms { idle, total, per_owner: per_caller },
            shutdown: shutdown.clone(),
            live: Mutex::default(),
            bringing_back: Turns::new(),
        })
    }

    /// Opens a session of `caller`. Many clients never end theirs, so the caller's least recently
    /// used one makes room.
    pub(crate) async fn open(
        &self,
        caller: &CallerIdentity,
        setup: &ClientSetup,
        kept_setup: SessionSetup,
    ) -> Result<Opened, SessionRefusal> {
        let seat = match self.seats.take(caller) {
            Err(NoSeat::OfAnyone) => return Err(NoSeat::OfAnyone.into()),
            seat => seat.ok(),
        };
        self.tell_of_uses(caller).await;
        let opened = self.kept.open(caller, kept_setup, &self.terms).await;
        let opened = opened.map_err(|error| match error {
            OpenSessionError::Full => NoSeat::OfAnyone.into(),
            OpenSessionError::Unavailable(error) => SessionRefusal::unavailable("open", &error),
        })?;
        for ended in &opened.ended {
            self.close(ended, caller).await;
        }
        let id = opened.id.hash();
        let seat = match seat {
            Some(seat) => Ok(seat),
            None => self.make_room(caller).await,
        };
        if seat.is_err() {
            self.end_unanswered(&id, caller).await;
        }
        let (handle, worker) = create_local_session(opened.id.expose(), self.config(setup));
        let uses = SessionUses::begin(opened.at);
        let work = Work { handle, uses, takes_batches: setup.takes_batches() };
        let beginning = self.begin(id, caller, work, seat?);
        Ok(Opened { id: opened.id, beginning, worker })
    }

    /// Whether `caller` has the session: here, or in the store, from which it is brought back. A use
    /// of it.
    pub(crate) async fn is_there(
        self: &Arc<Self>,
        id: McpSessionId,
        handler: &Handler,
        admission: &Admission,
    ) -> Result<bool, SessionRefusal> {
        let (hash, caller) = (id.hash(), admission.caller.identity());
        if let Some(due) = self.count_use(&hash, &caller) {
            return Ok(self.is_still_open(&hash, &caller, due).await);
        }
        let turn = self.bringing_back.take((hash.clone(), caller.clone())).await;
        if self.count_use(&hash, &caller).is_some() {
            return Ok(true);
        }
        // In a task of its own: the client may go away, and somebody else wait for the session.
        let sessions = Arc::clone(self);
        let (handler, admission) = (handler.clone(), admission.clone());
        let restored = tokio::spawn(sessions.bring_back(id, handler, admission, turn)).await;
        restored.unwrap_or_else(|broken| Err(SessionRefusal::not_brought_back(&broken)))
    }

    /// Ends a session of `caller`, here and everywhere.
    pub(crate) async fn end(
        &self,
        id: &McpSessionHash,
        caller: &CallerIdentity,
    ) -> Result<(), SessionRefusal> {
        let ended = self.kept.end(id, caller).await;
        let ended = ended.map_err(|error| SessionRefusal::unavailable("end", &error))?;
        self.close(id, caller).await;
        // What is here of a session that was ended elsewhere is none any more.
        ended.then_some(()).ok_or(SessionRefusal::Unknown)
    }

    /// Ends a session whose opening did not come to an answer.
    pub(crate) async fn end_unanswered(&self, id: &McpSessionHash, caller: &CallerIdentity) {
        if let Err(error) = self.kept.end(id, caller).await {
            tracing::warn!(%error, "a session nobody knows of is left until it expires");
        }
        self.close(id, caller).await;
    }

    /// Forgets what this process has of a session, unless it has begun again since.
    pub(crate) fn forget(&self, ended: &Beginning) {
        let mut live = self.live();
        if live.sessions.get(&ended.id).is_some_and(|session| session.number == ended.number) {
            live.sessions.remove(&ended.id);
        }
    }

    /// Where messages of `caller` to its session go.
    pub(crate) fn handle(
        &self,
        id: &McpSessionHash,
        caller: &CallerIdentity,
    ) -> Option<LocalSessionHandle> {
        let live = self.live();
        let session = live.sessions.get(id).filter(|session| session.owner == *caller)?;
        Some(session.handle.clone())
    }

    /// Whether a session of `caller` that is here takes batches.
    pub(crate) fn takes_batches(&self, id: &McpSessionHash, caller: &CallerIdentity) -> bool {
        let live = self.live();
        let session = live.sessions.get(id).filter(|session| session.owner == *caller);
        session.is_some_and(|session| session.takes_batches)
    }

    /// Keeps what the client sets for the rest of its session. Whether the server will agree is not
    /// known yet; if it won't, then no more when it is said again.
    pub(crate) async fn keep(
        &self,
        id: &McpSessionHash,
        caller: &CallerIdentity,
        setting: &Setting,
    ) {
        let changed = self.kept.change_setup(id, caller, |setup| {
            // What this process can't read, it leaves to whoever can.
            let Ok(known) = ClientSetup::decode(setup) else { return Ok(setup.clone()) };
            known.with(setting).encode()
        });
        if let Err(error) = changed.await {
            tracing::warn!(%error, "a setting is lost when its session has to be brought back");
        }
    }

    async fn bring_back(
        self: Arc<Self>,
        id: McpSessionId,
        handler: Handler,
        admission: Admission,
        _turn: OwnedMutexGuard<()>,
    ) -> Result<bool, SessionRefusal> {
        let (hash, caller) = (id.hash(), admission.caller.identity());
        let found = self.kept.find(&hash, &caller).await;
        let found = found.map_err(|error| SessionRefusal::unavailable("find", &error))?;
        let Some(setup) = found else { return Ok(false) };
        let setup = match ClientSetup::decode(&setup) {
            Ok(setup) => setup,
            Err(error) => {
                tracing::error!(%error, "a session can't be read and was ended");
                self.end_unanswered(&hash, &caller).await;
                return Ok(false);
            }
        };
        let seat = self.make_room(&caller).await?;
        let (handle, worker) = create_local_session(id.expose(), self.config(&setup));
        let replayed = replay(handler, (&handle, worker), &setup, &admission, &self.shutdown);
        let served = replayed.await.map_err(|error| SessionRefusal::not_brought_back(&error))?;
        let now = self.kept.now();
        let uses = SessionUses::begin(now);
        let work = Work { handle, uses, takes_batches: setup.takes_batches() };
        let beginning = self.begin(hash.clone(), &caller, work, seat);
        tokio::spawn(Arc::clone(&self).look_after(served, beginning));
        // Now that whoever ends it finds it here: it may have been ended before.
        let still_open = self.kept.used(&hash, &caller, now, &self.terms).await;
        if !matches!(still_open, Ok(true)) {
            self.close(&hash, &caller).await;
        }
        still_open.map_err(|error| SessionRefusal::unavailable("find", &error))
    }

    async fn look_after(self: Arc<Self>, served: Served, beginning: Beginning) {
        let _ = served.waiting().await;
        self.forget(&beginning);
    }

    /// While the store can't answer, what is here is open.
    async fn is_still_open(
        &self,
        id: &McpSessionHash,
        caller: &CallerIdentity,
        due: DueOnUse,
    ) -> bool {
        let open = match due {
            DueOnUse::Nothing => return true,
            DueOnUse::Look => self.kept.find(id, caller).await.map(|found| found.is_some()),
            DueOnUse::Tell => self.kept.used(id, caller, self.kept.now(), &self.terms).await,
        };
        match open {
            Ok(true) => true,
            Ok(false) => {
                self.close(id, caller).await;
                false
            }
            Err(error) => {
                tracing::warn!(%error, "nobody can tell whether a session was ended elsewhere");
                true
            }
        }
    }

    /// Tells the store which sessions the caller used lately, before it chooses one to end.
    async fn tell_of_uses(&self, caller: &CallerIdentity) {
        let untold = self.live().untold_uses(caller);
        for (id, used_at) in untold {
            match self.kept.used(&id, caller, used_at, &self.terms).await {
                Ok(true) => {}
                Ok(false) => self.close(&id, caller).await,
                // Opening the next one will fail as well, and say so.
                Err(_unavailable) => return,
            }
        }
    }

    /// A seat for a session of `caller`. If it has no more, what this process has of the caller's
    /// least recently used one goes; in the store that one stays.
    async fn make_room(&self, caller: &CallerIdentity) -> Result<Seat, NoSeat> {
        loop {
            let seat = self.seats.take(caller);
            let Err(NoSeat::OfThisCaller) = seat else { return seat };
            let oldest = self.live().least_recently_used(caller);
            let Some(oldest) = oldest else { return seat };
            self.close(&oldest, caller).await;
        }
    }

    fn config(&self, setup: &ClientSetup) -> SessionConfig {
        let mut config = SessionConfig::default();
        config.keep_alive = Some(self.terms.idle);
        config.sse_retry = setup.primes().then_some(RECONNECT_AFTER);
        config
    }

    fn begin(
        &self,
        id: McpSessionHash,
        caller: &CallerIdentity,
        work: Work,
        seat: Seat,
    ) -> Beginning {
        let mut live = self.live();
        live.events += 1;
        let number = live.events;
        let owner = caller.clone();
        let Work { handle, uses, takes_batches } = work;
        let last_use = number;
        let session =
            LiveSession { number, owner, handle, last_use, uses, takes_batches, _seat: seat };
        live.sessions.insert(id.clone(), session);
        Beginning { id, number }
    }

    /// Ends what this process has of a session.
    async fn close(&self, id: &McpSessionHash, caller: &CallerIdentity) {
        let ended = self.live().remove(id, caller);
        if let Some(session) = ended {
            // An error means that it has ended already.
            let _ = session.handle.close().await;
        }
    }

    /// Counts a use of a session that is here.
    fn count_use(&self, id: &McpSessionHash, caller: &CallerIdentity) -> Option<DueOnUse> {
        let mut live = self.live();
        live.events += 1;
        let events = live.events;
        let session = live.sessions.get_mut(id).filter(|session| session.owner == *caller)?;
        session.last_use = events;
        Some(session.uses.count(self.kept.now(), &self.terms))
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    fn remove(&mut self, id: &McpSessionHash, caller: &CallerIdentity) -> Option<LiveSession> {
        let is_owned = self.sessions.get(id).is_some_and(|session| session.owner == *caller);
        is_owned.then(|| self.sessions.remove(id)).flatten()
    }

    fn least_recently_used(&self, caller: &CallerIdentity) -> Option<McpSessionHash> {
        let owned = self.sessions.iter().filter(|(_, session)| session.owner == *caller);
        owned.min_by_key(|(_, session)| session.last_use).map(|(id, _)| id.clone())
    }

    fn untold_uses(&mut self, caller: &CallerIdentity) -> Vec<(McpSessionHash, Timestamp)> {
        let owned = self.sessions.iter_mut().filter(|(_, session)| session.owner == *caller);
        owned.filter_map(|(id, session)| Some((id.clone(), session.uses.take_untold()?))).collect()
    }
}
