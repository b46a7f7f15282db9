//! What was granted, seen and ended beside a running server.

use serde_json::json;

use crate::operator::{Operator, status_with, text, token};

#[test]
fn rv_01_an_ended_grant_ends_its_token_in_a_running_server_and_no_other() {
    let operator = Operator::new();
    let server = operator.serve();
    let secret = operator.machine("report");
    let (first, second) = (token(&server, "report", &secret), token(&server, "report", &secret));
    let listed = operator.json(&["grants", "list", "--client", "report", "--active"]);
    let grants = listed["grants"].as_array().unwrap();
    assert_eq!((grants.len(), &listed["truncated"]), (2, &json!(false)));
    let id = text(&grants[0], "grant_id");
    let told = operator.done(&["grants", "revoke", id]);
    assert_eq!(told, "Ended 1 grant. Running servers refuse their tokens within 2 seconds.\n");
    let mut statuses = [status_with(&server, &first), status_with(&server, &second)];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
    let again = operator.done(&["grants", "revoke", id]);
    assert_eq!(again, format!("The grant {id} had ended before.\n"));
}

#[test]
fn rv_01_the_grants_of_a_client_or_a_subject_end_together() {
    let operator = Operator::new();
    let server = operator.serve();
    let (report, backup) = (operator.machine("report"), operator.machine("backup"));
    let ask = || {
        [("report", &report), ("report", &report), ("backup", &backup)]
            .map(|(id, secret)| token(&server, id, secret))
    };
    let tokens = ask();
    let ended = operator.json(&["grants", "revoke", "--client", "report"]);
    assert_eq!(ended, json!({ "grants_ended": 2 }));
    assert_eq!(tokens.map(|token| status_with(&server, &token)), [401, 401, 200]);
    let ended = operator.json(&["grants", "revoke", "--subject", "client:backup"]);
    assert_eq!(ended, json!({ "grants_ended": 1 }));
    ask();
    let other = ["grants", "revoke", "--subject", "client:backup", "--client", "report"];
    assert_eq!(operator.json(&other), json!({ "grants_ended": 0 }));
    assert!(operator.done(&other).starts_with("No grant ended"));
}

#[test]
fn a_grant_is_told_under_stable_names() {
    let operator = Operator::new();
    let server = operator.serve();
    token(&server, "report", &operator.machine("report"));
    let listed = operator.json(&["grants", "list", "--subject", "client:report"]);
    let grant = &listed["grants"][0];
    let expected = json!({
        "grants": [{
            "grant_id": text(grant, "grant_id"),
            "client_id": "report",
            "subject": "client:report",
            "name": null,
            "resource": format!("http://localhost:{}/mcp", server.port()),
            "scope": "mcp:tools",
            "granted_at": text(grant, "granted_at"),
            "revoked_at": null,
        }],
        "truncated": false,
    });
    assert_eq!(listed, expected);
    operator.done(&["grants", "revoke", "--client", "report"]);
    let ended = operator.json(&["grants", "list"]);
    assert!(text(&ended["grants"][0], "revoked_at").ends_with('Z'), "{ended}");
    let active = operator.json(&["grants", "list", "--active"]);
    assert_eq!(active, json!({ "grants": [], "truncated": false }));
    let table = operator.done(&["grants", "list"]);
    assert!(table.lines().count() == 2 && table.contains("client:report"), "{table}");
}

#[test]
fn a_long_list_is_cut_and_says_so() {
    let operator = Operator::new();
    let server = operator.serve();
    let secret = operator.machine("report");
    (0..3).for_each(|_| drop(token(&server, "report", &secret)));
    let listed = operator.json(&["grants", "list", "-n", "2"]);
    assert_eq!(listed["grants"].as_array().unwrap().len(), 2);
    assert_eq!(listed["truncated"], json!(true));
    assert!(operator.done(&["grants", "list", "-n", "2"]).contains("-n shows more"));
}

#[test]
fn to_end_grants_one_has_to_say_which() {
    let operator = Operator::without_store();
    let told = operator.misused(&["grants", "revoke"]);
    assert!(told.contains("--client <ID>") && told.contains("--subject"), "{told}");
    operator.misused(&["grants", "revoke", "x", "--client", "y"]);
    let told = Operator::new().refused(&["grants", "revoke", "x"]);
    assert!(told.contains("x: there is no grant of that id"), "{told}");
}

#[test]
fn an_id_that_begins_with_a_dash_is_no_flag() {
    let operator = Operator::new();
    let told = operator.refused(&["grants", "revoke", "-7abc"]);
    assert!(told.contains("-7abc: there is no grant of that id"), "{told}");
    operator.refused(&["clients", "show", "-7abc"]);
    let filtered: [&[&str]; 4] = [
        &["audit", "tail", "--grant", "-7abc"],
        &["audit", "tail", "--request", "-7abc"],
        &["audit", "tail", "--client", "-7abc", "--subject", "-7abc"],
        &["grants", "list", "--client", "-7abc", "--subject", "-7abc"],
    ];
    for arguments in filtered {
        // And a flag behind it still is one.
        operator.done(&[arguments, &["--json"]].concat());
    }
}
