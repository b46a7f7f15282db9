//! Who may register, as the operator sets it (checklist 8: RG-08, RG-09; 3: MD-11).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::process::{Program, Running};

const TOKEN: &str = "initial-access-token-of-the-file";
const CLIENT: &str =
    r#"{"redirect_uris":["https://c.example/cb"],"token_endpoint_auth_method":"none"}"#;

/// The answer to a registration, with or without a token.
fn register(running: &Running, token: Option<&str>) -> String {
    let mut connection = TcpStream::connect(("127.0.0.1", running.port())).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n"));
    let head = format!(
        "POST /register HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n{}\r\n",
        running.port(),
        CLIENT.len(),
        authorization.unwrap_or_default(),
    );
    write!(connection, "{head}{CLIENT}").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

#[track_caller]
fn assert_status(answer: &str, status: u16) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
}

/// The id a client was told.
fn client_id(answer: &str) -> &str {
    let (_, id) = answer.split_once("\"client_id\":\"").unwrap();
    id.split('"').next().unwrap()
}

fn is_announced(running: &Running) -> bool {
    running.get("/.well-known/oauth-authorization-server").contains("registration_endpoint")
}

#[test]
fn rg_09_everybody_registers_unless_told_otherwise() {
    let running = Program::new().serve_briefly();
    let (one, other) = (register(&running, None), register(&running, None));
    assert_status(&one, 201);
    assert_ne!(client_id(&one), client_id(&other));
    assert!(is_announced(&running));
}

#[test]
fn rg_09_who_has_a_token_of_the_operator_registers() {
    let file = format!("\n  {TOKEN}  \n\nanother-initial-access-token\n");
    let settings = "registration = \"token\"\ninitial_access_tokens_file = \"tokens\"\n\
                    initial_access_tokens = [\"the-initial-access-token-of-the-list\"]\n";
    let running = Program::new().file("tokens", &file).config(settings).serve_briefly();
    assert_status(&register(&running, None), 401);
    assert_status(&register(&running, Some("another-token-of-nobody-in-particular")), 401);
    for token in [TOKEN, "another-initial-access-token", "the-initial-access-token-of-the-list"] {
        assert_status(&register(&running, Some(token)), 201);
    }
    assert!(is_announced(&running));
    let (_, log) = running.stop("-TERM");
    assert!(!log.contains(TOKEN), "{log}");
}

#[test]
fn rg_09_md_11_switched_off_nobody_registers_and_nobody_is_told_to() {
    let running = Program::new().config("registration = \"off\"\n").serve_briefly();
    assert_status(&register(&running, None), 403);
    assert!(!is_announced(&running));
}

#[test]
fn rg_09_tokens_that_nobody_has_or_anybody_guesses_are_refused_and_not_repeated() {
    let missing = Program::new().config("registration = \"token\"\n").refusal();
    assert!(missing.contains("nobody could register"), "{missing}");
    let short = "registration = \"token\"\ninitial_access_tokens = [\"guess-me\"]\n";
    let short = Program::new().config(short).refusal();
    assert!(short.contains("fewer than 16 characters") && !short.contains("guess-me"), "{short}");
}

#[test]
fn rg_08_public_clients_share_a_registration_if_they_may() {
    let running = Program::new().config("share_registrations = true\n").serve_briefly();
    let (one, other) = (register(&running, None), register(&running, None));
    assert_eq!(client_id(&one), client_id(&other));
}
