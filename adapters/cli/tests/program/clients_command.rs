//! Clients that the operator adds, beside a running server.

use serde_json::json;

use crate::operator::{Operator, ask_for_token, status_and_document, status_with, text, token};

#[test]
fn ex_01_a_client_is_known_to_a_running_server_from_its_addition_to_its_end() {
    let operator = Operator::new();
    let server = operator.serve();
    let secret = operator.machine("report");
    let listed = operator.done(&["clients", "list"]);
    assert!(listed.contains("report") && listed.contains("client_credentials"), "{listed}");
    assert_eq!(operator.json(&["clients", "show", "report"])["last_used_at"], json!(null));

    let token = token(&server, "report", &secret);
    assert_eq!(status_with(&server, &token), 200);
    let shown = operator.json(&["clients", "show", "report"]);
    assert!(text(&shown, "last_used_at") >= text(&shown, "registered_at"), "{shown}");

    let ended = operator.done(&["clients", "delete", "report"]);
    assert_eq!(ended, "Deleted the client report and ended 1 grant.\n");
    assert_eq!(status_with(&server, &token), 401);
    let (status, document) = ask_for_token(&server, "report", &secret);
    assert_eq!((status, text(&document, "error")), (401, "invalid_client"));
}

#[test]
fn a_resource_server_may_ask_about_every_token_of_a_running_server() {
    let operator = Operator::new();
    let server = operator.serve();
    let token = token(&server, "report", &operator.machine("report"));
    let add = ["clients", "add", "--name", "Files API", "--id", "files", "--may-introspect"];
    let added = operator.json(&[&add[..], &["--auth-method", "client_secret_post"]].concat());
    let secret = text(&added, "client_secret");
    let form = format!("client_id=files&client_secret={secret}&token={token}");
    let (status, document) = status_and_document(&server.post("/introspect", &form));
    assert_eq!((status, &document["active"]), (200, &json!(true)), "{document}");
    assert_eq!(text(&document, "client_id"), "report");
}

#[test]
fn jv_18_a_secret_is_printed_once_and_never_again() {
    let operator = Operator::new();
    let printed = operator.done(&[
        "clients",
        "add",
        "--name",
        "Report",
        "--id",
        "report",
        "--grant",
        "client_credentials",
    ]);
    let secret = printed.split_whitespace().skip_while(|word| *word != "client_secret").nth(1);
    let secret = secret.unwrap();
    assert!(secret.len() >= 43, "{printed}");
    assert_eq!(printed.matches(secret).count(), 1, "{printed}");
    assert!(printed.contains("can't be shown again"), "{printed}");
    for command in [
        &["clients", "list"][..],
        &["clients", "list", "--json"],
        &["clients", "show", "report"],
        &["clients", "show", "report", "--json"],
        &["audit", "tail"],
        &["audit", "tail", "--json"],
    ] {
        let told = operator.done(command);
        assert!(told.contains("report") && !told.contains(secret), "{told}");
        assert!(!told.contains("secret_hash"), "{told}");
    }
}

#[test]
fn a_new_secret_takes_the_place_of_the_old_one_in_a_running_server() {
    let operator = Operator::new();
    let server = operator.serve();
    let old = operator.machine("report");
    let before = token(&server, "report", &old);
    let rotated = operator.json(&["clients", "rotate-secret", "report"]);
    assert_eq!(ask_for_token(&server, "report", &old).0, 401);
    token(&server, "report", text(&rotated, "client_secret"));
    assert_eq!(status_with(&server, &before), 200);
}

#[test]
fn a_client_is_told_under_stable_names_and_its_moments_in_rfc_3339() {
    let operator = Operator::new();
    let added = operator.json(&[
        "clients",
        "add",
        "--name",
        "Portal",
        "--id",
        "portal",
        "--redirect-uri",
        "https://portal.example/callback",
        "--redirect-uri",
        "http://127.0.0.1/callback",
        "--grant",
        "authorization_code,refresh_token",
        "--scope",
        "mcp:tools offline_access",
        "--auth-method",
        "none",
    ]);
    let registered_at = text(&added, "registered_at");
    assert!(registered_at.len() == 20 && registered_at.ends_with('Z'), "{registered_at}");
    let expected = json!({
        "client_id": "portal",
        "client_name": "Portal",
        "origin": "operator",
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": ["https://portal.example/callback", "http://127.0.0.1/callback"],
        "scope": "mcp:tools offline_access",
        "may_introspect": false,
        "application_type": null,
        "client_uri": null,
        "software_id": null,
        "software_version": null,
        "registered_at": registered_at,
        "last_used_at": null,
    });
    assert_eq!(added, expected);
    assert_eq!(operator.json(&["clients", "show", "portal"]), expected);
    assert_eq!(operator.json(&["clients", "list"]), json!({ "clients": [expected] }));
}

#[test]
fn clients_are_listed_by_origin_and_last_use() {
    let operator = Operator::new();
    let server = operator.serve();
    operator.machine("report");
    let listed = |more: &[&str]| {
        let document = operator.json(&[&["clients", "list"], more].concat());
        let clients = document["clients"].as_array().unwrap();
        clients.iter().map(|client| text(client, "client_id").to_owned()).collect::<Vec<_>>()
    };
    // The documentation page of the server has a client of its own.
    assert_eq!(listed(&["--origin", "operator"]), ["docs", "report"]);
    assert!(listed(&["--origin", "registered"]).is_empty());
    assert!(listed(&["--unused-since", "1h"]).is_empty());
    assert_eq!(listed(&["--unused-since", "2100-01-01"]), ["docs", "report"]);
    drop(server);
}

