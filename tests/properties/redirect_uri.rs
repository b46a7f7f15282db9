//! Redirect addresses (RFC 6749 §3.1.2, RFC 8252 §7.3).

use mcp_oauth_core::domain::redirect_uri::RedirectUri;
use proptest::prelude::*;
use url::{Host, Url};

use super::texts::{address, config};

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The address without what may differ: the port.
fn without_port(url: &Url) -> Url {
    let mut url = url.clone();
    let _ = url.set_port(None);
    url
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn az_03_an_accepted_address_is_kept_byte_for_byte_and_permits_itself(text in address()) {
        if let Ok(uri) = RedirectUri::parse(&text) {
            prop_assert_eq!(uri.as_str(), &text);
            prop_assert!(uri.permits(&uri));
        }
    }

    #[test]
    fn az_06_az_07_no_accepted_address_runs_code_or_leaves_this_machine_unencrypted(text in address()) {
        if let Ok(uri) = RedirectUri::parse(&text) {
            let url = Url::parse(uri.as_str()).unwrap();
            prop_assert!(!matches!(url.scheme(), "javascript" | "data" | "file" | "ftp"));
            prop_assert!(url.scheme() != "http" || is_this_machine(&url), "{}", url);
            prop_assert!(url.fragment().is_none());
            prop_assert!(url.username().is_empty() && url.password().is_none());
        }
    }

    #[test]
    fn az_03_az_04_an_address_permits_others_only_on_this_machine_and_apart_from_the_port(
        registered in address(), requested in address(),
    ) {
        let parsed = (RedirectUri::parse(&registered), RedirectUri::parse(&requested));
        let (Ok(registered), Ok(requested)) = parsed else { return Ok(()) };
        if registered.permits(&requested) && registered != requested {
            let (one, other) =
                (Url::parse(registered.as_str()).unwrap(), Url::parse(requested.as_str()).unwrap());
            prop_assert!(is_this_machine(&one) && is_this_machine(&other));
            prop_assert_eq!(one.scheme(), "http");
            prop_assert_eq!(without_port(&one), without_port(&other));
        }
    }

    #[test]
    fn az_04_az_05_a_loopback_address_permits_every_port_of_its_own_host(
        host in prop::sample::select(&["localhost", "127.0.0.1", "[::1]"][..]),
        path in "(/[a-z0-9._-]{1,8}){0,3}", port in 1u16.., other_port in 1u16..,
    ) {
        let on = |port: u16| RedirectUri::parse(&format!("http://{host}:{port}{path}")).unwrap();
        let without = RedirectUri::parse(&format!("http://{host}{path}")).unwrap();
        prop_assert!(without.permits(&on(port)) && on(port).permits(&on(other_port)));
    }

    #[test]
    fn az_11_an_answer_adds_each_parameter_once_and_leads_where_the_address_does(
        text in address(), state in any::<String>(),
    ) {
        if let Ok(uri) = RedirectUri::parse(&text) {
            let before = Url::parse(uri.as_str()).unwrap();
            let after = Url::parse(&uri.with_parameters(&[("code", "c"), ("state", &state)])).unwrap();
            let named = |name: &str| {
                after.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned())
                    .collect::<Vec<_>>()
            };
            prop_assert_eq!(named("code"), ["c"]);
            prop_assert_eq!(named("state"), [state]);
            prop_assert_eq!(before.origin().ascii_serialization(), after.origin().ascii_serialization());
            prop_assert_eq!(before.path(), after.path());
            prop_assert!(after.as_str().starts_with(before.as_str().trim_end_matches('?')));
        }
    }
}
