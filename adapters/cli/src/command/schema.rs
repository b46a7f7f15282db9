//! `schema`: what a configuration file may hold, for editors.

use std::process::ExitCode;

use clap::Args;

use super::CommandError;
use super::format::print_json;
use crate::configuration_schema::schema;

/// Nothing to choose.
#[derive(Debug, Args)]
#[command(after_help = "An editor that knows TOML completes and checks a file that begins with:
  #:schema ./schema.json")]
pub(crate) struct SchemaCommand;

impl SchemaCommand {
    #[expect(clippy::unused_self, reason = "as the other commands")]
    pub(super) fn run(&self) -> Result<ExitCode, CommandError> {
        print_json(&schema())?;
        Ok(ExitCode::SUCCESS)
    }
}
