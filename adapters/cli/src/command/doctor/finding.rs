//! What the doctor finds, and how it is told.

use std::io;

use mcp_oauth_core::domain::provider::ProviderName;
use serde::Serialize;

use super::super::format::{print_json, print_line, visible};
use crate::problem::Problem;

/// How one step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// As it should be.
    Fine,
    /// It may be meant as it is, or can't be told for sure.
    Warning,
    /// It will not work like this.
    Failure,
    /// There is nothing to look at here.
    Skipped,
}

/// What one step found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// Which step, e.g. `issuer spelling`.
    pub(super) step: &'static str,
    /// The provider it is about; `None` for this server.
    pub(super) provider: Option<String>,
    pub(super) outcome: Outcome,
    /// What was found.
    pub(super) message: String,
    /// Why it matters; empty when all is well.
    pub(super) why: String,
    /// What to change, and where; empty when all is well.
    pub(super) remedy: String,
}

impl Finding {
    pub(super) fn fine(step: &'static str, message: impl Into<String>) -> Self {
        Self::of(step, Outcome::Fine, message)
    }

    pub(super) fn skipped(step: &'static str, message: impl Into<String>) -> Self {
        Self::of(step, Outcome::Skipped, message)
    }

    pub(super) fn warning(step: &'static str, message: impl Into<String>) -> Self {
        Self::of(step, Outcome::Warning, message)
    }

    pub(super) fn failure(step: &'static str, message: impl Into<String>) -> Self {
        Self::of(step, Outcome::Failure, message)
    }

    fn of(step: &'static str, outcome: Outcome, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { step, provider: None, outcome, message, why: String::new(), remedy: String::new() }
    }

    pub(super) fn because(self, why: impl Into<String>) -> Self {
        Self { why: why.into(), ..self }
    }

    pub(super) fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: remedy.into(), ..self }
    }

    pub(super) fn about(self, provider: &ProviderName) -> Self {
        Self { provider: Some(provider.to_string()), ..self }
    }

    /// A problem of the settings or of the machine.
    pub(super) fn problem(step: &'static str, problem: &Problem) -> Self {
        let Problem { setting, source, reason, remedy } = problem;
        Self::failure(step, format!("{setting} (from {source}): {reason}"))
            .because("The server does not start like this.")
            .remedy(remedy.clone())
    }

    fn lines(&self) -> String {
        let tick = match self.outcome {
            Outcome::Fine => "✓",
            Outcome::Warning => "!",
            Outcome::Failure => "✗",
            Outcome::Skipped => "-",
        };
        let provider = self.provider.as_ref().map(|name| format!("{name}, ")).unwrap_or_default();
        let mut lines = format!("{tick} {provider}{}: {}", self.step, visible(&self.message));
        for text in [&self.why, &self.remedy].into_iter().filter(|text| !text.is_empty()) {
            lines.push_str(&format!("\n    {}", visible(text)));
        }
        lines
    }
}

/// Everything that was found: told as it is found, or in JSON at the end.
pub(super) struct Report {
    json: bool,
    findings: Vec<Finding>,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        Self { json, findings: Vec::new() }
    }

    pub(super) fn add(&mut self, finding: Finding) -> io::Result<()> {
        if !self.json {
            print_line(&finding.lines())?;
        }
        self.findings.push(finding);
        Ok(())
    }

    pub(super) fn add_all(
        &mut self,
        findings: impl IntoIterator<Item = Finding>,
    ) -> io::Result<()> {
        findings.into_iter().try_for_each(|finding| self.add(finding))
    }

    /// Says how it went altogether; whether nothing failed.
    pub(super) fn end(self) -> io::Result<bool> {
        let count = |outcome| self.findings.iter().filter(|it| it.outcome == outcome).count();
        let (failures, warnings) = (count(Outcome::Failure), count(Outcome::Warning));
        if self.json {
            print_json(&self.findings)?;
        } else {
            let many = |number: usize, what: &str| match number {
                1 => format!("1 {what}"),
                number => format!("{number} {what}s"),
            };
            let (failures, warnings) = (many(failures, "failure"), many(warnings, "warning"));
            print_line(&format!("{failures}, {warnings}."))?;
        }
        Ok(failures == 0)
    }
}
