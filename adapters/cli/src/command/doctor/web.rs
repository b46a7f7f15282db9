//! Asking over HTTP, briefly, and never more than was asked for.

use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::Value;

/// More than anything has that this server answers.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// The header that this server repeats to those whose word counts.
pub(super) const REQUEST_ID: &str = "x-request-id";

/// Asks.
pub(super) struct Web(Client);

/// What somebody answered.
pub(super) struct Answer {
    pub(super) status: u16,
    headers: HeaderMap,
    body: String,
}

impl Web {
    pub(super) fn new() -> reqwest::Result<Self> {
        let limits = (Duration::from_secs(5), Duration::from_secs(10));
        let client = Client::builder().connect_timeout(limits.0).timeout(limits.1);
        let client = client.user_agent("mcp-oauth-server").retry(reqwest::retry::never());
        client.redirect(Policy::none()).no_proxy().build().map(Self)
    }

    /// Asks for what is at `url`; why nobody answered, in words.
    pub(super) async fn get(&self, url: &str, request_id: Option<&str>) -> Result<Answer, String> {
        let mut request = self.0.get(url).header(ACCEPT, "application/json");
        if let Some(id) = request_id {
            request = request.header(REQUEST_ID, id);
        }
        let answered = async { read(request.send().await.map_err(|it| spelled(&it))?).await };
        answered.await
    }
}

async fn read(mut response: Response) -> Result<Answer, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| spelled(&error))? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Err(format!("the answer has more than {LONGEST_ANSWER} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Answer { status: response.status().as_u16(), headers: response.headers().clone(), body })
}

/// An error with what caused it, which is where the news is.
fn spelled(error: &reqwest::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    match error.is_timeout() {
        true => "no answer in time".to_owned(),
        false => deepest.to_string(),
    }
}

impl Answer {
    /// The JSON document of a 200, or why it is none.
    pub(super) fn document(&self) -> Result<Value, String> {
        if self.status != 200 {
            return Err(format!("the answer has the status {}", self.status));
        }
        let parsed = serde_json::from_str(&self.body).ok().filter(Value::is_object);
        parsed.ok_or_else(|| "the answer is no JSON document".to_owned())
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
