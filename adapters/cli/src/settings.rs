//! The settings, read and checked: whatever is wrong is reported together.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use mcp_oauth_core::domain::key_rotation::KeyRotation;
use mcp_oauth_core::domain::limit::LimitPolicy;
use mcp_oauth_core::domain::public_address::{PublicAddress, is_loopback_origin};
use mcp_oauth_core::domain::refresh::RefreshPolicy;
use mcp_oauth_core::domain::secret::{InitialAccessToken, InitialAccessTokenHash};
use mcp_oauth_core::service::dev_token::LONGEST_LIFETIME;
use mcp_oauth_core::service::policy::{
    AuthorizationServer, Policy, RegistrationMode, RegistrationPolicy,
};
use mcp_oauth_database::{DatabaseAddress, PostgresAddress};
use mcp_oauth_identity::DevUser;
use mcp_oauth_issuer::RsaKey;
use secrecy::{ExposeSecret, SecretString};
use tracing_subscriber::EnvFilter;

use crate::arguments::Arguments;
use crate::connection_settings::ConnectionSettings;
use crate::document_settings::DocumentSettings;
use crate::limit_settings::{limits, trusted_proxies};
use crate::problem::Problems;
use crate::provider_choice::{Choice, choice, merge_variables};
use crate::provider_settings::{ProviderSettings, TokenIssuer};
use crate::sealers::Sealers;
use crate::setting_sources::SettingSources;
use crate::tool_settings::ToolSettings;

/// The longest life of a code (OAuth 2.1 §4.1.2).
const LONGEST_CODE_SECONDS: u64 = 600;

/// The levels of log lines.
const LOG_LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Everything the operator decided.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Where to listen.
    pub(crate) host: IpAddr,
    /// 0 takes a free port.
    pub(crate) port: u16,
    /// As configured; depends on the port when left out.
    pub(crate) base_url: Option<String>,
    /// As configured.
    pub(crate) issuer: Option<String>,
    /// One more name of the resource.
    pub(crate) audience: Option<String>,
    /// Whether `/mcp` is served.
    pub(crate) streamable_http: bool,
    /// Whether `/mcp/sse` is served.
    pub(crate) sse: bool,
    /// Where things are kept.
    pub(crate) store: StoreChoice,
    /// Web pages that may use the MCP endpoints.
    pub(crate) allowed_origins: Vec<String>,
    /// Names of this server beside base_url and loopback.
    pub(crate) allowed_hosts: Vec<String>,
    /// The operator's own signing key.
    pub(crate) signing_key: Option<RsaKey>,
    /// What encrypts what is stored.
    pub(crate) sealers: Sealers,
    /// When signing keys are replaced.
    pub(crate) key_rotation: KeyRotation,
    /// Scopes, lifetimes and proxies.
    pub(crate) policy: Policy,
    /// Where more tools come from.
    pub(crate) tools: Vec<ToolSettings>,
    /// Whether the built-in tools are served.
    pub(crate) demo_tools: bool,
    /// How often things may be done; `None` for as often as anybody likes.
    pub(crate) limits: Option<LimitPolicy>,
    /// How connections are accepted.
    pub(crate) connections: ConnectionSettings,
    /// How documents of clients are fetched and remembered.
    pub(crate) documents: DocumentSettings,
    /// Who logs people in.
    pub(crate) login: Login,
    /// Whether the dev users are those of the defaults, whose password everybody knows.
    pub(crate) default_users: bool,
    /// What may be meant as it is, and is worth a word at the start.
    pub(crate) warnings: Vec<String>,
    /// `tracing` directives.
    pub(crate) log_level: String,
    /// Whether nobody chose them.
    pub(crate) default_log_level: bool,
    /// How log lines look.
    pub(crate) log_format: LogFormat,
    /// How long a tool may take.
    pub(crate) call_time_limit: Duration,
    /// How long a revoked access token may still be accepted.
    pub(crate) revocation_check: Duration,
    /// How long things are kept that nobody uses any more.
    pub(crate) keep: Keep,
    /// Where host, port and store were set.
    pub(crate) sources: PlaceSources,
}

