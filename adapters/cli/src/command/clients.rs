//! `clients`: those that can't register themselves, and all the others.

use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use mcp_oauth_core::domain::client::{
    Client, ClientAuthMethod, ClientId, ClientOrigin, GrantType, SecretTransport,
};
use mcp_oauth_core::domain::client_keys::ClientKeys;
use mcp_oauth_core::domain::redirect_uri::RedirectUri;
use mcp_oauth_core::domain::scope::ScopeSet;
use mcp_oauth_core::domain::secret::ClientSecret;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::service::client_administration::{
    AddClientError, AddedClient, ChangeClientError, ClientSelection, NewClient, NewCredential,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::format::{Format, NONE, Table, print_json, print_line, print_pairs, visible};
use super::moment;
use super::workplace::{Work, Workplace};
use super::{CommandError, counted};

/// What is kept of a secret, and what to do when it is lost.
const TOLD_ONCE: &str = "The secret is kept as a hash and can't be shown again.";

/// What can be done with clients.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientsCommand {
    /// List the clients, oldest first
    #[command(after_help = "Examples:
  mcp-oauth-server clients list
  mcp-oauth-server clients list --origin registered --unused-since 30d --json")]
    List(List),
    /// Show everything about a client but its secret
    #[command(after_help = "Example:
  mcp-oauth-server clients show nightly-report")]
    Show(Named),
    /// Add a client that can't register itself; a running server knows it at once
    #[command(after_help = "Examples:
  A program that acts for itself:
    mcp-oauth-server clients add --name \"Nightly report\" --grant client_credentials --scope mcp:tools
  A web application that people log in to:
    mcp-oauth-server clients add --name \"Portal\" --redirect-uri https://portal.example/callback
  A program that signs instead of keeping a secret here:
    mcp-oauth-server clients add --name \"Nightly report\" --grant client_credentials \\
      --auth-method private_key_jwt --jwks nightly-report.jwks
  An API that asks about the tokens it is sent:
    mcp-oauth-server clients add --name \"Files API\" --may-introspect")]
    Add(Add),
    /// Make a new secret for a client; the old one is worth nothing from then on
    #[command(after_help = "Example:
  mcp-oauth-server clients rotate-secret nightly-report")]
    RotateSecret(Named),
    /// End a client and everything it was granted
    #[command(after_help = "Example:
  mcp-oauth-server clients delete nightly-report")]
    Delete(Named),
}

/// Which clients to list.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those that the operator added, or that registered themselves
    #[arg(long, value_parser = origins())]
    origin: Option<ClientOrigin>,
    /// Only those that got no token since then: 2026-11-26, 2026-11-26T12:00:00Z, 30d
    #[arg(long, value_name = "MOMENT", value_parser = moment::read)]
    unused_since: Option<Timestamp>,
    #[command(flatten)]
    format: Format,
}

/// One client.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// Its client_id
    #[arg(allow_hyphen_values = true)]
    id: String,
    #[command(flatten)]
    format: Format,
}

/// A client to add.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// What people see when they are asked to allow it
    #[arg(long)]
    name: String,
    /// Its client_id; made up when left out
    #[arg(long, allow_hyphen_values = true)]
    id: Option<String>,
    /// Where people come back to it; may be given several times
    #[arg(long = "redirect-uri", value_name = "URI", value_parser = redirect_uri)]
    redirect_uris: Vec<RedirectUri>,
    /// What it may ask for, separated by commas; with a redirect address authorization_code and
    /// refresh_token unless told otherwise
    #[arg(long = "grant", value_name = "GRANT", value_delimiter = ',', value_parser = grants())]
    grants: Vec<GrantType>,
    /// How it proves who it is
    #[arg(long, value_name = "METHOD", value_parser = methods())]
    #[arg(default_value = ClientAuthMethod::ClientSecretBasic.as_str())]
    auth_method: ClientAuthMethod,
    #[command(flatten)]
    keys: PublicKeys,
    /// The most it may have on its own behalf, separated by spaces; the default scopes when left out
    #[arg(long, value_parser = scopes, default_value = "", hide_default_value = true)]
    scope: ScopeSet,
    /// Make it a resource server, which may ask /introspect about every token
    #[arg(long)]
    may_introspect: bool,
    #[command(flatten)]
    format: Format,
}

