use async_trait::async_trait;
use serde_json::Value;
use thiserror::Error;

use crate::domain::input_required::Question;
use crate::domain::log_message::{LogLevel, LogMessage};

/// The way to the client while one of its calls is under way. What is sent when nobody wants it, or
/// after the client has gone or the call has ended, is lost, and that is no error.
///
/// Sending waits until there is room. A call that sends more than one may is ended; until it is
/// dropped, whoever sends for it waits.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ClientChannel: Send + Sync {
    /// Tells how far the call has come, if the client asked to be told.
    async fn progress(&self, progress: Progress);

    /// Writes into the client's log, if the client wants messages of that level.
    async fn log(&self, message: LogMessage);

    /// Whether the client wants messages of that level.
    fn wants_log(&self, level: LogLevel) -> bool;

    /// Whether questions are put to the client within the call, as in the revisions before
    /// 2026-07-28. Otherwise the call ends with them and is repeated.
    fn asks_within_the_call(&self) -> bool;

    /// Puts a question to the client within the call and waits for the answer, the result of the
    /// request as the client sent it; asked only where [`Self::asks_within_the_call`], and only what
    /// the client declared that it can do. The time of the call stands still meanwhile. Dropping the
    /// future takes the question back.
    ///
    /// # Errors
    /// [`AskError`].
    async fn ask(&self, question: &Question) -> Result<Value, AskError>;
}

/// How far a call has come (MCP 2026-07-28, basic/utilities/progress).
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// More each time, in whatever unit.
    pub done: f64,
    /// Of how much, in the same unit, when known.
    pub total: Option<f64>,
    /// For people.
    pub message: Option<String>,
}

/// Why there is no answer to a question.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum AskError {
    /// The client answered with an error of JSON-RPC.
    #[error("the client refused: {message} (error {code})")]
    Refused {
        /// JSON-RPC 2.0 §5.1.
        code: i32,
        /// What is wrong.
        message: String,
    },
    /// The client has gone, the call is over, or nobody answered for as long as a person may take.
    #[error("the client does not answer")]
    Gone,
}
