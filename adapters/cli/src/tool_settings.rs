//! The settings about where tools come from: the tables `[tools.NAME]`.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::time::Duration;

use figment::value::{Dict, Value};
use mcp_oauth_core::domain::requirement::Requirement;
use mcp_oauth_core::domain::secret::sha256;
use mcp_oauth_core::service::policy::ScopePolicy;
use mcp_oauth_tools::{
    Address, HttpTransport, OpenApiConfig, PassCaller, Program, Reach, Sharing, UpstreamConfig,
    UpstreamLimits,
};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::problem::Problem;
use crate::setting_group::SettingGroup;
use crate::settings::Reader;
use crate::tool_table::{Of, TOOL_KEYS, ToolKey};

/// Connections of callers with `sharing = "per_caller"`, when nothing is said.
const MOST_CALLERS: u64 = 50;

/// How long one of them lives unused, in seconds.
const IDLE_SECONDS: u64 = 900;

/// The catalog of one table.
#[derive(Clone)]
pub(crate) struct ToolSettings {
    /// As in `[tools.NAME]`.
    pub(crate) name: String,
    /// Where the table was set.
    pub(crate) set_in: String,
    /// What it is made of.
    pub(crate) source: ToolSource,
    /// Of everything that the table and its files say, to see whether they changed.
    pub(crate) fingerprint: [u8; 32],
}

/// What a catalog is made of.
#[derive(Clone)]
pub(crate) enum ToolSource {
    OpenApi(Box<OpenApiConfig>),
    Upstream(Box<UpstreamConfig>),
}

impl ToolSettings {
    /// A problem that only the catalog can find.
    pub(crate) fn problem(&self, error: &dyn Display) -> Problem {
        let setting = format!("tools.{}", self.name);
        Problem::new(&setting, &self.set_in, error, "Correct it; docs/tools.md has every key.")
    }
}

impl fmt::Debug for ToolSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolSettings").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Reads one table `[tools.NAME]`; each method reports its own problems.
pub(crate) struct OneCatalog<'a> {
    pub(crate) reader: &'a Reader<'a>,
    pub(crate) name: String,
    pub(crate) of: Of,
    /// What all of it needs.
    pub(crate) requirement: Requirement,
}

impl SettingGroup for OneCatalog<'_> {
    fn reader(&self) -> &Reader<'_> {
        self.reader
    }

    fn path(&self, key: &str) -> String {
        format!("tools.{}.{key}", self.name)
    }
}

