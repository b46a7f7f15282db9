//! `audit`: what was decided, for whom, and why not.

use std::time::Duration;

use clap::{Args, Subcommand};
use mcp_oauth_core::domain::audit_trail::{AuditEntry, AuditQuery};
use mcp_oauth_core::domain::client::ClientId;
use mcp_oauth_core::domain::person::Subject;
use mcp_oauth_core::domain::timestamp::Timestamp;
use serde::Serialize;

use super::CommandError;
use super::format::{Format, print_json_line, print_line, visible};
use super::moment;
use super::workplace::{Work, Workplace};
use crate::problem::Problem;
use crate::signals::asked_to_stop;

/// How often the store is asked for new decisions.
const INTERVAL: Duration = Duration::from_secs(1);

/// How many are taken at a time, so that a flood does not fill the memory.
const MOST_AT_ONCE: u32 = 10_000;

/// What can be done with decisions.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Show the newest decisions, oldest first, and follow those to come
    #[command(after_help = "Examples:
  Why was a client refused?
    mcp-oauth-server audit tail --client nightly-report --decision refused
  What became of a request? Its x-request-id is in the answer, and on error pages:
    mcp-oauth-server audit tail --request 01JDM2Z8Q1
  mcp-oauth-server audit tail --follow --json --since 1h")]
    Tail(Tail),
}

/// Which decisions to show.
#[derive(Debug, Args)]
pub(crate) struct Tail {
    /// Go on with those to come, until Ctrl-C
    #[arg(long, short)]
    follow: bool,
    /// How many at most of those there are
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 50)]
    most: u32,
    /// Only those about this client
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    client: Option<String>,
    /// Only those about this person
    #[arg(long, allow_hyphen_values = true)]
    subject: Option<String>,
    /// Only those on this grant
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    grant: Option<String>,
    /// Only those made for this request
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    request: Option<String>,
    /// Only those of this name, e.g. refused, token_issued, grant_revoked
    #[arg(long, value_name = "NAME")]
    decision: Option<String>,
    /// Only those made since then: 1h, 2026-11-26, 2026-11-26T12:00:00Z
    #[arg(long, value_name = "MOMENT", value_parser = moment::read)]
    since: Option<Timestamp>,
    #[command(flatten)]
    format: Format,
}

/// A decision as it is told.
#[derive(Serialize)]
struct EntryDocument<'a> {
    number: i64,
    at: String,
    decision: &'a str,
    code: Option<&'a str>,
    reason: Option<&'a str>,
    client: Option<&'a str>,
    subject: Option<&'a str>,
    grant: Option<&'a str>,
    token: Option<&'a str>,
    request: Option<&'a str>,
    address: Option<&'a str>,
}

impl Work for AuditCommand {
    async fn run(&self, place: &Workplace) -> Result<(), CommandError> {
        let Self::Tail(tail) = self;
        if !tail.follow {
            return tail.show(place, &mut tail.query(), tail.most).await.map(|_| ());
        }
        let asked = asked_to_stop()
            .map_err(|error| Problem::new("signals", "the system", &error, "Free resources."))?;
        tokio::select! {
            shown = tail.follow(place) => shown,
            () = asked => Ok(()),
        }
    }
}

impl Tail {
    fn query(&self) -> AuditQuery {
        AuditQuery {
            client: self.client.as_deref().map(ClientId::new),
            subject: self.subject.as_deref().map(Subject::new),
            grant: self.grant.clone(),
            request: self.request.clone(),
            decision: self.decision.clone(),
            since: self.since,
            after: None,
        }
    }

    /// Those there are first. What is there already and not wanted is not wanted later either.
    async fn follow(&self, place: &Workplace) -> Result<(), CommandError> {
        let mut query = self.query();
        let newest = place.stores.audit.read(&AuditQuery::default(), 1).await?;
        let newest = newest.last().map_or(0, |(number, _)| *number);
        self.show(place, &mut query, self.most).await?;
        query.after = query.after.max(Some(newest));
        let mut interval = tokio::time::interval(INTERVAL);
        loop {
            interval.tick().await;
            if self.show(place, &mut query, MOST_AT_ONCE).await? == MOST_AT_ONCE as usize {
                tracing::warn!("more decisions were made at once than can be shown");
            }
        }
    }

    /// Shows what fits the query, which asks for later decisions from then on. Returns how many.
    async fn show(
        &self,
        place: &Workplace,
        query: &mut AuditQuery,
        most: u32,
    ) -> Result<usize, CommandError> {
        let entries = place.stores.audit.read(query, most).await?;
        for (number, entry) in &entries {
            self.print(*number, entry)?;
            query.after = Some(*number);
        }
        Ok(entries.len())
    }

    fn print(&self, number: i64, entry: &AuditEntry) -> Result<(), CommandError> {
        let document = EntryDocument::of(number, entry);
        if self.format.json {
            print_json_line(&document)?
        } else {
            print_line(&document.line())?
        }
        Ok(())
    }
}

impl<'a> EntryDocument<'a> {
    fn of(number: i64, entry: &'a AuditEntry) -> Self {
        Self {
            number,
            at: moment::written(entry.at),
            decision: &entry.decision,
            code: entry.code.as_deref(),
            reason: entry.reason.as_deref(),
            client: entry.client.as_ref().map(ClientId::as_str),
            subject: entry.subject.as_ref().map(Subject::as_str),
            grant: entry.grant.as_deref(),
            token: entry.token.as_deref(),
            request: entry.request.as_deref(),
            address: entry.address.as_deref(),
        }
    }

    /// When, what, why, and then whom it was about.
    fn line(&self) -> String {
        let mut line = format!("{}  {}", self.at, visible(self.decision));
        let why = [self.code, self.reason].into_iter().flatten().map(visible).collect::<Vec<_>>();
        if !why.is_empty() {
            line.push_str(&format!(" ({})", why.join(": ")));
        }
        for (name, value) in [
            ("client", self.client),
            ("subject", self.subject),
            ("grant", self.grant),
            ("token", self.token),
            ("request", self.request),
            ("address", self.address),
        ] {
            if let Some(value) = value {
                line.push_str(&format!("  {name}={}", visible(value)));
            }
        }
        line
    }
}