/// The public keys of a client that signs (`private_key_jwt`).
#[derive(Debug, Args)]
pub(crate) struct PublicKeys {
    /// File with its public keys, a JWK set; for --auth-method private_key_jwt
    #[arg(long, value_name = "FILE", conflicts_with = "jwks_uri")]
    jwks: Option<PathBuf>,
    /// Where it publishes them
    #[arg(long, value_name = "URL")]
    jwks_uri: Option<String>,
}

fn origins() -> impl TypedValueParser<Value = ClientOrigin> {
    // No store has those of documents.
    let stored = [ClientOrigin::Operator, ClientOrigin::Registered];
    PossibleValuesParser::new(stored.map(ClientOrigin::as_str))
        .try_map(|name| ClientOrigin::from_name(&name).ok_or("it is not kept"))
}

fn grants() -> impl TypedValueParser<Value = GrantType> {
    PossibleValuesParser::new(GrantType::ALL.map(GrantType::as_str))
        .try_map(|name| GrantType::from_name(&name).ok_or("it is not served"))
}

fn methods() -> impl TypedValueParser<Value = ClientAuthMethod> {
    PossibleValuesParser::new(ClientAuthMethod::ALL.map(ClientAuthMethod::as_str))
        .try_map(|name| ClientAuthMethod::from_name(&name).ok_or("it is not taken"))
}

fn redirect_uri(text: &str) -> Result<RedirectUri, String> {
    RedirectUri::parse(text).map_err(|error| error.to_string())
}

fn scopes(text: &str) -> Result<ScopeSet, String> {
    ScopeSet::parse(text).map_err(|error| error.to_string())
}

impl Work for ClientsCommand {
    async fn run(&self, place: &Workplace) -> Result<(), CommandError> {
        match self {
            Self::List(list) => list.run(place).await,
            Self::Show(named) => named.show(place).await,
            Self::Add(add) => add.run(place).await,
            Self::RotateSecret(named) => named.rotate_secret(place).await,
            Self::Delete(named) => named.delete(place).await,
        }
    }
}

impl List {
    async fn run(&self, place: &Workplace) -> Result<(), CommandError> {
        let selection = ClientSelection { origin: self.origin, unused_since: self.unused_since };
        let clients = place.use_cases.client_administration.list(&selection).await?;
        let clients: Vec<_> = clients.iter().map(ClientDocument::of).collect();
        if self.format.json {
            return Ok(print_json(&ClientsDocument { clients })?);
        }
        if clients.is_empty() {
            return Ok(print_line("There is no such client.")?);
        }
        let mut table = Table::new(&[
            "client_id",
            "name",
            "origin",
            "method",
            "grants",
            "registered",
            "last used",
        ]);
        for client in &clients {
            table.row(&[
                client.client_id,
                client.client_name.unwrap_or(NONE),
                client.origin,
                client.token_endpoint_auth_method,
                &or_none(client.grant_types.join(" ")),
                &client.registered_at,
                client.last_used_at.as_deref().unwrap_or(NONE),
            ]);
        }
        Ok(table.print()?)
    }
}

impl Named {
    fn id(&self) -> ClientId {
        ClientId::new(&self.id)
    }

    async fn show(&self, place: &Workplace) -> Result<(), CommandError> {
        let found = place.use_cases.client_administration.show(&self.id()).await?;
        let client = found.ok_or_else(|| self.refused(ChangeClientError::Unknown))?;
        let client = ClientDocument::of(&client);
        if self.format.json {
            print_json(&client)?
        } else {
            print_pairs(&client.pairs())?
        }
        Ok(())
    }

    async fn rotate_secret(&self, place: &Workplace) -> Result<(), CommandError> {
        let replaced = place.use_cases.client_administration.replace_secret(&self.id()).await;
        let secret = replaced.map_err(|error| self.refused(error))?;
        if self.format.json {
            let document = json!({ "client_id": self.id, "client_secret": secret.expose() });
            return Ok(print_json(&document)?);
        }
        print_line(&format!(
            "The client {} has a new secret; the one before is worth nothing now.\n",
            visible(&self.id)
        ))?;
        print_pairs(&credentials(&self.id, Some(&secret)))?;
        Ok(print_line(&format!("\n{TOLD_ONCE}"))?)
    }

