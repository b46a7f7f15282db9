//! The settings about tools that are operations of an OpenAPI document.

use std::collections::BTreeMap;
use std::time::Duration;

use mcp_oauth_core::domain::access_rule::Pattern;
use mcp_oauth_tools::OpenApiConfig;
use mcp_oauth_tools::openapi::{
    CallLimits, ClientAuthentication, Credentials, Selection, Source, TokenGrant,
};
use secrecy::SecretString;
use url::Url;

use crate::setting_group::SettingGroup;
use crate::settings::Reader;
use crate::tool_settings::OneCatalog;

/// Every key of `[tools.NAME.credentials]`, and the kinds with which it counts.
pub(crate) const CREDENTIAL_KEYS: [(&str, &[Kind]); 15] = [
    (
        "kind",
        &[Kind::Header, Kind::Query, Kind::Basic, Kind::ClientCredentials, Kind::TokenExchange],
    ),
    ("name", &[Kind::Header, Kind::Query]),
    ("value", &[Kind::Header, Kind::Query]),
    ("value_file", &[Kind::Header, Kind::Query]),
    ("username", &[Kind::Basic]),
    ("password", &[Kind::Basic]),
    ("password_file", &[Kind::Basic]),
    ("token_url", GRANTS),
    ("client_id", GRANTS),
    ("client_secret", GRANTS),
    ("client_secret_file", GRANTS),
    ("client_authentication", GRANTS),
    ("scope", GRANTS),
    ("audience", GRANTS),
    ("resource", GRANTS),
];

const GRANTS: &[Kind] = &[Kind::ClientCredentials, Kind::TokenExchange];

/// Kinds of credentials, as operators spell them.
pub(crate) const KINDS: [(&str, Kind); 5] = [
    ("header", Kind::Header),
    ("query", Kind::Query),
    ("basic", Kind::Basic),
    ("client_credentials", Kind::ClientCredentials),
    ("token_exchange", Kind::TokenExchange),
];

/// A kind of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Header,
    Query,
    Basic,
    ClientCredentials,
    TokenExchange,
}

impl OneCatalog<'_> {
    pub(crate) fn open_api(
        &self,
        headers: BTreeMap<String, SecretString>,
    ) -> Option<OpenApiConfig> {
        let document = self.text("openapi");
        let base_url = self.web_address("base_url");
        let selection = self.selection();
        let prefix = self.text("prefix");
        let credentials = OneCredentials { catalog: self }.read();
        let caller_header = self.text("caller_header");
        let output_schemas = self.switch("output_schemas");
        let limits = self.call_limits();
        let (document, base_url) = (Source::parse(&document?.unwrap_or_default()), base_url?);
        let has_secrets = self.is_set("credentials") || !headers.is_empty();
        if has_secrets && base_url.is_none() && matches!(document, Source::Url(_)) {
            self.reader.0.warn(format!(
                "whoever writes {document} says where the credentials of [tools.{}] are sent: set \
                 base_url, unless that is the one who may have them",
                self.name
            ));
        }
        Some(OpenApiConfig {
            base_url,
            selection: selection?,
            prefix: prefix?.unwrap_or_default(),
            requirement: self.requirement.clone(),
            credentials: credentials?,
            headers: headers.into_iter().collect(),
            caller_header: caller_header?,
            output_schemas: output_schemas?.unwrap_or_default(),
            limits: limits?,
            ..OpenApiConfig::new(&self.name, document)
        })
    }

    fn selection(&self) -> Option<Selection> {
        let patterns =
            |key| self.list(key).map(|texts| texts.into_iter().map(Pattern::new).collect());
        let (include, exclude) = (patterns("include"), patterns("exclude"));
        Some(Selection { include: include?, exclude: exclude? })
    }

    fn call_limits(&self) -> Option<CallLimits> {
        let mut limits = CallLimits::default();
        let timeout = self.number("timeout_seconds", 1, 3600);
        let bytes = self.number("max_response_bytes", 1, 1 << 30);
        let calls = self.number("concurrent_calls", 1, 100_000);
        if let Some(seconds) = timeout? {
            limits.timeout = Duration::from_secs(seconds);
            limits.connect_timeout = limits.connect_timeout.min(limits.timeout);
        }
        if let Some(bytes) = bytes? {
            limits.max_response_bytes = usize::try_from(bytes).ok()?;
        }
        if let Some(calls) = calls? {
            limits.max_concurrent_calls = usize::try_from(calls).ok()?;
        }
        Some(limits)
    }
}

