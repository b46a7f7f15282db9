//! Reading the keys of a table such as `[identity.NAME]` or `[tools.NAME]`.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use crate::settings::Reader;

/// What the commented profiles have in the place of a value.
pub(crate) const PLACEHOLDER: &str = "FILL_IN";

/// The keys of one table; each method reports its own problems.
pub(crate) trait SettingGroup {
    /// What reads.
    fn reader(&self) -> &Reader<'_>;

    /// The whole name of a key.
    fn path(&self, key: &str) -> String;

    /// Remembers a problem with the value of a key.
    fn problem(&self, key: &str, reason: impl Into<String>, remedy: &str) {
        self.reader().0.problem(&self.path(key), reason, remedy);
    }

    /// Whether somebody set it.
    fn is_set(&self, key: &str) -> bool {
        self.reader().0.find(&self.path(key)).is_some()
    }

    /// A text; `Some(None)` when it is left out or empty.
    fn text(&self, key: &str) -> Option<Option<String>> {
        if !self.is_set(key) {
            return Some(None);
        }
        let text: String = self.reader().0.get(&self.path(key))?;
        if text.contains(PLACEHOLDER) {
            self.problem(key, "it is the placeholder of the profile", "Put your own value there.");
            return None;
        }
        Some(Some(text).filter(|text| !text.is_empty()))
    }

    /// A list; empty when it is left out.
    fn list(&self, key: &str) -> Option<Vec<String>> {
        if !self.is_set(key) {
            return Some(Vec::new());
        }
        let items: Vec<String> = self.reader().0.get(&self.path(key))?;
        if items.iter().any(|item| item.is_empty() || item.contains(PLACEHOLDER)) {
            self.problem(key, "an item is empty, or a placeholder", "Put your own values there.");
            return None;
        }
        Some(items)
    }

    /// Texts by their names; none when it is left out.
    fn texts(&self, key: &str) -> Option<BTreeMap<String, String>> {
        if !self.is_set(key) {
            return Some(BTreeMap::new());
        }
        self.reader().0.get(&self.path(key))
    }

    /// Yes or no; `Some(None)` when it is left out.
    fn switch(&self, key: &str) -> Option<Option<bool>> {
        if !self.is_set(key) {
            return Some(None);
        }
        self.reader().0.get(&self.path(key)).map(Some)
    }

    /// A number within bounds; `Some(None)` when it is left out.
    fn number(&self, key: &str, least: u64, most: u64) -> Option<Option<u64>> {
        if !self.is_set(key) {
            return Some(None);
        }
        self.reader().number(&self.path(key), least, most).map(Some)
    }

    /// One of a few words; `Some(None)` when it is left out.
    fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Option<Option<T>> {
        if !self.is_set(key) {
            return Some(None);
        }
        self.reader().one_of(&self.path(key), choices).map(Some)
    }

    /// A key and its file.
    fn secret(&self, key: &str) -> Option<Option<SecretString>> {
        self.text(key)?;
        self.text(&format!("{key}_file"))?;
        let secret = self.reader().secret(&self.path(key))?;
        if secret.as_ref().is_some_and(|secret| secret.expose_secret().is_empty()) {
            self.problem(&format!("{key}_file"), "the file is empty", "Put the secret into it.");
            return None;
        }
        Some(secret)
    }
}
