//! Which crate may depend on which.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

const CORE: &str = "mcp-oauth-core";
const PROGRAM: &str = "mcp-oauth-server";

/// What the core may use: values, errors, hashes. No framework, database, HTTP client or runtime.
const CORE_MAY_USE: [&str; 14] = [
    "async-trait",
    "base64",
    "hmac",
    "ipnet",
    "mockall",
    "percent-encoding",
    "secrecy",
    "serde",
    "serde_json",
    "sha2",
    "subtle",
    "thiserror",
    "tracing",
    "url",
];

/// Every dependency of every package of the workspace: normal, optional and for building. Those for
/// tests count as well, except for the core's, whose tests drive the adapters.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().map(|package| (name(package), names_of_dependencies(package))).collect()
}

fn names_of_dependencies(package: &Value) -> BTreeSet<String> {
    let is_core = name(package) == CORE;
    let counts = |dependency: &&Value| !(is_core && dependency["kind"] == "dev");
    package["dependencies"].as_array().unwrap().iter().filter(counts).map(name).collect()
}

fn name(value: &Value) -> String {
    value["name"].as_str().unwrap().to_owned()
}

#[test]
fn the_core_uses_no_framework() {
    let allowed = CORE_MAY_USE.map(str::to_owned).into();
    let used = &dependencies()[CORE];
    assert!(used.is_subset(&allowed), "{:?}", used.difference(&allowed));
}

#[test]
fn only_the_program_knows_more_than_one_adapter() {
    let dependencies = dependencies();
    let adapters: BTreeSet<_> = dependencies.keys().filter(|name| *name != CORE).cloned().collect();
    assert!(adapters.len() >= 8, "{adapters:?}");
    for (package, used) in &dependencies {
        let adapters_used: Vec<_> = used.intersection(&adapters).collect();
        assert!(package == PROGRAM || adapters_used.is_empty(), "{package} uses {adapters_used:?}");
    }
}

/// Every crate that is built, for tests too. The lock file lists more: what optional features that
/// nobody asked for would need.
fn built_crates() -> String {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--edges", "all", "--prefix", "none", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn there_is_one_tls_provider() {
    let built = built_crates();
    let is_built = |name: &str| built.lines().any(|line| line.starts_with(&format!("{name} v")));
    assert!(is_built("aws-lc-rs"));
    assert!(!is_built("ring"), "ring and aws-lc-rs together make rustls panic");
}
