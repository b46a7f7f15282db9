//! What went wrong upstream, in the words of our own callers.

use mcp_oauth_core::domain::tool::CallError;
use rmcp::model::ErrorData;
use serde_json::Value;

/// Of a message or datum of somebody else, at most so much is passed on.
const MOST_BYTES: usize = 64 * 1024;

/// Errors that name the upstream server.
#[derive(Debug, Clone)]
pub(super) struct Errors {
    name: String,
}

impl Errors {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    /// Why a request failed, for the operator.
    pub(super) fn log(&self, why: &dyn std::fmt::Display) {
        let why = why.to_string();
        tracing::warn!(upstream = self.name, "a request failed: {}", bounded(&why, 500));
    }

    /// There is no connection now.
    pub(super) fn down(&self) -> CallError {
        self.unavailable("is not available now; it is being tried again")
    }

    /// The connection went during the call.
    pub(super) fn ended(&self) -> CallError {
        self.unavailable(
            "ended during the call; whether the call took effect is unknown, and it was not repeated",
        )
    }

    /// A request could not be sent, or its answer not be read.
    pub(super) fn unreachable(&self) -> CallError {
        self.unavailable(
            "can't be reached; whether the call took effect is unknown, and it was not repeated",
        )
    }

    /// It was asked too much at once.
    pub(super) fn busy(&self) -> CallError {
        self.unavailable("is too busy now; try again later")
    }

    fn unavailable(&self, what: &str) -> CallError {
        CallError::Unavailable(format!("the tool server {:?} {what}", self.name))
    }

    /// It answered something that is no answer to what was asked.
    pub(super) fn senseless(&self, why: &str) -> CallError {
        CallError::Failed(format!(
            "the tool server {:?} broke the protocol: {}",
            self.name,
            bounded(why, 500)
        ))
    }

    /// Its own error, for the client.
    pub(super) fn refused(&self, error: ErrorData) -> CallError {
        let fits = |data: &Value| data.to_string().len() <= MOST_BYTES;
        CallError::Refused {
            code: error.code.0,
            message: bounded(&error.message, MOST_BYTES).to_owned(),
            data: error.data.filter(fits),
        }
    }
}

/// The beginning of a text.
pub(super) fn bounded(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    &text[..end]
}