impl Reader<'_> {
    /// The catalogs, in the order of their names.
    pub(crate) fn tools(&self, scopes: Option<&ScopePolicy>) -> Option<Vec<ToolSettings>> {
        let Some(tables) = self.0.find("tools") else { return Some(Vec::new()) };
        let Some(tables) = tables.into_dict() else {
            let remedy = "Write a table for each: [tools.files] and then command = [\"…\"].";
            self.0.problem("tools", "it is not a table", remedy);
            return None;
        };
        let read = tables.iter().map(|(name, table)| self.one_catalog(name, table, scopes));
        let read: Vec<Option<ToolSettings>> = read.collect();
        read.into_iter().collect()
    }

    fn one_catalog(
        &self,
        name: &str,
        table: &Value,
        scopes: Option<&ScopePolicy>,
    ) -> Option<ToolSettings> {
        let setting = format!("tools.{name}");
        let Some(table) = table.as_dict() else {
            let remedy = format!("Write a table: [tools.{name}] and then command = [\"…\"].");
            self.0.problem(&setting, "it is not a table", &remedy);
            return None;
        };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !(1..=32).contains(&name.len()) || !name.bytes().all(allowed) {
            let reason = "the name of a catalog is 1 to 32 of A-Z, a-z, 0-9, '-' and '_'";
            self.0.problem(&setting, reason, "Rename the table.");
        }
        self.check_tool_keys(name, table);
        let of = self.kind_of_catalog(&setting, table)?;
        self.check_tool_kinds(name, table, of);
        let names: Option<Vec<String>> = match table.contains_key("scopes") {
            true => Some(self.0.get(&format!("{setting}.scopes"))?),
            false => None,
        };
        let requirement = match names {
            Some(names) => self.requirement(&format!("{setting}.scopes"), &names, scopes)?,
            None => Requirement::scope(scopes?.default.clone()),
        };
        OneCatalog { reader: self, name: name.to_owned(), of, requirement }.read(table)
    }

    fn kind_of_catalog(&self, setting: &str, table: &Dict) -> Option<Of> {
        let kinds = [("openapi", Of::OpenApi), ("command", Of::Command), ("url", Of::Url)];
        let set: Vec<_> = kinds.into_iter().filter(|(key, _)| table.contains_key(*key)).collect();
        let reason = match set.as_slice() {
            [(_, of)] => return Some(*of),
            [] => "it does not say where the tools come from".to_owned(),
            [(first, _), (second, _), ..] => format!("it has both {first} and {second}"),
        };
        self.0.problem(setting, reason, "Set one of openapi, command and url.");
        None
    }

    fn check_tool_keys(&self, name: &str, table: &Dict) {
        for key in table.keys().filter(|key| ToolKey::of(key).is_none()) {
            let meant = ToolKey::similar(key);
            let question = meant.map(|meant| format!("Did you mean {meant}? ")).unwrap_or_default();
            let remedy = format!("{question}See docs/tools.md for every key.");
            self.0.problem(&format!("tools.{name}.{key}"), "there is no such key", &remedy);
        }
    }

    fn check_tool_kinds(&self, name: &str, table: &Dict, of: Of) {
        let misplaced = |key: &&ToolKey| table.contains_key(key.name) && !key.of.counts_with(of);
        for key in TOOL_KEYS.iter().filter(misplaced) {
            let what = match of {
                Of::OpenApi => "an OpenAPI document",
                Of::Command => "a command",
                _ => "a url",
            };
            let reason = format!("it means nothing with {what}");
            self.0.problem(&format!("tools.{name}.{}", key.name), reason, "Leave it out.");
        }
    }
}