/// Who logs people in.
#[derive(Debug, Clone)]
pub(crate) enum Login {
    /// The dev provider, and whom it knows.
    Dev(Vec<DevUser>),
    /// These; never none.
    Providers(Vec<ProviderSettings>),
}

impl Login {
    /// The providers as those who issue the tokens.
    fn as_authorization_server(&self) -> AuthorizationServer {
        let issuer = |it: &ProviderSettings| it.config.policy.issuer.issuer.clone();
        match self {
            Self::Dev(_) => AuthorizationServer::Local,
            Self::Providers(providers) => {
                AuthorizationServer::Providers(providers.iter().map(issuer).collect())
            }
        }
    }
}

/// How long things are kept that nobody uses any more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep {
    /// Clients that registered themselves and never got a token, since they registered.
    pub(crate) never_used: Duration,
    /// The others, since their last token.
    pub(crate) idle: Duration,
    /// Decisions in the store.
    pub(crate) audit: Duration,
    /// And how many of them.
    pub(crate) most_audit_entries: u32,
}

/// What the machine has to give, as far as the settings say it.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    pub(crate) host: Option<IpAddr>,
    pub(crate) port: Option<u16>,
    pub(crate) store: Option<StoreChoice>,
    pub(crate) sources: PlaceSources,
}

/// Where the places were set, for an error that only the machine can find.
#[derive(Debug, Clone)]
pub(crate) struct PlaceSources {
    pub(crate) host: String,
    pub(crate) port: String,
    pub(crate) store: String,
}

/// Settings that are no good, and the places among them, which can be tried all the same.
#[derive(Debug)]
pub(crate) struct RefusedSettings {
    pub(crate) problems: Problems,
    pub(crate) places: Places,
}

/// Where clients, grants and keys live.
#[derive(Debug, Clone)]
pub(crate) enum StoreChoice {
    /// Nowhere for long.
    Memory,
    /// In a database.
    Database(DatabaseAddress),
}

impl fmt::Display for StoreChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::Database(address) => address.fmt(f),
        }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Who may register clients, as configured.
#[derive(Clone, Copy)]
enum Who {
    Everybody,
    Invited,
    Nobody,
}

impl Settings {
    /// The people of the dev provider; nobody with another.
    pub(crate) fn dev_users(&self) -> &[DevUser] {
        match &self.login {
            Login::Dev(users) => users,
            Login::Providers(_) => &[],
        }
    }

    /// The providers people log in at, or whose tokens are accepted; none with the dev provider.
    pub(crate) fn providers(&self) -> &[ProviderSettings] {
        match &self.login {
            Login::Dev(_) => &[],
            Login::Providers(providers) => providers,
        }
    }

    /// Who issues access tokens.
    pub(crate) fn token_issuer(&self) -> TokenIssuer {
        match self.policy.authorization_server {
            AuthorizationServer::Local => TokenIssuer::Local,
            AuthorizationServer::Providers(_) => TokenIssuer::Provider,
        }
    }

    /// Reads and checks every setting.
    pub(crate) fn read(
        arguments: &Arguments,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, Box<RefusedSettings>> {
        let mut sources = SettingSources::gather(arguments, environment);
        merge_variables(&mut sources, environment);
        let reader = Reader(&sources);
        let places = reader.places();
        let settings = reader.settings(&places);
        let problems = sources.into_problems();
        match settings {
            Some(settings) if problems.is_empty() => Ok(settings),
            // Nothing is missing without a problem that says so.
            _ => Err(Box::new(RefusedSettings { problems: Problems(problems), places })),
        }
    }
}

/// Reads settings by kind; each method reports its own problems.
pub(crate) struct Reader<'a>(pub(crate) &'a SettingSources);

