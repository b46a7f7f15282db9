//! The calls under way on one connection, and which of them a message of the server belongs to.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mcp_oauth_core::domain::input_required::Question;
use mcp_oauth_core::domain::log_message::LogMessage;
use mcp_oauth_core::port::Progress;
use rmcp::model::{ErrorData, ProgressToken, RequestId};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

/// Progress and log messages that a call does not take are lost beyond this number.
pub(super) const MOST_EVENTS: usize = 1024;

/// Something the server says during a call.
pub(super) enum Event {
    Progress(Progress),
    Log(LogMessage),
    Asked(Asked),
}

/// A question of the server, which waits for the answer.
pub(super) struct Asked {
    pub(super) question: Question,
    pub(super) answer: oneshot::Sender<Result<Value, ErrorData>>,
}

/// Goes with a request to the transport, where it is entered before it is sent: no answer is faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CallTag(u64);

/// The calls under way. Each has a token for its progress that no other call ever has.
#[derive(Default)]
pub(super) struct CallsInFlight(Mutex<Table>);

#[derive(Default)]
struct Table {
    last: u64,
    calls: BTreeMap<u64, Call>,
    by_token: HashMap<ProgressToken, u64>,
    by_request: HashMap<RequestId, u64>,
}

struct Call {
    askable: bool,
    events: mpsc::Sender<Event>,
    names: Option<(RequestId, ProgressToken)>,
}

impl CallsInFlight {
    /// Enters a call that is about to be sent; whether somebody answers questions in it.
    pub(super) fn begin(&self, askable: bool) -> (CallTag, mpsc::Receiver<Event>) {
        let (events, received) = mpsc::channel(MOST_EVENTS);
        let mut table = self.table();
        table.last += 1;
        let serial = table.last;
        table.calls.insert(serial, Call { askable, events, names: None });
        (CallTag(serial), received)
    }

    /// The call is being sent under these names.
    pub(super) fn name(&self, tag: CallTag, request: RequestId, token: ProgressToken) {
        let mut table = self.table();
        let Some(call) = table.calls.get_mut(&tag.0) else { return };
        call.names = Some((request.clone(), token.clone()));
        table.by_token.insert(token, tag.0);
        table.by_request.insert(request, tag.0);
    }

    pub(super) fn end(&self, tag: CallTag) {
        let mut table = self.table();
        if let Some((request, token)) = table.calls.remove(&tag.0).and_then(|call| call.names) {
            table.by_token.remove(&token);
            table.by_request.remove(&request);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.table().calls.is_empty()
    }

    /// Progress of the call that has this token, and of no other.
    pub(super) fn progress(&self, token: &ProgressToken, progress: Progress) {
        let table = self.table();
        let call = table.by_token.get(token).and_then(|serial| table.calls.get(serial));
        if let Some(call) = call {
            let _ = call.events.try_send(Event::Progress(progress));
        }
    }

    /// A message for the log of whoever called last, which is the only caller there is on the
    /// connection. Gives it back when nobody is calling.
    pub(super) fn log(&self, message: LogMessage) -> Option<LogMessage> {
        let table = self.table();
        let Some(call) = table.calls.values().next_back() else { return Some(message) };
        let _ = call.events.try_send(Event::Log(message));
        None
    }

    /// The call in which the server asks: the one on whose stream the question came, or else the one
    /// that began last. All calls of the connection are of one caller.
    pub(super) fn asking(&self, request: Option<&RequestId>) -> Option<mpsc::Sender<Event>> {
        let table = self.table();
        let of_stream = request.and_then(|id| table.by_request.get(id));
        let of_stream = of_stream.and_then(|serial| table.calls.get(serial));
        let latest =
            || table.calls.values().rev().find(|call| call.askable && call.names.is_some());
        of_stream.filter(|call| call.askable).or_else(latest).map(|call| call.events.clone())
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
