//! Checks that what is committed about the defaults is what the defaults are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use figment::Figment;
use figment::providers::{Format, Toml};
use figment::value::Dict;
use mcp_oauth_identity::Vendor;
use mcp_oauth_tools::BuiltinCatalog;

use clap::Parser;

use crate::arguments::Arguments;
use crate::configuration_schema::schema;
use crate::identity_table::{IdentityKey, KEYS};
use crate::log_audit::LogAudit;
use crate::setting_table::{SETTINGS, defaults, unknown_names};
use crate::settings::{Settings, StoreChoice};
use crate::store::Stores;
use crate::tool_table::TOOL_KEYS;
use crate::wiring;

/// The commented profiles, by the name of their provider.
const PROFILES: [(&str, &str); 9] = [
    ("clerk", include_str!("../../../config/clerk.toml")),
    ("auth0", include_str!("../../../config/auth0.toml")),
    ("keycloak", include_str!("../../../config/keycloak.toml")),
    ("okta", include_str!("../../../config/okta.toml")),
    ("entra", include_str!("../../../config/entra.toml")),
    ("cognito", include_str!("../../../config/cognito.toml")),
    ("google", include_str!("../../../config/google.toml")),
    ("authentik", include_str!("../../../config/authentik.toml")),
    ("oidc", include_str!("../../../config/oidc.toml")),
];

fn parsed(text: &str) -> Dict {
    Figment::from(Toml::string(text)).extract().unwrap()
}

/// Reads settings from one file with `text`; what is wrong with it.
fn read(text: &str) -> Result<Settings, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.toml");
    std::fs::write(&path, text).unwrap();
    let arguments = Arguments::parse_from(["mcp-oauth-server", "--config", path.to_str().unwrap()]);
    Settings::read(&arguments, &BTreeMap::new())
        .map_err(|refused| refused.problems.0.iter().map(ToString::to_string).collect())
}

fn default_settings() -> Settings {
    Settings::read(&Arguments::default(), &BTreeMap::new()).unwrap()
}

#[tokio::test]
async fn the_committed_openapi_document_is_the_served_one() {
    let settings = default_settings();
    let stores = Stores::open(&StoreChoice::Memory).await.unwrap();
    let catalog = BuiltinCatalog::demo(settings.policy.scopes.default.clone()).unwrap();
    let address = wiring::public_address(&settings, settings.port).unwrap();
    let wired =
        wiring::wire(&settings, address, &stores, Arc::new(catalog), Arc::new(LogAudit)).unwrap();
    let served = format!("{:#}\n", mcp_oauth_http::openapi_document(&wired.use_cases));
    let committed = include_str!("../../../openapi/openapi.json");
    assert!(
        committed == served,
        "the document has changed: run the server and `curl -s http://localhost:8000/openapi.json > openapi/openapi.json`"
    );
}

#[test]
fn the_commented_configuration_is_that_of_the_defaults() {
    let committed = include_str!("../../../config/dev.toml");
    let (ours, documented) = (parsed(&defaults()), parsed(committed));
    assert_eq!(unknown_names(&documented), Vec::<String>::new());
    for setting in &SETTINGS {
        let starts = [format!("{} =", setting.name), format!("# {} =", setting.name)];
        let heading = format!("[{}]", setting.name);
        let is_there = |line: &str| {
            line == heading || starts.iter().any(|start| line.starts_with(start.as_str()))
        };
        assert!(committed.lines().any(is_there), "config/dev.toml lacks {}", setting.name);
        if let Some(default) = ours.get(setting.name) {
            let given = documented.get(setting.name);
            assert_eq!(given, Some(default), "config/dev.toml differs in {}", setting.name);
        }
    }
}

#[test]
fn the_tool_in_the_readme_is_the_example() {
    let example = include_str!("../examples/own_tool.rs");
    let readme = include_str!("../../../README.md");
    let (_, shown) = readme.split_once("```rust\n").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    for line in shown.lines() {
        assert!(example.contains(line), "examples/own_tool.rs has no line {line:?}");
    }
}

#[test]
fn the_committed_schema_is_that_of_the_tables() {
    let committed = include_str!("../../../config/schema.json");
    assert!(
        committed == format!("{:#}\n", schema()),
        "the settings have changed: `cargo run -- schema > config/schema.json`"
    );
}

