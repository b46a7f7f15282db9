//! HTTP+SSE, the transport of revision 2024-11-05: a stream of events from the server, whose first
//! one says where messages to the server go.

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::header::ACCEPT;
use rmcp::RoleClient;
use rmcp::model::ServerJsonRpcMessage;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use sse_stream::{Sse, SseStream};
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use url::Url;

use super::address::{Web, caller_of};
use super::passing_caller::CallerHeaders;

/// Bytes of one event, as over Streamable HTTP.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Messages received and not yet read.
const BUFFER: usize = 64;

/// A connection over HTTP+SSE.
pub(super) struct SseTransport {
    web: Web,
    caller: CallerHeaders,
    endpoint: Url,
    received: mpsc::Receiver<RxJsonRpcMessage<RoleClient>>,
    reader: AbortHandle,
}

/// Why a message did not reach the server, or no connection was made.
#[derive(Debug, Error)]
pub(super) enum SseFailure {
    #[error("{0}")]
    Http(reqwest::Error),
    #[error("it answered HTTP {0}")]
    Status(http::StatusCode),
    #[error("it sends no stream of events")]
    NoStream,
    #[error("it does not say where messages go")]
    NoEndpoint,
    #[error("it sends messages to {0}, which is another origin")]
    ForeignEndpoint(Url),
}

/// Without the address, which may have a secret in it.
impl From<reqwest::Error> for SseFailure {
    fn from(error: reqwest::Error) -> Self {
        Self::Http(error.without_url())
    }
}

/// Opens the stream and waits for the address of messages, which must be of the same origin: what we
/// send there has our credentials with it.
pub(super) async fn open(web: Web, caller: CallerHeaders) -> Result<SseTransport, SseFailure> {
    let mut request = web.client.get(web.url.clone()).header(ACCEPT, "text/event-stream");
    for (name, value) in web.headers.iter().chain(&caller.0) {
        request = request.header(name, value);
    }
    let response = request.send().await?;
    if !response.status().is_success() {
        return Err(SseFailure::Status(response.status()));
    }
    let kind = response.headers().get(http::header::CONTENT_TYPE);
    let is_stream = kind.is_some_and(|it| it.as_bytes().starts_with(b"text/event-stream"));
    if !is_stream {
        return Err(SseFailure::NoStream);
    }
    let bytes = bounded(response.bytes_stream());
    let mut events = Box::pin(SseStream::from_bytes_stream(bytes));
    let endpoint = loop {
        match events.next().await {
            Some(Ok(event)) if event.event.as_deref() == Some("endpoint") => {
                let address = event.data.unwrap_or_default();
                break web.url.join(address.trim()).map_err(|_| SseFailure::NoEndpoint)?;
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Err(SseFailure::NoEndpoint),
        }
    };
    if endpoint.origin() != web.url.origin() {
        return Err(SseFailure::ForeignEndpoint(endpoint));
    }
    let (messages, received) = mpsc::channel(BUFFER);
    let reader = tokio::spawn(async move {
        while let Some(Ok(event)) = events.next().await {
            let Some(message) = message(event) else { continue };
            if messages.send(message).await.is_err() {
                return;
            }
        }
    });
    Ok(SseTransport { web, caller, endpoint, received, reader: reader.abort_handle() })
}

/// The same bytes, ending where an event is too long to be kept.
fn bounded<E>(bytes: impl Stream<Item = Result<Bytes, E>>) -> impl Stream<Item = Result<Bytes, E>> {
    let mut of_event = 0;
    let mut last = 0;
    bytes.take_while(move |chunk| {
        for byte in chunk.iter().flatten().filter(|byte| **byte != b'\r') {
            let ends = *byte == b'\n' && last == b'\n';
            of_event = if ends { 0 } else { of_event + 1 };
            last = *byte;
        }
        std::future::ready(of_event <= MOST_BYTES)
    })
}

fn message(event: Sse) -> Option<ServerJsonRpcMessage> {
    if event.event.as_deref().is_some_and(|kind| kind != "message") {
        return None;
    }
    serde_json::from_str(&event.data?).ok()
}

impl Transport<RoleClient> for SseTransport {
    type Error = SseFailure;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let mut request = self.web.client.post(self.endpoint.clone()).json(&item);
        let caller = caller_of(&item);
        for (name, value) in self.web.headers.iter().chain(&self.caller.0).chain(&caller.0) {
            request = request.header(name, value);
        }
        async move {
            let status = request.send().await?.status();
            if status.is_success() { Ok(()) } else { Err(SseFailure::Status(status)) }
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        self.received.recv().await
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.reader.abort();
        self.received.close();
        Ok(())
    }
}

impl Drop for SseTransport {
    fn drop(&mut self) {
        self.reader.abort();
    }
}
