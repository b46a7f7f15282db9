//! The settings about abuse: whose word about the origin of a request counts, and how often things
//! may be done.

use std::collections::BTreeMap;

use mcp_oauth_core::domain::client_address::TrustedProxies;
use mcp_oauth_core::domain::limit::{Budget, InvalidBudget, LimitPolicy, LimitedAction};
use serde::Deserialize;

use crate::setting_sources::SettingSources;

/// The budget of one action, as configured.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BudgetSetting {
    burst: i64,
    per_minute: i64,
}

impl BudgetSetting {
    fn budget(&self) -> Result<Budget, InvalidBudget> {
        let number = |number: i64| u32::try_from(number).map_err(|_| InvalidBudget);
        Budget::new(number(self.burst)?, number(self.per_minute)?)
    }
}

/// The proxies to trust.
pub(crate) fn trusted_proxies(sources: &SettingSources) -> Option<TrustedProxies> {
    const NAME: &str = "trusted_proxies";
    let spelled: Vec<String> = sources.get(NAME)?;
    let mut proxies = TrustedProxies::default();
    for proxy in &spelled {
        match proxies.clone().with(proxy) {
            Ok(with_it) => proxies = with_it,
            Err(error) => {
                let remedy =
                    "Name the addresses your reverse proxy connects from, e.g. 10.0.0.0/8.";
                sources.problem(NAME, format!("{proxy:?}: {error}"), remedy);
            }
        }
    }
    Some(proxies)
}

/// How often things may be done; `Some(None)` when there are to be no limits.
pub(crate) fn limits(sources: &SettingSources) -> Option<Option<LimitPolicy>> {
    let switched_on = sources.get::<bool>("limits");
    let policy = policy(sources);
    Some(Some(policy?).filter(|_| switched_on != Some(false)))
}

/// Actions that a table leaves out keep their defaults.
fn policy(sources: &SettingSources) -> Option<LimitPolicy> {
    const NAME: &str = "request_limits";
    let configured: BTreeMap<String, BudgetSetting> = sources.get(NAME)?;
    let mut policy = LimitPolicy::default();
    for (name, budget) in &configured {
        let Some(action) = LimitedAction::from_name(name) else {
            let names = LimitedAction::ALL.map(LimitedAction::name).join(", ");
            let remedy = format!("Limited are {names}.");
            sources.problem(NAME, format!("nothing is limited by the name {name:?}"), &remedy);
            continue;
        };
        match budget.budget() {
            Ok(budget) => policy = policy.with(action, budget),
            Err(error) => {
                let remedy =
                    "Write { burst = 30, per_minute = 60 }; limits = false lifts them all.";
                sources.problem(NAME, format!("{name}: {error}"), remedy);
            }
        }
    }
    Some(policy)
}

#[cfg(test)]
mod tests {
    use crate::arguments::Arguments;

    use super::*;

    fn sources(variables: &[(&str, &str)]) -> SettingSources {
        let variable = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        let environment = variables.iter().map(variable).collect();
        SettingSources::gather(&Arguments::default(), &environment)
    }

    #[test]
    fn the_documented_budgets_are_those_of_the_core() {
        let documented: BTreeMap<String, BudgetSetting> =
            sources(&[]).get("request_limits").unwrap();
        assert_eq!(documented.len(), LimitedAction::ALL.len());
        for action in LimitedAction::ALL {
            let budget = documented[action.name()].budget().unwrap();
            assert_eq!(budget, LimitPolicy::default().budget(action), "{}", action.name());
        }
        assert_eq!(limits(&sources(&[])), Some(Some(LimitPolicy::default())));
    }

    #[test]
    fn one_switch_lifts_every_limit() {
        assert_eq!(limits(&sources(&[("MCP_OAUTH_LIMITS", "false")])), Some(None));
    }

    #[test]
    fn co_03_proxies_are_named_in_the_environment_too() {
        let named = sources(&[("MCP_OAUTH_TRUSTED_PROXIES", "10.0.0.0/8, ::1")]);
        let expected = TrustedProxies::default().with("10.0.0.0/8").unwrap().with("::1").unwrap();
        assert_eq!(trusted_proxies(&named), Some(expected));
        assert_eq!(named.into_problems().len(), 0);
    }
}