impl Reader<'_> {
    /// Reads everything before it gives up on anything.
    fn settings(&self, places: &Places) -> Option<Settings> {
        let choice = choice(self.0);
        let base_url = self.base_url(places.port, choice.as_ref());
        let transports = self.transports();
        let token_issuer = self.token_issuer(choice.as_ref());
        let signing_key = self.signing_key();
        let sealers = self.sealers();
        let key_rotation = self.key_rotation();
        let mut policy = self.policy();
        let scopes = policy.as_ref().map(|policy| &policy.scopes);
        let (tools, demo_tools) = (self.tools(scopes), self.0.get("demo_tools"));
        let limits = limits(self.0);
        let connections = self.connections();
        let documents = self.documents(base_url.as_deref());
        let login = self.login(choice.as_ref(), token_issuer, places.host);
        let (log_level, log_format) = (self.log_level(), self.log_format());
        let call_time_limit = self.seconds("call_seconds", 1, 24 * 3600);
        let revocation_check = self.seconds("revocation_seconds", 0, 60);
        let keep = self.keep();
        let (allowed_origins, allowed_hosts) = (self.allowed_origins(), self.allowed_hosts());
        let (streamable_http, sse) = transports?;
        let login = login?;
        if token_issuer? == TokenIssuer::Provider
            && let Some(policy) = &mut policy
        {
            policy.authorization_server = login.as_authorization_server();
        }
        Some(Settings {
            host: places.host?,
            port: places.port?,
            base_url,
            issuer: self.0.optional_text("issuer"),
            audience: self.0.optional_text("audience"),
            streamable_http,
            sse,
            store: places.store.clone()?,
            allowed_origins: allowed_origins?,
            allowed_hosts: allowed_hosts?,
            signing_key: signing_key?,
            sealers: sealers?,
            key_rotation: key_rotation?,
            policy: policy?,
            tools: tools?,
            demo_tools: demo_tools?,
            limits: limits?,
            connections: connections?,
            documents: documents?,
            login,
            default_users: self.0.is_default("dev_users"),
            log_level: log_level?,
            default_log_level: self.0.is_default("log_level"),
            log_format: log_format?,
            call_time_limit: call_time_limit?,
            revocation_check: revocation_check?,
            keep: keep?,
            warnings: self.0.warnings(),
            sources: places.sources.clone(),
        })
    }

    fn places(&self) -> Places {
        Places {
            host: self.host(),
            port: self.port(),
            store: self.store(),
            sources: PlaceSources {
                host: self.0.source_of("host"),
                port: self.0.source_of("port"),
                store: self.0.source_of("store"),
            },
        }
    }

    fn host(&self) -> Option<IpAddr> {
        let text: String = self.0.get("host")?;
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        let name = if bare == "localhost" { "127.0.0.1" } else { bare };
        let parsed = name.parse().ok();
        if parsed.is_none() {
            let remedy =
                "Use 127.0.0.1, localhost, 0.0.0.0, [::] or another address of this machine.";
            self.0.problem("host", format!("{text:?} is not an IP address"), remedy);
        }
        parsed
    }

    fn port(&self) -> Option<u16> {
        let port: i64 = self.0.get("port")?;
        let parsed = u16::try_from(port).ok();
        if parsed.is_none() {
            let reason = format!("{port} is not a port");
            self.0.problem("port", reason, "Use a number from 0 to 65535.");
        }
        parsed
    }

    fn login(
        &self,
        choice: Option<&Choice>,
        token_issuer: Option<TokenIssuer>,
        host: Option<IpAddr>,
    ) -> Option<Login> {
        let providers = self.providers(choice?, token_issuer.unwrap_or(TokenIssuer::Local));
        match choice? {
            Choice::Dev => {
                self.check_dev_host(host);
                self.dev_users().map(Login::Dev)
            }
            Choice::Providers(_) => providers.map(Login::Providers),
        }
    }

    fn base_url(&self, port: Option<u16>, choice: Option<&Choice>) -> Option<String> {
        let base_url = self.0.optional_text("base_url");
        let default = || default_base_url(port.unwrap_or(0), self.wants_tls());
        let spelled = base_url.clone().unwrap_or_else(default);
        let address = match PublicAddress::new(&spelled) {
            Ok(address) => address,
            Err(error) => {
                let remedy = match choice {
                    Some(Choice::Providers(_)) => {
                        "Use https://HOST, or http://localhost:PORT on this machine alone."
                    }
                    _ => "Use http://localhost:PORT: the dev provider serves this machine only.",
                };
                self.0.problem("base_url", error.to_string(), remedy);
                return base_url;
            }
        };
        self.check_scheme(&address);
        if !address.is_loopback() && choice == Some(&Choice::Dev) {
            let reason = format!("the dev provider is for loopback only, and {spelled:?} is not");
            let remedy = "Use http://localhost:PORT, or choose another provider; these passwords \
                          are no protection elsewhere.";
            self.0.problem("base_url", reason, remedy);
        }
        if let Some(issuer) = self.0.optional_text("issuer")
            && let Err(error) = address.with_issuer(&issuer)
        {
            let remedy = "Leave issuer out; it is base_url then.";
            self.0.problem("issuer", error.to_string(), remedy);
        }
        base_url
    }

    fn transports(&self) -> Option<(bool, bool)> {
        let choices = [("all", (true, true)), ("http", (true, false)), ("sse", (false, true))];
        self.one_of("transport", &choices)
    }

    fn log_format(&self) -> Option<LogFormat> {
        self.one_of("log_format", &[("human", LogFormat::Human), ("json", LogFormat::Json)])
    }

    pub(crate) fn one_of<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Option<T> {
        let text: String = self.0.get(name)?;
        let chosen = choices.iter().find(|(choice, _)| *choice == text).map(|(_, value)| *value);
        if chosen.is_none() {
            let names: Vec<&str> = choices.iter().map(|(choice, _)| *choice).collect();
            let remedy = format!("Use {}.", names.join(" or "));
            self.0.problem(name, format!("{text:?} is not supported"), &remedy);
        }
        chosen
    }

    fn store(&self) -> Option<StoreChoice> {
        let text: String = self.0.get("store")?;
        match text.split_once(':') {
            None if text == "memory" => Some(StoreChoice::Memory),
            Some(("sqlite", path)) if !path.is_empty() => {
                Some(StoreChoice::Database(DatabaseAddress::Sqlite(path.into())))
            }
            Some(("postgres" | "postgresql", _)) => {
                let address = self.postgres(text.into())?;
                Some(StoreChoice::Database(DatabaseAddress::Postgres(address)))
            }
            _ => {
                // What follows the colon may hold a password.
                let kind = text.split(':').next().unwrap_or_default();
                let remedy = "Use memory, sqlite: and the path of a file, or \
                              postgres://USER@HOST:PORT/DATABASE.";
                self.0.problem("store", format!("{kind:?} names no store"), remedy);
                None
            }
        }
    }

    fn postgres(&self, url: SecretString) -> Option<PostgresAddress> {
        let password = self.file_of("store_password_file");
        let most = self.number("store_connections", 1, 1000);
        let address = match PostgresAddress::parse(&url) {
            Ok(address) => address,
            Err(error) => {
                let remedy = "Write postgres://USER@HOST:PORT/DATABASE, and the password into the \
                              file that store_password_file names.";
                self.0.problem("store", error.to_string(), remedy);
                return None;
            }
        };
        let password = password?;
        if password.is_some() && address.names_password() {
            let reason = "store has a password as well";
            self.0.problem("store_password_file", reason, "Set one of the two.");
        }
        let address = address.with_connections(u32::try_from(most?).ok()?);
        Some(match &password {
            Some(password) => address.with_password(password),
            None => address,
        })
    }

    /// A level, or directives; a bare word among those would be a target nobody logs under.
    fn log_level(&self) -> Option<String> {
        let text: String = self.0.get("log_level")?;
        let is_level = |word: &str| LOG_LEVELS.contains(&word.to_ascii_lowercase().as_str());
        if is_level(&text) {
            return Some(text.to_ascii_lowercase());
        }
        let means_something = |word: &str| word.contains('=') || is_level(word);
        if text.parse::<EnvFilter>().is_ok() && text.split(',').map(str::trim).all(means_something)
        {
            return Some(text);
        }
        let remedy = "Use error, warn, info, debug or trace, or directives like \
                      warn,mcp_oauth=info,mcp_oauth_http=debug.";
        self.0.problem("log_level", format!("{text:?} is no level"), remedy);
        None
    }

    fn signing_key(&self) -> Option<Option<RsaKey>> {
        let Some(path) = self.0.optional_text("signing_key_file") else { return Some(None) };
        let problem = |reason: String| {
            let remedy = "Name a readable PEM file; `openssl genrsa -out key.pem 2048` makes one.";
            self.0.problem("signing_key_file", format!("{path}: {reason}"), remedy);
        };
        let text = std::fs::read(&path).map_err(|error| problem(error.to_string())).ok()?;
        RsaKey::from_pem(&text).map_err(|error| problem(error.to_string())).ok().map(Some)
    }

    /// A secret, from its setting or from the file that the setting of the same name and `_file`
    /// names; white space around it is no part of it.
    pub(crate) fn secret(&self, name: &str) -> Option<Option<SecretString>> {
        let file_setting = format!("{name}_file");
        let text = self.0.optional_text(name);
        if self.0.optional_text(&file_setting).is_none() {
            return Some(text.map(SecretString::from));
        }
        if text.is_some() {
            let reason = format!("{name} is set as well");
            self.0.problem(&file_setting, reason, "Set one of the two.");
            return None;
        }
        self.file_of(&file_setting)
    }

    /// The text of the file that a setting names, without white space around it.
    fn file_of(&self, setting: &str) -> Option<Option<SecretString>> {
        let Some(path) = self.0.optional_text(setting) else { return Some(None) };
        match std::fs::read_to_string(&path) {
            Ok(text) => Some(Some(SecretString::from(text.trim()))),
            Err(error) => {
                let remedy = "Name a readable file that holds nothing but secrets.";
                self.0.problem(setting, format!("{path}: {error}"), remedy);
                None
            }
        }
    }

    fn keep(&self) -> Option<Keep> {
        let most = 10 * 365 * 24 * 3600;
        let never_used = self.seconds("client_unused_seconds", 3600, most);
        let idle = self.seconds("client_idle_seconds", 3600, most);
        let audit = self.seconds("audit_seconds", 3600, most);
        let most_audit_entries = self.number("most_audit_entries", 1000, u64::from(u32::MAX));
        Some(Keep {
            never_used: never_used?,
            idle: idle?,
            audit: audit?,
            most_audit_entries: u32::try_from(most_audit_entries?).ok()?,
        })
    }

    fn key_rotation(&self) -> Option<KeyRotation> {
        let max_age = self.seconds("key_rotation_seconds", 0, 10 * 365 * 24 * 3600)?;
        let life = self.seconds("access_token_seconds", 1, 30 * 24 * 3600)?;
        Some(KeyRotation {
            max_age: Some(max_age).filter(|age| !age.is_zero()),
            // Test tokens are signed with the same keys.
            overlap: life.max(LONGEST_LIFETIME),
        })
    }

    fn allowed_origins(&self) -> Option<Vec<String>> {
        let origins: Vec<String> = self.0.get("allowed_origins")?;
        for origin in &origins {
            let spelled = PublicAddress::new(origin).is_ok_and(|url| url.origin() == *origin);
            if origin != "*" && !spelled && !is_loopback_origin(origin) {
                let reason = format!("{origin:?} is not an origin");
                let remedy = "Spell it as browsers do: https://app.example.com, without a path.";
                self.0.problem("allowed_origins", reason, remedy);
            }
        }
        Some(origins)
    }

    fn policy(&self) -> Option<Policy> {
        let scopes = self.scopes();
        let registration = self.registration();
        let code_lifetime = self.seconds("code_seconds", 1, LONGEST_CODE_SECONDS);
        let year = 365 * 24 * 3600;
        let access_token_lifetime = self.seconds("access_token_seconds", 1, 30 * 24 * 3600);
        let session_lifetime = self.seconds("session_seconds", 1, year);
        let consent_lifetime = self.seconds("remember_consent_seconds", 0, year);
        let idle = self.seconds("refresh_idle_seconds", 1, 10 * year);
        let absolute = self.seconds("refresh_absolute_seconds", 1, 10 * year);
        let grace = self.seconds("refresh_grace_seconds", 0, 600);
        let grace_uses = self.number("refresh_grace_uses", 0, 1000);
        let trusted_proxies = trusted_proxies(self.0);
        let client_documents = self.client_document_policy();
        let server_name = self.0.get("server_name");
        let catalog = self.catalog_policy(scopes.as_ref());
        Some(Policy {
            server_name: server_name?,
            authorization_server: AuthorizationServer::Local,
            scopes: scopes?,
            registration: registration?,
            code_lifetime: code_lifetime?,
            access_token_lifetime: access_token_lifetime?,
            session_lifetime: session_lifetime?,
            consent_lifetime: consent_lifetime?,
            catalog: catalog?,
            client_documents: client_documents?,
            refresh: RefreshPolicy {
                idle: idle?,
                absolute: absolute?,
                grace: grace?,
                grace_uses: u32::try_from(grace_uses?).ok()?,
            },
            trusted_proxies: trusted_proxies?,
        })
    }

    fn registration(&self) -> Option<RegistrationPolicy> {
        let choices = [("open", Who::Everybody), ("token", Who::Invited), ("off", Who::Nobody)];
        let who = self.one_of("registration", &choices);
        let tokens = self.initial_access_tokens();
        let most_clients = self.number("most_clients", 1, u64::from(u32::MAX));
        let share = self.0.get("share_registrations");
        let mode = match (who?, tokens?) {
            (Who::Nobody, _) => RegistrationMode::Off,
            (Who::Everybody, _) => RegistrationMode::Open,
            (Who::Invited, tokens) if tokens.is_empty() => {
                let remedy = "Set initial_access_tokens, or initial_access_tokens_file.";
                let reason = "nobody could register without an initial access token";
                self.0.problem("registration", reason, remedy);
                return None;
            }
            (Who::Invited, tokens) => RegistrationMode::InitialAccessToken(tokens),
        };
        let most_clients = u32::try_from(most_clients?).ok()?;
        Some(RegistrationPolicy { mode, most_clients, share: share? })
    }

    /// One a line in a file, or a list.
    fn initial_access_tokens(&self) -> Option<Vec<InitialAccessTokenHash>> {
        const SHORTEST: usize = 16;
        let listed: Vec<SecretString> = self.0.get("initial_access_tokens")?;
        let file = self.file_of("initial_access_tokens_file")?;
        let lines = file.iter().flat_map(|text| text.expose_secret().lines()).map(str::trim);
        let lines = lines.filter(|line| !line.is_empty());
        let tokens: Vec<&str> =
            listed.iter().map(ExposeSecret::expose_secret).chain(lines).collect();
        if tokens.iter().any(|token| token.len() < SHORTEST) {
            let reason = format!("a token has fewer than {SHORTEST} characters");
            self.0.problem("initial_access_tokens", reason, "`openssl rand -hex 16` makes one.");
        }
        let hash = |token: &str| InitialAccessToken::presented(token).hash();
        Some(tokens.into_iter().map(hash).collect())
    }

    pub(crate) fn seconds(&self, name: &str, least: u64, most: u64) -> Option<Duration> {
        self.number(name, least, most).map(Duration::from_secs)
    }

    pub(crate) fn number(&self, name: &str, least: u64, most: u64) -> Option<u64> {
        let number: i64 = self.0.get(name)?;
        let parsed = u64::try_from(number).ok().filter(|parsed| (least..=most).contains(parsed));
        if parsed.is_none() {
            let remedy = format!("Use a number from {least} to {most}.");
            self.0.problem(name, format!("{number} is out of range"), &remedy);
        }
        parsed
    }
}

/// The base URL when none is configured.
pub(crate) fn default_base_url(port: u16, tls: bool) -> String {
    let scheme = if tls { "https" } else { "http" };
    format!("{scheme}://localhost:{port}")
}
