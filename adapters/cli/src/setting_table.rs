//! The one table of settings: names, defaults, meanings. It drives the parser, `--help`, and the
//! refusal of names that are not in it.

use figment::value::{Dict, Value};

/// One setting.
pub(crate) struct Setting {
    /// Its name in a configuration file.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) kind: Kind,
    /// Its default, as TOML; empty for none.
    pub(crate) default: &'static str,
    /// What it does, with the unit.
    pub(crate) meaning: &'static str,
    /// All it can be, when that is a few words.
    pub(crate) choices: &'static [&'static str],
    /// Another environment variable that sets it, kept from the demonstration.
    pub(crate) old_variable: Option<&'static str>,
}

/// What a setting holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Switch,
    /// In an environment variable: separated by commas.
    List,
    /// Only in a configuration file.
    Table,
}

/// In front of a setting's name in capitals, the environment variable that sets it.
pub(crate) const VARIABLE_PREFIX: &str = "MCP_OAUTH_";

/// The demonstration's variable for the secret of this server at the one provider it has.
pub(crate) const OLD_CLIENT_SECRET: &str = "CLIENT_SECRET";

const fn setting(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    meaning: &'static str,
) -> Setting {
    Setting { name, kind, default, meaning, choices: &[], old_variable: None }
}

const fn one_of(choices: &'static [&'static str], setting: Setting) -> Setting {
    Setting { choices, ..setting }
}

const fn also_in(variable: &'static str, setting: Setting) -> Setting {
    Setting { old_variable: Some(variable), ..setting }
}

use Kind::{List, Number, Switch, Table, Text};

/// What everybody does is limited generously, since hosted clients share few addresses; failures
/// strictly.
const REQUEST_LIMITS: &str = "{ registration = { burst = 30, per_minute = 60 }, all_registrations = { burst = 300, per_minute = 600 }, authorization = { burst = 60, per_minute = 120 }, login = { burst = 30, per_minute = 60 }, token = { burst = 600, per_minute = 1200 }, token_of_client = { burst = 300, per_minute = 600 }, wrong_secret = { burst = 10, per_minute = 10 }, wrong_password = { burst = 5, per_minute = 5 }, wrong_password_of_user = { burst = 50, per_minute = 30 }, wrong_password_of_network = { burst = 50, per_minute = 30 }, wrong_grant = { burst = 60, per_minute = 60 } }";

