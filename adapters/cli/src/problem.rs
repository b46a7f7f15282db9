//! What is wrong with the configuration: every problem at once, each with its place and its remedy.

use std::fmt::{self, Display};

/// One thing that keeps the program from its work.
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

impl Problem {
    pub(crate) fn new(setting: &str, source: &str, reason: &dyn Display, remedy: &str) -> Self {
        Self {
            setting: setting.to_owned(),
            source: source.to_owned(),
            reason: reason.to_string(),
            remedy: remedy.to_owned(),
        }
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, source, reason, remedy } = self;
        write!(f, "{setting} (from {source}): {reason}\n    {remedy}")
    }
}

/// Everything that keeps the program from its work; at least one problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problems(pub(crate) Vec<Problem>);

impl Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
