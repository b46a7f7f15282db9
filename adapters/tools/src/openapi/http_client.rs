//! The one HTTP client of a catalog: it goes nowhere but where it is sent, and reads no more than was
//! agreed.

use std::error::Error;

use reqwest::redirect::Policy;
use reqwest::{Client, Request, Response};
use url::Url;

use super::config::CallLimits;

/// Follows no redirect, takes no proxy from the environment and tries nothing twice. How long an
/// answer may take is for whoever asks to say.
#[derive(Debug, Clone)]
pub(super) struct HttpClient {
    client: Client,
}

/// No answer came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoAnswer {
    kind: NoAnswerKind,
    /// For the log: neither an address nor a body is in it.
    pub(super) detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoAnswerKind {
    Unreachable,
    Untrusted,
    BrokenOff,
}

/// A body that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReadError {
    TooLong,
    /// For the log.
    Broken(String),
}

impl NoAnswer {
    /// For callers and models: what follows the name of the server.
    pub(super) fn sentence(&self) -> &'static str {
        match self.kind {
            NoAnswerKind::Unreachable => "can't be reached at the moment",
            NoAnswerKind::Untrusted => {
                "can't be reached safely: the certificate it shows is not trusted"
            }
            NoAnswerKind::BrokenOff => "broke off before it answered",
        }
    }
}

impl HttpClient {
    /// With these limits; the text of the error says what the TLS library lacks.
    pub(super) fn new(limits: &CallLimits) -> Result<Self, String> {
        let client = Client::builder()
            .user_agent("mcp-oauth-server")
            .no_proxy()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(limits.connect_timeout)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| causes(&error))?;
        Ok(Self { client })
    }

    /// A plain GET.
    pub(super) async fn get(&self, url: &Url) -> Result<Response, NoAnswer> {
        self.send(Request::new(http::Method::GET, url.clone())).await
    }

    /// The head of the answer.
    pub(super) async fn send(&self, request: Request) -> Result<Response, NoAnswer> {
        self.client.execute(request).await.map_err(|error| no_answer(&error.without_url()))
    }

    /// The body, given up as soon as it is too long, whatever length was announced.
    pub(super) async fn body(mut response: Response, most: usize) -> Result<Vec<u8>, ReadError> {
        if response.content_length().is_some_and(|announced| announced > most as u64) {
            return Err(ReadError::TooLong);
        }
        let mut body = Vec::new();
        let broken = |error: reqwest::Error| ReadError::Broken(causes(&error.without_url()));
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > most {
                return Err(ReadError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// The beginning of a body, which may be longer or break off.
    pub(super) async fn beginning(mut response: Response, most: usize) -> Vec<u8> {
        let mut body = Vec::new();
        while body.len() < most
            && let Ok(Some(chunk)) = response.chunk().await
        {
            body.extend_from_slice(&chunk);
        }
        body.truncate(most);
        body
    }
}

fn no_answer(error: &reqwest::Error) -> NoAnswer {
    let detail = causes(error);
    let kind = if error.is_connect() && detail.to_ascii_lowercase().contains("certificate") {
        NoAnswerKind::Untrusted
    } else if error.is_connect() {
        NoAnswerKind::Unreachable
    } else {
        NoAnswerKind::BrokenOff
    };
    NoAnswer { kind, detail }
}

fn causes(error: &reqwest::Error) -> String {
    let mut causes = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes.join(": ")
}