#[test]
fn rg_07_tk_23_an_id_that_could_be_somebody_elses_is_refused() {
    let operator = Operator::new();
    let add = |id: &str| {
        let add = ["clients", "add", "--name", "x", "--grant", "client_credentials", "--id", id];
        operator.refused(&add)
    };
    for (id, reason) in [
        ("https://client.example/x", "metadata document"),
        ("client:report", "looks like that of a person, or of the subject of a token"),
        ("a\u{1b}[31mb", "visible ASCII"),
        ("docs", "this server itself"),
    ] {
        let told = add(id);
        assert!(told.contains(reason) && told.contains("Choose another --id"), "{told}");
    }
    operator.machine("report");
    assert!(add("report").contains("already"));
}

#[test]
fn what_makes_no_sense_is_refused_with_the_flag_that_would() {
    let operator = Operator::new();
    let add =
        |more: &[&str]| operator.refused(&[&["clients", "add", "--name", "x"], more].concat());
    for (more, remedy) in [
        (&[][..], "--may-introspect"),
        (&["--grant", "authorization_code"], "--redirect-uri"),
        (&["--grant", "client_credentials", "--auth-method", "none"], "--auth-method"),
        (&["--grant", "client_credentials", "--scope", "mcp:root"], "[scopes]"),
    ] {
        let told = add(more);
        assert!(told.contains(remedy), "{remedy}: {told}");
    }
    assert_eq!(operator.json(&["clients", "list"]), json!({ "clients": [] }));
}

#[test]
fn a_command_line_that_is_none_is_refused_before_the_store_is_opened() {
    let operator = Operator::without_store();
    for (arguments, reason) in [
        (&["clients", "add"][..], "--name"),
        (&["clients", "add", "--name", "x", "--grant", "password"], "client_credentials"),
        (&["clients", "add", "--name", "x", "--auth-method", "x"], "client_secret_post"),
        (&["clients", "add", "--name", "x", "--redirect-uri", "x"], "not an absolute URI"),
        (&["clients", "add", "--name", "x", "--scope", "\""], "printable ASCII"),
        (&["clients", "list", "--origin", "document"], "registered"),
        (&["clients", "list", "--unused-since", "once"], "7d"),
        (&["clients", "show"], "<ID>"),
        (&["clients", "destroy"], "destroy"),
    ] {
        let told = operator.misused(arguments);
        assert!(told.contains(reason), "{reason}: {told}");
    }
}

#[test]
fn a_client_that_there_is_not_is_told_by_its_id() {
    let operator = Operator::new();
    for command in ["show", "rotate-secret", "delete"] {
        let told = operator.refused(&["clients", command, "no\u{1b}body"]);
        assert!(told.contains("no\\u{1b}body: there is no client of that id"), "{told}");
        assert!(told.contains("clients list"), "{told}");
    }
}

#[test]
fn the_documentation_pages_own_client_can_not_be_deleted() {
    let operator = Operator::new();
    operator.serve().stop("-TERM");
    let told = operator.refused(&["clients", "delete", "docs"]);
    assert!(told.contains("this server itself"), "{told}");
}

const PUBLIC_KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"one","alg":"ES256","use":"sig",
"x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;

/// Adds a machine that signs, with what stands in its key file and more arguments.
fn add_with_keys(operator: &Operator, file: &str, more: &[&str]) -> Vec<String> {
    let path = operator.folder().join("client.jwks");
    std::fs::write(&path, file).unwrap();
    let add =
        ["clients", "add", "--name", "Report", "--id", "report", "--grant", "client_credentials"];
    let keys = ["--jwks", path.to_str().unwrap()];
    [&add[..], &keys, more].concat().into_iter().map(str::to_owned).collect()
}

#[test]
fn ex_02_a_client_that_signs_is_added_with_its_public_keys_and_gets_no_secret() {
    let operator = Operator::new();
    let add = add_with_keys(&operator, PUBLIC_KEYS, &["--auth-method", "private_key_jwt"]);
    let add: Vec<_> = add.iter().map(String::as_str).collect();
    let added = operator.json(&add);
    assert_eq!(text(&added, "token_endpoint_auth_method"), "private_key_jwt");
    assert!(added.get("client_secret").is_none(), "{added}");
}

#[test]
fn ex_02_keys_that_are_no_good_add_nobody() {
    let operator = Operator::new();
    operator.serve();
    let private = PUBLIC_KEYS
        .replace("\"kid\"", "\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\",\"kid\"");
    let signs = ["--auth-method", "private_key_jwt"];
    for (file, more, expected) in [
        (PUBLIC_KEYS, &[][..], "public keys are for private_key_jwt"),
        ("no keys", &signs, "is not JSON"),
        ("{}", &signs, "jwks"),
        (private.as_str(), &signs, "private"),
    ] {
        let add = add_with_keys(&operator, file, more);
        let add: Vec<_> = add.iter().map(String::as_str).collect();
        let refused = operator.refused(&add);
        assert!(refused.contains(expected), "{refused}");
        assert!(!refused.contains("jpsQnnGQ"), "{refused}");
    }
    assert!(!operator.done(&["clients", "list"]).contains("report"));
}
