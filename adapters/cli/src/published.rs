//! Checks that what is committed about the defaults is what the defaults are.

use std::collections::BTreeMap;
use std::sync::Arc;

use figment::Figment;
use figment::providers::{Format, Toml};
use figment::value::Dict;
use mcp_oauth_tools::BuiltinCatalog;

use crate::arguments::Arguments;
use crate::log_audit::LogAudit;
use crate::setting_table::{SETTINGS, defaults, unknown_names};
use crate::settings::{Settings, StoreChoice};
use crate::store::Stores;
use crate::wiring;

fn default_settings() -> Settings {
    Settings::read(&Arguments::default(), &BTreeMap::new()).unwrap()
}

#[tokio::test]
async fn the_committed_openapi_document_is_the_served_one() {
    let settings = default_settings();
    let stores = Stores::open(&StoreChoice::Memory).await.unwrap();
    let catalog = BuiltinCatalog::demo(settings.policy.scopes.default.clone()).unwrap();
    let address = wiring::public_address(&settings, settings.port).unwrap();
    let (use_cases, _) =
        wiring::use_cases(&settings, address, &stores, Arc::new(catalog), Arc::new(LogAudit));
    let served = format!("{:#}\n", mcp_oauth_http::openapi_document(&use_cases));
    let committed = include_str!("../../../openapi/openapi.json");
    assert!(
        committed == served,
        "the document has changed: run the server and `curl -s http://localhost:8000/openapi.json > openapi/openapi.json`"
    );
}

#[test]
fn the_commented_configuration_is_that_of_the_defaults() {
    let committed = include_str!("../../../config/dev.toml");
    let parse = |text: &str| Figment::from(Toml::string(text)).extract::<Dict>().unwrap();
    let (ours, documented) = (parse(&defaults()), parse(committed));
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
