//! Where settings come from, lowest to highest: defaults, files, environment, flags.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use figment::error::Kind as Mismatch;
use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use serde::de::DeserializeOwned;

use crate::arguments::Arguments;
use crate::identity_table::IdentityKey;
use crate::problem::Problem;
use crate::setting_table::{
    Kind, SETTINGS, Setting, VARIABLE_PREFIX, defaults, similar_name, unknown_names,
};
use crate::tool_table::ToolKey;

/// The name figment has for the defaults.
const DEFAULTS: &str = "the defaults";

/// The settings of all sources, and what was met while reading them.
pub(crate) struct SettingSources {
    figment: Figment,
    problems: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<String>>,
}

/// One setting from one place, so that an error can name the place.
struct OneSetting {
    source: String,
    /// Its name, after the tables it stands in.
    path: Vec<String>,
    value: Value,
}

impl Provider for OneSetting {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.source.clone())
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        let mut value = self.value.clone();
        for name in self.path.iter().skip(1).rev() {
            value = Value::from(Dict::from([(name.clone(), value)]));
        }
        let outermost = self.path.first().cloned().unwrap_or_default();
        Ok(Profile::Default.collect(Dict::from([(outermost, value)])))
    }
}

/// The defaults under a name people understand, without those that `files` replace: figment would
/// join a default table with that of a file.
struct Defaults<'a> {
    files: &'a [SettingsFile],
}

impl Provider for Defaults<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::named(DEFAULTS)
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        let mut profiles = Toml::string(&defaults()).data()?;
        let is_replaced = |name: &String| self.files.iter().any(|file| file.names.contains(name));
        for settings in profiles.values_mut() {
            settings.retain(|name, _| !is_replaced(name));
        }
        Ok(profiles)
    }
}

impl SettingSources {
    pub(crate) fn gather(arguments: &Arguments, environment: &BTreeMap<String, String>) -> Self {
        let mut sources = Self {
            figment: Figment::new(),
            problems: RefCell::new(Vec::new()),
            warnings: RefCell::new(Vec::new()),
        };
        let files: Vec<_> =
            arguments.config.iter().filter_map(|path| sources.read_file(path)).collect();
        sources.figment = Figment::from(Defaults { files: &files });
        for file in files {
            sources.figment = sources.figment.merge(file);
        }
        // Of two variables for one setting, ours wins over the one kept from the demonstration.
        let (own, old): (Vec<_>, Vec<_>) =
            environment.iter().partition(|(name, _)| name.starts_with(VARIABLE_PREFIX));
        for (variable, text) in old.into_iter().chain(own) {
            sources.merge_variable(variable, text);
        }
        for (name, flag, text) in arguments.settings() {
            sources.merge_one(name, format!("the flag {flag}"), text);
        }
        sources
    }

