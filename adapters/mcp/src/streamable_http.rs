//! Streamable HTTP on `/mcp`: revision 2026-07-28 without sessions, older ones with or without, on
//! the same path (MCP basic/transports).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::select_all;
use http::header::{ACCEPT, ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, COOKIE, HOST};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use mcp_oauth_core::domain::principal::Principal;
use poem::{Body, Endpoint, Request, Response};
use rmcp::model::{
    ClientJsonRpcMessage, ClientRequest, ErrorCode, InitializeRequestParams, ProtocolVersion,
    RequestId,
};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{
    SessionManager, StreamableHttpServerConfig, StreamableHttpService,
};

use crate::accept::{EVENT_STREAM, JSON, accepts};
use crate::callers_sessions::{CallersSessions, Purpose};
use crate::client_setup::{ClientSetup, PRIMING_SINCE};
use crate::envelope::{self, Envelope, Era, Malformed, NO_SUCH_METHOD};
use crate::gate::{Admission, Gate};
use crate::handler::Handler;
use crate::json_rpc_error::{Refused, refused, refused_request, unfit_params, unknown_session};
use crate::message_body;
use crate::settings::McpSettings;
use crate::streamable_sessions::{RECONNECT_AFTER, StreamableSessions};

const SESSION_ID: &str = "mcp-session-id";
const PROTOCOL_VERSION: &str = "mcp-protocol-version";
const INITIALIZE: &str = "initialize";

/// How often an open stream shows that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The endpoint.
pub(crate) struct StreamableHttp {
    gate: Gate,
    handler: Handler,
    sessions: Arc<StreamableSessions>,
    engine: StreamableHttpServerConfig,
    max_body_bytes: usize,
}

/// A request that was let in.
struct Admitted {
    method: Method,
    headers: HeaderMap,
    body: Bytes,
    admission: Admission,
    /// Of the message, to echo in an error when the engine's own has none.
    id: Option<RequestId>,
}

impl StreamableHttp {
    pub(crate) fn new(
        gate: Gate,
        handler: Handler,
        sessions: Arc<StreamableSessions>,
        settings: &McpSettings,
    ) -> Self {
        // Host and Origin are checked in front of all endpoints, and the size of a body here.
        let engine = StreamableHttpServerConfig::default()
            .disable_allowed_hosts()
            .disable_allowed_origins()
            .with_json_response(true)
            .with_sse_keep_alive(Some(KEEP_ALIVE))
            .with_max_request_body_bytes(usize::MAX)
            .with_cancellation_token(settings.shutdown.clone());
        Self { gate, handler, sessions, engine, max_body_bytes: settings.max_body_bytes }
    }

    async fn answer(&self, request: Request) -> Result<Response, Refused> {
        let caller = self.gate.authenticate(&request).await?;
        let open = self.gate.open(&caller)?;
        let admission = Admission::of(caller, &open);
        let response = match *request.method() {
            Method::POST => self.post(request, admission).await,
            _ => self.without_message(request, admission).await,
        };
        response.map(|response| open.until_sent(response))
    }

    async fn without_message(
        &self,
        mut request: Request,
        admission: Admission,
    ) -> Result<Response, Refused> {
        if request.method() == Method::GET && !accepts(request.headers(), &[EVENT_STREAM]) {
            return Err(not_acceptable("the answer is text/event-stream"));
        }
        let request = Admitted {
            method: request.method().clone(),
            headers: std::mem::take(request.headers_mut()),
            body: Bytes::new(),
            admission,
            id: None,
        };
        self.in_session(request).await
    }

    async fn post(&self, request: Request, admission: Admission) -> Result<Response, Refused> {
        if !accepts(request.headers(), &[JSON, EVENT_STREAM]) {
            return Err(not_acceptable("the answer is application/json or text/event-stream"));
        }
        let (head, body) = request.into_parts();
        let headers = head.headers;
        let body = message_body::read(&headers, body, self.max_body_bytes).await?;
        if envelope::is_batch(&body) {
            return self.batch(&headers, &body, &admission.caller).await;
        }
        let (request, opens_session) = self.admit(&headers, body, admission).await?;
        if opens_session {
            self.open_session(request).await
        } else if names_session(&request.headers) {
            self.in_session(request).await
        } else {
            // 2026-07-28, or an older message that stands alone, e.g. of a script.
            let config = self.engine.clone().with_legacy_session_mode(false);
            self.engine(request, Arc::new(NeverSessionManager::default()), config).await
        }
    }

