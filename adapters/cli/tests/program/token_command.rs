//! Test tokens from the command line.

use serde_json::json;

use crate::operator::{Operator, status_with, text};
use crate::process::Program;

#[test]
fn a_running_server_over_the_same_store_accepts_the_token() {
    let operator = Operator::new();
    let server = operator.serve();
    let port = server.port().to_string();
    let token = operator.done(&["token", "--port", &port]);
    assert_eq!(status_with(&server, token.trim_end()), 200);
    let elsewhere = operator.done(&["token", "--port", "1"]);
    assert_eq!(status_with(&server, elsewhere.trim_end()), 401);
    let other = operator.done(&["token", "--port", &port, "--audience", "https://other.example"]);
    assert_eq!(status_with(&server, other.trim_end()), 401);
}

#[test]
fn a_token_is_made_by_the_rules_of_dev_token() {
    let operator = Operator::new();
    let server = operator.serve();
    let port = server.port().to_string();
    let ask = ["token", "--port", &port, "--scope", "mcp:tools", "--expires-in", "60"];
    let told = operator.json(&[&ask[..], &["--sub", "bob"]].concat());
    let token = text(&told, "access_token");
    let expected = json!({
        "access_token": token, "token_type": "Bearer", "expires_in": 60, "scope": "mcp:tools",
    });
    assert_eq!(told, expected);
    let about = server.get_with(&format!("Authorization: Bearer {token}"), "/userinfo");
    assert!(about.contains("\"sub\":\"bob\""), "{about}");
    let refused = operator.refused(&["token", "--expires-in", "2592001"]);
    assert!(refused.contains("from 1 to 2592000") && refused.contains("--expires-in"), "{refused}");
    let refused = operator.refused(&["token", "--scope", "\""]);
    assert!(refused.contains("--scope"), "{refused}");
}

#[test]
fn without_a_store_that_a_server_shares_no_token_is_any_good() {
    let output = Program::new().flags(&["token", "--store", "memory"]).output();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("store (from the flag --store)"), "{told}");
    assert!(told.contains("no other process can reach"), "{told}");
    let told = Operator::new().refused(&["--port", "0", "token"]);
    assert!(told.contains("port (from the flag --port)") && told.contains("--base-url"), "{told}");
}