    /// The settings of a file, under the name people know it by.
    fn read_file(&self, path: &Path) -> Option<SettingsFile> {
        let shown = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                self.report("--config", &shown, error.to_string(), "Name a readable TOML file.");
                return None;
            }
        };
        let document = match Figment::from(Toml::string(&text)).extract::<Dict>() {
            Ok(document) => document,
            Err(error) => {
                let reason = without_quotation(&error.to_string());
                self.report("--config", &shown, reason, "Correct the file.");
                return None;
            }
        };
        for name in unknown_names(&document) {
            let similar = similar_name(&name).map(|similar| similar.name.to_owned());
            let remedy = did_you_mean(similar);
            self.report(&name, &format!("the file {shown}"), "there is no such setting", &remedy);
        }
        Some(SettingsFile { path: shown, names: document.into_keys().collect(), text })
    }

    fn merge_variable(&mut self, variable: &str, text: &str) {
        let sets = |setting: &&Setting| {
            setting.old_variable == Some(variable)
                || setting.variable().as_deref() == Some(variable)
        };
        if let Some(setting) = SETTINGS.iter().find(sets) {
            self.merge_one(setting.name, format!("the environment variable {variable}"), text);
        } else if let Some(meant) = variable.strip_prefix(VARIABLE_PREFIX) {
            let meant = meant.to_ascii_lowercase();
            let (reason, remedy) = match SETTINGS.iter().find(|setting| setting.name == meant) {
                Some(_) => ("it holds more than a variable can", "Set it in a file.".to_owned()),
                None => {
                    let similar = similar_name(&meant).and_then(Setting::variable);
                    ("there is no such setting", did_you_mean(similar))
                }
            };
            self.report(variable, "the environment", reason, &remedy);
        }
    }

    fn merge_one(&mut self, name: &'static str, source: String, text: &str) {
        let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else { return };
        self.merge_value(source, vec![name.to_owned()], setting.kind.value_of(text));
    }

    /// Sets what stands at `path`, over whatever was set before.
    pub(crate) fn merge_value(&mut self, source: String, path: Vec<String>, value: Value) {
        let one = OneSetting { source, path, value };
        self.figment = std::mem::take(&mut self.figment).merge(one);
    }

    /// The value at a path, such as `identity.clerk`.
    pub(crate) fn find(&self, path: &str) -> Option<Value> {
        self.figment.find_value(path).ok()
    }

    /// The value of a setting; `None` and a problem when it is of another kind.
    pub(crate) fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        match self.figment.extract_inner(name) {
            Ok(value) => Some(value),
            Err(error) => {
                let remedy = format!("Write it like this: {}.", default_of(name));
                self.problem(name, reason_of(name, &error.kind), &remedy);
                None
            }
        }
    }

    /// The text of a setting that may be left out.
    pub(crate) fn optional_text(&self, name: &str) -> Option<String> {
        if !self.figment.contains(name) {
            return None;
        }
        self.get::<String>(name).filter(|text| !text.is_empty())
    }

    /// Remembers a problem with the value of a setting.
    pub(crate) fn problem(&self, name: &str, reason: impl Into<String>, remedy: &str) {
        self.report(name, &self.source_of(name), reason, remedy);
    }

    /// Whether nobody set it.
    pub(crate) fn is_default(&self, name: &str) -> bool {
        self.source_of(name) == DEFAULTS
    }

    /// Where a setting got its value.
    pub(crate) fn source_of(&self, name: &str) -> String {
        self.figment.find_metadata(name).map_or(DEFAULTS.to_owned(), |found| found.name.to_string())
    }

    /// Remembers something that may be meant as it is.
    pub(crate) fn warn(&self, warning: String) {
        self.warnings.borrow_mut().push(warning);
    }

    /// What was remembered so.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.warnings.borrow().clone()
    }

    /// Remembers a problem with a setting that is wrong where it was set, or missing there.
    pub(crate) fn report(
        &self,
        setting: &str,
        source: &str,
        reason: impl Into<String>,
        remedy: &str,
    ) {
        self.problems.borrow_mut().push(Problem {
            setting: setting.to_owned(),
            source: source.to_owned(),
            reason: reason.into(),
            remedy: remedy.to_owned(),
        });
    }

    /// Everything that was remembered.
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }
}

/// A configuration file.
struct SettingsFile {
    path: String,
    names: BTreeSet<String>,
    text: String,
}

impl Provider for SettingsFile {
    fn metadata(&self) -> Metadata {
        Metadata::named(format!("the file {}", self.path))
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        Toml::string(&self.text).data()
    }
}

fn default_of(name: &str) -> &'static str {
    let key = name.strip_prefix("tools.").and_then(|it| it.rsplit_once('.'));
    if let Some(key) = key.and_then(|(_, key)| ToolKey::of(key)) {
        return key.kind.example();
    }
    let key = name.strip_prefix("identity.").and_then(|it| it.rsplit_once('.'));
    if let Some(key) = key.and_then(|(_, key)| IdentityKey::of(key)) {
        return key.kind.example();
    }
    let default = SETTINGS.iter().find(|setting| setting.name == name).map(|found| found.default);
    default.filter(|default| !default.is_empty()).unwrap_or("a text")
}

/// What a parser says, without the line it quotes: a password may stand there.
fn without_quotation(message: &str) -> String {
    let said = message.lines().filter(|line| !line.contains('|') && !line.trim().is_empty());
    said.collect::<Vec<_>>().join(", ")
}

/// Why a value is of the wrong kind; of a table without the value, which may be a password.
fn reason_of(name: &str, mismatch: &Mismatch) -> String {
    let table = name.split('.').next().unwrap_or_default();
    let of_table = |setting: &Setting| setting.name == table && setting.kind == Kind::Table;
    match mismatch {
        Mismatch::InvalidType(_, expected) | Mismatch::InvalidValue(_, expected)
            if SETTINGS.iter().any(of_table) =>
        {
            format!("it, or something in it, is not {expected}")
        }
        other => other.to_string(),
    }
}

pub(crate) fn did_you_mean(similar: Option<String>) -> String {
    let question = similar.map(|similar| format!("Did you mean {similar}? "));
    format!("{}See --help for every setting.", question.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn scopes_with(file: &str) -> BTreeMap<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.toml");
        std::fs::write(&path, file).unwrap();
        let arguments = ["mcp-oauth-server", "--config", path.to_str().unwrap()];
        let arguments = Arguments::parse_from(arguments);
        SettingSources::gather(&arguments, &BTreeMap::new()).get("scopes").unwrap()
    }

    #[test]
    fn the_scopes_of_a_file_are_all_there_are() {
        let scopes = scopes_with("[scopes]\n\"files:read\" = \"Read files\"\n");
        assert_eq!(scopes.into_keys().collect::<Vec<_>>(), ["files:read"]);
        assert_eq!(scopes_with("port = 1").into_keys().collect::<Vec<_>>(), ["mcp:tools"]);
    }
}