/// Every setting, in the order of `--help`.
pub(crate) const SETTINGS: [Setting; 68] = [
    setting(
        "host",
        Text,
        r#""127.0.0.1""#,
        "Address to listen on; a loopback address means both 127.0.0.1 and [::1]",
    ),
    setting("port", Number, "8000", "Port to listen on; 0 takes a free one"),
    also_in(
        "BASE_URL",
        setting(
            "base_url",
            Text,
            "",
            "Where the world reaches this server; http://localhost:PORT when left out, https with TLS. Every published address is made from it",
        ),
    ),
    setting(
        "tls_certificate_file",
        Text,
        "",
        "PEM file with the certificate to speak TLS with, followed by those that vouch for it; plain HTTP when left out. Read again on SIGHUP, and when it has changed",
    ),
    setting("tls_key_file", Text, "", "PEM file with the key of that certificate"),
    one_of(
        &["all", "http", "sse"],
        setting(
            "transport",
            Text,
            r#""all""#,
            "MCP transports to serve: all, http (Streamable HTTP) or sse (HTTP+SSE)",
        ),
    ),
    setting(
        "provider",
        Text,
        r#""dev""#,
        "Who logs people in: dev (the people in dev_users, on loopback only), clerk, auth0, keycloak, okta, entra, cognito, google, authentik, oidc (any other OpenID provider), or a NAME that [identity.NAME] describes",
    ),
    setting(
        "providers",
        List,
        "[]",
        "Several of them, instead of provider: people choose one on the login page",
    ),
    setting(
        "identity",
        Table,
        "",
        "What is to be known of each provider: a table [identity.NAME] with issuer, client_id, client_secret_file and more, see docs/providers.md. Also in variables such as CLERK_ISSUER, AUTH0_CLIENT_ID or OIDC_CLIENT_SECRET_FILE",
    ),
    one_of(
        &["local", "provider"],
        setting(
            "authorization_server",
            Text,
            r#""local""#,
            "Who issues access tokens: local (this server, after people logged in at the provider) or provider (the provider itself; this server only checks them)",
        ),
    ),
    setting(
        "store",
        Text,
        r#""sqlite:mcp-oauth-server.db""#,
        "Where clients, grants and keys live: sqlite:PATH, postgres://USER@HOST:PORT/DATABASE or memory",
    ),
    setting(
        "store_password_file",
        Text,
        "",
        "File with the password for PostgreSQL; it may stand in store, in PGPASSWORD or in the file that PGPASSFILE names, too",
    ),
    setting(
        "store_connections",
        Number,
        "10",
        "How many connections to PostgreSQL this process has at most",
    ),
    setting("server_name", Text, r#""MCP OAuth Server""#, "Name shown to people and clients"),
    also_in(
        "ISSUER",
        setting(
            "issuer",
            Text,
            "",
            "Issuer identifier; base_url when left out, which it may differ from by a trailing slash",
        ),
    ),
    also_in(
        "AUDIENCE",
        setting(
            "audience",
            Text,
            "",
            "One more name of this server that access tokens may carry in aud",
        ),
    ),
    setting(
        "allowed_origins",
        List,
        "[]",
        "Origins of web pages that may use the MCP endpoints, beside loopback and base_url; \"*\" for all",
    ),
    setting(
        "allowed_hosts",
        List,
        "[]",
        "Names under which requests may reach this server, beside base_url and loopback: mcp.internal or mcp.internal:8000. Without any, a loopback base_url permits loopback names only, and another permits all",
    ),
    setting(
        "signing_key_file",
        Text,
        "",
        "PEM file with the only RSA key for access tokens (those signed with another end); made once and kept in the store when left out",
    ),
    setting(
        "encryption_secret",
        Text,
        "",
        "Secret of at least 32 characters under which the signing keys are encrypted in the store; plain when left out",
    ),
    setting("encryption_secret_file", Text, "", "File with that secret"),
    setting(
        "previous_encryption_secret",
        Text,
        "",
        "The secret before, while keys encrypted under it are encrypted anew",
    ),
    setting("previous_encryption_secret_file", Text, "", "File with the secret before"),
    setting(
        "key_rotation_seconds",
        Number,
        "7776000",
        "Age at which the signing key is replaced, in seconds; 0 for never",
    ),
    one_of(
        &["open", "token", "off"],
        setting(
            "registration",
            Text,
            r#""open""#,
            "Who may register clients: open (everybody), token (who has an initial access token) or off",
        ),
    ),
    setting(
        "initial_access_tokens",
        List,
        "[]",
        "With registration = \"token\": the tokens, each of at least 16 characters",
    ),
    setting("initial_access_tokens_file", Text, "", "File with more of them, one a line"),
    setting(
        "most_clients",
        Number,
        "10000",
        "How many clients may have registered themselves at a time",
    ),
    setting(
        "share_registrations",
        Switch,
        "false",
        "Let public clients that say exactly the same of themselves share one registration",
    ),
    setting(
        "client_unused_seconds",
        Number,
        "2592000",
        "How long a registered client is kept that never got a token, in seconds",
    ),
    setting(
        "client_idle_seconds",
        Number,
        "15552000",
        "How long a registered client is kept after its last token, in seconds",
    ),
    setting(
        "default_scopes",
        List,
        r#"["mcp:tools"]"#,
        "Scopes of a client that asks for none; the built-in tools require them",
    ),
    setting(
        "scopes",
        Table,
        r#"{ "mcp:tools" = "Use the tools of this server on your behalf" }"#,
        "Every scope and what it means to the person who consents",
    ),
    setting(
        "scope_includes",
        Table,
        "{}",
        "Which scope includes which: { \"mcp:admin\" = [\"mcp:tools\"] } lets a token with mcp:admin do what mcp:tools allows",
    ),
    setting(
        "access_rules",
        Table,
        "[]",
        "Who may use what: tables [[access_rules]] with tools, prompts, resources (names and URIs, * stands for anything) and what all of that needs: scopes, permissions, and one of groups and one of roles",
    ),
    setting(
        "list_everything",
        Switch,
        "false",
        "Lists show what the caller may not use, too; a client then asks for more scope when it calls",
    ),
    setting("demo_tools", Switch, "true", "Serve the built-in tools hello and add_numbers"),
    setting(
        "tools",
        Table,
        "",
        "Where more tools come from: a table [tools.NAME] with openapi, or command, or url, see docs/tools.md",
    ),
    setting(
        "dev_users",
        Table,
        r#"[{ username = "alice", password = "password", name = "Alice" }]"#,
        "People of the dev provider: username, password, and if you like subject, name, email",
    ),
    setting(
        "dev_allow_any_host",
        Switch,
        "false",
        "Let the dev provider listen on a host that is not loopback, e.g. in a container nobody else can reach",
    ),
    one_of(
        &["open", "listed", "off"],
        setting(
            "client_documents",
            Text,
            r#""open""#,
            "Clients that are known by the address of their metadata document: open (all), listed (those of client_document_domains) or off. Keys that clients publish are fetched from the same domains",
        ),
    ),
    setting(
        "client_document_domains",
        List,
        "[]",
        "Domains whose documents are read when client_documents is listed; *.example.com for all below one",
    ),
    setting(
        "client_document_least_seconds",
        Number,
        "60",
        "How long a document is remembered at least, whatever its host says, in seconds",
    ),
    setting(
        "client_document_most_seconds",
        Number,
        "86400",
        "How long a document is remembered at most, in seconds",
    ),
    setting(
        "client_documents_remembered",
        Number,
        "1000",
        "How many documents, and how many key sets, are remembered; each takes a few kilobytes",
    ),
    setting(
        "client_documents_test_ca_file",
        Text,
        "",
        "For tests on a loopback base_url only: PEM file with one more authority to trust for documents, which may then be on this machine, on any port",
    ),
    setting(
        "log_level",
        Text,
        r#""info""#,
        "error, warn, info, debug, trace, or directives like warn,mcp_oauth=info,mcp_oauth_http=debug",
    ),
    one_of(&["human", "json"], setting("log_format", Text, r#""human""#, "human or json")),
    setting("access_token_seconds", Number, "3600", "Life of an access token, in seconds"),
    setting(
        "revocation_seconds",
        Number,
        "2",
        "How long a revoked access token may still be accepted, in seconds; so often the store is asked about it",
    ),
    setting("code_seconds", Number, "60", "Life of an authorization code, in seconds, at most 600"),
    setting(
        "session_seconds",
        Number,
        "28800",
        "How long a person stays logged in here, in seconds",
    ),
    setting(
        "remember_consent_seconds",
        Number,
        "0",
        "How long a person who allowed a client is not asked again, in seconds; 0 asks every time. Never for clients on the person's own machine, nor when another site sent the browser here",
    ),
    setting(
        "refresh_idle_seconds",
        Number,
        "2592000",
        "Life of a refresh token that is not used, in seconds",
    ),
    setting(
        "refresh_absolute_seconds",
        Number,
        "7776000",
        "Longest life of a grant's refresh tokens, in seconds",
    ),
    setting(
        "refresh_grace_seconds",
        Number,
        "30",
        "How long a used refresh token still gets the same answer, in seconds",
    ),
    setting("refresh_grace_uses", Number, "8", "How often it does"),
    setting(
        "audit_seconds",
        Number,
        "7776000",
        "How long decisions are kept in the store, in seconds",
    ),
    setting("most_audit_entries", Number, "1000000", "How many decisions are kept in the store"),
    setting("call_seconds", Number, "60", "How long a tool may take, in seconds"),
    setting(
        "trusted_proxies",
        List,
        "[]",
        "Addresses and networks (10.0.0.0/8) of reverse proxies whose X-Forwarded-For or Forwarded says where a request comes from",
    ),
    setting(
        "most_connections",
        Number,
        "10000",
        "How many connections are open at once; more wait to be accepted",
    ),
    setting(
        "most_open_requests",
        Number,
        "256",
        "How many requests to the MCP endpoints one caller may have open at once, event streams and calls under way among them",
    ),
    setting(
        "header_seconds",
        Number,
        "30",
        "How long a TLS handshake, and the headers of a request, may take; so long a connection of HTTP/1.1 may be silent, in seconds",
    ),
    setting(
        "idle_seconds",
        Number,
        "180",
        "How long a connection of HTTP/2 may be without a request, in seconds",
    ),
    setting(
        "drain_seconds",
        Number,
        "10",
        "How long requests may go on after the server was told to stop, in seconds",
    ),
    setting(
        "limits",
        Switch,
        "true",
        "Whether requests are limited at all; false is for load tests",
    ),
    setting(
        "request_limits",
        Table,
        REQUEST_LIMITS,
        "How often things may be done: burst at once, then per_minute; what a table leaves out keeps its default",
    ),
];

impl Setting {
    /// The environment variable that sets it, unless it is a table.
    pub(crate) fn variable(&self) -> Option<String> {
        (self.kind != Kind::Table)
            .then(|| format!("{VARIABLE_PREFIX}{}", self.name.to_ascii_uppercase()))
    }
}

impl Kind {
    /// The value of a text from the environment or a flag.
    pub(crate) fn value_of(self, text: &str) -> Value {
        match self {
            Kind::Number => {
                text.trim().parse::<i64>().map_or_else(|_| Value::from(text), Value::from)
            }
            Kind::Switch => {
                text.trim().parse::<bool>().map_or_else(|_| Value::from(text), Value::from)
            }
            Kind::List => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Value::from(items.map(Value::from).collect::<Vec<_>>())
            }
            Kind::Text | Kind::Table => Value::from(text),
        }
    }
}

/// The defaults as a TOML document.
pub(crate) fn defaults() -> String {
    let set = SETTINGS.iter().filter(|setting| !setting.default.is_empty());
    set.map(|setting| format!("{} = {}\n", setting.name, setting.default)).collect()
}

/// The names of `document` that are no settings.
pub(crate) fn unknown_names(document: &Dict) -> Vec<String> {
    let known = |name: &&String| !SETTINGS.iter().any(|setting| setting.name == name.as_str());
    document.keys().filter(known).cloned().collect()
}

/// The setting somebody may have meant.
pub(crate) fn similar_name(name: &str) -> Option<&'static Setting> {
    let meant = similar(SETTINGS.iter().map(|setting| setting.name), name)?;
    SETTINGS.iter().find(|setting| setting.name == meant)
}

/// Of these names the one somebody may have meant.
pub(crate) fn similar(
    names: impl Iterator<Item = &'static str>,
    name: &str,
) -> Option<&'static str> {
    let distance = |known: &&str| strsim::damerau_levenshtein(known, name);
    let nearest = names.min_by_key(distance)?;
    (distance(&nearest) <= (name.len() / 2).min(3)).then_some(nearest)
}

impl Kind {
    /// A value, as TOML.
    pub(crate) fn example(self) -> &'static str {
        match self {
            Text => "\"a text\"",
            Number => "30",
            Switch => "true",
            List => "[\"a text\"]",
            Table => "{ name = \"a text\" }",
        }
    }
}

/// What `--help` says of the settings.
pub(crate) fn reference() -> String {
    let mut text = String::from(
        "Settings, in a file given with --config, in the environment, or as a flag where there is \
         one. Later ones win: defaults, files in their order, environment, flags.\n",
    );
    for setting in &SETTINGS {
        let default = if setting.default.is_empty() { "none" } else { setting.default };
        text.push_str(&format!("\n  {}\n      {}\n", setting.name, setting.meaning));
        text.push_str(&format!("      default: {default}\n"));
        let variables =
            setting.variable().into_iter().chain(setting.old_variable.map(str::to_owned));
        let variables: Vec<_> = variables.collect();
        if !variables.is_empty() {
            text.push_str(&format!("      environment: {}\n", variables.join(", ")));
        }
    }
    text
}
