//! Which providers were chosen, and the environment variables about them.

use std::collections::BTreeMap;

use figment::value::{Dict, Value};
use mcp_oauth_core::domain::provider::ProviderName;
use mcp_oauth_identity::Vendor;

use crate::identity_table::{IdentityKey, from_variable};
use crate::setting_sources::{SettingSources, did_you_mean};
use crate::setting_table::OLD_CLIENT_SECRET;
use crate::vendor_facts::{variable_prefix, vendor_names};

/// The name of the provider that logs people in by itself.
pub(crate) const DEV: &str = "dev";

/// Who logs people in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The people in `dev_users`.
    Dev,
    /// These providers; never none.
    Providers(Vec<ChosenProvider>),
}

/// A provider that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChosenProvider {
    pub(crate) name: ProviderName,
    pub(crate) vendor: Vendor,
}

/// Reads the choice; `None` and a problem when it is none.
pub(crate) fn choice(sources: &SettingSources) -> Option<Choice> {
    let setting = setting_that_chooses(sources);
    let names = names(sources)?;
    if setting == "providers" && !sources.is_default("provider") {
        let reason = "provider is set as well";
        sources.problem(
            "providers",
            reason,
            "Set one of the two: provider names one, providers several.",
        );
        return None;
    }
    if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        sources.problem(setting, format!("{:?} is there twice", twice.1), "Name it once.");
        return None;
    }
    if names.iter().any(|name| name == DEV) {
        if names.len() == 1 {
            return Some(Choice::Dev);
        }
        let reason = "dev stands beside others, and its passwords are no protection";
        sources.problem(setting, reason, "Leave dev out, or use it alone.");
        return None;
    }
    let chosen: Vec<Option<ChosenProvider>> =
        names.iter().map(|name| chosen(sources, setting, name)).collect();
    chosen.into_iter().collect::<Option<Vec<_>>>().map(Choice::Providers)
}

/// The setting that names the providers.
pub(crate) fn setting_that_chooses(sources: &SettingSources) -> &'static str {
    let listed = sources.find("providers");
    let several = listed.is_some_and(|it| it.as_array().is_none_or(|names| !names.is_empty()));
    if several { "providers" } else { "provider" }
}

fn names(sources: &SettingSources) -> Option<Vec<String>> {
    match setting_that_chooses(sources) {
        "providers" => sources.get("providers"),
        _ => sources.get::<String>("provider").map(|name| vec![name]),
    }
}

fn chosen(sources: &SettingSources, setting: &str, name: &str) -> Option<ChosenProvider> {
    let parsed = match ProviderName::parse(name) {
        Ok(parsed) => parsed,
        Err(error) => {
            sources.problem(setting, error.to_string(), "Rename it, here and in [identity.NAME].");
            return None;
        }
    };
    let Some(kind) = kind(sources, name) else {
        let known = Vendor::ALL.map(Vendor::name);
        let nearest =
            known.into_iter().min_by_key(|known| strsim::damerau_levenshtein(known, name));
        let nearest = nearest.filter(|known| strsim::damerau_levenshtein(known, name) <= 2);
        let question = nearest.map(|known| format!("Did you mean {known}? ")).unwrap_or_default();
        let said = sources.find(&format!("identity.{name}.kind"));
        let reason = match (sources.find(&format!("identity.{name}")), said) {
            (_, Some(_)) => format!("the kind in [identity.{name}] is not supported"),
            (Some(_), None) => format!("[identity.{name}] does not say of which kind it is"),
            (None, None) => {
                format!("{name:?} is not supported, and no [identity.{name}] describes it")
            }
        };
        let remedy = format!(
            "{question}Use dev, {}; or describe it in [identity.{name}], with kind = one of these.",
            vendor_names()
        );
        sources.problem(setting, reason, &remedy);
        return None;
    };
    Some(ChosenProvider { name: parsed, vendor: kind })
}

/// What kind of provider a name stands for.
fn kind(sources: &SettingSources, name: &str) -> Option<Vendor> {
    let said = sources.find(&format!("identity.{name}.kind"));
    Vendor::from_name(said.as_ref().map_or(Some(name), Value::as_str)?)
}

/// Every table `[identity.NAME]`, chosen or not.
pub(crate) fn tables(sources: &SettingSources) -> Vec<(String, Dict)> {
    let identity = sources.find("identity").and_then(Value::into_dict).unwrap_or_default();
    identity.into_iter().filter_map(|(name, table)| Some((name, table.into_dict()?))).collect()
}

