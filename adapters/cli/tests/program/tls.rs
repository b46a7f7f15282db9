//! The addresses that go with TLS, and a word about those that do not.

use rcgen::{CertifiedKey, generate_simple_self_signed};

use crate::process::Program;

const ELSEWHERE: &str = "base_url = \"https://mcp.example.com\"\nauthorization_server = \"provider\"\nprovider = \"oidc\"\n";
const PROVIDER: &str = "[identity.oidc]\nissuer = \"https://id.example\"\n";

/// A start with a certificate, in plain HTTP unless the settings name it.
fn start(settings: &str) -> Program {
    let names = vec!["localhost".to_owned()];
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
    let files = Program::new().file("certificate.pem", &cert.pem());
    let files = files.file("key.pem", &signing_key.serialize_pem());
    files.config(settings).flags(&["--port", "0", "--store", "memory"])
}

fn log_of(settings: &str) -> String {
    start(settings).serve().stop("-TERM").1
}

const TLS: &str = "tls_certificate_file = \"certificate.pem\"\ntls_key_file = \"key.pem\"\n";

#[test]
fn with_tls_addresses_are_https_unless_told_otherwise() {
    let running = start(TLS).serve();
    assert!(running.banner.contains("https://localhost:"), "{}", running.banner);
    assert!(!running.banner.contains("http://localhost:"), "{}", running.banner);
    assert!(!running.stop("-TERM").1.contains("WARN"));
}

#[test]
fn a_base_url_that_leads_nobody_here_is_warned_of() {
    let log = log_of(&format!("base_url = \"http://localhost:8443\"\n{TLS}"));
    assert!(log.contains("base_url is http://localhost:8443, but this server speaks TLS"), "{log}");
    let plain = "but this server speaks plain HTTP";
    for (more, warned) in [("", true), (TLS, false), ("trusted_proxies = [\"10.0.0.1\"]\n", false)]
    {
        let log = log_of(&format!("{ELSEWHERE}{more}{PROVIDER}"));
        assert_eq!(log.contains(plain), warned, "{more}: {log}");
    }
}
