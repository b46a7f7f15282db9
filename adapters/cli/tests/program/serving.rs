//! What is served once the start succeeded, and how it ends.

use std::fs;
use std::rc::Rc;

use mcp_oauth_issuer::RsaKey;
use secrecy::ExposeSecret;

use crate::process::{Program, Running};

const JWKS: &str = "/.well-known/jwks.json";

/// The key ids that a running program publishes.
fn key_ids(running: &Running) -> Vec<String> {
    let answer = running.get(JWKS);
    let after = answer.split("\"kid\":\"").skip(1);
    after.map(|text| text.split('"').next().unwrap().to_owned()).collect()
}

#[test]
fn port_0_takes_a_free_port_and_prints_it() {
    let running = Program::new().serve_briefly();
    assert_ne!(running.port(), 0);
    assert_eq!(running.status("/health/live"), 200);
    let resource = running.get("/.well-known/oauth-protected-resource/mcp");
    assert!(resource.contains(&format!("http://localhost:{}/mcp", running.port())), "{resource}");
}

#[test]
fn both_transports_are_served_unless_told_otherwise() {
    for flags in [&[][..], &["--transport", "all"]] {
        let running = Program::new().flags(flags).serve_briefly();
        assert_eq!((running.status("/mcp"), running.status("/mcp/sse")), (401, 401));
        assert!(running.banner.contains("/mcp\n") && running.banner.contains("/mcp/sse\n"));
    }
}

#[test]
fn transport_http_serves_streamable_http_alone() {
    let running = Program::new().flags(&["--transport", "http"]).serve_briefly();
    assert_eq!((running.status("/mcp"), running.status("/mcp/sse")), (401, 404));
    assert!(!running.banner.contains("/mcp/sse"), "{}", running.banner);
}

#[test]
fn transport_sse_serves_sse_alone() {
    let running = Program::new().flags(&["--transport", "sse"]).serve_briefly();
    assert_eq!((running.status("/mcp"), running.status("/mcp/sse")), (404, 401));
    assert!(running.banner.contains("--transport sse --server-url"), "{}", running.banner);
    assert!(!running.banner.contains("/mcp\n"), "{}", running.banner);
}

#[test]
fn the_default_store_is_a_file_in_the_working_directory_that_survives_a_restart() {
    let start = Program::new().flags(&["--port", "0"]);
    let directory = Rc::clone(start.directory());
    let first = start.serve();
    assert!(first.banner.contains("mcp-oauth-server.db (created)"), "{}", first.banner);
    let keys = key_ids(&first);
    first.stop("-TERM");
    let second = Program::in_directory(&directory).flags(&["--port", "0"]).serve();
    assert!(second.banner.contains("mcp-oauth-server.db (opened)"), "{}", second.banner);
    assert_eq!((keys.len(), key_ids(&second)), (1, keys));
}

#[test]
fn the_memory_store_leaves_nothing_behind() {
    let start = Program::new();
    let directory = Rc::clone(start.directory());
    let running = start.serve_briefly();
    assert!(running.banner.contains("in memory"), "{}", running.banner);
    assert_eq!(running.status("/health/ready"), 200);
    let left: Vec<_> = fs::read_dir(directory.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "more than its standard error: {left:?}");
}

#[test]
fn jv_20_a_signing_key_file_is_published_under_its_thumbprint_and_nothing_private() {
    let key = RsaKey::generate().unwrap();
    let private = pem::Pem::new("PRIVATE KEY", key.pkcs8().expose_secret());
    let start = Program::new().file("key.pem", &pem::encode(&private));
    let running = start.config("signing_key_file = \"key.pem\"\n").serve_briefly();
    assert_eq!(key_ids(&running), [key.key_id()]);
    let answer = running.get(JWKS);
    for private in ["\"d\"", "\"p\"", "\"q\"", "\"dp\"", "\"dq\"", "\"qi\""] {
        assert!(!answer.contains(private), "{private}: {answer}");
    }
}

#[test]
fn log_format_json_writes_one_object_a_line() {
    let start = Program::new().variable("CLIENT_SECRET", "x");
    let running = start.flags(&["--log-format", "json"]).serve_briefly();
    let (_, log) = running.stop("-TERM");
    assert!(log.lines().count() >= 2, "{log}");
    for line in log.lines() {
        assert!(line.starts_with("{\"timestamp\":") && line.ends_with('}'), "{line}");
        assert!(line.contains("\"level\":") && line.contains("\"message\":"), "{line}");
    }
}

#[test]
fn log_level_is_a_restriction_in_whatever_case() {
    let quiet = Program::new().flags(&["--log-level", "ERROR"]).serve_briefly();
    assert_eq!(quiet.stop("-TERM").1, "");
    let usual = Program::new().flags(&["--log-level", "Info"]).serve_briefly();
    assert!(usual.stop("-TERM").1.contains("stopping"));
}

#[test]
fn co_05_a_refusal_is_logged_with_its_code() {
    let running = Program::new().flags(&["--log-format", "json"]).serve_briefly();
    let answer = running.get("/authorize?client_id=nobody");
    let (_, log) = running.stop("-TERM");
    let line = log.lines().find(|line| line.contains("\"target\":\"audit\"")).expect("an event");
    assert!(line.contains("\"code\":\"authorization_unknown_client\""), "{line}");
    assert!(line.contains("\"client\":\"nobody\""), "{line}");
    let (_, id) = answer.split_once("x-request-id: ").expect("an id");
    let id = id.split("\r\n").next().unwrap();
    assert!(line.contains(&format!("\"request\":\"{id}\"")), "{line}");
    assert!(line.contains("\"address\":\"127.0.0.1\""), "{line}");
}

#[test]
fn rg_08_limits_are_settings_and_one_switch_lifts_them() {
    let strict = "[request_limits]\nauthorization = { burst = 1, per_minute = 1 }\n";
    let path = "/authorize?client_id=nobody";
    let running = Program::new().config(strict).serve_briefly();
    assert_eq!((running.status(path), running.status(path)), (400, 429));
    let unlimited = Program::new().config(strict).variable("MCP_OAUTH_LIMITS", "false");
    let running = unlimited.serve_briefly();
    assert_eq!((running.status(path), running.status(path)), (400, 400));
}

#[test]
fn co_03_a_trusted_proxy_says_where_a_request_comes_from() {
    let start = Program::new().flags(&["--log-format", "json"]);
    let running = start.variable("MCP_OAUTH_TRUSTED_PROXIES", "127.0.0.1").serve_briefly();
    running.get_with("X-Forwarded-For: 6.6.6.6, 198.51.100.7", "/authorize?client_id=nobody");
    let (_, log) = running.stop("-TERM");
    assert!(log.contains("\"address\":\"198.51.100.7\""), "{log}");
}

#[test]
fn sigterm_and_sigint_end_it_with_success() {
    for signal in ["-TERM", "-INT"] {
        let running = Program::new().serve_briefly();
        let (status, log) = running.stop(signal);
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(log.contains("stopped"), "{log}");
    }
}