/// Reads the table `[tools.NAME.credentials]`.
struct OneCredentials<'a> {
    catalog: &'a OneCatalog<'a>,
}

impl SettingGroup for OneCredentials<'_> {
    fn reader(&self) -> &Reader<'_> {
        self.catalog.reader
    }

    fn path(&self, key: &str) -> String {
        self.catalog.path(&format!("credentials.{key}"))
    }
}

impl OneCredentials<'_> {
    fn read(&self) -> Option<Credentials> {
        if !self.catalog.is_set("credentials") {
            return Some(Credentials::None);
        }
        let Some(kind) = self.choice("kind", &KINDS)? else {
            let names = KINDS.map(|(name, _)| name).join(", ");
            self.problem("kind", "it is missing", &format!("Set it to one of {names}."));
            return None;
        };
        self.check_keys(kind)?;
        match kind {
            Kind::Header => {
                let (name, value) = self.name_and_value()?;
                Some(Credentials::Header { name, value })
            }
            Kind::Query => {
                let (name, value) = self.name_and_value()?;
                Some(Credentials::Query { name, value })
            }
            Kind::Basic => {
                let (username, password) =
                    (self.needed("username"), self.needed_secret("password"));
                Some(Credentials::Basic { username: username?, password: password? })
            }
            Kind::ClientCredentials => self.grant().map(Credentials::ClientCredentials),
            Kind::TokenExchange => self.grant().map(Credentials::TokenExchange),
        }
    }

    fn check_keys(&self, kind: Kind) -> Option<()> {
        let table = self.reader().0.find(&self.catalog.path("credentials"))?.into_dict()?;
        for key in table.keys() {
            match CREDENTIAL_KEYS.iter().find(|(name, _)| name == key) {
                None => {
                    let remedy = "See docs/openapi.md for every key.";
                    self.problem(key, "there is no such key", remedy);
                }
                Some((_, kinds)) if !kinds.contains(&kind) => {
                    let reason = "it means nothing with this kind of credentials";
                    self.problem(key, reason, "Leave it out.");
                }
                Some(_) => {}
            }
        }
        Some(())
    }

    fn name_and_value(&self) -> Option<(String, SecretString)> {
        let (name, value) = (self.needed("name"), self.needed_secret("value"));
        Some((name?, value?))
    }

    fn grant(&self) -> Option<TokenGrant> {
        let token_url = self.web_address("token_url");
        let client_id = self.needed("client_id");
        let client_secret = self.secret("client_secret");
        let choices =
            [("basic", ClientAuthentication::Basic), ("post", ClientAuthentication::Post)];
        let client_authentication = self.choice("client_authentication", &choices);
        let (scope, audience) = (self.text("scope"), self.text("audience"));
        let resource = self.web_address("resource");
        let Some(token_url) = token_url? else {
            self.problem("token_url", "it is missing", "Write the address of the token endpoint.");
            return None;
        };
        Some(TokenGrant {
            token_url,
            client_id: client_id?,
            client_secret: client_secret?,
            client_authentication: client_authentication?.unwrap_or_default(),
            scope: scope?,
            audience: audience?,
            resource: resource?,
        })
    }

    fn needed(&self, key: &str) -> Option<String> {
        let text = self.text(key)?;
        if text.is_none() {
            self.problem(key, "it is missing", "Set it.");
        }
        text
    }

    fn needed_secret(&self, key: &str) -> Option<SecretString> {
        let secret = self.secret(key)?;
        if secret.is_none() {
            self.problem(key, "it is missing", &format!("Set it, or {key}_file."));
        }
        secret
    }
}

/// An address of the web; `Some(None)` when it is left out.
trait WebAddress: SettingGroup {
    fn web_address(&self, key: &str) -> Option<Option<Url>> {
        let Some(text) = self.text(key)? else { return Some(None) };
        match Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Some(Some(url)),
            // A password may stand in it.
            _ => {
                let remedy = "Write an address such as https://api.example.com/v1.";
                self.problem(key, "it is no address of http or https", remedy);
                None
            }
        }
    }
}

impl<Group: SettingGroup> WebAddress for Group {}
