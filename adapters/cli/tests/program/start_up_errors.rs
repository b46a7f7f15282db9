//! A start that fails says which setting is wrong, where it was set, and what to do; of everything
//! that is wrong, in one run.

use std::net::TcpListener;

use crate::process::Program;

/// What the program has to say of one problem.
struct Told<'a> {
    setting: &'a str,
    source: &'a str,
    reason: &'a str,
    remedy: &'a str,
}

/// Checks that `explanation` tells of a problem.
#[track_caller]
fn tells(explanation: &str, told: &Told<'_>) {
    let heading = format!("  {} (from {}): ", told.setting, told.source);
    let Some((_, after)) = explanation.split_once(&heading) else {
        panic!("no {heading:?} in\n{explanation}");
    };
    let mut lines = after.lines();
    let (reason, remedy) = (lines.next().unwrap(), lines.next().unwrap());
    assert!(reason.contains(told.reason), "{reason:?} lacks {:?}", told.reason);
    assert!(remedy.contains(told.remedy), "{remedy:?} lacks {:?}", told.remedy);
}

/// How many problems an explanation has.
fn problems(explanation: &str) -> usize {
    explanation.matches(" (from ").count()
}

/// Checks that one flag is refused, for one reason.
#[track_caller]
fn refuses_flag(flag: &str, value: &str, reason: &str, remedy: &str) {
    let explanation = Program::new().flags(&[flag, value]).refusal();
    let setting = flag.trim_start_matches('-').replace('-', "_");
    let source = format!("the flag {flag}");
    tells(&explanation, &Told { setting: &setting, source: &source, reason, remedy });
}

/// Checks that a line of a file is refused, for one reason.
#[track_caller]
fn refuses_line(line: &str, reason: &str, remedy: &str) {
    let explanation = Program::new().config(line).refusal();
    let setting = line.split(' ').next().unwrap();
    tells(&explanation, &Told { setting, source: "the file server.toml", reason, remedy });
}

#[test]
fn an_address_that_cannot_be_published_is_refused() {
    refuses_flag("--base-url", "mcp.example", "not an absolute", "localhost");
    refuses_flag("--base-url", "ftp://mcp.example", "not an absolute", "localhost");
    refuses_flag("--base-url", "http://localhost/?a=b", "a query", "localhost");
}

#[test]
fn md_12_plain_http_beyond_loopback_is_refused() {
    refuses_flag("--base-url", "http://mcp.example", "plain http and not loopback", "localhost");
}

#[test]
fn tls_needs_a_certificate_and_its_key_and_both_readable() {
    let certificate = "tls_certificate_file = \"certificate.pem\"\n";
    let key = "tls_key_file = \"key.pem\"\n";
    refuses_line(certificate, "TLS needs tls_key_file as well", "Set both");
    refuses_line(key, "TLS needs tls_certificate_file as well", "Set both");
    let both = format!("{certificate}{key}");
    refuses_line(&both, "certificate.pem: No such file", "Name a readable PEM file");
    let start = Program::new().file("certificate.pem", "no certificate").file("key.pem", "no key");
    let told = Told {
        setting: "tls_certificate_file",
        source: "the file server.toml",
        reason: "certificate.pem: there is no certificate in it",
        remedy: "the certificate first",
    };
    tells(&start.config(&both).refusal(), &told);
}

#[test]
fn co_06_the_dev_provider_is_refused_beyond_loopback() {
    refuses_flag(
        "--base-url",
        "https://mcp.example",
        "the dev provider is for loopback",
        "localhost",
    );
    refuses_flag("--host", "0.0.0.0", "reachable from outside", "dev_allow_any_host");
    refuses_flag("--host", "[::]", "reachable from outside", "dev_allow_any_host");
}

#[test]
fn a_host_that_is_no_address_is_refused() {
    refuses_flag("--host", "mcp.example", "not an IP address", "127.0.0.1");
}

#[test]
fn a_host_of_another_machine_is_a_problem_of_the_host_and_not_of_the_port() {
    // TEST-NET-1 of RFC 5737: nobody has it.
    let file = "host = \"192.0.2.1\"\nstore = \"memory\"\ndev_allow_any_host = true\n";
    let explanation = Program::new().config(file).refusal();
    let remedy = "an address of this machine";
    let source = "the file server.toml";
    tells(&explanation, &Told { setting: "host", source, reason: "192.0.2.1", remedy });
    assert_eq!(problems(&explanation), 1, "{explanation}");
}

