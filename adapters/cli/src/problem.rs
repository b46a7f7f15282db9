//! What is wrong with the configuration: every problem at once, each with its place and its remedy.

use std::fmt;

/// One thing that keeps the server from starting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The setting, e.g. `base_url`.
    pub(crate) setting: String,
    /// Where it was set, e.g. `the environment variable BASE_URL`.
    pub(crate) source: String,
    /// What is wrong with it.
    pub(crate) reason: String,
    /// What to do.
    pub(crate) remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, source, reason, remedy } = self;
        write!(f, "{setting} (from {source}): {reason}\n    {remedy}")
    }
}

/// Everything that keeps the server from starting; at least one problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problems(pub(crate) Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "mcp-oauth-server can't start:")?;
        for problem in &self.0 {
            writeln!(f, "  {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}
