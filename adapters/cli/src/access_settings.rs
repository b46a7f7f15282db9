//! The settings about scopes, and about who may use what of the catalog.

use std::collections::{BTreeMap, BTreeSet};

use mcp_oauth_core::domain::access_rule::{AccessRule, AccessRules, Pattern};
use mcp_oauth_core::domain::requirement::Requirement;
use mcp_oauth_core::domain::scope::{Scope, ScopeDescription, ScopeHierarchy, ScopeSet};
use mcp_oauth_core::service::policy::{CatalogPolicy, ScopePolicy};
use serde::Deserialize;

use crate::settings::Reader;

/// One table `[[access_rules]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RuleTable {
    tools: Vec<String>,
    prompts: Vec<String>,
    resources: Vec<String>,
    scopes: Vec<String>,
    permissions: BTreeSet<String>,
    groups: BTreeSet<String>,
    roles: BTreeSet<String>,
}

impl Reader<'_> {
    pub(crate) fn scopes(&self) -> Option<ScopePolicy> {
        let meanings: BTreeMap<String, String> = self.0.get("scopes")?;
        let default: Vec<String> = self.0.get("default_scopes")?;
        let mut supported = Vec::new();
        for (name, meaning) in meanings {
            match Scope::parse(&name) {
                Ok(scope) => supported.push(ScopeDescription { scope, meaning }),
                Err(error) => self.0.problem("scopes", error.to_string(), "Rename the scope."),
            }
        }
        if default.is_empty() {
            let reason = "a token without scope allows nothing";
            self.0.problem("default_scopes", reason, "Name at least one scope.");
        }
        let default = self.known_scopes("default_scopes", &default, &supported);
        let hierarchy = self.hierarchy(&supported);
        Some(ScopePolicy { supported, default: default?, hierarchy: hierarchy? })
    }

    fn hierarchy(&self, supported: &[ScopeDescription]) -> Option<ScopeHierarchy> {
        let tables: BTreeMap<String, Vec<String>> = self.0.get("scope_includes")?;
        let mut includes = BTreeMap::new();
        for (scope, included) in tables {
            let one = self.known_scopes("scope_includes", &[scope], supported);
            let included = self.known_scopes("scope_includes", &included, supported);
            includes.extend(one?.iter().cloned().zip(included));
        }
        Some(ScopeHierarchy::new(includes))
    }

    /// Scopes that somebody can be granted.
    fn known_scopes(
        &self,
        setting: &str,
        names: &[String],
        supported: &[ScopeDescription],
    ) -> Option<ScopeSet> {
        let is_known = |name: &&String| supported.iter().any(|it| it.scope.as_str() == **name);
        if let Some(unknown) = names.iter().find(|name| !is_known(name)) {
            let reason = format!("{unknown:?} is not among the scopes");
            self.0.problem(setting, reason, "Add it to [scopes] with its meaning.");
            return None;
        }
        Some(names.iter().filter_map(|name| Scope::parse(name).ok()).collect())
    }

    pub(crate) fn catalog_policy(&self, scopes: Option<&ScopePolicy>) -> Option<CatalogPolicy> {
        let list_everything = self.0.get("list_everything");
        let tables: Vec<RuleTable> = self.0.get("access_rules")?;
        let rules: Vec<_> = tables.iter().map(|table| self.rule(table, scopes)).collect();
        let rules = AccessRules(rules.into_iter().collect::<Option<_>>()?);
        Some(CatalogPolicy { rules, list_everything: list_everything? })
    }

    fn rule(&self, table: &RuleTable, scopes: Option<&ScopePolicy>) -> Option<AccessRule> {
        const SETTING: &str = "access_rules";
        let patterns = |texts: &[String]| texts.iter().map(Pattern::new).collect::<Vec<_>>();
        let (tools, prompts) = (patterns(&table.tools), patterns(&table.prompts));
        let resources = patterns(&table.resources);
        if tools.is_empty() && prompts.is_empty() && resources.is_empty() {
            let reason = "a rule is about nothing";
            self.0.problem(SETTING, reason, "Name tools, prompts or resources; \"*\" is all.");
        }
        let requirement = self.requirement(SETTING, &table.scopes, scopes)?;
        let groups = [&table.groups, &table.roles].into_iter().filter(|set| !set.is_empty());
        let requirement = Requirement {
            permissions: table.permissions.clone(),
            groups: groups.cloned().collect(),
            ..requirement
        };
        if requirement == Requirement::default() {
            let reason = "a rule demands nothing";
            self.0.problem(SETTING, reason, "Name scopes, permissions, groups or roles.");
        }
        Some(AccessRule { tools, prompts, resources, requirement })
    }

    /// These scopes, which somebody must be able to get.
    pub(crate) fn requirement(
        &self,
        setting: &str,
        names: &[String],
        scopes: Option<&ScopePolicy>,
    ) -> Option<Requirement> {
        let known = self.known_scopes(setting, names, &scopes?.supported)?;
        Some(Requirement::scope(known))
    }
}
