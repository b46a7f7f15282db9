//! The schema of the store, looked at and brought up to date.

use serde_json::json;

use crate::operator::Operator;

#[test]
fn a_check_tells_what_is_missing_by_its_exit_status_and_makes_nothing() {
    let operator = Operator::without_store();
    for format in [&[][..], &["--json"]] {
        let checked = operator.program().flags(&["migrate", "--check"]).flags(format).output();
        assert_eq!(checked.status.code(), Some(1));
        let told = String::from_utf8(checked.stdout).unwrap();
        assert!(told.contains("missing") && told.contains("first_schema"), "{told}");
    }
    let applied = operator.json(&["migrate"]);
    let applied = applied["applied"].as_array().unwrap();
    assert!(
        applied.iter().any(|name| name.as_str().unwrap().contains("first_schema")),
        "{applied:?}"
    );
    assert_eq!(operator.json(&["migrate", "--check"]), json!({ "missing": [] }));
    assert_eq!(operator.json(&["migrate"]), json!({ "applied": [] }));
    assert_eq!(operator.done(&["migrate"]), "The schema is up to date.\n");
}

#[test]
fn what_is_no_database_is_refused_and_left_as_it_is() {
    let operator = Operator::without_store();
    let garbage = "no database ".repeat(100);
    for command in [&["migrate"][..], &["migrate", "--check"], &["clients", "list"]] {
        let program = operator.program().file("mcp-oauth-server.db", &garbage);
        let refused = program.flags(command).output();
        assert_eq!(refused.status.code(), Some(1));
        let told = String::from_utf8(refused.stderr).unwrap();
        assert!(told.contains("not an SQLite database"), "{told}");
    }
}