    async fn delete(&self, place: &Workplace) -> Result<(), CommandError> {
        let deleted = place.use_cases.client_administration.delete(&self.id()).await;
        let grants = deleted.map_err(|error| self.refused(error))?;
        if self.format.json {
            let document = json!({ "client_id": self.id, "grants_ended": grants });
            return Ok(print_json(&document)?);
        }
        let id = visible(&self.id);
        Ok(print_line(&format!("Deleted the client {id} and ended {}.", counted(grants, "grant")))?)
    }

    fn refused(&self, error: ChangeClientError) -> CommandError {
        let remedy = match &error {
            ChangeClientError::Unknown => "`mcp-oauth-server clients list` names those there are.",
            ChangeClientError::Own => "`mcp-oauth-server grants revoke` ends what it was granted.",
            ChangeClientError::NoSecret(_) => "Add another client with --auth-method.",
            ChangeClientError::Unavailable(_) => "Try again.",
        };
        CommandError::failed(format!("{}: {error}", visible(&self.id)), remedy)
    }
}

impl Add {
    async fn run(&self, place: &Workplace) -> Result<(), CommandError> {
        let new = NewClient {
            id: self.id.clone(),
            name: self.name.clone(),
            redirect_uris: self.redirect_uris.clone(),
            grant_types: self.grants.clone(),
            scope: self.scope.clone(),
            credential: self.credential()?,
            may_introspect: self.may_introspect,
        };
        let added = place.use_cases.client_administration.add(new).await;
        let AddedClient { client, secret } = added.map_err(|error| refused(&error))?;
        let document = ClientDocument::of(&client);
        if self.format.json {
            let client_secret = secret.as_ref().map(ClientSecret::expose);
            return Ok(print_json(&AddedDocument { client: document, client_secret })?);
        }
        print_line(&format!("Added the client {}.\n", client.id))?;
        print_pairs(&credentials(client.id.as_str(), secret.as_ref()))?;
        if secret.is_some() {
            print_line(&format!(
                "\n{TOLD_ONCE} `mcp-oauth-server clients rotate-secret {}` makes another.",
                client.id
            ))?;
        }
        Ok(())
    }
}

impl Add {
    fn credential(&self) -> Result<NewCredential, CommandError> {
        match self.auth_method {
            _ if self.keys.is_named() && self.auth_method != ClientAuthMethod::PrivateKeyJwt => {
                let remedy =
                    "Leave --jwks and --jwks-uri out, or say --auth-method private_key_jwt.";
                Err(CommandError::failed("public keys are for private_key_jwt", remedy))
            }
            ClientAuthMethod::None => Ok(NewCredential::Public),
            ClientAuthMethod::ClientSecretBasic => {
                Ok(NewCredential::Secret(SecretTransport::Basic))
            }
            ClientAuthMethod::ClientSecretPost => Ok(NewCredential::Secret(SecretTransport::Post)),
            ClientAuthMethod::PrivateKeyJwt => self.keys.read().map(NewCredential::Keys),
        }
    }
}

impl PublicKeys {
    fn is_named(&self) -> bool {
        self.jwks.is_some() || self.jwks_uri.is_some()
    }

    fn read(&self) -> Result<ClientKeys, CommandError> {
        let mut members = Map::new();
        if let Some(path) = &self.jwks {
            members.insert("jwks".to_owned(), read_json(path)?);
        }
        if let Some(uri) = &self.jwks_uri {
            members.insert("jwks_uri".to_owned(), json!(uri));
        }
        ClientKeys::from_metadata(&members).map_err(|error| {
            let remedy = "Name a JWK set of public keys with --jwks FILE, or where the client \
                          publishes it with --jwks-uri URL.";
            CommandError::failed(error.to_string(), remedy)
        })
    }
}

fn read_json(path: &Path) -> Result<Value, CommandError> {
    let failed = |reason: String| {
        let reason = format!("{}: {reason}", path.display());
        CommandError::failed(reason, "Name a JSON file with --jwks.")
    };
    let text = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    // What stands in it is not repeated: it may be a private key.
    serde_json::from_slice(&text).map_err(|_| failed("it is not JSON".to_owned()))
}

