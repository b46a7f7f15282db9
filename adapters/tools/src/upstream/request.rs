//! A request under way: what the server says meanwhile goes to the caller, and nobody else.

use std::collections::BTreeMap;
use std::sync::Arc;

use mcp_oauth_core::domain::input_required::{InputRequired, Question};
use mcp_oauth_core::domain::tool::CallError;
use mcp_oauth_core::port::CallContext;
use rmcp::model::{
    CancelledNotification, CancelledNotificationParam, ErrorData, RequestId, ServerResult,
};
use rmcp::service::{RequestHandle, ServiceError};
use serde_json::{Map, Value};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::call_in_flight::{Asked, CallTag, Event};
use super::connection::{Connection, Outgoing};

/// The question of a call that waits for its answer; there is one at a time.
const QUESTION: &str = "question";

type Answer = oneshot::Receiver<Result<ServerResult, ServiceError>>;

/// A request that was sent. Dropping it cancels it.
pub(super) struct Request {
    connection: Arc<Connection>,
    tag: CallTag,
    id: RequestId,
    answer: Option<Answer>,
    events: mpsc::Receiver<Event>,
    asked: Option<Asked>,
    // Given back while it waits for the client.
    permit: Option<OwnedSemaphorePermit>,
}

/// What came of it for now.
pub(super) enum Outcome {
    Answered(Map<String, Value>),
    /// The server waits for the answer to this.
    Asks(InputRequired),
}

impl Request {
    /// Sends it.
    pub(super) async fn send(
        connection: Arc<Connection>,
        outgoing: Outgoing,
        permit: OwnedSemaphorePermit,
    ) -> Result<Self, CallError> {
        let (tag, events) = connection.calls.begin(outgoing.askable);
        let entered = Entered(&connection, tag);
        let (request, options) = outgoing.into_request(Some(tag));
        let sent = connection.peer.send_request_with_option(request, options).await;
        let RequestHandle { rx, id, .. } = sent.map_err(|_| connection.errors.down())?;
        std::mem::forget(entered);
        Ok(Self {
            connection,
            tag,
            id,
            answer: Some(rx),
            events,
            asked: None,
            permit: Some(permit),
        })
    }

    /// Passes on what the server says until it answers, or asks.
    pub(super) async fn drive(&mut self, context: &CallContext) -> Result<Outcome, CallError> {
        let connection = Arc::clone(&self.connection);
        loop {
            let Some(answer) = self.answer.as_mut() else {
                return Err(connection.errors.senseless("it answered twice"));
            };
            tokio::select! {
                biased;
                Some(event) = self.events.recv() => {
                    if let Some(question) = self.take(event, context).await {
                        return Ok(Outcome::Asks(question));
                    }
                }
                answer = answer => {
                    self.answer = None;
                    // What was said before the answer is in the queue by now.
                    while let Ok(event) = self.events.try_recv() {
                        self.take(event, context).await;
                    }
                    let answer = answer.unwrap_or(Err(ServiceError::TransportClosed));
                    if matches!(answer, Err(ServiceError::TransportSend(_))) {
                        connection.doubt();
                    }
                    return connection.read(answer).map(Outcome::Answered);
                }
                () = connection.closed.cancelled() => {
                    return Err(connection.errors.ended());
                }
            }
        }
    }

    /// Hands it on; gives back a question.
    async fn take(&mut self, event: Event, context: &CallContext) -> Option<InputRequired> {
        match event {
            Event::Progress(it) => context.progress(it.done, it.total, it.message).await,
            Event::Log(message) => context.log(message).await,
            Event::Asked(asked) => {
                self.permit = None;
                let question = required(&asked.question);
                self.asked = Some(asked);
                return Some(question);
            }
        }
        None
    }

    /// Answers the question that it waits for, if the answer is among these; otherwise says again
    /// what is to be answered.
    pub(super) fn answer(
        &mut self,
        answers: &BTreeMap<String, Value>,
        permit: OwnedSemaphorePermit,
    ) -> Result<(), InputRequired> {
        let Some(asked) = self.asked.take() else {
            self.permit = Some(permit);
            return Ok(());
        };
        let Some(answer) = answers.get(QUESTION) else {
            let again = required(&asked.question);
            self.asked = Some(asked);
            return Err(again);
        };
        // The server may have given up; then it has answered, or will.
        let _ = asked.answer.send(Ok::<Value, ErrorData>(answer.clone()));
        self.permit = Some(permit);
        Ok(())
    }
}

fn required(question: &Question) -> InputRequired {
    InputRequired::question(QUESTION, question.clone())
}

impl Drop for Request {
    fn drop(&mut self) {
        self.connection.calls.end(self.tag);
        let unanswered = self.answer.as_mut().is_some_and(|answer| answer.try_recv().is_err());
        if !unanswered || self.connection.closed.is_cancelled() {
            return;
        }
        let params = CancelledNotificationParam::new(
            Some(self.id.clone()),
            Some("the client gave up".to_owned()),
        );
        let notification = CancelledNotification::new(params);
        let peer = self.connection.peer.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { peer.send_notification(notification.into()).await });
        }
    }
}

/// Takes a call off the table when it could not be sent.
struct Entered<'a>(&'a Connection, CallTag);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.calls.end(self.1);
    }
}
