//! `migrate`: the schema of the store.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::CommandError;
use super::format::{Format, print_json, print_line};
use super::workplace::no_memory;
use crate::settings::Settings;
use crate::store::{migrate_store, missing_migrations};

/// What to do about it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mcp-oauth-server migrate --store sqlite:mcp-oauth-server.db
  Is there anything to do? The exit status is 1 when there is:
    mcp-oauth-server migrate --check

A server does the same at its start. Keep a copy of the store: no migration goes back.")]
pub(crate) struct MigrateCommand {
    /// Only tell what is missing
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    format: Format,
}

impl MigrateCommand {
    pub(super) async fn run(&self, settings: &Settings) -> Result<ExitCode, CommandError> {
        no_memory(settings)?;
        if self.check {
            let missing = missing_migrations(&settings.store, &settings.sources).await?;
            self.tell("missing", &missing)?;
            let is_up_to_date = missing.is_empty();
            return Ok(if is_up_to_date { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        let applied = migrate_store(&settings.store, &settings.sources).await?;
        self.tell("applied", &applied)?;
        Ok(ExitCode::SUCCESS)
    }

    fn tell(&self, what: &str, migrations: &[String]) -> Result<(), CommandError> {
        if self.format.json {
            return Ok(print_json(&json!({ what: migrations }))?);
        }
        if migrations.is_empty() {
            return Ok(print_line("The schema is up to date.")?);
        }
        for migration in migrations {
            print_line(&format!("{what} {migration}"))?;
        }
        Ok(())
    }
}
