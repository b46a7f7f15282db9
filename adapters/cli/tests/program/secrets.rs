//! Whatever is wrong with a file, what it says is not repeated where everybody can read it
//! (checklist JV-18).

use crate::process::Program;

const PASSWORD: &str = "7734001";

/// Checks that a file is refused without a word of the password in it.
#[track_caller]
fn is_refused_discreetly(file: &str) {
    assert!(file.contains(PASSWORD));
    let explanation = Program::new().config(file).flags(&["--store", "memory"]).refusal();
    assert!(!explanation.contains(PASSWORD), "{explanation}");
    assert!(explanation.contains("server.toml"), "{explanation}");
}

#[test]
fn jv_18_a_password_in_a_malformed_file_is_not_repeated() {
    is_refused_discreetly("dev_users = [{ username = \"bob\", password = \"7734001 }]\n");
    is_refused_discreetly("[[dev_users]]\nusername = \"bob\"\npassword = 7734001x\n");
    is_refused_discreetly("password: 7734001\n");
}

#[test]
fn jv_18_a_password_of_another_kind_is_not_repeated() {
    is_refused_discreetly("dev_users = [{ username = \"bob\", password = 7734001 }]\n");
    is_refused_discreetly("dev_users = [{ username = \"bob\", password = [\"7734001\"] }]\n");
    is_refused_discreetly("dev_users = \"bob:7734001\"\n");
    is_refused_discreetly("dev_users = [\"bob:7734001\"]\n");
    is_refused_discreetly("dev_users = { bob = \"7734001\" }\n");
}

#[test]
fn jv_18_a_password_beside_a_mistake_is_not_repeated() {
    is_refused_discreetly("dev_users = [{ usrname = \"bob\", password = \"7734001\" }]\n");
    is_refused_discreetly("dev_users = [{ username = \"bob\", pasword = \"7734001\" }]\n");
    is_refused_discreetly("dev_user = [{ username = \"bob\", password = \"7734001\" }]\n");
}

#[test]
fn jv_18_a_password_in_an_address_is_not_repeated() {
    for address in [
        "postgres://bob:7734001@127.0.0.1:1/mcp",
        "postgres://127.0.0.1:1/mcp?user=bob&password=7734001",
        "postgres://127.0.0.1:1/mcp?user=bob&pasword=7734001",
        "postgres://bob:7734001/@127.0.0.1:1/mcp",
        "postgres://bob:7734001",
        "mysql://bob:7734001@127.0.0.1:1/mcp",
    ] {
        let file = format!("store = \"{address}\"\n");
        let trace = Program::new().config(&file).flags(&["--port", "0", "--log-level", "trace"]);
        let explanation = trace.refusal();
        assert!(!explanation.contains(PASSWORD), "{explanation}");
        assert!(explanation.contains("store (from the file server.toml)"), "{explanation}");
    }
    is_refused_discreetly("base_url = \"https://bob:7734001@mcp.example\"\n");
}

#[test]
fn jv_18_a_password_for_the_store_in_a_file_or_a_variable_is_not_repeated() {
    let address = "postgres://bob@127.0.0.1:1/mcp";
    let start = || Program::new().flags(&["--port", "0", "--store", address]);
    let file = start().file("password", PASSWORD);
    let named = file.variable("MCP_OAUTH_STORE_PASSWORD_FILE", "password");
    for start in [named, start().variable("PGPASSWORD", PASSWORD)] {
        let explanation = start.flags(&["--log-level", "trace"]).refusal();
        assert!(explanation.contains("can't be reached"), "{explanation}");
        assert!(!explanation.contains(PASSWORD), "{explanation}");
    }
}

#[test]
fn jv_18_a_private_key_that_cannot_be_used_is_not_repeated() {
    let key = format!("-----BEGIN PRIVATE KEY-----\n{PASSWORD}\n-----END PRIVATE KEY-----\n");
    let start = Program::new().file("key.pem", &key).flags(&["--store", "memory"]);
    let explanation = start.variable("MCP_OAUTH_SIGNING_KEY_FILE", "key.pem").refusal();
    assert!(explanation.contains("key.pem") && !explanation.contains(PASSWORD), "{explanation}");
}

#[test]
fn jv_18_a_secret_of_the_demonstration_is_named_and_not_repeated() {
    let running = Program::new().variable("CLERK_CLIENT_SECRET", PASSWORD).serve_briefly();
    let (_, log) = running.stop("-TERM");
    assert!(log.contains("CLERK_CLIENT_SECRET") && !log.contains(PASSWORD), "{log}");
}

#[test]
fn jv_18_the_password_of_a_dev_user_is_neither_in_the_banner_nor_in_the_log() {
    let file = "dev_users = [{ username = \"bob\", password = \"7734001\" }]\n";
    let running = Program::new().config(file).flags(&["--log-level", "trace"]).serve_briefly();
    assert!(running.banner.contains("bob"), "{}", running.banner);
    let banner = running.banner.clone();
    let (_, log) = running.stop("-TERM");
    assert!(!banner.contains(PASSWORD) && !log.contains(PASSWORD), "{banner}{log}");
}
