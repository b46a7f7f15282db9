//! What a caller needs to use a tool, a prompt or a resource (MCP authorization, scopes; RFC 9068
//! §2.2.3 for groups and roles).

use std::collections::BTreeSet;
use std::fmt;

use super::principal::Principal;
use super::scope::{ScopeHierarchy, ScopeSet};

/// What a caller needs beside a good token. The empty one lets everybody pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requirement {
    /// Every one of these scopes, or scopes that include them.
    pub scope: ScopeSet,
    /// Every one of these permissions of the provider.
    pub permissions: BTreeSet<String>,
    /// Of each of these sets at least one group or role.
    pub groups: Vec<BTreeSet<String>>,
}

/// What a caller lacks that no other token of the same person and client would have: the provider
/// says who has which permission, and who is in which group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// These permissions.
    Permissions(BTreeSet<String>),
    /// One of these groups or roles.
    Group(BTreeSet<String>),
}

impl Requirement {
    /// These scopes and nothing else.
    #[must_use]
    pub fn scope(scope: ScopeSet) -> Self {
        Self { scope, ..Self::default() }
    }

    /// This and `other`, both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            scope: self.scope.union(&other.scope),
            permissions: self.permissions.union(&other.permissions).cloned().collect(),
            groups: [self.groups.as_slice(), &other.groups].concat(),
        }
    }

    /// Whether whoever meets this meets `other` as well, as far as both say it with the same words.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.scope.is_subset(&self.scope)
            && other.permissions.is_subset(&self.permissions)
            && other.groups.iter().all(|groups| self.groups.contains(groups))
    }

    /// The scopes that the caller's token does not cover.
    #[must_use]
    pub fn missing_scope(&self, caller: &Principal, hierarchy: &ScopeHierarchy) -> ScopeSet {
        hierarchy.missing(&caller.scopes, &self.scope)
    }

    /// What the caller lacks beside scopes.
    #[must_use]
    pub fn lack(&self, caller: &Principal) -> Option<Lack> {
        let missing: BTreeSet<String> =
            self.permissions.difference(&caller.permissions).cloned().collect();
        if !missing.is_empty() {
            return Some(Lack::Permissions(missing));
        }
        let lacking = self.groups.iter().find(|wanted| wanted.is_disjoint(&caller.groups));
        lacking.cloned().map(Lack::Group)
    }

    /// Whether the caller may pass.
    #[must_use]
    pub fn is_met(&self, caller: &Principal, hierarchy: &ScopeHierarchy) -> bool {
        self.missing_scope(caller, hierarchy).is_empty() && self.lack(caller).is_none()
    }
}

/// Words for whoever asks why a request was refused.
impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, names) = match self {
            Self::Permissions(names) => ("the permissions", names),
            Self::Group(names) => ("one of the groups or roles", names),
        };
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        write!(f, "{what} {}", names.join(", "))
    }
}
