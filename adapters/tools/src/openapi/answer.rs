//! What an operation answered, for models and programs.

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use mcp_oauth_core::domain::content::{Content, ResourceContents};
use mcp_oauth_core::domain::tool::ToolOutput;
use reqwest::Response;
use serde_json::Value;

use super::dialect::cut;
use super::http_client::{HttpClient, ReadError};
use super::operation::{Operation, is_json};

/// How much of a failure is read, in bytes.
const FAILURE_READ: usize = 16 * 1024;

/// How much of a failure is told, in characters.
const FAILURE_TOLD: usize = 2_000;

/// Arguments that commonly make an answer shorter.
const NARROWING: [&str; 18] = [
    "limit",
    "per_page",
    "perpage",
    "page_size",
    "pagesize",
    "page",
    "count",
    "first",
    "max",
    "max_results",
    "maxresults",
    "fields",
    "select",
    "filter",
    "q",
    "query",
    "top",
    "size",
];

/// Turns answers of one operation into output.
pub(super) struct AnswerReader<'a> {
    /// The name of the catalog, which stands for the server.
    pub(super) server: &'a str,
    pub(super) operation: &'a Operation,
    /// The longest answer, in bytes.
    pub(super) most: usize,
}

impl AnswerReader<'_> {
    /// The output; what is no success is a failure that the model can read.
    pub(super) async fn read(&self, response: Response) -> ToolOutput {
        let status = response.status();
        if status.is_redirection() {
            return ToolOutput::failure(format!(
                "{} answered {status}: what was asked for is at another address, and redirects \
                 are not followed.",
                self.server
            ));
        }
        if !status.is_success() {
            return self.failure(response).await;
        }
        let headers = response.headers().clone();
        match HttpClient::body(response, self.most).await {
            Ok(body) => self.success(status, &headers, body),
            Err(ReadError::TooLong) => ToolOutput::failure(self.too_long()),
            Err(ReadError::Broken(reason)) => {
                tracing::warn!(catalog = self.server, reason, "an answer broke off");
                ToolOutput::failure(format!("{} broke off in its answer.", self.server))
            }
        }
    }

    fn success(&self, status: StatusCode, headers: &HeaderMap, body: Vec<u8>) -> ToolOutput {
        if body.is_empty() {
            let mut text = format!("{} answered {status}, with nothing more.", self.server);
            if let Some(place) = headers.get(LOCATION).and_then(|value| value.to_str().ok()) {
                text.push_str(&format!(" It is at {}.", cut(place, 500)));
            }
            return self.promised(ToolOutput::text(text), None);
        }
        let media_type = media_type(headers);
        match media_type.split_once('/') {
            _ if is_json(&media_type) => self.json(body),
            // A picture of text, and the one that can hold scripts.
            Some(("image", kind)) if !kind.starts_with("svg") => {
                self.promised(of(Content::image(&body, media_type)), None)
            }
            Some(("audio", _)) => self.promised(of(Content::audio(&body, media_type)), None),
            _ => self.promised(self.text_or_bytes(media_type, body), None),
        }
    }

    fn json(&self, body: Vec<u8>) -> ToolOutput {
        let value: Option<Value> = serde_json::from_slice(&body).ok();
        let output = ToolOutput::text(String::from_utf8_lossy(&body).into_owned());
        match value {
            Some(object @ Value::Object(_)) => self.promised(output, Some(object)),
            _ => self.promised(output, None),
        }
    }

    fn text_or_bytes(&self, media_type: String, body: Vec<u8>) -> ToolOutput {
        match String::from_utf8(body) {
            Ok(text) if !text.contains('\0') => ToolOutput::text(text),
            Ok(text) => self.bytes(media_type, text.as_bytes()),
            Err(error) if media_type.starts_with("text/") => {
                ToolOutput::text(String::from_utf8_lossy(error.as_bytes()).into_owned())
            }
            Err(error) => self.bytes(media_type, error.as_bytes()),
        }
    }

    fn bytes(&self, media_type: String, bytes: &[u8]) -> ToolOutput {
        let media_type = if media_type.is_empty() { BYTES.to_owned() } else { media_type };
        let uri = format!("openapi:{}/{}", self.server, self.operation.description.name);
        of(Content::resource(ResourceContents::bytes(uri, media_type, bytes)))
    }

    /// With a schema in the description of the tool, what is not as it says is a failure: a client
    /// would refuse it, with an error that tells nobody what was answered.
    fn promised(&self, output: ToolOutput, structured: Option<Value>) -> ToolOutput {
        let Some(schema) = &self.operation.answer else {
            return ToolOutput { structured, ..output };
        };
        let fault = match &structured {
            Some(value) => schema.validate(value).err().map(|error| {
                format!("at `{}`: {}", error.instance_path(), cut(&error.to_string(), 300))
            }),
            None => Some("it is no JSON object".to_owned()),
        };
        match fault {
            None => ToolOutput { structured, ..output },
            Some(fault) => {
                let text = format!(
                    "The call succeeded, but {} did not answer what its document promises, {fault}. \
                     The answer follows.",
                    self.server
                );
                let mut content = vec![Content::text(text)];
                content.extend(output.content);
                ToolOutput { is_error: true, ..ToolOutput::content(content) }
            }
        }
    }

    async fn failure(&self, response: Response) -> ToolOutput {
        let status = response.status();
        let media_type = media_type(response.headers());
        let retry = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry = retry.map(|text| format!(" Try again after: {}.", cut(text, 40)));
        let mut text = format!("{} answered {status}.", self.server);
        if let Some(hint) = hint(status) {
            text.push_str(hint);
        }
        text.push_str(&retry.unwrap_or_default());
        let body = HttpClient::beginning(response, FAILURE_READ).await;
        let told = String::from_utf8_lossy(&body);
        let is_text = media_type.is_empty()
            || media_type.starts_with("text/")
            || is_json(&media_type)
            || media_type.ends_with("xml");
        if is_text && !told.trim().is_empty() && !told.contains('\0') {
            text.push_str(&format!(" It says:\n{}", cut(told.trim(), FAILURE_TOLD)));
        }
        ToolOutput::failure(text)
    }

    fn too_long(&self) -> String {
        let names: Vec<String> = self
            .operation
            .plan
            .parameters
            .iter()
            .filter(|it| {
                let name = it.argument.to_ascii_lowercase();
                NARROWING.iter().any(|narrowing| name == *narrowing)
            })
            .map(|it| format!("`{}`", it.argument))
            .collect();
        let how = match names.is_empty() {
            true => "Ask for less, if the arguments allow it".to_owned(),
            false => format!("Ask for less, with {}", names.join(", ")),
        };
        format!(
            "The answer of {} is longer than {} bytes. {how}; the operator can raise \
             `max_response_bytes`.",
            self.server, self.most
        )
    }
}

const BYTES: &str = "application/octet-stream";

fn of(content: Content) -> ToolOutput {
    ToolOutput::content(vec![content])
}

/// In small letters, without parameters.
fn media_type(headers: &HeaderMap) -> String {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn hint(status: StatusCode) -> Option<&'static str> {
    match status {
        StatusCode::UNAUTHORIZED => {
            Some(" The credentials of this server are not accepted; its operator has to look.")
        }
        StatusCode::FORBIDDEN => Some(" This may not be done with the credentials in use."),
        StatusCode::TOO_MANY_REQUESTS => Some(" It is asked too often."),
        _ => None,
    }
}
