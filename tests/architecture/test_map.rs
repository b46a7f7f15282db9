//! `tests/README.md` maps requirement ids to tests, and both sides are checked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::sizes::sources_below;

/// The prefixes of the checklist's ids.
const FAMILIES: [&str; 14] =
    ["rs", "jv", "md", "az", "up", "tk", "rf", "rv", "in", "rg", "ci", "ex", "co", "cl"];

/// The id in front of a test's name: `tk_08_a_replayed_code…` is `TK-08`.
fn id_of(test: &str) -> Option<String> {
    let mut parts = test.split('_');
    let (family, number) = (parts.next()?, parts.next()?);
    let is_id = FAMILIES.contains(&family)
        && number.len() == 2
        && number.bytes().all(|byte| byte.is_ascii_digit());
    is_id.then(|| format!("{}-{number}", family.to_ascii_uppercase()))
}

fn test_names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let rust = ["src", "adapters", "tests"].into_iter().flat_map(sources_below);
    for (_, text) in rust {
        names.extend(functions(&text, "fn "));
    }
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e");
    for entry in fs::read_dir(python).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "py") {
            let text = fs::read_to_string(&path).unwrap();
            names.extend(functions(&text, "def test_"));
        }
    }
    names
}

fn functions(text: &str, keyword: &str) -> Vec<String> {
    let name = |line: &str| {
        let (_, rest) = line.split_once(keyword)?;
        let end =
            rest.find(|character: char| !character.is_ascii_alphanumeric() && character != '_');
        Some(rest[..end?].to_owned())
    };
    text.lines().filter_map(name).collect()
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
            id_of(test).is_some_and(|id| !mapped.get(&id).is_some_and(|tests| tests.contains(test)))
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
