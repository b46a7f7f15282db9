//! Requests to a provider: over TLS, with an end, and no more read than was bargained for.

use std::error::Error;
use std::pin::Pin;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use mcp_oauth_core::domain::public_address::is_loopback;
use openidconnect::AsyncHttpClient;
use reqwest::redirect::Policy;
use reqwest::{Client, Request, Response};
use serde_json::{Map, Value};
use thiserror::Error;
use url::Url;

use crate::provider_config::TimeLimits;

/// The longest answer read, in bytes; keys and documents of real providers have a tenth of it.
const LONGEST_ANSWER: usize = 256 * 1024;

const FORM: &str = "application/x-www-form-urlencoded";

/// The media type of a JSON document.
const JSON: &str = "application/json";

/// Talks to one provider. Redirects are never followed: a document or a key that is somewhere else
/// is somebody else's.
pub(crate) struct ProviderHttp {
    client: Result<Client, String>,
    /// For a provider on this very machine, as in tests and on a laptop.
    may_be_plain: bool,
}

/// What a provider answered, whatever the status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// A provider gave no answer, or none that can be used. The text is for the log: neither a query nor
/// a body is in it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{address} {reason}")]
pub(crate) struct NoAnswer {
    pub(crate) address: String,
    pub(crate) reason: String,
}

/// How a request authenticates.
pub(crate) enum Credentials<'a> {
    None,
    /// `client_secret_basic` (RFC 6749 §2.3.1).
    Basic {
        id: &'a str,
        secret: &'a str,
    },
    Bearer(&'a str),
}

impl ProviderHttp {
    /// For a provider whose issuer is `issuer`: plain http is spoken only on this machine, and only
    /// to a provider that is on it.
    pub(crate) fn new(issuer: &str, limits: TimeLimits) -> Self {
        let client = Client::builder()
            .user_agent("mcp-oauth-server")
            .no_proxy()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(limits.connect)
            .timeout(limits.total)
            .build()
            .map_err(|error| format!("{error:?}"));
        let may_be_plain = Url::parse(issuer).is_ok_and(|url| is_plain_loopback(&url));
        Self { client, may_be_plain }
    }

