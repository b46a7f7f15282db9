//! What holds for every command.

use std::fs;

use crate::operator::Operator;

/// Every command that works in a store, with what it needs.
const IN_A_STORE: [&[&str]; 11] = [
    &["clients", "list"],
    &["clients", "show", "x"],
    &["clients", "add", "--name", "x", "--may-introspect"],
    &["clients", "rotate-secret", "x"],
    &["clients", "delete", "x"],
    &["grants", "list"],
    &["grants", "revoke", "x"],
    &["keys", "list"],
    &["keys", "rotate"],
    &["audit", "tail"],
    &["token"],
];

#[test]
fn every_command_says_why_it_can_do_nothing_in_memory() {
    let operator = Operator::without_store();
    for command in IN_A_STORE.into_iter().chain([&["migrate"][..]]) {
        let told = operator.refused(&[command, &["--store", "memory"]].concat());
        assert!(told.contains("store (from the flag --store)"), "{command:?}: {told}");
        assert!(told.contains("--store sqlite:PATH"), "{command:?}: {told}");
    }
}

#[test]
fn no_command_makes_a_store_that_is_not_there() {
    let operator = Operator::without_store();
    for command in IN_A_STORE {
        let told = operator.refused(&[command, &["--store", "sqlite:misspelled.db"]].concat());
        assert!(told.contains("misspelled.db is not there"), "{command:?}: {told}");
        assert!(told.contains("mcp-oauth-server migrate"), "{command:?}: {told}");
    }
    let directory = operator.program().directory().path().to_owned();
    assert_eq!(fs::read_dir(directory).unwrap().count(), 0);
}

#[test]
fn settings_count_for_commands_wherever_they_stand() {
    let operator = Operator::without_store();
    let file = "store = \"sqlite:other.db\"\nport = 1\n";
    let program = || operator.program().file("server.toml", file);
    for arguments in [
        &["--config", "server.toml", "migrate"][..],
        &["migrate", "--config", "server.toml"],
        &["clients", "list", "--json", "--config=server.toml"],
        &["clients", "--config", "server.toml", "list"],
    ] {
        let output = program().flags(arguments).output();
        assert!(output.status.success(), "{output:?}");
    }
    let output = program().variable("MCP_OAUTH_STORE", "sqlite:other.db").flags(&["keys", "list"]);
    assert!(output.output().status.success());
    let both = ["--config", "server.toml", "migrate", "--config", "server.toml"];
    let told = operator.misused(&both);
    assert!(told.contains("before and after the command"), "{told}");
}

#[test]
fn what_is_wrong_with_the_settings_is_told_to_commands_too() {
    let operator = Operator::new();
    let told = operator.refused(&["clients", "list", "--transport", "stdio"]);
    assert!(told.contains("transport (from the flag --transport)"), "{told}");
}

#[test]
fn a_command_logs_to_standard_error_and_only_when_asked() {
    let operator = Operator::new();
    let add = ["clients", "add", "--name", "x", "--may-introspect", "--json"];
    assert!(operator.done(&add).starts_with('{'));
    let output = operator.program().flags(&add).flags(&["--log-level", "info"]).output();
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("client_added_by_operator"), "{log}");
    assert!(String::from_utf8(output.stdout).unwrap().starts_with('{'));
}

#[test]
fn the_help_of_every_command_has_an_example() {
    let operator = Operator::without_store();
    let also = [&["migrate"][..], &["audit", "tail"]];
    for command in IN_A_STORE.into_iter().chain(also) {
        let name: Vec<_> = command.iter().take_while(|word| word.len() > 1).copied().collect();
        let name = &name[..name.len().min(2)];
        for flag in ["-h", "--help"] {
            let help = operator.done(&[name, &[flag]].concat());
            assert!(help.contains("Example"), "{help}");
            assert!(help.contains(&format!("mcp-oauth-server {}", name.join(" "))), "{help}");
            assert!(help.contains("--json") && help.contains("--store"), "{help}");
        }
    }
    let help = operator.done(&["--help"]);
    for command in ["clients", "grants", "keys", "audit", "token", "migrate"] {
        assert!(help.contains(&format!("\n  {command} ")), "{command}: {help}");
    }
}