#[test]
fn a_number_that_is_none_or_out_of_range_is_refused() {
    refuses_flag("--port", "http", "expected i64", "8000");
    refuses_flag("--port", "70000", "70000 is not a port", "0 to 65535");
    refuses_line("code_seconds = 601", "601 is out of range", "1 to 600");
    refuses_line("access_token_seconds = -1", "-1 is out of range", "from 1");
    refuses_line("refresh_grace_uses = 1.5", "found float", "8");
}

#[test]
fn a_value_of_another_kind_is_refused_with_an_example() {
    refuses_line("port = \"8000\"", "found string \"8000\"", "8000");
    refuses_line("server_name = 7", "expected a string", "MCP OAuth Server");
    refuses_line("dev_allow_any_host = \"yes\"", "expected a boolean", "false");
    refuses_line("allowed_origins = \"*\"", "expected a sequence", "[]");
    refuses_line("scopes = [\"mcp:tools\"]", "not a map", "mcp:tools");
    refuses_line("dev_users = \"alice\"", "not a sequence", "username");
}

#[test]
fn a_choice_that_there_is_not_is_refused_with_those_there_are() {
    refuses_flag("--transport", "stdio", "\"stdio\" is not supported", "all or http or sse");
    refuses_flag("--provider", "facebook", "\"facebook\" is not supported", "dev, clerk");
    refuses_flag("--log-format", "xml", "\"xml\" is not supported", "human or json");
    refuses_flag(
        "--log-level",
        "loud",
        "\"loud\" is no level",
        "error, warn, info, debug or trace",
    );
    refuses_flag("--log-level", "info,loud", "is no level", "mcp_oauth_http=debug");
    refuses_flag("--store", "redis", "\"redis\" names no store", "postgres://");
}

#[test]
fn settings_that_contradict_one_another_are_refused() {
    refuses_line("default_scopes = [\"other\"]", "\"other\" is not among the scopes", "[scopes]");
    refuses_line(
        "scope_includes = { \"mcp:admin\" = [\"mcp:tools\"] }",
        "\"mcp:admin\" is not among the scopes",
        "[scopes]",
    );
    refuses_line(
        "access_rules = [{ tools = [\"*\"], scopes = [\"mcp:admin\"] }]",
        "\"mcp:admin\" is not among the scopes",
        "[scopes]",
    );
    refuses_line("allowed_hosts = [\"http://mcp.internal\"]", "is no host", "mcp.internal:8000");
    refuses_line("access_rules = [{ groups = [\"ops\"] }]", "about nothing", "Name tools");
    refuses_line("access_rules = [{ tools = [\"*\"] }]", "demands nothing", "Name scopes");
    refuses_line(
        "access_rules = [{ tools = [\"*\"], scope = [\"mcp:tools\"] }]",
        "scope",
        "Write it like this: []",
    );
    refuses_line("issuer = \"https://other.example\"", "not below base_url", "Leave issuer out");
    refuses_line("dev_users = []", "nobody could log in", "username and a password");
    refuses_line(
        "allowed_origins = [\"https://a.example/x\"]",
        "is not an origin",
        "without a path",
    );
}

#[test]
fn a_setting_that_there_is_not_is_refused_with_the_one_that_was_meant() {
    refuses_line("prot = 80", "no such setting", "Did you mean port?");
    refuses_line("bse_url = \"x\"", "no such setting", "Did you mean base_url?");
    refuses_line("entirely_different = 1", "no such setting", "See --help");
}

#[test]
fn a_variable_that_there_is_not_is_refused_with_the_one_that_was_meant() {
    let variables = [
        ("MCP_OAUTH_NOPE", "there is no such setting", "See --help"),
        ("MCP_OAUTH_PROT", "there is no such setting", "Did you mean MCP_OAUTH_PORT?"),
        ("MCP_OAUTH_DEV_USERS", "more than a variable can", "Set it in a file."),
    ];
    for (setting, reason, remedy) in variables {
        let explanation = Program::new().variable(setting, "x").refusal();
        tells(&explanation, &Told { setting, source: "the environment", reason, remedy });
    }
}

#[test]
fn a_file_that_is_not_there_or_no_toml_is_refused_by_its_name() {
    let missing = Program::new().flags(&["--config", "nope.toml"]).refusal();
    let told = |source, reason| Told { setting: "--config", source, reason, remedy: "file" };
    tells(&missing, &told("nope.toml", "No such file"));
    let directory = Program::new().flags(&["--config", "."]).refusal();
    tells(&directory, &told(".", "directory"));
    let malformed = Program::new().config("port = 8000\nhost = \"127\n").refusal();
    tells(&malformed, &told("server.toml", "line 2, column"));
}

