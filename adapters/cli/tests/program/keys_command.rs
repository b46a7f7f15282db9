//! The signing keys, seen and replaced beside a running server.

use mcp_oauth_issuer::RsaKey;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::operator::{Operator, text};

/// The keys of `keys list`: id and state.
fn keys(operator: &Operator) -> Vec<(String, String)> {
    let listed = operator.json(&["keys", "list"]);
    let told = |key: &Value| (text(key, "key_id").to_owned(), text(key, "state").to_owned());
    listed["keys"].as_array().unwrap().iter().map(told).collect()
}

#[test]
fn jv_20_a_new_key_waits_until_everybody_can_have_it() {
    let operator = Operator::new();
    let old = keys(&operator);
    assert_eq!(old.len(), 1);
    let rotated = operator.json(&["keys", "rotate"]);
    let new = text(&rotated["key"], "key_id");
    let expected = json!({
        "key": {
            "key_id": new,
            "created_at": text(&rotated["key"], "created_at"),
            "state": "upcoming",
            "signs_from": text(&rotated["key"], "signs_from"),
        },
        "discarded": [],
    });
    assert_eq!(rotated, expected);
    let expected = [(new.to_owned(), "upcoming".to_owned()), old[0].clone()];
    assert_eq!(keys(&operator), expected);
    let table = operator.done(&["keys", "list"]);
    assert!(table.contains(text(&rotated["key"], "signs_from")), "{table}");
    let told = operator.done(&["keys", "rotate"]);
    assert!(told.contains("begins to sign at") && told.contains(&old[0].0), "{told}");
}

#[test]
fn a_key_in_wrong_hands_is_discarded() {
    let operator = Operator::new();
    let old = keys(&operator);
    let rotated = operator.json(&["keys", "rotate", "--discard-old"]);
    let new = text(&rotated["key"], "key_id");
    assert_eq!(rotated["discarded"], json!([old[0].0]));
    assert_eq!(keys(&operator), [(new.to_owned(), "signing".to_owned())]);
    let published = operator.serve().get("/.well-known/jwks.json");
    assert!(published.contains(new) && !published.contains(&old[0].0), "{published}");
    let told = operator.done(&["keys", "rotate", "--discard-old"]);
    assert!(told.contains("signs from now on") && told.contains(new), "{told}");
}

#[test]
fn the_key_of_a_file_is_shown_and_not_replaced() {
    let operator = Operator::new();
    let key = RsaKey::generate().unwrap();
    let private = pem::encode(&pem::Pem::new("PRIVATE KEY", key.pkcs8().expose_secret()));
    let program = || {
        let program = operator.program().file("key.pem", &private);
        program.variable("MCP_OAUTH_SIGNING_KEY_FILE", "key.pem")
    };
    let listed = program().flags(&["keys", "list"]).output();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains(key.key_id()) && listed.contains("signing_key_file"), "{listed}");
    let rotated = program().flags(&["keys", "rotate"]).output();
    assert_eq!(rotated.status.code(), Some(1));
    let told = String::from_utf8(rotated.stderr).unwrap();
    assert!(told.contains("signing_key_file") && told.contains("another key"), "{told}");
}

#[test]
fn keys_under_another_secret_are_told_from_keys_that_there_are_not() {
    let operator = Operator::new();
    let program = |secret: &str| {
        let program = operator.program().variable("MCP_OAUTH_ENCRYPTION_SECRET", secret);
        program.flags(&["keys", "list"]).output()
    };
    let (one, another) = ("a".repeat(32), "b".repeat(32));
    assert!(program(&one).status.success());
    let refused = program(&another);
    assert_eq!(refused.status.code(), Some(1));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("encryption_secret (from "), "{told}");
    assert!(!told.contains(&one) && !told.contains(&another), "{told}");
}