/// Sets what environment variables say of the chosen providers, over what files say of them; warns of
/// those that say nothing.
pub(crate) fn merge_variables(
    sources: &mut SettingSources,
    environment: &BTreeMap<String, String>,
) {
    let chosen = quietly_chosen(sources);
    merge_old_client_secret(sources, &chosen, environment);
    // In the order of the names, so that AUTH0_DOMAIN gives way to AUTH0_ISSUER.
    for (variable, text) in environment.iter().filter(|(_, text)| !text.is_empty()) {
        let family = |vendor: &Vendor| variable.starts_with(&variable_prefix(*vendor));
        if let Some(vendor) = Vendor::ALL.into_iter().find(family) {
            merge_variable(sources, &chosen, vendor, (variable, text));
        }
    }
}

/// The demonstration's name for the secret of its one provider; every other variable wins over it.
fn merge_old_client_secret(
    sources: &mut SettingSources,
    chosen: &[(String, Vendor)],
    environment: &BTreeMap<String, String>,
) {
    let Some(text) = environment.get(OLD_CLIENT_SECRET) else { return };
    let unused = |why: String| format!("{OLD_CLIENT_SECRET} is set and not used{why}");
    let [(name, vendor)] = chosen else {
        return sources.warn(unused(String::new()));
    };
    let prefix = variable_prefix(*vendor);
    let by_variable = ["CLIENT_SECRET", "CLIENT_SECRET_FILE"].map(|it| format!("{prefix}{it}"));
    let is_there = |it: &&String| environment.get(*it).is_some_and(|text| !text.is_empty());
    if let Some(variable) = by_variable.iter().find(is_there) {
        return sources.warn(unused(format!(": {variable} is set, too")));
    }
    // A variable of so common a name may be another program's.
    let by_file = ["client_secret_file", "public_client"];
    let path = |key: &str| format!("identity.{name}.{key}");
    if let Some(key) = by_file.into_iter().find(|key| sources.find(&path(key)).is_some()) {
        return sources.warn(unused(format!(": {} is set, too", path(key))));
    }
    if !text.is_empty() {
        set(sources, OLD_CLIENT_SECRET, (name, "client_secret"), Value::from(text.as_str()));
    }
}

/// The choice, whatever else is wrong with it.
fn quietly_chosen(sources: &SettingSources) -> Vec<(String, Vendor)> {
    let named = sources.find(setting_that_chooses(sources));
    let names: Vec<String> = match named {
        Some(Value::String(_, name)) => vec![name],
        Some(Value::Array(_, names)) => names.into_iter().filter_map(Value::into_string).collect(),
        _ => Vec::new(),
    };
    let of_kind = |name: String| kind(sources, &name).map(|kind| (name, kind));
    names.into_iter().filter_map(of_kind).collect()
}

fn merge_variable(
    sources: &mut SettingSources,
    chosen: &[(String, Vendor)],
    vendor: Vendor,
    (variable, text): (&String, &String),
) {
    let rest = variable.split_once('_').map_or("", |(_, rest)| rest);
    let meant: Vec<&String> =
        chosen.iter().filter(|(_, kind)| *kind == vendor).map(|(name, _)| name).collect();
    let own_name = meant.iter().find(|name| name.as_str() == vendor.name());
    match (from_variable(vendor, rest, text), meant.as_slice()) {
        // Other programs use these families, too.
        (None, []) => {}
        (None, _) => {
            let meant = similar_variable(vendor, rest);
            sources.warn(format!("{variable} is set and not used: {}", did_you_mean(meant)));
        }
        (Some(_), []) => {
            let reason = format!("{} is not among the providers", vendor.name());
            sources.warn(format!("{variable} is set and not used: {reason}"));
        }
        (Some((key, value)), [name]) => set(sources, variable, (name, key), value),
        (Some((key, value)), _) if own_name.is_some() => {
            set(sources, variable, (vendor.name(), key), value);
        }
        (Some((key, _)), [first, ..]) => {
            let reason = "it could be meant for more than one of the providers";
            let remedy = format!("Set {key} in [identity.{first}] and the others.");
            sources.report(variable, "the environment", reason, &remedy);
        }
    }
}

fn set(sources: &mut SettingSources, variable: &str, (name, key): (&str, &str), value: Value) {
    let path = vec!["identity".to_owned(), name.to_owned(), key.to_owned()];
    sources.merge_value(format!("the environment variable {variable}"), path, value);
}

fn similar_variable(vendor: Vendor, rest: &str) -> Option<String> {
    let key = IdentityKey::similar(&rest.to_ascii_lowercase())?;
    Some(format!("{}{}", variable_prefix(vendor), key.to_ascii_uppercase()))
}
