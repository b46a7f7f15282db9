//! Certificates and keys: which are taken, and what is said of the others.

use mcp_oauth_http::{TlsCertificate, UnusableCertificate};
use rcgen::{CertifiedKey, generate_simple_self_signed};

/// A certificate for `localhost` and its key, in PEM.
pub(crate) fn certificate() -> (String, String) {
    let names = vec!["localhost".to_owned()];
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
    (cert.pem(), signing_key.serialize_pem())
}

fn refusal(chain: &str, key: &str) -> UnusableCertificate {
    TlsCertificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap_err()
}

#[test]
fn a_certificate_and_its_key_are_taken_whatever_else_stands_around_them() {
    let (chain, key) = certificate();
    let (vouching, _) = certificate();
    let chain = format!("Somebody's\n{chain}\n{vouching}");
    let both = format!("{key}{chain}");
    for (chain, key) in [(&chain, &key), (&both, &both)] {
        assert!(TlsCertificate::from_pem(chain.as_bytes(), key.as_bytes()).is_ok());
    }
}

#[test]
fn what_is_no_certificate_or_no_key_is_refused_with_the_reason() {
    use UnusableCertificate::{BrokenCertificate, BrokenKey, ForeignKey, NoCertificate, NoKey};
    let (chain, key) = certificate();
    let (_, foreign) = certificate();
    let labelled = |label: &str, text: &str| {
        format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
    };
    let locked = labelled("ENCRYPTED PRIVATE KEY", "AAAA");
    for (chain, key, expected) in [
        ("", &*key, NoCertificate),
        ("no PEM at all", &key, NoCertificate),
        (&key, &key, NoCertificate),
        (&labelled("CERTIFICATE", "!"), &key, BrokenCertificate),
        (&labelled("CERTIFICATE", "AAAA"), &key, BrokenCertificate),
        (&chain[..chain.len() / 2], &key, BrokenCertificate),
        (&chain, "", NoKey),
        (&chain, &chain, NoKey),
        (&chain, &locked, NoKey),
        (&chain, &labelled("PRIVATE KEY", "AAAA"), BrokenKey),
        (&chain, &foreign, ForeignKey),
    ] {
        assert_eq!(refusal(chain, key), expected, "{chain} {key}");
        let is_about_the_key = !matches!(expected, NoCertificate | BrokenCertificate);
        assert_eq!(expected.is_about_the_key(), is_about_the_key);
    }
}

#[test]
fn nothing_shows_a_key() {
    let (chain, key) = certificate();
    let certificate = TlsCertificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap();
    assert_eq!(format!("{certificate:?}"), "TlsCertificate { .. }");
    let tls = mcp_oauth_http::Tls::new(certificate).unwrap();
    assert_eq!(format!("{tls:?}"), "Tls { .. }");
}
