//! What an operator says of an upstream server.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use mcp_oauth_core::domain::requirement::Requirement;
use mcp_oauth_core::domain::tool::{LONGEST_TOOL_NAME, is_tool_name};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;
use url::Url;

/// An upstream server, and how it is used.
#[derive(Debug, Clone)]
pub struct UpstreamConfig {
    /// What the operator calls it, in the log and in errors.
    pub name: String,
    /// Where it is.
    pub reach: Reach,
    /// Put before the names of its tools and prompts as it stands, e.g. `files_`; nothing when empty.
    pub prefix: String,
    /// What a caller needs for anything of it.
    pub requirement: Requirement,
    /// Whether callers share a connection.
    pub sharing: Sharing,
    /// How it learns who is calling.
    pub caller: PassCaller,
    /// Bounds.
    pub limits: UpstreamLimits,
}

/// Where an upstream server is.
#[derive(Debug, Clone)]
pub enum Reach {
    /// A process of ours, spoken to through its standard input and output (MCP, stdio).
    Command(Program),
    /// Somewhere on the network.
    Url(Address),
}

/// A process to start. Of our own environment it sees a few harmless variables, and no others.
#[derive(Debug, Clone)]
pub struct Program {
    /// What to run, found through `PATH`.
    pub program: String,
    /// What to run it with.
    pub arguments: Vec<String>,
    /// Further variables of its environment.
    pub environment: BTreeMap<String, SecretString>,
    /// Where to run it; our own working directory when not set.
    pub directory: Option<PathBuf>,
}

/// An address to call.
#[derive(Debug, Clone)]
pub struct Address {
    /// `http` or `https`.
    pub url: Url,
    /// The transport to speak.
    pub transport: HttpTransport,
    /// Sent with every request, e.g. credentials of ours.
    pub headers: BTreeMap<String, SecretString>,
}

/// A transport of MCP over HTTP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HttpTransport {
    /// Streamable HTTP, and HTTP+SSE where that is not spoken (MCP, backwards compatibility).
    #[default]
    Auto,
    /// Streamable HTTP.
    Streamable,
    /// HTTP+SSE of revision 2024-11-05.
    Sse,
}

/// Whether callers share a connection to the upstream server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sharing {
    /// One connection for everybody. A server that asks within calls, as in the revisions before
    /// 2026-07-28, is told that nobody can be asked: it could not say whom.
    #[default]
    Shared,
    /// A connection, and a process, for each caller and for what their client can do.
    PerCaller {
        /// At most so many at a time; the one unused for longest ends first.
        most: usize,
        /// How long one lives unused.
        idle: Duration,
    },
}

/// How an upstream server learns who is calling. It never learns the token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PassCaller {
    /// It does not.
    #[default]
    No,
    /// In the member `mcp-oauth-server/caller` of `_meta`.
    Meta,
    /// In the headers `X-Caller-Subject`, `X-Caller-Issuer`, `X-Caller-Client` and `X-Caller-Email`.
    Header,
}

/// Bounds of an upstream server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpstreamLimits {
    /// Calls under way at the same time; others wait.
    pub most_calls: usize,
    /// Calls that wait for an answer of their client at the same time.
    pub most_suspended: usize,
    /// How long such a call waits.
    pub answer: Duration,
    /// How long it may take to start, and to answer a list.
    pub start: Duration,
    /// How long a call waits for a connection that is being made anew.
    pub patience: Duration,
    /// After an attempt that failed the next one is made at once; so long to wait before the one after
    /// that, then twice as long each time.
    pub first_delay: Duration,
    /// How long at most.
    pub longest_delay: Duration,
}

impl Default for UpstreamLimits {
    fn default() -> Self {
        Self {
            most_calls: 1000,
            most_suspended: 200,
            answer: Duration::from_secs(600),
            start: Duration::from_secs(60),
            patience: Duration::from_secs(5),
            first_delay: Duration::from_millis(500),
            longest_delay: Duration::from_secs(60),
        }
    }
}

/// Why an upstream server can't be used as configured. That it can't be reached is none of these.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnusableUpstream {
    /// Tool names begin with it.
    #[error(
        "the prefix {0:?} can't begin the name of a tool: use at most 64 of A-Z, a-z, 0-9, '_', '-' and '.'"
    )]
    Prefix(String),
    /// Nothing to run.
    #[error("the command is empty: give the program and its arguments")]
    Command,
    /// Not an address of the web, or one with a password in it.
    #[error("the url {0} can't be used: give one of http or https, credentials belong in headers")]
    Url(String),
    /// Not a header, or one that the protocol uses.
    #[error("the header {0:?} can't be sent: its name or value is no header's, or MCP uses it")]
    Header(String),
    /// There are no headers between processes.
    #[error("who is calling can't be passed to a command in headers: pass it as \"meta\"")]
    HeaderToCommand,
    /// A bound of nothing.
    #[error("a bound of 0 lets nothing pass: {0}")]
    Bound(&'static str),
    /// The HTTP client can't be made, e.g. because no root certificates are found.
    #[error("no HTTP client: {0}")]
    Client(String),
}

/// Headers of the transport itself.
const RESERVED: [&str; 9] = [
    "accept",
    "content-length",
    "content-type",
    "host",
    "last-event-id",
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "mcp-session-id",
];

impl UpstreamConfig {
    /// What is wrong with it, if anything.
    pub(super) fn check(&self) -> Result<(), UnusableUpstream> {
        let prefix = &self.prefix;
        if !prefix.is_empty() && (prefix.len() > LONGEST_TOOL_NAME / 2 || !is_tool_name(prefix)) {
            return Err(UnusableUpstream::Prefix(prefix.clone()));
        }
        let bounds = [
            (self.limits.most_calls, "most_calls"),
            (self.limits.most_suspended, "most_suspended"),
            (self.most_callers(), "most_callers"),
        ];
        if let Some((_, name)) = bounds.into_iter().find(|(bound, _)| *bound == 0) {
            return Err(UnusableUpstream::Bound(name));
        }
        match &self.reach {
            Reach::Command(program) if program.program.is_empty() => Err(UnusableUpstream::Command),
            Reach::Command(_) if self.caller == PassCaller::Header => {
                Err(UnusableUpstream::HeaderToCommand)
            }
            Reach::Command(_) => Ok(()),
            Reach::Url(address) => address.header_map().and_then(|_| address.check_url()),
        }
    }

    fn most_callers(&self) -> usize {
        match self.sharing {
            Sharing::Shared => 1,
            Sharing::PerCaller { most, .. } => most,
        }
    }
}

impl Address {
    /// The headers, marked as secrets.
    pub(super) fn header_map(&self) -> Result<Vec<(HeaderName, HeaderValue)>, UnusableUpstream> {
        let read = |(name, value): (&String, &SecretString)| {
            let unusable = || UnusableUpstream::Header(name.clone());
            let parsed: HeaderName = name.parse().map_err(|_| unusable())?;
            if RESERVED.contains(&parsed.as_str()) {
                return Err(unusable());
            }
            let mut value = HeaderValue::from_str(value.expose_secret()).map_err(|_| unusable())?;
            value.set_sensitive(true);
            Ok((parsed, value))
        };
        self.headers.iter().map(read).collect()
    }

    fn check_url(&self) -> Result<(), UnusableUpstream> {
        let url = &self.url;
        let known = matches!(url.scheme(), "http" | "https") && url.has_host();
        let bare = url.username().is_empty() && url.password().is_none();
        if known && bare {
            return Ok(());
        }
        let mut shown = url.clone();
        let _ = shown.set_password(None);
        Err(UnusableUpstream::Url(shown.into()))
    }
}
