//! The one table of what `[tools.NAME]` may hold. It drives the parser, the schema, and the refusal of
//! keys that are not in it.

use crate::setting_table::{Kind, similar};

/// One key of `[tools.NAME]`.
pub(crate) struct ToolKey {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) kind: Kind,
    /// What it does, with unit and default.
    pub(crate) meaning: &'static str,
    /// All it can be, when that is a few words.
    pub(crate) choices: &'static [&'static str],
    /// With which kinds of catalogs it counts.
    pub(crate) of: Of,
}

/// With which kinds of catalogs a key counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// All of them.
    Any,
    /// Operations of an OpenAPI document.
    OpenApi,
    /// Whatever is reached over HTTP.
    Http,
    /// An MCP server, however it is reached.
    Upstream,
    /// An MCP server that is a process of ours.
    Command,
    /// An MCP server on the network.
    Url,
}

impl Of {
    /// Whether a key counts with a kind of catalog, which is one of `OpenApi`, `Command` and `Url`.
    pub(crate) fn counts_with(self, kind: Self) -> bool {
        match self {
            Self::Any => true,
            Self::Http => matches!(kind, Self::OpenApi | Self::Url),
            Self::Upstream => matches!(kind, Self::Command | Self::Url),
            other => other == kind,
        }
    }
}

const fn key(name: &'static str, kind: Kind, of: Of, meaning: &'static str) -> ToolKey {
    ToolKey { name, kind, meaning, choices: &[], of }
}

const fn one_of(choices: &'static [&'static str], key: ToolKey) -> ToolKey {
    ToolKey { choices, ..key }
}

use Kind::{List, Number, Table, Text};
use Of::{Any, Command, Http, OpenApi, Upstream, Url};

/// Every key, in the order of the reference.
pub(crate) const TOOL_KEYS: [ToolKey; 27] = [
    key(
        "openapi",
        Text,
        OpenApi,
        "OpenAPI document (3.0 or 3.1, JSON or YAML): a file or an address",
    ),
    key("command", List, Command, "Program and arguments of an MCP server that speaks over stdio"),
    key("url", Text, Url, "Address of an MCP server"),
    key("prefix", Text, Any, "Put before the names of tools and prompts, e.g. files_; none"),
    key("scopes", List, Any, "Scopes that all of it needs; default_scopes"),
    key("include", List, OpenApi, "Tools to serve, * stands for anything; all"),
    key("exclude", List, OpenApi, "Tools not to serve; none"),
    key("base_url", Text, OpenApi, "Where the operations are; the first server of the document"),
    key("headers", Table, Http, "Headers of every request, e.g. { X-Api-Key = \"…\" }"),
    key(
        "header_files",
        Table,
        Http,
        "The same with values in files, e.g. { X-Api-Key = \"key.txt\" }",
    ),
    key(
        "credentials",
        Table,
        OpenApi,
        "How calls are authorized, a table [tools.NAME.credentials]; not at all",
    ),
    key("timeout_seconds", Number, OpenApi, "How long one operation may take, in seconds; 30"),
    key("max_response_bytes", Number, OpenApi, "The largest response, in bytes; 1048576"),
    key(
        "caller_header",
        Text,
        OpenApi,
        "Header in which the service learns the subject of who is calling; none",
    ),
    key(
        "output_schemas",
        Kind::Switch,
        OpenApi,
        "Whether tools promise the shape of what they answer; an answer that is not as the document says is then a failure; false",
    ),
    key(
        "concurrent_calls",
        Number,
        Any,
        "How many calls are under way at the same time, more wait; 100 with openapi, 1000 with an MCP server",
    ),
    key("directory", Text, Command, "Where the command runs; where this server was started"),
    key(
        "environment",
        Table,
        Command,
        "Variables of the command beside PATH, HOME and the like, e.g. { ROOT = \"/srv\" }",
    ),
    key(
        "environment_files",
        Table,
        Command,
        "The same with values in files, e.g. { API_KEY = \"key.txt\" }",
    ),
    one_of(
        &["auto", "streamable", "sse"],
        key(
            "transport",
            Text,
            Url,
            "How the MCP server is spoken to: streamable, sse, or auto, which tries both; auto",
        ),
    ),
    one_of(
        &["shared", "per_caller"],
        key(
            "sharing",
            Text,
            Upstream,
            "Whether everybody shares one connection or process, or each caller has one, so that the server can ask that caller; shared",
        ),
    ),
    key("most_callers", Number, Upstream, "How many connections there are with per_caller; 50"),
    key(
        "idle_seconds",
        Number,
        Upstream,
        "After which time without a call one of these ends, in seconds; 900",
    ),
    one_of(
        &["no", "meta", "header"],
        key(
            "pass_caller",
            Text,
            Upstream,
            "How the MCP server learns who is calling, never by the token: in _meta, or in headers X-Caller-…; no",
        ),
    ),
    key("start_seconds", Number, Upstream, "How long it may take to start, in seconds; 60"),
    key(
        "suspended_calls",
        Number,
        Upstream,
        "How many calls wait for an answer of their client at the same time; 200",
    ),
    key("answer_seconds", Number, Upstream, "How long such a call waits, in seconds; 600"),
];

impl ToolKey {
    pub(crate) fn of(name: &str) -> Option<&'static Self> {
        TOOL_KEYS.iter().find(|key| key.name == name)
    }

    /// The key somebody may have meant.
    pub(crate) fn similar(name: &str) -> Option<&'static str> {
        similar(TOOL_KEYS.iter().map(|key| key.name), name)
    }
}