impl OneCatalog<'_> {
    fn read(&self, table: &Dict) -> Option<ToolSettings> {
        let headers = self.secrets("headers", "header_files");
        let environment = self.secrets("environment", "environment_files");
        let (headers, environment) = (headers?, environment?);
        let fingerprint = fingerprint(table, [&headers, &environment]);
        let source = match self.of {
            Of::OpenApi => ToolSource::OpenApi(Box::new(self.open_api(headers)?)),
            _ => ToolSource::Upstream(Box::new(self.upstream(headers, environment)?)),
        };
        let set_in = self.reader.0.source_of(&format!("tools.{}", self.name));
        Some(ToolSettings { name: self.name.clone(), set_in, source, fingerprint })
    }

    fn upstream(
        &self,
        headers: BTreeMap<String, SecretString>,
        environment: BTreeMap<String, SecretString>,
    ) -> Option<UpstreamConfig> {
        let reach = match self.of {
            Of::Command => self.program(environment).map(Reach::Command),
            _ => self.address(headers).map(Reach::Url),
        };
        let prefix = self.text("prefix");
        let sharing = self.sharing();
        let choices =
            [("no", PassCaller::No), ("meta", PassCaller::Meta), ("header", PassCaller::Header)];
        let caller = self.choice("pass_caller", &choices);
        let limits = self.upstream_limits();
        Some(UpstreamConfig {
            name: self.name.clone(),
            reach: reach?,
            prefix: prefix?.unwrap_or_default(),
            requirement: self.requirement.clone(),
            sharing: sharing?,
            caller: caller?.unwrap_or_default(),
            limits: limits?,
        })
    }

    fn program(&self, environment: BTreeMap<String, SecretString>) -> Option<Program> {
        let command = self.list("command");
        let directory = self.text("directory");
        let mut command = command?.into_iter();
        Some(Program {
            // What is empty is refused where it is used.
            program: command.next().unwrap_or_default(),
            arguments: command.collect(),
            environment,
            directory: directory?.map(Into::into),
        })
    }

    fn address(&self, headers: BTreeMap<String, SecretString>) -> Option<Address> {
        let choices = [
            ("auto", HttpTransport::Auto),
            ("streamable", HttpTransport::Streamable),
            ("sse", HttpTransport::Sse),
        ];
        let transport = self.choice("transport", &choices);
        let text = self.text("url")?.unwrap_or_default();
        let url = match Url::parse(&text) {
            Ok(url) => url,
            Err(error) => {
                // A password may stand in it.
                let remedy = "Write an address such as https://tools.example.com/mcp.";
                self.problem("url", format!("it is no address: {error}"), remedy);
                return None;
            }
        };
        Some(Address { url, transport: transport?.unwrap_or_default(), headers })
    }

    fn sharing(&self) -> Option<Sharing> {
        let most = self.number("most_callers", 1, 10_000);
        let idle = self.number("idle_seconds", 1, 30 * 24 * 3600);
        let per_caller = self.choice("sharing", &[("shared", false), ("per_caller", true)]);
        let (most, idle) = (most?.unwrap_or(MOST_CALLERS), idle?.unwrap_or(IDLE_SECONDS));
        Some(match per_caller?.unwrap_or(false) {
            false => Sharing::Shared,
            true => Sharing::PerCaller {
                most: usize::try_from(most).ok()?,
                idle: Duration::from_secs(idle),
            },
        })
    }

    fn upstream_limits(&self) -> Option<UpstreamLimits> {
        let mut limits = UpstreamLimits::default();
        let calls = self.number("concurrent_calls", 1, 100_000);
        let suspended = self.number("suspended_calls", 1, 100_000);
        let answer = self.number("answer_seconds", 1, 24 * 3600);
        let start = self.number("start_seconds", 1, 3600);
        if let Some(calls) = calls? {
            limits.most_calls = usize::try_from(calls).ok()?;
        }
        if let Some(suspended) = suspended? {
            limits.most_suspended = usize::try_from(suspended).ok()?;
        }
        if let Some(answer) = answer? {
            limits.answer = Duration::from_secs(answer);
        }
        if let Some(start) = start? {
            limits.start = Duration::from_secs(start);
        }
        Some(limits)
    }

    /// Texts that stand in a table, and those that stand in files named by another.
    fn secrets(&self, key: &str, file_key: &str) -> Option<BTreeMap<String, SecretString>> {
        let texts = self.texts(key);
        let mut secrets: BTreeMap<String, SecretString> =
            texts?.into_iter().map(|(name, text)| (name, text.into())).collect();
        for (name, path) in self.texts(file_key)? {
            if secrets.contains_key(&name) {
                let reason = format!("{key} has {name}, too");
                self.problem(file_key, reason, "Set one of the two.");
            }
            match std::fs::read_to_string(&path) {
                Ok(text) => {
                    secrets.insert(name, text.trim().into());
                }
                Err(error) => {
                    let remedy = "Name a readable file that holds nothing but the value.";
                    self.problem(file_key, format!("{path}: {error}"), remedy);
                }
            }
        }
        Some(secrets)
    }
}

fn fingerprint(table: &Dict, secrets: [&BTreeMap<String, SecretString>; 2]) -> [u8; 32] {
    let table = serde_json::to_vec(table).unwrap_or_default();
    let mut parts: Vec<&[u8]> = vec![&table];
    for (name, secret) in secrets.into_iter().flatten() {
        parts.extend([&b"\0"[..], name.as_bytes(), b"\0", secret.expose_secret().as_bytes()]);
    }
    sha256(&parts)
}