    /// Authorizes a message, and tells whether it opens a session.
    async fn admit(
        &self,
        headers: &HeaderMap,
        body: Bytes,
        mut admission: Admission,
    ) -> Result<(Admitted, bool), Refused> {
        let (id, opens_session) = match envelope::read(&body, era(headers))? {
            Envelope::Request { id, method, target } => {
                let authorized = self.gate.authorize(&admission.caller, target, &id, headers);
                admission.authorized = authorized.await?;
                (Some(id), method == INITIALIZE)
            }
            Envelope::Notification | Envelope::Answer => (None, false),
        };
        let (method, headers) = (Method::POST, headers.clone());
        Ok((Admitted { method, headers, body, admission, id }, opens_session))
    }

    /// Several messages at once, in a session of the one revision that has batches. All of them are
    /// authorized before the first runs; the answers come on one stream, each when it is there.
    async fn batch(
        &self,
        headers: &HeaderMap,
        body: &Bytes,
        caller: &Arc<Principal>,
    ) -> Result<Response, Refused> {
        let messages = envelope::batch(body)?;
        if !self.takes_batches(headers, caller).await? {
            return Err(not_in_a_batch("only a session of revision 2025-03-26 takes batches"));
        }
        let mut admitted: Vec<Admitted> = Vec::new();
        for message in messages {
            let message = body.slice_ref(message.get().as_bytes());
            let admission = Admission::of(Arc::clone(caller), &self.gate.open(caller)?);
            let (request, opens_session) = self.admit(headers, message, admission).await?;
            if opens_session {
                return Err(not_in_a_batch("\"initialize\" may not be part of a batch"));
            }
            if request.id.is_some() && admitted.iter().any(|other| other.id == request.id) {
                return Err(not_in_a_batch("two requests of the batch have the same id"));
            }
            admitted.push(request);
        }
        let mut answers = Vec::new();
        for request in admitted {
            let expects_an_answer = request.id.is_some();
            let response = self.in_session(request).await?;
            if expects_an_answer {
                answers.push(response.into_body().into_bytes_stream());
            }
        }
        if answers.is_empty() {
            return Ok(Response::builder().status(StatusCode::ACCEPTED).finish());
        }
        Ok(Response::builder()
            .content_type(EVENT_STREAM)
            .header(CACHE_CONTROL, "no-store")
            .body(Body::from_bytes_stream(select_all(answers))))
    }

    async fn takes_batches(
        &self,
        headers: &HeaderMap,
        caller: &Arc<Principal>,
    ) -> Result<bool, Refused> {
        let id = headers.get(SESSION_ID).and_then(|id| id.to_str().ok());
        let Some(id) = id else { return Ok(false) };
        let admission = Admission::of(Arc::clone(caller), &self.gate.open(caller)?);
        let purpose = Purpose::Use(self.handler.clone(), admission);
        let sessions = CallersSessions::new(&self.sessions, caller.identity(), purpose);
        Ok(sessions.takes_batches(id).await?)
    }

    async fn open_session(&self, mut request: Admitted) -> Result<Response, Refused> {
        let Some(initialize) = initialize_params(&request.body) else {
            return Err(match era(&request.headers) {
                Era::OfSessions => unfit_params(request.id),
                Era::Stateless => {
                    let code = ErrorCode::METHOD_NOT_FOUND;
                    Malformed { code, id: request.id, reason: NO_SUCH_METHOD }.into()
                }
            });
        };
        // A client that begins anew may still name the session it lost.
        request.headers.remove(SESSION_ID);
        let setup = Box::new(ClientSetup::opening(initialize));
        let primes = setup.primes();
        self.with_sessions(request, Purpose::Open(setup), primes).await
    }

    async fn in_session(&self, request: Admitted) -> Result<Response, Refused> {
        let version = request.headers.get(PROTOCOL_VERSION).map(HeaderValue::as_bytes);
        let primes = version.is_some_and(|version| version >= PRIMING_SINCE.as_str().as_bytes());
        let purpose = match request.method {
            Method::DELETE => Purpose::End,
            _ => Purpose::Use(self.handler.clone(), request.admission.clone()),
        };
        self.with_sessions(request, purpose, primes).await
    }

