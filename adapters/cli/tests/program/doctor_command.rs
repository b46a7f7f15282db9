//! `doctor`: what it finds, step by step, with a provider that answers on this machine.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use serde_json::{Value, json};

use crate::operator::Operator;
use crate::process::Program;

/// A provider that publishes documents and judges one redirect address.
struct Provider {
    issuer: String,
}

impl Provider {
    /// `change` changes the discovery document.
    fn start(change: impl Fn(&mut Value) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let mut document = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/keys"),
            "registration_endpoint": format!("{issuer}/register"),
            "code_challenge_methods_supported": ["S256"],
        });
        change(&mut document);
        // It ends with the process.
        thread::spawn(move || {
            for connection in listener.incoming() {
                answer(connection.unwrap(), &document);
            }
        });
        Self { issuer }
    }

    fn config(&self, more: &str) -> String {
        format!(
            "store = \"memory\"\nport = 1\nprovider = \"oidc\"\n{more}\n[identity.oidc]\nissuer = \"{}\"\nclient_id = \"known\"\nclient_secret = \"s\"\n",
            self.issuer
        )
    }
}

fn answer(mut connection: TcpStream, document: &Value) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && connection.read(&mut byte).unwrap_or(0) == 1 {
        request.push(byte[0]);
    }
    let request = String::from_utf8(request).unwrap();
    let path = request.split(' ').nth(1).unwrap_or_default();
    let (status, body) = match path {
        "/.well-known/openid-configuration" => ("200 OK", document.to_string()),
        "/keys" => ("200 OK", KEYS.to_owned()),
        _ if path.starts_with("/authorize?") && path.contains("client_id=known") => {
            ("200 OK", "Log in".to_owned())
        }
        _ => ("404 Not Found", "{}".to_owned()),
    };
    let head = format!("Content-Length: {}\r\nConnection: close", body.len());
    let kind = "Content-Type: application/json";
    // Whoever has seen enough hangs up.
    let _ = write!(connection, "HTTP/1.1 {status}\r\n{kind}\r\n{head}\r\n\r\n{body}");
}

/// The public key of RFC 7517 §A.1.
const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"sig","kid":"1"}]}"#;

/// Runs it; its exit status and what it printed.
fn doctor(config: &str, flags: &[&str]) -> (i32, String) {
    let output = Program::new().config(config).flags(&["doctor"]).flags(flags).output();
    let printed = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), printed)
}

/// What it found in one step.
#[track_caller]
fn step(findings: &Value, name: &str) -> (String, String) {
    let found = findings.as_array().unwrap().iter().find(|it| it["step"] == name);
    let found = found.unwrap_or_else(|| panic!("no {name} in {findings:#}"));
    let text = |member: &str| found[member].as_str().unwrap().to_owned();
    if ["failure", "warning"].contains(&text("outcome").as_str()) && name != "configuration" {
        assert!(!text("why").is_empty() && !text("remedy").is_empty(), "{found:#}");
    }
    (text("outcome"), format!("{} {} {}", text("message"), text("why"), text("remedy")))
}

/// The same for a whole configuration.
#[track_caller]
fn findings(config: &str, flags: &[&str], status: i32) -> Value {
    let (ended, printed) = doctor(config, &[&["--json"], flags].concat());
    assert_eq!(ended, status, "{printed}");
    serde_json::from_str(&printed).unwrap()
}

#[test]
fn with_the_dev_provider_it_says_what_applies() {
    let operator = Operator::new();
    let server = operator.serve();
    let port = server.port().to_string();
    let output = operator.program().flags(&["--port", &port, "doctor"]).output();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}");
    let starts = ["✓ configuration", "✓ store", "✓ base URL", "✓ proxy headers", "✓ provider: dev"];
    let lines: Vec<&str> = printed.lines().collect();
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{start}: {printed}");
    }
    assert!(printed.ends_with("0 failures, 0 warnings.\n"), "{printed}");
}

#[test]
fn a_trusted_proxy_is_recognised_by_the_id_that_it_may_give() {
    let operator = Operator::new();
    let trust = ("MCP_OAUTH_TRUSTED_PROXIES", "127.0.0.1,::1");
    let server = operator.program().variable(trust.0, trust.1).flags(&["--port", "0"]).serve();
    let port = server.port().to_string();
    let output = operator.program().flags(&["--port", &port, "doctor"]).output();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("✓ proxy headers: the server believes"), "{printed}");
}

#[test]
fn a_configuration_that_is_wrong_is_told_whole_and_the_store_looked_at_all_the_same() {
    let config = "provider = \"clerk\"\nstore = \"memory\"\n";
    let (status, printed) = doctor(config, &[]);
    assert_eq!(status, 1);
    assert_eq!(printed.matches("✗ configuration: identity.clerk.").count(), 3, "{printed}");
    assert!(printed.contains("✓ store: in memory"), "{printed}");
    assert!(printed.contains("- everything else"), "{printed}");
}

