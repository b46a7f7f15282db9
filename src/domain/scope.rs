//! Scopes, sets of them, and which scope includes which.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One scope token: printable ASCII without space, `"` and `\` (RFC 6749 §3.3).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope(String);

/// A text that is not a scope token.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a scope is printable ASCII without space, '\"' and '\\' (RFC 6749 §3.3), not {0:?}")]
pub struct InvalidScope(pub String);

/// The scope with which a client asks for a refresh token (OpenID Connect Core §11).
pub const OFFLINE_ACCESS: &str = "offline_access";

impl Scope {
    /// Parses one scope token.
    ///
    /// # Errors
    /// [`InvalidScope`] when it is empty or has a character RFC 6749 §3.3 excludes.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        let allowed = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        if text.is_empty() || !text.bytes().all(allowed) {
            return Err(InvalidScope(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Scope {
    type Error = InvalidScope;

    fn try_from(text: String) -> Result<Self, InvalidScope> {
        Self::parse(&text)
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A set of scopes; its text form is space-delimited and sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScopeSet(BTreeSet<Scope>);

impl ScopeSet {
    /// Parses a space-delimited list; doubled spaces and repetitions are harmless.
    ///
    /// # Errors
    /// [`InvalidScope`] naming the first token that is none.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        text.split(' ').filter(|token| !token.is_empty()).map(Scope::parse).collect()
    }

    /// Whether there is no scope in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the very scope is in it, hierarchy aside.
    #[must_use]
    pub fn contains(&self, scope: &Scope) -> bool {
        self.0.contains(scope)
    }

    /// Whether every scope of `self` is in `other`, hierarchy aside.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// The scopes in order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// The scopes that are in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// The scopes that permit something: `offline_access` only asks for a refresh token.
    #[must_use]
    pub fn permissions(&self) -> Self {
        self.iter().filter(|scope| scope.as_str() != OFFLINE_ACCESS).cloned().collect()
    }

    /// The scopes that are in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl TryFrom<String> for ScopeSet {
    type Error = InvalidScope;

    fn try_from(text: String) -> Result<Self, InvalidScope> {
        Self::parse(&text)
    }
}

impl From<ScopeSet> for String {
    fn from(scopes: ScopeSet) -> Self {
        scopes.to_string()
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

/// Which scope includes which others: a token with `admin` may do what `read` allows when the
/// hierarchy says so (MCP 2026-07-28, authorization, scope challenge handling).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeHierarchy(BTreeMap<Scope, ScopeSet>);

impl ScopeHierarchy {
    /// A hierarchy in which each key includes the scopes beside it, and theirs in turn.
    #[must_use]
    pub fn new(includes: BTreeMap<Scope, ScopeSet>) -> Self {
        Self(includes)
    }

    /// The scopes of `required` that `granted` does not cover.
    #[must_use]
    pub fn missing(&self, granted: &ScopeSet, required: &ScopeSet) -> ScopeSet {
        if required.is_subset(granted) {
            return ScopeSet::default();
        }
        let covered = self.closure(granted);
        required.iter().filter(|scope| !covered.contains(scope)).cloned().collect()
    }

    fn closure(&self, granted: &ScopeSet) -> ScopeSet {
        let mut covered = granted.0.clone();
        let mut pending: Vec<&Scope> = granted.0.iter().collect();
        while let Some(scope) = pending.pop() {
            let included = self.0.get(scope).into_iter().flat_map(ScopeSet::iter);
            pending.extend(included.filter(|scope| covered.insert((*scope).clone())));
        }
        ScopeSet(covered)
    }
}

/// A scope this server grants, and what it lets a client do, in words for the person who consents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeDescription {
    /// The scope.
    pub scope: Scope,
    /// One plain sentence, e.g. "Use the tools of this server on your behalf".
    pub meaning: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> ScopeSet {
        ScopeSet::parse(text).unwrap()
    }

    #[test]
    fn a_set_prints_sorted_and_once() {
        assert_eq!(set("write  read write").to_string(), "read write");
    }

    #[test]
    fn a_token_with_a_quote_is_refused() {
        assert_eq!(ScopeSet::parse("read a\"b"), Err(InvalidScope("a\"b".into())));
    }

    #[test]
    fn rs_12_a_broader_scope_covers_what_it_includes() {
        let includes = [("admin", "write"), ("write", "read")];
        let hierarchy = ScopeHierarchy::new(
            includes.map(|(scope, of)| (Scope::parse(scope).unwrap(), set(of))).into(),
        );
        assert!(hierarchy.missing(&set("admin"), &set("read")).is_empty());
        assert_eq!(hierarchy.missing(&set("read"), &set("read admin")), set("admin"));
    }

    #[test]
    fn a_cyclic_hierarchy_ends() {
        let includes = [("a", "b"), ("b", "a")];
        let hierarchy = ScopeHierarchy::new(
            includes.map(|(scope, of)| (Scope::parse(scope).unwrap(), set(of))).into(),
        );
        assert_eq!(hierarchy.missing(&set("a"), &set("b c")), set("c"));
    }
}
