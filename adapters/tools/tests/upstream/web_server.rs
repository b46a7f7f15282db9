//! The server of the tests on an address, over Streamable HTTP or HTTP+SSE.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use futures_util::{Stream, StreamExt, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use mcp_oauth_tools::{Address, HttpTransport, Reach};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{AbortHandle, JoinSet};

use crate::fixture::Server;

/// How the server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoken {
    /// Streamable HTTP of the older revisions, with a session.
    Legacy,
    /// Streamable HTTP of the newest.
    Modern,
    /// HTTP+SSE; messages go where it says.
    Sse(&'static str),
    /// It sends everybody elsewhere.
    Elsewhere(&'static str),
}

/// A server at an address.
pub(crate) struct WebServer {
    pub(crate) port: u16,
    seen: Arc<Seen>,
    accepting: AbortHandle,
}

struct Seen {
    spoken: Spoken,
    server: Mutex<Server>,
    /// What was received: the method of MCP and the headers.
    received: Mutex<Vec<(String, HeaderMap)>>,
    /// Streams that wait for more.
    open: Mutex<Vec<UnboundedSender<String>>>,
}

type Body = UnsyncBoxBody<Bytes, Infallible>;

impl Drop for WebServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl WebServer {
    pub(crate) async fn start(spoken: Spoken) -> Self {
        Self::start_at(0, spoken).await
    }

    pub(crate) async fn start_at(port: u16, spoken: Spoken) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let era = if spoken == Spoken::Modern { "modern" } else { "legacy" };
        let seen = Arc::new(Seen {
            spoken,
            server: Mutex::new(Server::new(era)),
            received: Mutex::default(),
            open: Mutex::default(),
        });
        let served = Arc::clone(&seen);
        let accepting = tokio::spawn(async move {
            // Dropped with this task, and the connections with it.
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let seen = Arc::clone(&served);
                let serve = service_fn(move |request| serve(Arc::clone(&seen), request));
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(socket), serve);
                connections.spawn(connection);
            }
        });
        Self { port, seen, accepting: accepting.abort_handle() }
    }

    pub(crate) fn address(&self) -> Address {
        Address {
            url: format!("http://127.0.0.1:{}/mcp", self.port).parse().unwrap(),
            transport: HttpTransport::Auto,
            headers: [("Authorization".to_owned(), "Bearer the-secret-key".into())].into(),
        }
    }

    pub(crate) fn reach(&self) -> Reach {
        Reach::Url(self.address())
    }

    /// Headers of the requests of this method of MCP.
    pub(crate) fn headers_of(&self, method: &str) -> Vec<HeaderMap> {
        let received = self.seen.received.lock().unwrap();
        let of = received.iter().filter(|(received, _)| received == method);
        of.map(|(_, headers)| headers.clone()).collect()
    }

    /// Waits until the client has closed the stream that was opened last.
    pub(crate) async fn stream_closed(&self) {
        let last = self.seen.open.lock().unwrap().last().cloned();
        last.expect("an open stream").closed().await;
    }

    /// Headers of every request.
    pub(crate) fn all_headers(&self) -> Vec<HeaderMap> {
        self.seen.received.lock().unwrap().iter().map(|(_, headers)| headers.clone()).collect()
    }
}

async fn serve(seen: Arc<Seen>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let method = message["method"].as_str().unwrap_or_default().to_owned();
    seen.received.lock().unwrap().push((method, parts.headers));
    let at_messages = parts.uri.path() == "/messages";
    Ok(match (seen.spoken, parts.method) {
        (Spoken::Elsewhere(address), _) => Response::builder()
            .status(StatusCode::TEMPORARY_REDIRECT)
            .header("location", address)
            .body(Full::default().boxed_unsync())
            .unwrap(),
        (Spoken::Sse(endpoint), Method::GET) => {
            let (events, received) = unbounded_channel();
            events.send(format!("event: endpoint\ndata: {endpoint}\n\n")).unwrap();
            seen.open.lock().unwrap().push(events);
            event_stream(received, None)
        }
        (Spoken::Sse(_), Method::POST) if at_messages => {
            seen.say(&message);
            status(StatusCode::ACCEPTED)
        }
        (Spoken::Legacy | Spoken::Modern, Method::POST) => seen.streamable(&message),
        (_, Method::DELETE) => status(StatusCode::OK),
        _ => status(StatusCode::METHOD_NOT_ALLOWED),
    })
}

impl Seen {
    /// Says what there is to say on the stream that was opened last.
    fn say(&self, message: &Value) {
        let said = self.server.lock().unwrap().take(message);
        let open = self.open.lock().unwrap();
        for said in said {
            open.last().unwrap().send(event(&said)).unwrap();
        }
    }

    fn streamable(&self, message: &Value) -> Response<Body> {
        if message.get("method").is_none() {
            self.say(message);
            self.open.lock().unwrap().pop();
            return status(StatusCode::ACCEPTED);
        }
        let said = self.server.lock().unwrap().take(message);
        if message.get("id").is_none() {
            return status(StatusCode::ACCEPTED);
        }
        let (events, received) = unbounded_channel();
        let mut answered = false;
        for said in &said {
            answered |= said["id"] == message["id"] && said.get("method").is_none();
            events.send(event(said)).unwrap();
        }
        if !answered {
            self.open.lock().unwrap().push(events);
        }
        let session = (self.spoken == Spoken::Legacy).then_some("the-session");
        event_stream(received, session)
    }
}

fn event(message: &Value) -> String {
    format!("event: message\ndata: {message}\n\n")
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Full::default().boxed_unsync());
    *response.status_mut() = status;
    response
}

fn event_stream(events: UnboundedReceiver<String>, session: Option<&str>) -> Response<Body> {
    let frames = received(events).map(|text| Ok(Frame::data(Bytes::from(text))));
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    response.headers_mut().insert(CONTENT_TYPE, "text/event-stream".parse().unwrap());
    if let Some(session) = session {
        response.headers_mut().insert("mcp-session-id", session.parse().unwrap());
    }
    response
}

fn received(events: UnboundedReceiver<String>) -> impl Stream<Item = String> {
    stream::unfold(events, |mut events| async { events.recv().await.map(|it| (it, events)) })
}
