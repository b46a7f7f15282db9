//! What the operator says about one OpenAPI document.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use mcp_oauth_core::domain::access_rule::Pattern;
use mcp_oauth_core::domain::requirement::Requirement;
use secrecy::SecretString;
use url::Url;

use super::credentials::Credentials;

/// One document whose operations become tools.
#[derive(Debug, Clone)]
pub struct OpenApiConfig {
    /// What the operator calls it, the NAME of `[tools.NAME]`; it stands in errors and answers.
    pub name: String,
    /// Where the document is.
    pub document: Source,
    /// Where the operations are; without it the document's first server says it.
    pub base_url: Option<Url>,
    /// Which operations become tools.
    pub selection: Selection,
    /// Before the name of every tool, e.g. `petstore_`.
    pub prefix: String,
    /// What a caller needs for any of the tools.
    pub requirement: Requirement,
    /// How requests authenticate.
    pub credentials: Credentials,
    /// Headers of every request, which no argument overrides.
    pub headers: Vec<(String, SecretString)>,
    /// The header that tells the operation the subject who is calling; nothing tells it without.
    pub caller_header: Option<String>,
    /// Whether tools carry the schema of what an operation answers. An answer that is not as its
    /// document promises is then a failure, for clients refuse it.
    pub output_schemas: bool,
    /// What a call may take.
    pub limits: CallLimits,
}

/// Where a document is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In a file.
    File(PathBuf),
    /// On the web (`http` or `https`); read without the credentials of the operations.
    Url(Url),
}

/// Which operations become tools: those that any of `include` matches, or all when it is empty,
/// without those that any of `exclude` matches.
///
/// A pattern is matched against the `operationId`, the name of the tool, `METHOD /path` and, for each
/// tag, `tag:NAME`.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// What is taken.
    pub include: Vec<Pattern>,
    /// What is left out of that.
    pub exclude: Vec<Pattern>,
}

/// What reading a document and calling its operations may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// A whole call: waiting for its turn, tokens, the request and its answer.
    pub timeout: Duration,
    /// Reaching the server, within that.
    pub connect_timeout: Duration,
    /// The longest answer, in bytes.
    pub max_response_bytes: usize,
    /// How many requests are under way at once; further calls wait for their turn.
    pub max_concurrent_calls: usize,
    /// The longest document, in bytes.
    pub max_document_bytes: usize,
}

impl OpenApiConfig {
    /// All operations of a document, for every caller, without credentials.
    #[must_use]
    pub fn new(name: impl Into<String>, document: Source) -> Self {
        Self {
            name: name.into(),
            document,
            base_url: None,
            selection: Selection::default(),
            prefix: String::new(),
            requirement: Requirement::default(),
            credentials: Credentials::None,
            headers: Vec::new(),
            caller_header: None,
            output_schemas: false,
            limits: CallLimits::default(),
        }
    }
}

impl Source {
    /// A URL when the text is one of `http` or `https`, and a file otherwise.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Self::Url(url),
            _ => Self::File(PathBuf::from(text)),
        }
    }
}

/// As an operator wrote it, without a user name, a password or a query, which may be secret.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Url(url) => {
                write!(f, "{}{}", url.origin().ascii_serialization(), url.path())
            }
        }
    }
}

impl Selection {
    /// Whether an operation that goes by any of these names becomes a tool.
    pub(super) fn takes(&self, names: &[String]) -> bool {
        let any = |patterns: &[Pattern]| {
            patterns.iter().any(|pattern| names.iter().any(|name| pattern.matches(name)))
        };
        (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
    }
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            max_response_bytes: 1024 * 1024,
            max_concurrent_calls: 100,
            max_document_bytes: 32 * 1024 * 1024,
        }
    }
}
