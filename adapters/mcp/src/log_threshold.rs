//! Which messages a client wants in its log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use mcp_oauth_core::domain::log_message::LogLevel;

/// What a session of the older revisions wants, until it says so (MCP 2025-11-25,
/// server/utilities/logging, `logging/setLevel`).
const UNLESS_SET: LogLevel = LogLevel::Info;

/// The level of a session, which may change while calls are under way.
#[derive(Debug, Clone)]
pub(crate) struct SessionLevel(Arc<AtomicU8>);

/// From which level on messages of one call pass.
#[derive(Debug, Clone)]
pub(crate) enum LogThreshold {
    /// As the session has it now.
    OfSession(SessionLevel),
    /// As the request said; none, when it did not (MCP 2026-07-28, `_meta` `logLevel`).
    OfRequest(Option<LogLevel>),
}

impl SessionLevel {
    /// From now on.
    pub(crate) fn set(&self, level: LogLevel) {
        self.0.store(level as u8, Ordering::Relaxed);
    }
}

impl Default for SessionLevel {
    fn default() -> Self {
        Self(Arc::new(AtomicU8::new(UNLESS_SET as u8)))
    }
}

impl LogThreshold {
    pub(crate) fn lets_pass(&self, level: LogLevel) -> bool {
        match self {
            Self::OfSession(least) => level as u8 >= least.0.load(Ordering::Relaxed),
            Self::OfRequest(least) => least.is_some_and(|least| level >= least),
        }
    }
}