#[test]
fn a_provider_that_is_right_passes_every_step() {
    let provider = Provider::start(|_| {});
    let found = findings(&provider.config(""), &[], 0);
    for name in ["discovery document", "issuer spelling", "keys", "PKCE", "redirect address"] {
        let (outcome, text) = step(&found, name);
        assert_eq!(outcome, "fine", "{name}: {text}");
    }
    // Nobody listens on port 1.
    assert_eq!(step(&found, "base URL").0, "warning");
}

#[test]
fn up_04_the_spelling_of_the_issuer_is_compared_and_the_right_one_told() {
    let provider = Provider::start(|document| {
        document["issuer"] = json!(format!("{}/", document["issuer"].as_str().unwrap()));
    });
    let found = findings(&provider.config(""), &[], 1);
    let (outcome, text) = step(&found, "issuer spelling");
    assert_eq!(outcome, "failure");
    assert!(
        text.contains(&format!("Set identity.oidc.issuer = \"{}/\".", provider.issuer)),
        "{text}"
    );
}

#[test]
fn what_a_provider_lacks_is_told() {
    let provider = Provider::start(|document| {
        document["code_challenge_methods_supported"] = json!(["plain"]);
        document["jwks_uri"] = json!(format!("{}/nowhere", document["issuer"].as_str().unwrap()));
    });
    let found = findings(&provider.config(""), &[], 1);
    assert_eq!(step(&found, "PKCE").0, "failure");
    assert_eq!(step(&found, "keys").0, "failure");
}

#[test]
fn a_provider_that_nobody_answers_for_is_told() {
    let provider = Provider { issuer: "http://127.0.0.1:1".to_owned() };
    let found = findings(&provider.config(""), &[], 1);
    let (outcome, text) = step(&found, "discovery document");
    assert_eq!(outcome, "failure");
    assert!(text.contains("identity.oidc.issuer"), "{text}");
}

#[test]
fn a_redirect_address_that_is_refused_is_told_with_the_place_to_register_it() {
    let provider = Provider::start(|_| {});
    let config = provider.config("").replace("\"known\"", "\"unknown\"");
    let (outcome, text) = step(&findings(&config, &[], 1), "redirect address");
    assert_eq!(outcome, "failure");
    assert!(text.contains("Add http://localhost:1/callback/oidc at"), "{text}");
}

#[test]
fn the_audience_of_a_sample_token_is_spelled_out_and_nothing_of_it_repeated() {
    let provider = Provider::start(|_| {});
    let claims = json!({
        "iss": provider.issuer, "sub": "alice", "aud": "https://other.example",
        "iat": 0, "exp": 99_999_999_999_u64,
    });
    let token = access_token(&claims);
    let config = provider.config("authorization_server = \"provider\"");
    let found = findings(&config, &["--token", &token], 1);
    let (outcome, text) = step(&found, "sample token, audience");
    assert_eq!(outcome, "failure");
    let compared = "expected http://localhost:1/mcp, received https://other.example";
    assert!(text.contains(compared), "{text}");
    assert_eq!(step(&found, "sample token, type").0, "fine");
    assert_eq!(step(&found, "sample token").0, "failure");
    assert!(!found.to_string().contains("c2lnbmF0dXJl"), "{found:#}");
    // Where this server issues the tokens, one of the provider is somebody else's.
    let found = findings(&provider.config(""), &["--token", &token], 1);
    let (outcome, text) = step(&found, "sample token, issuer");
    assert_eq!(outcome, "failure");
    assert!(text.contains("authorization_server = \"provider\""), "{text}");
}

#[test]
fn what_no_step_about_a_sample_token_compares_is_told_in_the_words_of_the_rules() {
    let provider = Provider::start(|_| {});
    let claims = json!({
        "iss": provider.issuer, "sub": "alice", "aud": "http://localhost:1/mcp",
        "iat": 0, "exp": 99_999_999_999_u64, "at_hash": "x",
    });
    let config = provider.config("authorization_server = \"provider\"");
    let found = findings(&config, &["--token", &access_token(&claims)], 1);
    for name in ["type", "times", "audience"] {
        assert_eq!(step(&found, &format!("sample token, {name}")).0, "fine", "{found:#}");
    }
    let (outcome, text) = step(&found, "sample token, claims");
    assert_eq!(outcome, "failure");
    assert!(text.contains("at_hash, an ID token"), "{text}");
}

/// One whose signature is none.
fn access_token(claims: &Value) -> String {
    let part = |value: &Value| base64(value.to_string().as_bytes());
    let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": "1" });
    format!("{}.{}.c2lnbmF0dXJl", part(&header), part(claims))
}

fn base64(bytes: &[u8]) -> String {
    mcp_oauth_core::domain::secret::base64url(bytes)
}
