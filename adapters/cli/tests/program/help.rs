//! What the program says of itself.

use crate::process::Program;

/// Every setting with its default, as somebody reading `--help` should find it.
const SETTINGS: [(&str, &str); 68] = [
    ("host", "\"127.0.0.1\""),
    ("port", "8000"),
    ("base_url", "none"),
    ("tls_certificate_file", "none"),
    ("tls_key_file", "none"),
    ("transport", "\"all\""),
    ("provider", "\"dev\""),
    ("providers", "[]"),
    ("identity", "none"),
    ("authorization_server", "\"local\""),
    ("store", "\"sqlite:mcp-oauth-server.db\""),
    ("store_password_file", "none"),
    ("store_connections", "10"),
    ("server_name", "\"MCP OAuth Server\""),
    ("issuer", "none"),
    ("audience", "none"),
    ("allowed_origins", "[]"),
    ("allowed_hosts", "[]"),
    ("signing_key_file", "none"),
    ("encryption_secret", "none"),
    ("encryption_secret_file", "none"),
    ("previous_encryption_secret", "none"),
    ("previous_encryption_secret_file", "none"),
    ("key_rotation_seconds", "7776000"),
    ("registration", "\"open\""),
    ("initial_access_tokens", "[]"),
    ("initial_access_tokens_file", "none"),
    ("most_clients", "10000"),
    ("share_registrations", "false"),
    ("client_unused_seconds", "2592000"),
    ("client_idle_seconds", "15552000"),
    ("default_scopes", "[\"mcp:tools\"]"),
    ("scopes", "{ \"mcp:tools\" = \"Use the tools of this server on your behalf\" }"),
    ("scope_includes", "{}"),
    ("access_rules", "[]"),
    ("list_everything", "false"),
    ("demo_tools", "true"),
    ("tools", "none"),
    ("dev_users", "[{ username = \"alice\", password = \"password\", name = \"Alice\" }]"),
    ("dev_allow_any_host", "false"),
    ("client_documents", "\"open\""),
    ("client_document_domains", "[]"),
    ("client_document_least_seconds", "60"),
    ("client_document_most_seconds", "86400"),
    ("client_documents_remembered", "1000"),
    ("client_documents_test_ca_file", "none"),
    ("log_level", "\"info\""),
    ("log_format", "\"human\""),
    ("access_token_seconds", "3600"),
    ("revocation_seconds", "2"),
    ("code_seconds", "60"),
    ("session_seconds", "28800"),
    ("remember_consent_seconds", "0"),
    ("refresh_idle_seconds", "2592000"),
    ("refresh_absolute_seconds", "7776000"),
    ("refresh_grace_seconds", "30"),
    ("refresh_grace_uses", "8"),
    ("audit_seconds", "7776000"),
    ("most_audit_entries", "1000000"),
    ("call_seconds", "60"),
    ("trusted_proxies", "[]"),
    ("most_connections", "10000"),
    ("most_open_requests", "256"),
    ("header_seconds", "30"),
    ("idle_seconds", "180"),
    ("drain_seconds", "10"),
    ("limits", "true"),
    ("request_limits", "{ registration = { burst = 30, per_minute = 60 }"),
];

/// Settings that hold more than a variable can.
const TABLES: [&str; 7] = [
    "identity",
    "scopes",
    "scope_includes",
    "access_rules",
    "tools",
    "dev_users",
    "request_limits",
];

/// What the program prints, successfully, for one flag.
fn printed(flag: &str) -> String {
    let output = Program::new().flags(&[flag]).output();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The paragraph of `--help` about a setting.
fn explanation<'a>(help: &'a str, setting: &str) -> &'a str {
    let heading = format!("\n  {setting}\n");
    let (_, after) = help.split_once(&heading).unwrap_or_else(|| panic!("no {setting} in {help}"));
    after.split("\n\n").next().unwrap()
}

#[test]
fn help_explains_every_setting_with_its_default() {
    let help = printed("--help");
    for (setting, default) in SETTINGS {
        let explanation = explanation(&help, setting);
        assert!(explanation.contains(&format!("default: {default}")), "{setting}: {explanation}");
        let meaning = explanation.lines().next().unwrap().trim();
        assert!(meaning.len() > 10 && !meaning.starts_with("default"), "{setting}: {meaning}");
    }
}

#[test]
fn help_names_the_variable_of_every_setting_that_has_one() {
    let help = printed("--help");
    for (setting, _) in SETTINGS {
        let variable = format!("MCP_OAUTH_{}", setting.to_uppercase());
        let named = explanation(&help, setting).contains(&variable);
        assert_eq!(named, !TABLES.contains(&setting), "{setting}");
    }
    for old in ["BASE_URL", "ISSUER", "AUDIENCE"] {
        assert!(explanation(&help, &old.to_lowercase()).contains(&format!(", {old}")), "{old}");
    }
}

#[test]
fn help_explains_no_setting_that_this_list_lacks() {
    let help = printed("--help");
    assert_eq!(help.matches("\n      default: ").count(), SETTINGS.len());
}

#[test]
fn the_short_help_has_every_flag_and_points_to_the_long_one() {
    let help = printed("-h");
    let flags = ["--config", "--host", "--port", "--base-url", "--transport", "--provider"];
    for flag in flags.into_iter().chain(["--store", "--log-level", "--log-format", "--help"]) {
        assert!(help.contains(flag), "{flag}");
    }
    assert!(help.lines().count() < 60, "{help}");
}

#[test]
fn the_version_is_that_of_the_package() {
    let expected = format!("mcp-oauth-server {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(printed("--version"), expected);
}

#[test]
fn an_unknown_flag_is_refused_with_a_hint() {
    let output = Program::new().flags(&["--prot", "80"]).output();
    assert_eq!(output.status.code(), Some(2));
    let explanation = String::from_utf8(output.stderr).unwrap();
    assert!(explanation.contains("--prot") && explanation.contains("--port"), "{explanation}");
}
