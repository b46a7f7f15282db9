//! Answering what an upstream server asks of its client.

use std::sync::Arc;

use mcp_oauth_core::domain::input_required::{ClientAbility, Question};
use rmcp::RoleClient;
use rmcp::model::{
    ClientCapabilities, ClientConfig, ClientResult, CustomResult, EmptyResult, ErrorData,
    Implementation, ServerNotification, ServerRequest,
};
use rmcp::service::{
    InboundStreamOrigin, NotificationContext, RequestContext, RunningService, Service,
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::call_in_flight::{Asked, CallsInFlight, Event};

/// The client side of a connection.
pub(super) struct Handler {
    pub(super) calls: Arc<CallsInFlight>,
    /// Whether the questions of this server have somebody to answer them.
    pub(super) one_caller: bool,
    pub(super) capabilities: ClientCapabilities,
    pub(super) closed: CancellationToken,
}

/// The engine at work.
pub(super) type Engine = RunningService<RoleClient, Handler>;

impl Service<RoleClient> for Handler {
    async fn handle_request(
        &self,
        request: ServerRequest,
        context: RequestContext<RoleClient>,
    ) -> Result<ClientResult, ErrorData> {
        if matches!(request, ServerRequest::PingRequest(_)) {
            return Ok(ClientResult::EmptyResult(EmptyResult {}));
        }
        let origin = match context.extensions.get::<InboundStreamOrigin>() {
            Some(InboundStreamOrigin::OutboundRequest(id)) => Some(id),
            _ => None,
        };
        let question = question(&request).filter(|_| self.one_caller).ok_or_else(unasked)?;
        let call = self.calls.asking(origin).ok_or_else(unasked)?;
        let (answer, answered) = oneshot::channel();
        call.send(Event::Asked(Asked { question, answer })).await.map_err(|_| gone())?;
        tokio::select! {
            answer = answered => {
                let answer = answer.map_err(|_| gone())??;
                Ok(ClientResult::CustomResult(CustomResult(answer)))
            }
            () = context.ct.cancelled() => Err(gone()),
            () = self.closed.cancelled() => Err(gone()),
        }
    }

    async fn handle_notification(
        &self,
        _: ServerNotification,
        _: NotificationContext<RoleClient>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    fn get_info(&self) -> ClientConfig {
        let us = Implementation::new("mcp-oauth-server", env!("CARGO_PKG_VERSION"));
        ClientConfig::new(self.capabilities.clone(), us)
    }
}

fn question(request: &ServerRequest) -> Option<Question> {
    let mut request = as_written(request)?;
    let params = request.get_mut("params").map(Value::take);
    question_of(request.get("method")?.as_str()?, params)
}

/// A message of the engine as it is written on the wire: its numbers of 32 bits would not be the ones
/// that were meant as numbers of 64.
pub(super) fn as_written(message: &impl Serialize) -> Option<Value> {
    serde_json::from_str(&serde_json::to_string(message).ok()?).ok()
}

/// A request to a client in the shape of the specification.
pub(super) fn question_of(method: &str, params: Option<Value>) -> Option<Question> {
    let mut params = match params {
        Some(Value::Object(params)) => params,
        _ => Map::new(),
    };
    // What is said there is for the connection it came by.
    params.remove("_meta");
    match method {
        "elicitation/create" => Some(Question::Elicitation(params)),
        "sampling/createMessage" => Some(Question::Sampling(params)),
        "roots/list" => Some(Question::Roots),
        _ => None,
    }
}

fn unasked() -> ErrorData {
    let method_not_found = rmcp::model::ErrorCode::METHOD_NOT_FOUND;
    ErrorData::new(method_not_found, "nobody can be asked on this connection", None)
}

fn gone() -> ErrorData {
    ErrorData::internal_error("the client does not answer", None)
}

/// What a client with these abilities declares (MCP 2025-11-25, schema, `ClientCapabilities`).
pub(super) fn capabilities(can: impl Fn(ClientAbility) -> bool) -> ClientCapabilities {
    let mut declared = Map::new();
    let mut elicitation = Map::new();
    if can(ClientAbility::Elicitation) {
        elicitation.insert("form".to_owned(), json!({}));
    }
    if can(ClientAbility::ElicitationUrl) {
        elicitation.insert("url".to_owned(), json!({}));
    }
    if !elicitation.is_empty() {
        declared.insert("elicitation".to_owned(), elicitation.into());
    }
    if can(ClientAbility::SamplingTools) {
        declared.insert("sampling".to_owned(), json!({ "tools": {} }));
    } else if can(ClientAbility::Sampling) {
        declared.insert("sampling".to_owned(), json!({}));
    }
    if can(ClientAbility::Roots) {
        declared.insert("roots".to_owned(), json!({}));
    }
    serde_json::from_value(declared.into()).unwrap_or_default()
}
