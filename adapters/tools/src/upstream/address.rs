//! An upstream server on the network: how requests reach it, and with which headers.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::stream::BoxStream;
use http::{HeaderName, HeaderValue};
use rmcp::model::{ClientJsonRpcMessage, GetExtensions, JsonRpcMessage};
use rmcp::transport::streamable_http_client::{
    SseError, StreamableHttpClient, StreamableHttpClientTransport,
    StreamableHttpClientTransportConfig, StreamableHttpError, StreamableHttpPostResponse,
    StreamableHttpResponseLimits,
};
use sse_stream::Sse;

use super::passing_caller::CallerHeaders;

/// The address, the client, and the headers of every request.
#[derive(Clone)]
pub(super) struct Web {
    pub(super) url: url::Url,
    pub(super) client: reqwest::Client,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

/// The client that sends the headers of the caller beside those of the connection.
#[derive(Clone)]
pub(super) struct CallerClient {
    inner: reqwest::Client,
    caller: CallerHeaders,
}

type Headers = HashMap<HeaderName, HeaderValue>;
type Failure = StreamableHttpError<reqwest::Error>;

/// Streamable HTTP. `caller` is who the whole connection belongs to, if to somebody.
pub(super) fn streamable(
    web: &Web,
    caller: CallerHeaders,
    most_calls: usize,
) -> StreamableHttpClientTransport<CallerClient> {
    let config = StreamableHttpClientTransportConfig::with_uri(web.url.as_str())
        .custom_headers(web.headers.iter().cloned().collect())
        .max_concurrent_requests(most_calls.saturating_add(16));
    let client = CallerClient { inner: web.client.clone(), caller };
    StreamableHttpClientTransport::with_client(client, config)
}

/// Headers of the caller that go with one message.
pub(super) fn caller_of(message: &ClientJsonRpcMessage) -> CallerHeaders {
    match message {
        JsonRpcMessage::Request(request) => {
            request.request.extensions().get::<CallerHeaders>().cloned().unwrap_or_default()
        }
        _ => CallerHeaders::default(),
    }
}

impl CallerClient {
    fn with_caller(&self, mut headers: Headers) -> Headers {
        headers.extend(self.caller.0.iter().cloned());
        headers
    }
}

impl StreamableHttpClient for CallerClient {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        bearer: Option<String>,
        headers: Headers,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let mut headers = self.with_caller(headers);
        headers.extend(caller_of(&message).0);
        self.inner.post_message(uri, message, session, bearer, headers).await
    }

    async fn post_message_with_response_limits(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        bearer: Option<String>,
        headers: Headers,
        limits: StreamableHttpResponseLimits,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let mut headers = self.with_caller(headers);
        headers.extend(caller_of(&message).0);
        let inner = &self.inner;
        inner
            .post_message_with_response_limits(uri, message, session, bearer, headers, limits)
            .await
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session: Arc<str>,
        bearer: Option<String>,
        headers: Headers,
    ) -> Result<(), Failure> {
        let headers = self.with_caller(headers);
        self.inner.delete_session(uri, session, bearer, headers).await
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        bearer: Option<String>,
        headers: Headers,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Failure> {
        let headers = self.with_caller(headers);
        self.inner.get_stream(uri, session, last_event, bearer, headers).await
    }

    async fn get_stream_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        bearer: Option<String>,
        headers: Headers,
        most_bytes: usize,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Failure> {
        let headers = self.with_caller(headers);
        let inner = &self.inner;
        inner
            .get_stream_with_max_sse_event_size(
                uri, session, last_event, bearer, headers, most_bytes,
            )
            .await
    }
}
