//! `tests/README.md` maps requirement ids to tests, and both sides are checked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::sizes::sources_below;

/// The prefixes of the checklist's ids.
const FAMILIES: [&str; 14] =
    ["rs", "jv", "md", "az", "up", "tk", "rf", "rv", "in", "rg", "ci", "ex", "co", "cl"];

/// The ids in front of a test's name: `rs_10_rs_11_a_tool…` is `RS-10` and `RS-11`.
fn ids_of(test: &str) -> Vec<String> {
    let parts: Vec<&str> = test.split('_').collect();
    let is_id = |pair: &&[&str]| {
        let [family, number] = pair else { return false };
        FAMILIES.contains(family)
            && number.len() == 2
            && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    let ids = parts.chunks(2).take_while(is_id);
    let ids: Vec<_> = ids.map(|pair| pair.join("-").to_ascii_uppercase()).collect();
    // The ids alone are no test.
    if ids.len() * 2 < parts.len() { ids } else { Vec::new() }
}

/// Every name in the sources that begins with an id.
fn test_names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (_, text) in ["src", "adapters", "tests"].into_iter().flat_map(sources_below) {
        names.extend(names_with_ids(&text));
    }
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e");
    for entry in fs::read_dir(python).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "py") {
            names.extend(names_with_ids(&fs::read_to_string(&path).unwrap()));
        }
    }
    names
}

fn names_with_ids(text: &str) -> Vec<String> {
    let words =
        text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    let names = words.map(|word| word.strip_prefix("test_").unwrap_or(word));
    names.filter(|name| !ids_of(name).is_empty()).map(str::to_owned).collect()
}

/// The rows `| RS-05 | test, test |` of the map.
fn mapped() -> BTreeMap<String, BTreeSet<String>> {
    let map = include_str!("../README.md");
    let rows = map.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let id = cells.next()?.trim().to_owned();
        let tests = cells.next()?.trim_end_matches('|').trim();
        let is_id = id.len() == 5 && id.as_bytes()[2] == b'-';
        is_id.then(|| {
            (id, tests.split(", ").map(|test| test.trim_matches('`').to_owned()).collect())
        })
    });
    rows.collect()
}

#[test]
fn every_test_named_after_a_requirement_is_in_the_map() {
    let mapped = mapped();
    let missing: Vec<_> = test_names()
        .into_iter()
        .filter(|test| {
            let is_mapped = |id| mapped.get(&id).is_some_and(|tests| tests.contains(test));
            !ids_of(test).into_iter().all(is_mapped)
        })
        .collect();
    assert!(missing.is_empty(), "run tests/map.py; not in tests/README.md: {missing:#?}");
}

#[test]
fn every_test_in_the_map_exists() {
    let names = test_names();
    let gone: Vec<_> =
        mapped().into_values().flatten().filter(|test| !names.contains(test)).collect();
    assert!(gone.is_empty(), "run tests/map.py; in tests/README.md and nowhere else: {gone:#?}");
}