#[test]
fn a_signing_key_that_is_none_is_refused() {
    let start = || Program::new().flags(&["--store", "memory"]);
    let missing = start().variable("MCP_OAUTH_SIGNING_KEY_FILE", "nope.pem").refusal();
    let told = |reason| Told {
        setting: "signing_key_file",
        source: "the environment variable MCP_OAUTH_SIGNING_KEY_FILE",
        reason,
        remedy: "openssl genrsa",
    };
    tells(&missing, &told("nope.pem: No such file"));
    let garbage = start().file("key.pem", "no key");
    let garbage = garbage.variable("MCP_OAUTH_SIGNING_KEY_FILE", "key.pem").refusal();
    tells(&garbage, &told("key.pem: it is not a PEM file"));
}

#[test]
fn a_proxy_that_is_none_and_a_limit_that_is_none_are_refused() {
    let proxies = [
        ("proxy.example", "\"proxy.example\": it is neither an IP address nor a network"),
        ("10.0.0.1, ::/0", "\"::/0\": it is every address there is"),
    ];
    for (proxies, reason) in proxies {
        let variable = "MCP_OAUTH_TRUSTED_PROXIES";
        let refused = Program::new().variable(variable, proxies).refusal();
        let source = "the environment variable MCP_OAUTH_TRUSTED_PROXIES";
        let remedy = "10.0.0.0/8";
        tells(&refused, &Told { setting: "trusted_proxies", source, reason, remedy });
    }
    let limits = [
        ("logn = { burst = 1, per_minute = 1 }", "by the name \"logn\"", "login"),
        ("login = { burst = 0, per_minute = 1 }", "from 1 to 1000000", "limits = false"),
        ("login = { burst = 1, per_minute = -1 }", "from 1 to 1000000", "limits = false"),
        ("login = { burst = 1 }", "per_minute", "registration"),
        ("login = 60", "not", "registration"),
    ];
    for (line, reason, remedy) in limits {
        let refused = Program::new().config(&format!("[request_limits]\n{line}\n")).refusal();
        let told =
            Told { setting: "request_limits", source: "the file server.toml", reason, remedy };
        tells(&refused, &told);
    }
}

#[test]
fn a_port_that_somebody_else_has_is_refused_wherever_it_was_set() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let told = |source| Told { setting: "port", source, reason: &port, remedy: "--port" };
    let start = || Program::new().flags(&["--store", "memory"]);
    let by_flag = start().flags(&["--port", &port]).refusal();
    tells(&by_flag, &told("the flag --port"));
    let by_variable = start().variable("MCP_OAUTH_PORT", &port).refusal();
    tells(&by_variable, &told("the environment variable MCP_OAUTH_PORT"));
    let by_file = start().config(&format!("port = {port}\n")).refusal();
    tells(&by_file, &told("the file server.toml"));
}

#[test]
fn a_database_that_cannot_be_opened_is_refused_and_left_as_it_is() {
    let told =
        |source, reason| Told { setting: "store", source, reason, remedy: "--store sqlite:PATH" };
    let nowhere =
        Program::new().flags(&["--port", "0", "--store", "sqlite:nowhere/x.db"]).refusal();
    tells(&nowhere, &told("the flag --store", "must exist and be writable"));
    let garbage = Program::new().file("mcp-oauth-server.db", &"no database ".repeat(100));
    let directory = garbage.directory().clone();
    let garbage = garbage.flags(&["--port", "0"]).refusal();
    tells(&garbage, &told("the defaults", "not an SQLite database"));
    let kept = std::fs::read_to_string(directory.path().join("mcp-oauth-server.db")).unwrap();
    assert_eq!(kept, "no database ".repeat(100));
}

#[test]
fn an_address_of_postgresql_that_is_none_is_refused() {
    let remedy = "postgres://USER@HOST:PORT/DATABASE";
    for (address, reason) in [
        ("postgres:db", "it is not postgres://"),
        ("postgres://bob:1/2@127.0.0.1/mcp", "not percent-encoded"),
        ("postgres://127.0.0.1/mcp?sslmod=require", "unknown parameter \"sslmod\""),
        ("postgres://127.0.0.1/mcp?sslmode=always", "sslmode is none of"),
    ] {
        refuses_flag("--store", address, reason, remedy);
    }
}

