//! The one table of what `[identity.NAME]` may hold. It drives the parser, the environment variables,
//! the schema, and the refusal of keys that are not in it.

use figment::value::Value;
use mcp_oauth_identity::Vendor;

use crate::setting_table::{Kind, similar};

/// One key of `[identity.NAME]`.
pub(crate) struct IdentityKey {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) kind: Kind,
    /// What it does.
    pub(crate) meaning: &'static str,
    /// All it can be, when that is a few words.
    choices: Choices,
    /// When it counts.
    pub(crate) mode: Mode,
}

/// With which `authorization_server` a key counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Both,
    Local,
    Provider,
}

type Choices = fn() -> Vec<&'static str>;

const fn key(name: &'static str, kind: Kind, mode: Mode, meaning: &'static str) -> IdentityKey {
    IdentityKey { name, kind, meaning, choices: Vec::new, mode }
}

const fn one_of(choices: Choices, key: IdentityKey) -> IdentityKey {
    IdentityKey { choices, ..key }
}

use Kind::{List, Switch, Table, Text};
use Mode::{Both, Local, Provider};

/// Every key, in the order of the reference.
pub(crate) const KEYS: [IdentityKey; 26] = [
    one_of(
        || Vendor::ALL.map(Vendor::name).to_vec(),
        key("kind", Text, Both, "Which kind of provider it is; the name when left out"),
    ),
    key("title", Text, Local, "What its button on the login page says"),
    key(
        "issuer",
        Text,
        Both,
        "Issuer identifier, byte for byte as its discovery document spells it",
    ),
    key("client_id", Text, Both, "Identifier of this server at the provider"),
    key("client_secret", Text, Both, "Secret of this server at the provider"),
    key("client_secret_file", Text, Both, "File with that secret"),
    key("public_client", Switch, Local, "This server has no secret at the provider, only PKCE"),
    key("scopes", List, Local, "Scopes to ask the provider for; openid is always among them"),
    key(
        "authorize_parameters",
        Table,
        Local,
        "More parameters for the provider's authorization endpoint, such as { prompt = \"select_account\" }",
    ),
    one_of(
        || vec!["no", "resource", "audience"],
        key(
            "forward_resource",
            Text,
            Local,
            "Whether the provider is told the address of the MCP endpoint at a login: no, as resource (RFC 8707) or as audience (Auth0)",
        ),
    ),
    key("allowed_emails", List, Local, "Verified e-mail addresses of those who are let in"),
    key("allowed_domains", List, Local, "What stands after the @ of those who are let in"),
    key("allowed_groups", List, Local, "Groups, one of which those who are let in are in"),
    key("allowed_tenants", List, Local, "Tenants whose people are let in"),
    key("allowed_organizations", List, Local, "Organisations whose people are let in"),
    key(
        "claims",
        List,
        Local,
        "Claims of the ID token that travel into access tokens and to tools",
    ),
    key(
        "keep_tokens",
        Switch,
        Local,
        "Keep the provider's tokens, encrypted, for tools that ask for them; needs encryption_secret",
    ),
    key("groups_claim", Text, Both, "Claim that lists the groups of a person"),
    key("tenant_claim", Text, Both, "Claim that names the tenant of a person"),
    key(
        "audiences",
        List,
        Provider,
        "Names of this server in the aud claim of the provider's tokens, beside its addresses",
    ),
    one_of(
        || vec!["require", "foreign", "observe"],
        key(
            "audience_mode",
            Text,
            Provider,
            "What happens to a token that does not name this server: require refuses it, foreign lets it in if it names nobody, observe lets every one in and logs it",
        ),
    ),
    one_of(
        || vec!["jwt", "opaque", "auto"],
        key(
            "token_format",
            Text,
            Provider,
            "Whether the provider's access tokens are checked here (jwt), by asking the provider (opaque), or as they look (auto)",
        ),
    ),
    key("token_types", List, Provider, "What typ in the header of its access tokens may be"),
    key("secret_key", Text, Provider, "Clerk's secret key, to ask about opaque tokens"),
    key("secret_key_file", Text, Provider, "File with that key"),
    key(
        "api_url",
        Text,
        Provider,
        "Clerk's Backend API with its version; https://api.clerk.com/v1 when left out",
    ),
];

impl IdentityKey {
    pub(crate) fn of(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// All it can be; none when it can be anything.
    pub(crate) fn choices(&self) -> Vec<&'static str> {
        (self.choices)()
    }

    /// The key somebody may have meant.
    pub(crate) fn similar(name: &str) -> Option<&'static str> {
        similar(KEYS.iter().map(|key| key.name), name)
    }

    /// Whether a variable can hold it.
    fn has_variable(&self) -> bool {
        self.kind != Table && self.name != "kind"
    }
}

/// A key and its value, as an environment variable of a kind's family sets it.
pub(crate) fn from_variable(
    vendor: Vendor,
    rest: &str,
    text: &str,
) -> Option<(&'static str, Value)> {
    let name = rest.to_ascii_lowercase();
    if vendor == Vendor::Auth0 && name == "domain" {
        return Some(("issuer", Value::from(format!("https://{}/", text.trim_matches('/')))));
    }
    // The demonstration has one audience.
    let name = if name == "audience" { "audiences" } else { &name };
    let key = IdentityKey::of(name).filter(|key| key.has_variable())?;
    Some((key.name, key.kind.value_of(text)))
}
