//! Texts that look like what a reader expects, and a little not.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, FileFailurePersistence};

/// Keeps what broke a property beside the property.
pub(crate) fn config() -> Config {
    Config {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..Config::default()
    }
}

/// Pieces that parsers of addresses disagree about.
const PIECES: [&str; 64] = [
    "https",
    "http",
    "HTTPS",
    "javascript",
    "data",
    "cursor",
    "com.example.app",
    "ftp",
    ":",
    "://",
    ":/",
    "//",
    "/",
    "\\",
    "?",
    "#",
    "@",
    "&",
    "=",
    ".",
    "..",
    "%2e",
    "%2E%2e",
    "%2f",
    "%00",
    "%",
    "%zz",
    "+",
    "localhost",
    "LOCALHOST",
    "127.0.0.1",
    "127.1",
    "0x7f.1",
    "2130706433",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "::1",
    "0.0.0.0",
    "169.254.169.254",
    "10.0.0.1",
    "evil.example",
    "Client.Example",
    "xn--bcher-kva.example",
    "bücher.example",
    "user",
    "user:pw",
    ":0",
    ":80",
    ":443",
    ":8080",
    ":99999",
    "callback",
    "code",
    "state",
    "iss",
    "error",
    "a",
    "\t",
    "\n",
    " ",
    "\u{202e}",
    "\u{0}",
    "<script>",
    "\"",
];

/// An address put together from pieces, most of them wrong.
pub(crate) fn address() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => select(&PIECES[..]).prop_map(str::to_owned),
        1 => "[ -~]{0,6}",
        1 => any::<char>().prop_map(String::from),
    ];
    let wild = prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat());
    prop_oneof![3 => wild, 2 => likely_address()]
}

/// An address that is mostly right.
fn likely_address() -> impl Strategy<Value = String> {
    let scheme = select(
        &["https://", "http://", "https:/", "cursor://", "com.example.app:/", "HTTP://"][..],
    );
    let host = prop_oneof![
        select(
            &[
                "localhost",
                "127.0.0.1",
                "[::1]",
                "app.example",
                "127.0.0.1.evil.example",
                "localhost."
            ][..]
        )
        .prop_map(str::to_owned),
        "[a-z0-9.-]{1,12}",
        "user@[a-z]{1,8}",
    ];
    let port = prop_oneof![3 => Just(String::new()), 2 => "(:[0-9]{0,6})"];
    let path = prop_oneof![3 => "(/[a-z.%2e]{0,6}){0,3}", 1 => "/[ -~]{0,10}"];
    (scheme, host, port, path)
        .prop_map(|(scheme, host, port, path)| format!("{scheme}{host}{port}{path}"))
}

/// JSON of every shape, under names a reader looks for.
pub(crate) fn json(names: &'static [&'static str]) -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        select(names).prop_map(Into::into),
        address().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 6, move |inner| {
        let name = prop_oneof![4 => select(names).prop_map(str::to_owned), 1 => "[a-z_]{1,8}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(name, inner, 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}