#[test]
fn a_postgresql_server_that_cannot_be_used_is_refused_with_the_reason() {
    let refusal =
        |address: &str| Program::new().flags(&["--port", "0", "--store", address]).refusal();
    let told =
        |reason, remedy| Told { setting: "store", source: "the flag --store", reason, remedy };
    let nobody = refusal("postgres://bob@127.0.0.1:1/mcp");
    tells(&nobody, &told("mcp on 127.0.0.1:1 can't be reached: Connection refused", "Start its"));
    let certificate = refusal("postgres://bob@127.0.0.1:1/mcp?sslrootcert=nope.pem");
    tells(&certificate, &told("nope.pem can't be read: No such file", "sslrootcert"));
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    let answering = std::thread::spawn(move || {
        let (mut client, _) = other.accept().unwrap();
        std::io::Write::write_all(&mut client, b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let web_server = refusal(&format!("postgres://bob@127.0.0.1:{port}/mcp"));
    tells(&web_server, &told("can't be used", "Name a PostgreSQL server"));
    answering.join().unwrap();
}

#[test]
fn a_password_for_the_store_is_set_in_one_place() {
    let start = |store| {
        let start = Program::new().flags(&["--port", "0", "--store", store]);
        start.variable("MCP_OAUTH_STORE_PASSWORD_FILE", "password")
    };
    let source = "the environment variable MCP_OAUTH_STORE_PASSWORD_FILE";
    let told = |reason, remedy| Told { setting: "store_password_file", source, reason, remedy };
    let missing = start("postgres://bob@127.0.0.1:1/mcp").refusal();
    tells(&missing, &told("password: No such file", "Name a readable file"));
    let twice = start("postgres://bob:1@127.0.0.1:1/mcp").file("password", "2").refusal();
    tells(&twice, &told("store has a password as well", "Set one of the two."));
}

#[test]
fn everything_that_is_wrong_is_told_in_one_run() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let explanation = Program::new()
        .config("prot = 80\nserver_name = 7\nstore = \"sqlite:nowhere/x.db\"\n")
        .variable("BASE_URL", "http://mcp.example")
        .variable("MCP_OAUTH_NOPE", "1")
        .flags(&["--config", "nope.toml", "--port", &port, "--transport", "stdio"])
        .refusal();
    for setting in [
        "prot",
        "server_name",
        "store",
        "base_url",
        "MCP_OAUTH_NOPE",
        "--config",
        "port",
        "transport",
    ] {
        assert!(explanation.contains(&format!("\n  {setting} (from ")), "{setting}: {explanation}");
    }
    assert_eq!(problems(&explanation), 8, "{explanation}");
}

#[test]
fn a_value_that_a_higher_source_replaces_is_no_problem() {
    let start = Program::new().config("transport = \"stdio\"\nport = \"x\"\n");
    start.variable("MCP_OAUTH_TRANSPORT", "http").serve_briefly();
}

#[test]
fn ci_13_a_list_of_domains_that_would_not_count_is_refused() {
    let refuses = |file: &str, reason: &str| {
        let explanation = Program::new().config(file).flags(&["--port", "0"]).refusal();
        let (setting, source) = ("client_document_domains", explanation_source(file));
        tells(&explanation, &Told { setting, source, reason, remedy: "" });
        assert_eq!(problems(&explanation), 1, "{explanation}");
    };
    refuses("client_documents = \"listed\"\n", "belong together");
    refuses("client_document_domains = [\"c.example\"]\n", "belong together");
    let file = "client_documents = \"listed\"\nclient_document_domains = [\"c.example\", \"https://d.example/\"]\n";
    refuses(file, "\"https://d.example/\" is not a domain");
}

/// Where a list of domains was set: in the file, if it has one.
fn explanation_source(file: &str) -> &'static str {
    if file.contains("client_document_domains") { "the file server.toml" } else { "the defaults" }
}

#[test]
fn bounds_of_the_memory_of_documents_are_refused_when_they_are_none() {
    refuses_line(
        "client_documents = \"some\"",
        "\"some\" is not supported",
        "open or listed or off",
    );
    refuses_line("client_document_least_seconds = 9", "9 is out of range", "from 10");
    refuses_line("client_documents_remembered = 0", "0 is out of range", "from 10");
    refuses_line("client_document_least_seconds = 90000", "more than the most", "no more than");
}

#[test]
fn ci_04_the_authority_for_tests_is_refused_where_it_would_be_a_door() {
    const LINE: &str = "client_documents_test_ca_file = \"ca.pem\"";
    refuses_line(LINE, "No such file", "PEM");
    let told = |reason| Told {
        setting: "client_documents_test_ca_file",
        source: "the file server.toml",
        reason,
        remedy: "",
    };
    let empty = Program::new().file("ca.pem", "").config(LINE).refusal();
    tells(&empty, &told("holds no \"CERTIFICATE\" block"));
    let public = format!("base_url = \"https://mcp.example\"\n{LINE}\n");
    let explanation = Program::new().file("ca.pem", "").config(&public).refusal();
    tells(&explanation, &told("it is for tests, and base_url is not loopback"));
}
