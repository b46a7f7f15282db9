//! `grants`: what people granted to clients, and ending it before its time.

use clap::{ArgGroup, Args, Subcommand};
use mcp_oauth_core::domain::client::ClientId;
use mcp_oauth_core::domain::grant::{Grant, GrantId, GrantSelection};
use mcp_oauth_core::domain::person::Subject;
use mcp_oauth_core::service::grant_administration::{GrantsOf, RevokeGrantError};
use serde::Serialize;
use serde_json::json;

use super::format::{Format, Table, print_json, print_line, visible};
use super::moment;
use super::workplace::{Work, Workplace};
use super::{CommandError, counted};

/// What can be done with grants.
#[derive(Debug, Subcommand)]
pub(crate) enum GrantsCommand {
    /// List the grants, newest first
    #[command(after_help = "Examples:
  mcp-oauth-server grants list --subject alice --active
  mcp-oauth-server grants list --client nightly-report --json")]
    List(List),
    /// End grants: their tokens are refused, also by running servers, within revocation_seconds
    #[command(after_help = "Examples:
  mcp-oauth-server grants revoke qFmWkZ0yZ3pNeZy3kqzY9Q
  mcp-oauth-server grants revoke --subject alice
  mcp-oauth-server grants revoke --subject alice --client nightly-report")]
    Revoke(Revoke),
}

/// Which grants to list.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those to this client
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    client: Option<String>,
    /// Only those by this person
    #[arg(long, allow_hyphen_values = true)]
    subject: Option<String>,
    /// Only those that have not been ended
    #[arg(long)]
    active: bool,
    /// How many at most
    #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 100)]
    most: u32,
    #[command(flatten)]
    format: Format,
}

/// Which grants to end.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).multiple(true))]
pub(crate) struct Revoke {
    /// The grant
    #[arg(group = "which", conflicts_with_all = ["client", "subject"], allow_hyphen_values = true)]
    grant: Option<String>,
    /// Every grant to this client
    #[arg(long, group = "which", value_name = "ID", allow_hyphen_values = true)]
    client: Option<String>,
    /// Every grant by this person; with --client, only those to it
    #[arg(long, group = "which", allow_hyphen_values = true)]
    subject: Option<String>,
    #[command(flatten)]
    format: Format,
}

/// The answer to `list`.
#[derive(Serialize)]
struct GrantsDocument<'a> {
    grants: Vec<GrantDocument<'a>>,
    truncated: bool,
}

/// A grant as it is told.
#[derive(Serialize)]
struct GrantDocument<'a> {
    grant_id: &'a str,
    client_id: &'a str,
    subject: &'a str,
    name: Option<&'a str>,
    resource: &'a str,
    scope: String,
    granted_at: String,
    revoked_at: Option<String>,
}

impl Work for GrantsCommand {
    async fn run(&self, place: &Workplace) -> Result<(), CommandError> {
        match self {
            Self::List(list) => list.run(place).await,
            Self::Revoke(revoke) => revoke.run(place).await,
        }
    }
}

impl List {
    async fn run(&self, place: &Workplace) -> Result<(), CommandError> {
        let selection = GrantSelection {
            client: self.client.as_deref().map(ClientId::new),
            subject: self.subject.as_deref().map(Subject::new),
            alive: self.active,
        };
        let listed = place.use_cases.grant_administration.list(&selection, self.most).await?;
        let grants: Vec<_> = listed.grants.iter().map(GrantDocument::of).collect();
        if self.format.json {
            return Ok(print_json(&GrantsDocument { grants, truncated: listed.is_cut })?);
        }
        if grants.is_empty() {
            return Ok(print_line("There is no such grant.")?);
        }
        let mut table =
            Table::new(&["grant", "client_id", "subject", "scope", "granted", "revoked"]);
        for (grant, document) in listed.grants.iter().zip(&grants) {
            table.row(&[
                document.grant_id,
                document.client_id,
                document.subject,
                &document.scope,
                &document.granted_at,
                &moment::written_if(grant.revoked_at),
            ]);
        }
        table.print()?;
        if listed.is_cut {
            print_line(&format!("These are the newest {}; -n shows more.", self.most))?;
        }
        Ok(())
    }
}

impl Revoke {
    async fn run(&self, place: &Workplace) -> Result<(), CommandError> {
        let administration = &place.use_cases.grant_administration;
        let ended = match (&self.grant, self.of()) {
            (Some(grant), _) => {
                let revoked = administration.revoke(&GrantId::new(grant)).await;
                u64::from(revoked.map_err(|error| refused(grant, &error))?)
            }
            (None, Some(of)) => administration.revoke_all(&of).await?,
            (None, None) => 0,
        };
        if self.format.json {
            return Ok(print_json(&json!({ "grants_ended": ended }))?);
        }
        let seconds = place.settings.revocation_check.as_secs();
        Ok(print_line(&match (ended, &self.grant) {
            (0, Some(grant)) => format!("The grant {} had ended before.", visible(grant)),
            (0, None) => "No grant ended: there is none that had not ended before.".to_owned(),
            _ => format!(
                "Ended {}. Running servers refuse their tokens within {}.",
                counted(ended, "grant"),
                counted(seconds, "second")
            ),
        })?)
    }

    fn of(&self) -> Option<GrantsOf> {
        let client = self.client.as_deref().map(ClientId::new);
        let subject = self.subject.as_deref().map(Subject::new);
        match (subject, client) {
            (Some(subject), Some(client)) => Some(GrantsOf::PersonAtClient(subject, client)),
            (Some(subject), None) => Some(GrantsOf::Person(subject)),
            (None, Some(client)) => Some(GrantsOf::Client(client)),
            (None, None) => None,
        }
    }
}

fn refused(grant: &str, error: &RevokeGrantError) -> CommandError {
    let remedy = match error {
        RevokeGrantError::Unknown => "`mcp-oauth-server grants list` names those there are.",
        RevokeGrantError::Unavailable(_) => "Try again.",
    };
    CommandError::failed(format!("{}: {error}", visible(grant)), remedy)
}

impl<'a> GrantDocument<'a> {
    fn of(grant: &'a Grant) -> Self {
        Self {
            grant_id: grant.id.as_str(),
            client_id: grant.client.as_str(),
            subject: grant.person.subject.as_str(),
            name: grant.person.name.as_deref(),
            resource: grant.resource.as_str(),
            scope: grant.scope.to_string(),
            granted_at: moment::written(grant.granted_at),
            revoked_at: grant.revoked_at.map(moment::written),
        }
    }
}
