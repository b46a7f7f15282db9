//! Asking a token endpoint (RFC 6749 §4.4.2, RFC 8693 §2.1).

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::Request;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::{ClientAuthentication, TokenGrant};
use crate::openapi::http_client::{HttpClient, ReadError};

/// The longest answer, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// How long a token lives that does not say it.
const UNSAID_LIFETIME: Duration = Duration::from_secs(300);

/// RFC 8693 §2.1.
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// RFC 8693 §3.
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A token as it was issued.
pub(super) struct Issued {
    /// `Bearer` and the token.
    pub(super) authorization: HeaderValue,
    pub(super) lifetime: Duration,
}

/// Why there is none. Nothing secret is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenRefusal {
    /// The endpoint says no, with this code of RFC 6749 §5.2.
    Refused { code: String },
    /// It gave no answer that can be used; the text is for the log.
    NoAnswer(String),
}

impl TokenGrant {
    /// A token for this server, or in exchange for that of a caller.
    pub(super) async fn ask(
        &self,
        http: &HttpClient,
        subject_token: Option<&SecretString>,
    ) -> Result<Issued, TokenRefusal> {
        let request = self.request(subject_token)?;
        let response = http.send(request).await;
        let response = response.map_err(|error| TokenRefusal::NoAnswer(error.detail))?;
        let status = response.status();
        let body = HttpClient::body(response, LONGEST_ANSWER).await.map_err(|error| {
            TokenRefusal::NoAnswer(match error {
                ReadError::TooLong => format!("it answered more than {LONGEST_ANSWER} bytes"),
                ReadError::Broken(reason) => reason,
            })
        })?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status.is_success() {
            return issued(&answer);
        }
        match answer.get("error").and_then(Value::as_str) {
            Some(code) if status.is_client_error() => {
                Err(TokenRefusal::Refused { code: as_code(code) })
            }
            _ => Err(TokenRefusal::NoAnswer(format!("it answered {status}"))),
        }
    }

    fn request(&self, subject_token: Option<&SecretString>) -> Result<Request, TokenRefusal> {
        let mut form = Serializer::new(String::new());
        match subject_token {
            Some(token) => form
                .append_pair("grant_type", EXCHANGE)
                .append_pair("subject_token", token.expose_secret())
                .append_pair("subject_token_type", ACCESS_TOKEN),
            None => form.append_pair("grant_type", "client_credentials"),
        };
        let resource = self.resource.as_ref().map(url::Url::as_str);
        let wanted = [
            ("scope", self.scope.as_deref()),
            ("audience", self.audience.as_deref()),
            ("resource", resource),
        ];
        for (name, value) in wanted {
            if let Some(value) = value {
                form.append_pair(name, value);
            }
        }
        let mut request = Request::new(http::Method::POST, self.token_url.clone());
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, form_type);
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        match (&self.client_secret, self.client_authentication) {
            (Some(secret), ClientAuthentication::Basic) => {
                let value = self.basic(secret.expose_secret())?;
                request.headers_mut().insert(AUTHORIZATION, value);
            }
            (secret, _) => {
                form.append_pair("client_id", &self.client_id);
                if let Some(secret) = secret {
                    form.append_pair("client_secret", secret.expose_secret());
                }
            }
        }
        *request.body_mut() = Some(form.finish().into());
        Ok(request)
    }

    /// Both encoded before they are joined, as RFC 6749 §2.3.1 asks.
    fn basic(&self, secret: &str) -> Result<HeaderValue, TokenRefusal> {
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encoded(&self.client_id), encoded(secret));
        sensitive(&format!("Basic {}", BASE64_STANDARD.encode(pair)))
            .ok_or_else(|| TokenRefusal::NoAnswer("the client's secret is no header".to_owned()))
    }
}

/// A value of a header that is in none of its texts.
pub(super) fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// RFC 6749 §5.1; a lifetime may be a text, as some servers have it.
fn issued(answer: &Value) -> Result<Issued, TokenRefusal> {
    let unusable = |reason: &str| TokenRefusal::NoAnswer(reason.to_owned());
    let token = answer.get("access_token").and_then(Value::as_str);
    let token = token.ok_or_else(|| unusable("there is no access_token in its answer"))?;
    let kind = answer.get("token_type").and_then(Value::as_str).unwrap_or("Bearer");
    if !kind.eq_ignore_ascii_case("bearer") {
        return Err(unusable("its token is not of the type Bearer"));
    }
    let authorization = sensitive(&format!("Bearer {token}"))
        .ok_or_else(|| unusable("its token can't stand in a header"))?;
    let lifetime = answer.get("expires_in").and_then(|value| match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    });
    let lifetime = lifetime.map_or(UNSAID_LIFETIME, Duration::from_secs);
    Ok(Issued { authorization, lifetime })
}

/// Only what a code can be made of (RFC 6749 §5.2).
fn as_code(text: &str) -> String {
    text.chars().filter(|it| it.is_ascii_alphanumeric() || *it == '_').take(40).collect()
}
