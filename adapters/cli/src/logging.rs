//! Where log lines go: to standard error, for people or as JSON.

use std::io;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::settings::{LogFormat, Settings};

/// Starts logging; a second call changes nothing.
pub(crate) fn start(settings: &Settings) {
    start_with(&directives(&settings.log_level), settings);
}

/// The same for a command, which says itself what it did: unless a level was chosen, only what is
/// amiss besides.
pub(crate) fn start_quietly(settings: &Settings) {
    match settings.default_log_level {
        true => start_with("warn,rmcp=error,audit=error", settings),
        false => start(settings),
    }
}

fn start_with(directives: &str, settings: &Settings) {
    let filter = directives.parse::<EnvFilter>().unwrap_or_default();
    // A log that can't be written is no reason to fail: what is said of it would go there, too.
    let lines = fmt().with_env_filter(filter).with_writer(io::stderr).log_internal_errors(false);
    let started = match settings.log_format {
        LogFormat::Human => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    if let Err(error) = started {
        tracing::debug!(%error, "logging was started before");
    }
}

/// A bare level is for this program; what it is built on writes requests and their arguments at
/// that level, and speaks up from warnings on.
fn directives(level: &str) -> String {
    match level {
        "warn" | "info" | "debug" | "trace" => {
            format!("warn,rmcp=error,mcp_oauth={level},audit={level}")
        }
        directives => directives.to_owned(),
    }
}
