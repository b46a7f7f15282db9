//! `token`: an access token for scripts, as `/dev/token` gives it.

use clap::Args;
use mcp_oauth_core::domain::parameters::Parameters;
use mcp_oauth_core::service::dev_token::DevTokenError;
use serde_json::json;

use super::CommandError;
use super::format::{Format, print_json, print_line};
use super::workplace::{Work, Workplace};
use crate::problem::Problem;

/// The token to make.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  TOKEN=$(mcp-oauth-server token --scope mcp:tools --expires-in 600)

It is signed with the key in the store, so that a server over the same store and with the same
base URL accepts it.")]
pub(crate) struct TokenCommand {
    /// The aud claim; the MCP address of the server when left out
    #[arg(long)]
    audience: Option<String>,
    /// Separated by spaces; the default scopes when left out
    #[arg(long)]
    scope: Option<String>,
    /// How long it lives, in seconds, at most 30 days; access_token_seconds when left out
    #[arg(long, value_name = "SECONDS")]
    expires_in: Option<String>,
    /// The sub claim; the first dev user when left out
    #[arg(long)]
    sub: Option<String>,
    #[command(flatten)]
    format: Format,
}

impl Work for TokenCommand {
    async fn run(&self, place: &Workplace) -> Result<(), CommandError> {
        let dev_token = place.use_cases.dev_token.as_ref().ok_or_else(not_here)?;
        check_address(place)?;
        place.check_keys().await?;
        let parameters = self.parameters()?;
        let token = dev_token.issue(&parameters).await.map_err(|error| refused(&error))?;
        if !self.format.json {
            return Ok(print_line(token.expose())?);
        }
        let document = json!({
            "access_token": token.expose(),
            "token_type": "Bearer",
            "expires_in": token.expires_in.as_secs(),
            "scope": token.scope.to_string(),
        });
        Ok(print_json(&document)?)
    }
}

impl TokenCommand {
    /// As a request to `/dev/token` has them, so that the same rules hold.
    fn parameters(&self) -> Result<Parameters, CommandError> {
        let given = [
            ("audience", &self.audience),
            ("scope", &self.scope),
            ("expires_in", &self.expires_in),
            ("sub", &self.sub),
        ];
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in given {
            if let Some(value) = value {
                form.append_pair(name, value);
            }
        }
        let parameters = Parameters::parse(form.finish().as_bytes());
        parameters.map_err(|error| CommandError::failed(error.to_string(), "Leave some out."))
    }
}

fn not_here() -> Problem {
    let reason = "test tokens are for the dev provider with a base URL on loopback";
    let remedy = "Add a client with `mcp-oauth-server clients add --grant client_credentials`, and \
                  let it ask /token.";
    Problem::new("base_url", "the settings", &reason, remedy)
}

/// The issuer of the token is the address of the server.
fn check_address(place: &Workplace) -> Result<(), Problem> {
    let settings = &place.settings;
    if settings.port != 0 || settings.base_url.is_some() {
        return Ok(());
    }
    let reason = "the server takes a free port, so nobody knows its address here";
    let remedy = "Name the port that it printed with --port, or its address with --base-url.";
    Err(Problem::new("port", &settings.sources.port, &reason, remedy))
}

fn refused(error: &DevTokenError) -> CommandError {
    let remedy = match error {
        DevTokenError::Scope(_) => "Correct --scope, e.g. --scope mcp:tools.",
        DevTokenError::Lifetime(_) => "Correct --expires-in, e.g. --expires-in 600.",
        DevTokenError::Parameters(_) | DevTokenError::TooMany(_) | DevTokenError::NoKey(_) => {
            "Try again."
        }
    };
    CommandError::failed(error.to_string(), remedy)
}