    /// Why nobody can be asked, if that is so.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.client.as_ref().err().map(String::as_str)
    }

    /// An address that may be asked.
    pub(crate) fn address(&self, text: &str) -> Result<Url, NoAnswer> {
        let refused = |reason: &str| NoAnswer { address: shown(text), reason: reason.to_owned() };
        let url = Url::parse(text).map_err(|_| refused("is not an absolute URL"))?;
        if url.scheme() != "https" && !(self.may_be_plain && is_plain_loopback(&url)) {
            return Err(refused("is not https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("has a user name in it"));
        }
        Ok(url)
    }

    /// The JSON object at `url`.
    pub(crate) async fn get_object(
        &self,
        url: &Url,
        credentials: Credentials<'_>,
    ) -> Result<Map<String, Value>, NoAnswer> {
        let request = Request::new(http::Method::GET, url.clone());
        self.send(url, authenticated(request, credentials)).await?.object(url)
    }

    /// The answer to a GET, whatever it is.
    pub(crate) async fn get(&self, url: &Url) -> Result<Answer, NoAnswer> {
        self.send(url, Request::new(http::Method::GET, url.clone())).await
    }

    /// The answer to a form.
    pub(crate) async fn post_form(
        &self,
        url: &Url,
        members: &[(&str, &str)],
        credentials: Credentials<'_>,
    ) -> Result<Answer, NoAnswer> {
        let body =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish();
        self.post(url, (FORM, body), credentials).await
    }

    /// The answer to a JSON document.
    pub(crate) async fn post_json(
        &self,
        url: &Url,
        document: &Value,
        credentials: Credentials<'_>,
    ) -> Result<Answer, NoAnswer> {
        self.post(url, (JSON, document.to_string()), credentials).await
    }

    async fn post(
        &self,
        url: &Url,
        (media_type, body): (&'static str, String),
        credentials: Credentials<'_>,
    ) -> Result<Answer, NoAnswer> {
        let mut request = Request::new(http::Method::POST, url.clone());
        request.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(media_type));
        *request.body_mut() = Some(body.into());
        self.send(url, authenticated(request, credentials)).await
    }

    /// A request of the protocol library. An answer that the server itself calls a failure of its own
    /// is none.
    async fn exchange(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, NoAnswer> {
        let url = self.address(&request.uri().to_string())?;
        let unusable = |reason: String| NoAnswer { address: plain(&url), reason };
        let request = Request::try_from(request).map_err(|error| unusable(causes(error)))?;
        let answer = self.send(&url, request).await?;
        if answer.status >= 500 || answer.status == 429 {
            return Err(unusable(format!("answers {}", answer.status)));
        }
        let mut response = http::Response::new(answer.body);
        *response.status_mut() = http::StatusCode::from_u16(answer.status).unwrap_or_default();
        *response.headers_mut() = answer.headers;
        Ok(response)
    }

    async fn send(&self, url: &Url, mut request: Request) -> Result<Answer, NoAnswer> {
        let no_answer = |reason: String| NoAnswer { address: plain(url), reason };
        let client = self.client.as_ref().map_err(|trouble| no_answer(trouble.clone()))?;
        let accept = http::HeaderValue::from_static(JSON);
        request.headers_mut().entry(ACCEPT).or_insert(accept);
        let response = client.execute(request).await.map_err(|error| no_answer(causes(error)))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = body(response).await.map_err(no_answer)?;
        Ok(Answer { status, headers, body })
    }
}

impl<'c> AsyncHttpClient<'c> for ProviderHttp {
    type Error = NoAnswer;
    type Future =
        Pin<Box<dyn Future<Output = Result<http::Response<Vec<u8>>, NoAnswer>> + Send + 'c>>;

    fn call(&'c self, request: http::Request<Vec<u8>>) -> Self::Future {
        Box::pin(self.exchange(request))
    }
}

impl Answer {
    /// The JSON object it is.
    pub(crate) fn object(self, url: &Url) -> Result<Map<String, Value>, NoAnswer> {
        let unusable = |reason: String| NoAnswer { address: plain(url), reason };
        if self.status != 200 {
            return Err(unusable(format!("answers {}, not 200", self.status)));
        }
        if !is_json(&self.headers) {
            return Err(unusable("is not served as JSON".to_owned()));
        }
        // The parser's own words could repeat what is in the answer.
        serde_json::from_slice(&self.body).map_err(|_| unusable("is not a JSON object".to_owned()))
    }
}

/// What somebody published as an address, in one line and without what may be a secret.
fn shown(text: &str) -> String {
    match Url::parse(text) {
        Ok(mut url) if url.has_host() => {
            let _ = url.set_username("");
            let _ = url.set_password(None);
            plain(&url)
        }
        _ => format!(
            "{:?}",
            text.split(['?', '@']).next().unwrap_or_default().chars().take(100).collect::<String>()
        ),
    }
}

/// Without a query, which could have a code or a token in it.
fn plain(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

fn is_plain_loopback(url: &Url) -> bool {
    url.scheme() == "http" && is_loopback(url)
}

fn authenticated(mut request: Request, credentials: Credentials<'_>) -> Request {
    let value = match credentials {
        Credentials::None => return request,
        Credentials::Bearer(token) => format!("Bearer {token}"),
        Credentials::Basic { id, secret } => {
            let encoded = |text: &str| -> String {
                url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
            };
            let pair = format!("{}:{}", encoded(id), encoded(secret));
            format!("Basic {}", STANDARD.encode(pair))
        }
    };
    // A token or key that no header can hold is sent without, and refused by the provider.
    if let Ok(mut value) = http::HeaderValue::from_str(&value) {
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    request
}

/// `application/json`, or any `application/…+json`.
fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    let media_type = media_type.trim().to_ascii_lowercase();
    let subtype = media_type.strip_prefix("application/");
    subtype.is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

/// The body, given up as soon as it is too long, whatever length was announced.
async fn body(mut response: Response) -> Result<Vec<u8>, String> {
    let too_long = || format!("is longer than {LONGEST_ANSWER} bytes");
    if response.content_length().is_some_and(|announced| announced > LONGEST_ANSWER as u64) {
        return Err(too_long());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(causes)? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Err(too_long());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn causes(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut causes = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jv_13_plain_http_is_for_a_provider_on_this_machine_only() {
        let is_asked = |issuer, address| {
            ProviderHttp::new(issuer, TimeLimits::default()).address(address).is_ok()
        };
        for loopback in ["http://127.0.0.1:1/keys", "http://[::1]/keys", "http://localhost:1/keys"]
        {
            assert!(is_asked("http://localhost:1", loopback), "{loopback}");
            for issuer in ["https://id.example", "https://127.0.0.1", "http://id.example", ""] {
                assert!(!is_asked(issuer, loopback), "{issuer} {loopback}");
            }
        }
        for address in ["http://10.0.0.1/keys", "http://localhost.example/keys"] {
            assert!(!is_asked("http://localhost:1", address), "{address}");
        }
        assert!(is_asked("https://id.example", "https://keys.example/keys"));
    }

    #[test]
    fn jv_18_an_address_that_is_refused_is_one_line_without_secrets() {
        for (text, expected) in [
            ("https://u:secret@id.example/keys?token=secret", "https://id.example/keys"),
            ("keys\nWARN forged?secret", "\"keys\\nWARN forged\""),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn jv_18_no_query_is_in_an_error() {
        let url = Url::parse("https://id.example/a?code=secret#secret").unwrap();
        assert_eq!(plain(&url), "https://id.example/a");
    }
}
