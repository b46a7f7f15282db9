//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Command, CommandFactory, Error, FromArgMatches, Parser};

use crate::command;
use crate::setting_table::reference;

/// OAuth 2.1 in front of MCP tools, with whatever identity provider you already have.
///
/// Started without anything it serves two example tools on http://localhost:8000/mcp, with a login
/// page for the dev user alice (password: password).
///
/// With a command it looks after what a server keeps, running or not, and says what it did.
#[derive(Debug, Default, Parser)]
#[command(name = "mcp-oauth-server", version, next_help_heading = "Settings")]
pub(crate) struct Arguments {
    /// What to do instead of serving
    #[command(subcommand)]
    pub(crate) command: Option<command::Command>,
    /// Configuration file (TOML); may be given several times, later ones win
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Vec<PathBuf>,
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long, global = true)]
    host: Option<String>,
    /// Port to listen on; 0 takes a free one [default: 8000]
    #[arg(long, global = true)]
    port: Option<String>,
    /// Where the world reaches this server [default: http://localhost:PORT]
    #[arg(long, global = true, value_name = "URL")]
    base_url: Option<String>,
    /// MCP transports to serve: all, http or sse [default: all]
    #[arg(long, global = true)]
    transport: Option<String>,
    /// Who logs people in: dev, clerk, auth0, keycloak, oidc and more [default: dev]
    #[arg(long, global = true)]
    provider: Option<String>,
    /// Where clients, grants and keys live: sqlite:PATH, postgres://USER@HOST:PORT/DATABASE or
    /// memory [default: sqlite:mcp-oauth-server.db]
    #[arg(long, global = true)]
    store: Option<String>,
    /// error, warn, info, debug or trace [default: info]
    #[arg(long, global = true, value_name = "LEVEL")]
    log_level: Option<String>,
    /// human or json [default: human]
    #[arg(long, global = true, value_name = "FORMAT")]
    log_format: Option<String>,
}

impl Arguments {
    /// Reads the command line; answers `--help` and `--version`, and refuses what it does not know,
    /// by ending the program.
    pub(crate) fn read() -> Self {
        let command = Self::command().after_long_help(reference()).after_help(
            "Every other setting is explained by --help and set in a file or the environment.",
        );
        let arguments = Self::from_arg_matches(&command.clone().get_matches())
            .unwrap_or_else(|error| error.exit());
        arguments.check_config(command).unwrap_or_else(|error| error.exit());
        arguments
    }

    /// Of the same flag on both sides of a command clap keeps what is on one of them.
    fn check_config(&self, mut command: Command) -> Result<(), Error> {
        let is_config = |argument: &OsString| {
            let argument = argument.to_string_lossy();
            argument == "--config" || argument.starts_with("--config=")
        };
        if std::env::args_os().filter(is_config).count() == self.config.len() {
            return Ok(());
        }
        let reason = "--config is given before and after the command, and some of the files would \
                      not count; name all of them on one side";
        Err(command.error(ErrorKind::ArgumentConflict, reason))
    }

    /// Every setting given as a flag: its name, the flag and the text.
    pub(crate) fn settings(&self) -> Vec<(&'static str, &'static str, &str)> {
        let flags = [
            ("host", "--host", &self.host),
            ("port", "--port", &self.port),
            ("base_url", "--base-url", &self.base_url),
            ("transport", "--transport", &self.transport),
            ("provider", "--provider", &self.provider),
            ("store", "--store", &self.store),
            ("log_level", "--log-level", &self.log_level),
            ("log_format", "--log-format", &self.log_format),
        ];
        let given =
            flags.into_iter().filter_map(|(name, flag, text)| Some((name, flag, text.as_deref()?)));
        given.collect()
    }
}