    async fn with_sessions(
        &self,
        request: Admitted,
        purpose: Purpose,
        primes: bool,
    ) -> Result<Response, Refused> {
        let caller = request.admission.caller.identity();
        let sessions = Arc::new(CallersSessions::new(&self.sessions, caller, purpose));
        let retry = primes.then_some(RECONNECT_AFTER);
        let config = self.engine.clone().with_legacy_session_mode(true).with_sse_retry(retry);
        let answer = self.engine(request, Arc::clone(&sessions), config).await;
        match sessions.refusal() {
            Some(refusal) => Err(refusal.into()),
            None => answer,
        }
    }

    async fn engine<M: SessionManager>(
        &self,
        request: Admitted,
        sessions: Arc<M>,
        config: StreamableHttpServerConfig,
    ) -> Result<Response, Refused> {
        let handler = self.handler.serving(&request.admission);
        let service = StreamableHttpService::new(move || Ok(handler.clone()), sessions, config);
        let id = request.id.clone();
        let response = service.handle(request.for_engine()).await;
        if failed_without_json(&response) {
            return Err(as_json_rpc(response, id).await);
        }
        Ok(Response::from(response.map(|body| body.map_err(infallible))))
    }
}

impl Endpoint for StreamableHttp {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        Ok(self.answer(request).await.unwrap_or_else(|refused| *refused))
    }
}

impl Admitted {
    /// The request as the engine wants it, without the secrets of the client's.
    fn for_engine(self) -> http::Request<Full<Bytes>> {
        let mut request = http::Request::new(Full::new(self.body));
        *request.method_mut() = self.method;
        request.extensions_mut().insert(self.admission);
        let headers = request.headers_mut();
        *headers = self.headers;
        headers.remove(AUTHORIZATION);
        headers.remove(COOKIE);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        // The engine insists on one; it was checked in front.
        headers.insert(HOST, HeaderValue::from_static("localhost"));
        request
    }
}

fn era(headers: &HeaderMap) -> Era {
    let stateless = ProtocolVersion::V_2026_07_28;
    match headers.get(PROTOCOL_VERSION) {
        Some(version) if version.as_bytes() >= stateless.as_str().as_bytes() => Era::Stateless,
        _ => Era::OfSessions,
    }
}

fn names_session(headers: &HeaderMap) -> bool {
    headers.get(SESSION_ID).is_some_and(|id| id.to_str().is_ok())
}

fn initialize_params(body: &[u8]) -> Option<InitializeRequestParams> {
    let message: ClientJsonRpcMessage = serde_json::from_slice(body).ok()?;
    match message.into_request()?.0 {
        ClientRequest::InitializeRequest(request) => Some(request.params),
        _ => None,
    }
}

fn not_in_a_batch(reason: &str) -> Refused {
    refused_request(StatusCode::BAD_REQUEST, reason)
}

fn not_acceptable(offered: &str) -> Refused {
    refused_request(StatusCode::NOT_ACCEPTABLE, offered)
}

type EngineResponse = http::Response<BoxBody<Bytes, Infallible>>;

fn failed_without_json(response: &EngineResponse) -> bool {
    let failed = response.status().is_client_error() || response.status().is_server_error();
    failed && response.headers().get(CONTENT_TYPE).is_none_or(|value| value != JSON)
}

/// The engine words some refusals as plain text, which clients can't read.
async fn as_json_rpc(response: EngineResponse, id: Option<RequestId>) -> Refused {
    let (head, body) = response.into_parts();
    let mut answer = match head.status {
        StatusCode::NOT_FOUND => unknown_session(),
        // Media type and envelope were checked before, so it is the params that can't be read.
        StatusCode::UNSUPPORTED_MEDIA_TYPE => unfit_params(id),
        status if status.is_server_error() => {
            refused(status, ErrorCode::INTERNAL_ERROR, id, "the server failed")
        }
        status => {
            let text = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            let text = text.strip_prefix("Bad Request: ").unwrap_or(&text);
            refused(status, ErrorCode::INVALID_REQUEST, id, text)
        }
    };
    if let Some(allow) = head.headers.get(ALLOW) {
        answer.headers_mut().insert(ALLOW, allow.clone());
    }
    answer
}

fn infallible(never: Infallible) -> std::io::Error {
    match never {}
}
