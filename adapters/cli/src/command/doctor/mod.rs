//! `doctor`: walks everything that has to be right for people to log in, in the order in which it is
//! needed, and says of what is wrong why it matters and where to change it.

mod finding;
mod here;
mod provider;
mod token;
mod vendor_words;
mod web;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use mcp_oauth_identity::{ProviderDocuments, inspect_provider};

use super::CommandError;
use super::format::Format;
use crate::arguments::Arguments;
use crate::logging;
use crate::provider_settings::TokenIssuer;
use crate::run::runtime;
use crate::settings::{RefusedSettings, Settings};
use crate::system::SystemClock;
use finding::{Finding, Report};
use token::SampleToken;
use web::Web;

/// What to look at.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mcp-oauth-server --config clerk.toml doctor
  Why is this token refused?
    mcp-oauth-server --config clerk.toml doctor --token-file token.txt

Run it beside the server, with the same settings. ✓ is fine, ! a warning, ✗ a failure; the exit
status is 1 after a failure.")]
pub(crate) struct DoctorCommand {
    /// An access token to judge; others on this machine may see what is on a command line
    #[arg(long, conflicts_with = "token_file")]
    token: Option<String>,
    /// File with an access token to judge
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

impl DoctorCommand {
    /// Unlike the other commands it goes on where the settings are wrong.
    pub(super) fn run(
        &self,
        arguments: &Arguments,
        environment: &BTreeMap<String, String>,
    ) -> Result<ExitCode, CommandError> {
        let token = self.sample_token()?;
        let mut report = Report::new(self.format.json);
        let runtime = runtime()?;
        match Settings::read(arguments, environment) {
            Ok(settings) => {
                logging::start_quietly(&settings);
                runtime.block_on(examine(&settings, token, &mut report))?;
            }
            Err(refused) => runtime.block_on(examine_refused(&refused, &mut report))?,
        }
        Ok(if report.end()? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn sample_token(&self) -> Result<Option<SampleToken>, CommandError> {
        if let Some(token) = &self.token {
            return Ok(Some(SampleToken::new(token)));
        }
        let Some(path) = &self.token_file else { return Ok(None) };
        let text = std::fs::read_to_string(path).map_err(|error| {
            let reason = format!("{}: {error}", path.display());
            CommandError::failed(reason, "Name a readable file that holds nothing but the token.")
        })?;
        Ok(Some(SampleToken::new(&text)))
    }
}

async fn examine_refused(
    refused: &RefusedSettings,
    report: &mut Report,
) -> Result<(), CommandError> {
    report.add_all(refused.problems.0.iter().map(|it| Finding::problem("configuration", it)))?;
    if let Some(store) = &refused.places.store {
        report.add(here::store(store, &refused.places.sources).await)?;
    }
    let message = "what comes next is looked at when the configuration is right";
    Ok(report.add(Finding::skipped("everything else", message))?)
}

async fn examine(
    settings: &Settings,
    token: Option<SampleToken>,
    report: &mut Report,
) -> Result<(), CommandError> {
    report.add(here::configuration(settings))?;
    report.add_all(here::warnings(settings))?;
    report.add(here::store(&settings.store, &settings.sources).await)?;
    let web = Web::new().map_err(|error| CommandError::failed(error.to_string(), "Try again."))?;
    let address = crate::wiring::public_address(settings, settings.port)?;
    report.add_all(here::reachability(&web, settings, &address).await)?;
    if settings.providers().is_empty() {
        let message = "dev: people log in on this server's own page, nobody else is asked";
        report.add(Finding::fine("provider", message))?;
    }
    for provider in settings.providers() {
        let config = &provider.config;
        let callback = address.callback(&config.name);
        let issues = settings.token_issuer();
        let asked = (issues == TokenIssuer::Local).then_some(callback.as_str());
        let documents = ProviderDocuments::new(config.clone(), Arc::new(SystemClock));
        let inspection = inspect_provider(&documents, asked).await;
        report.add_all(provider::judge(&inspection, config, issues, &callback))?;
    }
    match token {
        Some(token) => report.add_all(token.judge(settings, &address).await)?,
        None => {
            let message = "none was given: --token-file FILE has one judged";
            report.add(Finding::skipped("sample token", message))?;
        }
    }
    Ok(())
}
