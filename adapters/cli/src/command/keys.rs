//! `keys`: what access tokens are signed with.

use clap::{Args, Subcommand};
use mcp_oauth_core::domain::key_rotation::{KeyState, signs_from};
use mcp_oauth_core::port::{RotationManner, SigningKey};
use serde::Serialize;

use super::CommandError;
use super::format::{Format, NONE, Table, print_json, print_line};
use super::moment;
use super::workplace::{Work, Workplace};
use crate::problem::Problem;

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// List the signing keys, newest first
    #[command(after_help = "Example:
  mcp-oauth-server keys list

States:
  upcoming     published, so that everybody has it before it signs
  signing      signs
  retired      signs no more; its tokens are accepted to their end
  forgettable  all its tokens have ended; the server removes it")]
    List(List),
    /// Make a new signing key, which begins to sign once everybody can have it
    #[command(after_help = "Examples:
  mcp-oauth-server keys rotate
  A key got into wrong hands:
    mcp-oauth-server keys rotate --discard-old")]
    Rotate(Rotate),
}

/// How to list them.
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    format: Format,
}

/// How to replace them.
#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// Discard every other key: each token signed so far is refused, and clients have to refresh
    #[arg(long)]
    discard_old: bool,
    #[command(flatten)]
    format: Format,
}

/// The answer to `list`.
#[derive(Serialize)]
struct KeysDocument {
    keys: Vec<KeyDocument>,
}

/// The answer to `rotate`: the new key, and the ids of those that are no more.
#[derive(Serialize)]
struct RotatedDocument<'a> {
    key: Option<KeyDocument>,
    discarded: Vec<&'a str>,
}

/// A key as it is told.
#[derive(Serialize)]
struct KeyDocument {
    key_id: String,
    created_at: Option<String>,
    state: &'static str,
    signs_from: Option<String>,
}

impl Work for KeysCommand {
    async fn run(&self, place: &Workplace) -> Result<(), CommandError> {
        place.check_keys().await?;
        match self {
            Self::List(list) => list.run(place).await,
            Self::Rotate(rotate) => rotate.run(place).await,
        }
    }
}

impl List {
    async fn run(&self, place: &Workplace) -> Result<(), CommandError> {
        let is_operators = place.settings.signing_key.is_some();
        let keys = place.use_cases.keys.list().await?;
        let keys: Vec<_> = keys.iter().map(|key| KeyDocument::of(key, is_operators)).collect();
        if self.format.json {
            return Ok(print_json(&KeysDocument { keys })?);
        }
        let mut table = Table::new(&["key_id", "made", "state", "signs from"]);
        for key in &keys {
            let moment = |moment: &Option<String>| moment.clone().unwrap_or(NONE.to_owned());
            let (made, signs) = (moment(&key.created_at), moment(&key.signs_from));
            table.row(&[&key.key_id, &made, key.state, &signs]);
        }
        table.print()?;
        if is_operators {
            print_line("It is the key of signing_key_file; those in the store are not used.")?;
        }
        Ok(())
    }
}

impl Rotate {
    async fn run(&self, place: &Workplace) -> Result<(), CommandError> {
        if place.settings.signing_key.is_some() {
            return Err(operators_key().into());
        }
        let keys = &place.use_cases.keys;
        let before = keys.list().await?;
        let manner = match self.discard_old {
            true => RotationManner::DiscardingOld,
            false => RotationManner::Overlapping,
        };
        let made = keys.rotate(manner).await?;
        let now = keys.list().await?;
        let new = now.iter().find(|key| key.key_id == made);
        let gone = |key: &&SigningKey| !now.iter().any(|kept| kept.key_id == key.key_id);
        let discarded: Vec<_> = before.iter().filter(gone).map(|key| &*key.key_id).collect();
        if self.format.json {
            let key = new.map(|key| KeyDocument::of(key, false));
            return Ok(print_json(&RotatedDocument { key, discarded })?);
        }
        Ok(print_line(&match new.map(|key| (key.state, signs_from(key.created_at))) {
            Some((KeyState::Upcoming, from)) => overlapping(&made, &moment::written(from), &now),
            _ => discarding(&made, &discarded),
        })?)
    }
}

fn operators_key() -> Problem {
    let reason = "the only key is the operator's own";
    let remedy =
        "Put another key into that file and restart the servers, or leave the setting out.";
    Problem::new("signing_key_file", "the settings", &reason, remedy)
}

fn overlapping(made: &str, from: &str, now: &[SigningKey]) -> String {
    let signing = now.iter().find(|key| key.state == KeyState::Signing);
    let signing = signing.map_or(NONE, |key| &key.key_id);
    format!(
        "Made the key {made}. It is published now and begins to sign at {from}, once everybody who \
         keeps a copy of the published keys has looked again; until then {signing} signs. Tokens \
         signed before are accepted to their end. Running servers need no restart."
    )
}

fn discarding(made: &str, discarded: &[&str]) -> String {
    let discarded = if discarded.is_empty() { "no other".to_owned() } else { discarded.join(", ") };
    format!(
        "Made the key {made}, which signs from now on, and discarded {discarded}. Running servers \
         look the keys up within a minute, and refuse the tokens signed before within two; clients \
         get new ones with their refresh tokens."
    )
}

impl KeyDocument {
    /// When a key in a file was made, nobody knows.
    fn of(key: &SigningKey, is_operators: bool) -> Self {
        let is_upcoming = key.state == KeyState::Upcoming;
        Self {
            key_id: key.key_id.clone(),
            created_at: (!is_operators).then(|| moment::written(key.created_at)),
            state: key.state.name(),
            signs_from: is_upcoming.then(|| moment::written(signs_from(key.created_at))),
        }
    }
}
