//! Where a setting comes from: of defaults, files, environment and flags the later one wins.

use crate::process::Program;

/// The first line that the program prints, which begins with its name.
fn server_name(start: Program) -> String {
    let banner = start.serve_briefly().banner.clone();
    let (name, _) = banner.lines().next().unwrap().rsplit_once(' ').unwrap();
    name.to_owned()
}

/// The base URL in the banner.
fn base_url(start: Program) -> String {
    let banner = start.serve_briefly().banner.clone();
    let line = banner.lines().find(|line| line.contains("How to connect")).unwrap();
    line.split_whitespace().last().unwrap().trim_end_matches('/').to_owned()
}

#[test]
fn without_any_source_the_default_counts() {
    assert_eq!(server_name(Program::new()), "MCP OAuth Server");
}

#[test]
fn a_file_wins_over_the_default_and_a_later_file_over_an_earlier() {
    let start = Program::new().config("server_name = \"First\"\n");
    assert_eq!(server_name(start), "First");
    let start = Program::new().config("server_name = \"First\"\n");
    let start = start.file("second.toml", "server_name = \"Second\"\n");
    assert_eq!(server_name(start.flags(&["--config", "second.toml"])), "Second");
}

#[test]
fn a_variable_wins_over_a_file() {
    let start = Program::new().config("server_name = \"File\"\n");
    assert_eq!(server_name(start.variable("MCP_OAUTH_SERVER_NAME", "Variable")), "Variable");
}

#[test]
fn a_flag_wins_over_a_variable_and_a_file() {
    let start = Program::new().config("base_url = \"http://localhost:1001\"\n");
    let start = start.variable("MCP_OAUTH_BASE_URL", "http://localhost:1002");
    let start = start.flags(&["--base-url", "http://localhost:1003"]);
    assert_eq!(base_url(start), "http://localhost:1003");
}

#[test]
fn a_name_of_the_demonstration_wins_over_a_file_and_loses_to_the_new_name() {
    let start = || {
        let start = Program::new().config("base_url = \"http://localhost:1001\"\n");
        start.variable("BASE_URL", "http://localhost:1002")
    };
    assert_eq!(base_url(start()), "http://localhost:1002");
    let both = start().variable("MCP_OAUTH_BASE_URL", "http://localhost:1003");
    assert_eq!(base_url(both), "http://localhost:1003");
}

#[test]
fn the_issuer_of_the_demonstration_is_heeded() {
    let start = Program::new().variable("ISSUER", "https://other.example");
    let explanation = start.refusal();
    assert!(explanation.contains("issuer (from the environment variable ISSUER)"), "{explanation}");
}

#[test]
fn the_audience_of_the_demonstration_is_one_more_name_for_this_server() {
    let audience = "https://legacy.example";
    let asks = format!("/dev/token?audience={audience}");
    for (start, status) in
        [(Program::new().variable("AUDIENCE", audience), "200"), (Program::new(), "401")]
    {
        let running = start.serve_briefly();
        let issued = running.get(&asks);
        let (_, token) = issued.split_once("\"access_token\":\"").unwrap();
        let token = token.split('"').next().unwrap();
        let answer = running.get_with(&format!("Authorization: Bearer {token}"), "/userinfo");
        assert_eq!(answer.split(' ').nth(1), Some(status), "{answer}");
    }
}

#[test]
fn a_variable_of_a_list_is_separated_by_commas() {
    let start = Program::new().flags(&["--store", "memory", "--port", "0"]);
    let origins = "https://a.example, https://b.example/path";
    let explanation = start.variable("MCP_OAUTH_ALLOWED_ORIGINS", origins).refusal();
    assert!(explanation.contains("\"https://b.example/path\" is not an origin"), "{explanation}");
    assert!(!explanation.contains("a.example"), "{explanation}");
}

#[test]
fn an_empty_variable_of_the_demonstration_is_none() {
    let url = base_url(Program::new().variable("BASE_URL", ""));
    assert!(url.starts_with("http://localhost:"), "{url}");
}

#[test]
fn a_switch_and_a_number_are_read_from_variables() {
    let start = Program::new().variable("MCP_OAUTH_DEV_ALLOW_ANY_HOST", "true");
    let start = start.variable("MCP_OAUTH_CODE_SECONDS", " 30 ");
    start.flags(&["--host", "0.0.0.0"]).serve_briefly();
}
