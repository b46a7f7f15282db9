//! Inside the core: services know ports and the domain, ports know the domain, the domain nothing.

use crate::sizes::sources_below;

fn lines_that_name(folder: &str, forbidden: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in sources_below(folder) {
        let names = |line: &&str| {
            line.contains("crate") && forbidden.iter().any(|name| line.contains(name))
        };
        found.extend(text.lines().filter(names).map(|line| format!("{path}: {line}")));
    }
    found
}

#[test]
fn the_domain_knows_neither_ports_nor_services() {
    let found = lines_that_name("src/domain", &["port::", "service::"]);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn ports_know_no_service() {
    let found = lines_that_name("src/port", &["service::"]);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn ports_are_small() {
    for (path, text) in sources_below("src/port") {
        let methods = text.matches("    async fn ").count() + text.matches("    fn ").count();
        assert!(methods <= 10, "{path} has {methods} functions");
    }
}