#[test]
fn every_choice_of_the_schema_is_one_and_nothing_else_is() {
    for setting in SETTINGS.iter().filter(|setting| !setting.choices.is_empty()) {
        let refused = |choice: &str| {
            let problems = read(&format!("{} = \"{choice}\"\n", setting.name)).err();
            problems.unwrap_or_default().join("\n").contains("is not supported")
        };
        assert!(refused("something else"), "{}", setting.name);
        for choice in setting.choices {
            assert!(!refused(choice), "{} = {choice}", setting.name);
        }
    }
    for key in KEYS.iter().filter(|key| !key.choices().is_empty()) {
        let refused = |choice: &str| {
            let head =
                "provider = \"oidc\"\nauthorization_server = \"provider\"\n[identity.oidc]\n";
            let problems = read(&format!("{head}{} = \"{choice}\"\n", key.name)).err();
            problems.unwrap_or_default().join("\n").contains("is not supported")
        };
        assert!(refused("something else"), "{}", key.name);
        for choice in key.choices() {
            assert!(!refused(choice), "{} = {choice}", key.name);
        }
    }
}

#[test]
fn every_vendor_has_a_profile_that_works_once_it_is_filled_in() {
    let named: Vec<&str> = PROFILES.iter().map(|(name, _)| *name).collect();
    let vendors: Vec<&str> = Vendor::ALL.iter().map(|vendor| vendor.name()).collect();
    assert_eq!(
        BTreeSet::from_iter(named.clone()),
        BTreeSet::from_iter(vendors),
        "config/NAME.toml"
    );
    for (name, profile) in PROFILES {
        assert!(profile.starts_with("#:schema ./schema.json\n"), "{name}");
        assert_eq!(unknown_names(&parsed(profile)), Vec::<String>::new(), "{name}");
        let values = profile.lines().filter(|it| !it.starts_with('#') && it.contains("FILL_IN"));
        let values = values.count();
        assert!((2..=4).contains(&values), "{name}");
        let refused = read(profile).unwrap_err();
        assert_eq!(refused.len(), values, "{name}: {refused:?}");
        assert!(refused.iter().all(|it| it.contains("is the placeholder")), "{name}: {refused:?}");
        let settings = read(&profile.replace("FILL_IN", "mine")).unwrap();
        // Nobody but the operator can say whom to let in, and there it is a line to uncomment.
        let [everybody] = settings.warnings.as_slice() else { panic!("{:?}", settings.warnings) };
        assert!(everybody.starts_with("everybody who has an account at"), "{everybody}");
        let listed = format!("{profile}\nallowed_groups = [\"staff\"]\n");
        let settings = read(&listed.replace("FILL_IN", "mine")).unwrap();
        assert_eq!(settings.warnings, Vec::<String>::new(), "{name}");
        let [provider] = settings.providers() else { panic!("{name}") };
        assert_eq!(provider.config.name.as_str(), name);
    }
}

#[test]
fn what_a_profile_has_commented_out_is_known_too() {
    for (name, profile) in PROFILES {
        for line in profile.lines().filter_map(|line| line.strip_prefix("# ")) {
            let Some((key, value)) = line.split_once(" = ") else { continue };
            if key.contains(' ') || value.is_empty() {
                continue;
            }
            let is_known = IdentityKey::of(key).is_some()
                || SETTINGS.iter().any(|setting| setting.name == key);
            assert!(is_known, "config/{name}.toml: {key}");
        }
    }
}

#[test]
fn every_configuration_file_fits_the_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let dev = ("dev", include_str!("../../../config/dev.toml"));
    for (name, profile) in PROFILES.into_iter().chain([dev]) {
        let document = serde_json::to_value(parsed(profile)).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "config/{name}.toml");
    }
    for wrong in ["prot = 1", "port = \"x\"", "[identity.a]\nisuer = \"\"", "provider = 1"] {
        let document = serde_json::to_value(parsed(wrong)).unwrap();
        assert!(!validator.is_valid(&document), "{wrong}");
    }
}

#[test]
fn the_reference_of_providers_has_every_key_and_no_other() {
    let rows = rows(include_str!("../../../docs/providers.md"));
    let keys: BTreeSet<&str> = KEYS.iter().map(|key| key.name).collect();
    assert_eq!(rows, keys, "docs/providers.md");
}

#[test]
fn the_reference_of_tools_has_every_key_and_no_other() {
    let names = |keys: Vec<&'static str>| BTreeSet::from_iter(keys);
    let keys = names(TOOL_KEYS.iter().map(|key| key.name).collect());
    assert_eq!(rows(include_str!("../../../docs/tools.md")), keys, "docs/tools.md");
}

/// What the rows of a document's tables begin with.
fn rows(document: &str) -> BTreeSet<&str> {
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split_once('`')).map(|(key, _)| key).collect()
}

#[test]
fn what_the_document_of_tools_shows_is_a_configuration() {
    let document = include_str!("../../../docs/tools.md");
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let blocks: Vec<&str> = document.split("```toml\n").skip(1).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        let (block, _) = block.split_once("```").unwrap();
        let document = serde_json::to_value(parsed(block)).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&document).map(|it| it.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{block}");
        read(block).unwrap();
    }
}
