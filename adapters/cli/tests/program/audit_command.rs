//! "Why was I refused?", answered from the store.

use serde_json::{Value, json};

use crate::operator::{Operator, ask_for_token, text, token};
use crate::process::Running;

/// A server, and whoever follows its decisions; those of the preparation are read already.
fn followed(operator: &Operator) -> (Running, Running) {
    let server = operator.serve();
    let mut follower = operator.program().flags(&["audit", "tail", "--follow", "--json"]).spawn();
    // The last decision before, so that the follower is known to be at work.
    operator.done(&["clients", "add", "--name", "x", "--id", "begin", "--may-introspect"]);
    while text(&decision(&mut follower), "client") != "begin" {}
    (server, follower)
}

/// The next decision that is followed.
fn decision(follower: &mut Running) -> Value {
    let line = follower.line();
    serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?} {}", follower.log()))
}

#[test]
fn co_05_a_refusal_is_followed_with_its_reason_and_found_again() {
    let operator = Operator::new();
    let secret = operator.machine("report");
    let (server, mut follower) = followed(&operator);
    assert_eq!(ask_for_token(&server, "report", "wrong").0, 401);
    let refused = decision(&mut follower);
    let request = text(&refused, "request");
    let expected = json!({
        "number": refused["number"],
        "at": text(&refused, "at"),
        "decision": "refused",
        "code": "client_wrong_secret",
        "reason": text(&refused, "reason"),
        "client": "report",
        "subject": null,
        "grant": null,
        "token": null,
        "request": request,
        "address": "127.0.0.1",
    });
    assert_eq!(refused, expected);
    token(&server, "report", &secret);
    let issued = decision(&mut follower);
    assert_eq!(text(&issued, "decision"), "token_issued");

    let grant = text(&issued, "grant");
    for (filter, expected) in [
        (&["--request", request][..], "client_wrong_secret"),
        (&["--client", "report", "--decision", "refused"], "client_wrong_secret"),
        (&["--grant", grant], "token_issued"),
        (&["--subject", "client:report", "--since", "1h"], "token_issued"),
    ] {
        let told = operator.done(&[&["audit", "tail"], filter].concat());
        assert!(told.lines().count() == 1 && told.contains(expected), "{filter:?}: {told}");
    }
    assert_eq!(operator.done(&["audit", "tail", "--since", "2100-01-01"]), "");
    assert!(operator.done(&["audit", "tail", "-n", "1"]).contains("token_issued"));
    assert!(!operator.done(&["audit", "tail"]).contains(&secret));
}

#[test]
fn following_ends_when_it_is_told_to() {
    for signal in ["-INT", "-TERM"] {
        let operator = Operator::new();
        let (_server, follower) = followed(&operator);
        let (status, log) = follower.stop(signal);
        assert_eq!((status.code(), log.as_str()), (Some(0), ""));
    }
}

#[test]
fn az_31_what_a_client_sent_moves_no_cursor() {
    let operator = Operator::new();
    let (server, mut follower) = followed(&operator);
    assert_eq!(ask_for_token(&server, "%1b%5b2J%c2%9b31m", "x").0, 401);
    assert_eq!(text(&decision(&mut follower), "client"), "\u{1b}[2J\u{9b}31m");
    for json in [&[][..], &["--json"]] {
        let told = operator.done(&[&["audit", "tail"], json].concat());
        assert!(told.contains("client_unknown"), "{told}");
        let is_obeyed = |character: char| character.is_control() && character != '\n';
        assert!(!told.contains(is_obeyed), "{told:?}");
    }
}

#[test]
fn what_the_operator_did_is_there_too() {
    let operator = Operator::new();
    operator.machine("report");
    operator.done(&["clients", "rotate-secret", "report"]);
    operator.done(&["grants", "revoke", "--client", "report"]);
    operator.done(&["keys", "rotate"]);
    operator.done(&["keys", "rotate", "--discard-old"]);
    operator.done(&["token"]);
    operator.done(&["clients", "delete", "report"]);
    let told = operator.done(&["audit", "tail"]);
    let decisions: Vec<_> =
        told.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    let expected = [
        "client_added_by_operator",
        "client_secret_replaced_by_operator",
        "grants_revoked_by_operator",
        "key_rotated_by_operator",
        "keys_discarded_by_operator",
        "dev_token_issued",
        "client_deleted_by_operator",
    ];
    assert_eq!(decisions, expected);
}