fn refused(error: &AddClientError) -> CommandError {
    let remedy = match error {
        AddClientError::Name => "Give it another --name.",
        AddClientError::DocumentId
        | AddClientError::Id
        | AddClientError::IdOfSubject
        | AddClientError::OwnId(_)
        | AddClientError::Taken => "Choose another --id, or leave it out.",
        AddClientError::NoRedirectUri => "Name one with --redirect-uri.",
        AddClientError::UselessRedirectUri => {
            "Leave --redirect-uri out, or add authorization_code to --grant."
        }
        AddClientError::TooManyRedirectUris => "Add another client for the rest.",
        AddClientError::RefreshAlone => "Take refresh_token out of --grant.",
        AddClientError::PublicMachine | AddClientError::PublicResourceServer => {
            "Choose another --auth-method."
        }
        AddClientError::KeysOutOfReach(_) => {
            "Use --jwks FILE, or permit the host with client_documents and client_document_domains."
        }
        AddClientError::Useless => "Give it a --grant, a --redirect-uri or --may-introspect.",
        AddClientError::UnknownScope(_) => {
            "Add it to [scopes] in the settings, with its meaning, or leave it out."
        }
        AddClientError::Unavailable(_) => "Try again.",
    };
    CommandError::failed(error.to_string(), remedy)
}

fn credentials(id: &str, secret: Option<&ClientSecret>) -> Vec<(&'static str, String)> {
    let secret = secret.map(|secret| ("client_secret", secret.expose().to_owned()));
    [("client_id", id.to_owned())].into_iter().chain(secret).collect()
}

fn or_none(text: String) -> String {
    if text.is_empty() { NONE.to_owned() } else { text }
}

/// The answer to `list`.
#[derive(Serialize)]
struct ClientsDocument<'a> {
    clients: Vec<ClientDocument<'a>>,
}

/// A client as it is told: everything but what it proves itself with.
#[derive(Serialize)]
struct ClientDocument<'a> {
    client_id: &'a str,
    client_name: Option<&'a str>,
    origin: &'static str,
    token_endpoint_auth_method: &'static str,
    grant_types: Vec<&'static str>,
    redirect_uris: Vec<&'a str>,
    scope: Option<String>,
    may_introspect: bool,
    application_type: Option<&'a str>,
    client_uri: Option<&'a str>,
    software_id: Option<&'a str>,
    software_version: Option<&'a str>,
    registered_at: String,
    last_used_at: Option<String>,
}

/// The same with the secret, once.
#[derive(Serialize)]
struct AddedDocument<'a> {
    #[serde(flatten)]
    client: ClientDocument<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
}

impl<'a> ClientDocument<'a> {
    fn of(client: &'a Client) -> Self {
        let metadata = &client.metadata;
        Self {
            client_id: client.id.as_str(),
            client_name: metadata.client_name.as_deref(),
            origin: client.origin.as_str(),
            token_endpoint_auth_method: client.credential.method().as_str(),
            grant_types: metadata.grant_types.iter().map(|grant| grant.as_str()).collect(),
            redirect_uris: metadata.redirect_uris.iter().map(RedirectUri::as_str).collect(),
            scope: metadata.scope.as_ref().map(ToString::to_string),
            may_introspect: client.may_introspect,
            application_type: metadata.application_type.as_deref(),
            client_uri: metadata.client_uri.as_deref(),
            software_id: metadata.software_id.as_deref(),
            software_version: metadata.software_version.as_deref(),
            registered_at: moment::written(client.registered_at),
            last_used_at: client.last_used_at.map(moment::written),
        }
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        let optional = |text: Option<&str>| text.unwrap_or(NONE).to_owned();
        vec![
            ("client_id", self.client_id.to_owned()),
            ("name", optional(self.client_name)),
            ("origin", self.origin.to_owned()),
            ("method", self.token_endpoint_auth_method.to_owned()),
            ("grants", or_none(self.grant_types.join(" "))),
            ("redirect addresses", or_none(self.redirect_uris.join(" "))),
            ("scope", optional(self.scope.as_deref())),
            ("may introspect", if self.may_introspect { "yes" } else { "no" }.to_owned()),
            ("application type", optional(self.application_type)),
            ("home page", optional(self.client_uri)),
            ("software", optional(self.software_id)),
            ("version", optional(self.software_version)),
            ("registered", self.registered_at.clone()),
            ("last used", optional(self.last_used_at.as_deref())),
        ]
    }
}
