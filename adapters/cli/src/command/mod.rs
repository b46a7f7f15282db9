//! What the program does for whoever looks after a server: each command parses, calls use cases (for
//! decisions and the schema, the store) and renders.

mod audit;
mod clients;
mod doctor;
mod format;
mod grants;
mod keys;
mod migrate;
mod moment;
mod schema;
mod token;
mod workplace;

use std::collections::BTreeMap;
use std::io;
use std::process::ExitCode;

use clap::Subcommand;
use mcp_oauth_core::port::{SigningUnavailable, StoreUnavailable};

use crate::arguments::Arguments;
use crate::logging;
use crate::problem::{Problem, Problems};
use crate::run::{explain, runtime};
use crate::settings::Settings;
use workplace::work;

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add, see, change and end clients
    #[command(subcommand)]
    Clients(clients::ClientsCommand),
    /// See and end what people granted to clients
    #[command(subcommand)]
    Grants(grants::GrantsCommand),
    /// See and replace the keys that sign access tokens
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// See what was decided, and why
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Print an access token for scripts; only with the dev provider
    Token(token::TokenCommand),
    /// Bring the schema of the store up to date
    Migrate(migrate::MigrateCommand),
    /// See whether everything is right for people to log in, and what to change
    Doctor(doctor::DoctorCommand),
    /// Print the JSON schema of configuration files
    Schema(schema::SchemaCommand),
}

/// Why a command did not do what it was asked to.
pub(crate) enum CommandError {
    /// The settings or the machine are in its way.
    Problems(Problems),
    /// It can't be done.
    Failed {
        /// What is wrong.
        reason: String,
        /// What to do; empty when that is clear.
        remedy: String,
    },
    /// Nobody could be told.
    Output(io::Error),
}

impl CommandError {
    fn failed(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Failed { reason: reason.into(), remedy: remedy.into() }
    }

    fn explain(&self) -> ExitCode {
        match self {
            Self::Problems(problems) => explain(&format!("can't do that:\n{problems}")),
            Self::Failed { reason, remedy } => {
                explain(&format!("can't do that: {reason}\n    {remedy}"))
            }
            // Whoever reads no further has seen enough, as in `| head -1`.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
            Self::Output(error) => explain(&format!("can't write to standard output: {error}")),
        }
    }
}

/// A number and what it counts.
fn counted(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

impl From<Problem> for CommandError {
    fn from(problem: Problem) -> Self {
        Self::Problems(problem.into())
    }
}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<StoreUnavailable> for CommandError {
    fn from(error: StoreUnavailable) -> Self {
        Self::failed(error.to_string(), "Try again.")
    }
}

impl From<SigningUnavailable> for CommandError {
    fn from(error: SigningUnavailable) -> Self {
        Self::failed(error.to_string(), "Try again.")
    }
}

impl Command {
    /// Does it, and says on standard error why not.
    pub(crate) fn run(
        &self,
        arguments: &Arguments,
        environment: &BTreeMap<String, String>,
    ) -> ExitCode {
        let without_settings = match self {
            Self::Doctor(command) => Some(command.run(arguments, environment)),
            Self::Schema(command) => Some(command.run()),
            _ => None,
        };
        if let Some(done) = without_settings {
            return done.unwrap_or_else(|error| error.explain());
        }
        let settings = match Settings::read(arguments, environment) {
            Ok(settings) => settings,
            Err(refused) => return CommandError::Problems(refused.problems).explain(),
        };
        logging::start_quietly(&settings);
        let done = runtime().map_err(CommandError::from);
        let done = done.and_then(|runtime| runtime.block_on(self.run_with(settings)));
        done.unwrap_or_else(|error| error.explain())
    }

    async fn run_with(&self, settings: Settings) -> Result<ExitCode, CommandError> {
        match self {
            Self::Clients(command) => work(settings, command).await,
            Self::Grants(command) => work(settings, command).await,
            Self::Keys(command) => work(settings, command).await,
            Self::Audit(command) => work(settings, command).await,
            Self::Token(command) => work(settings, command).await,
            Self::Migrate(command) => command.run(&settings).await,
            // They read the settings themselves, or none.
            Self::Doctor(_) | Self::Schema(_) => Ok(ExitCode::SUCCESS),
        }
    }
}
