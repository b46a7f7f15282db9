//! Whatever somebody sends, the answer is a refusal with a reason, and nothing was changed.

use std::collections::BTreeSet;

use poem::http::Method;

use crate::parameters::Parameters;
use crate::scenario::Scenario;
use crate::steps::{client_metadata, redemption};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// Every path with the methods it serves.
const PATHS: [(&str, &[Method]); 21] = [
    ("/", &[Method::GET]),
    ("/docs", &[Method::GET]),
    ("/openapi.json", &[Method::GET]),
    ("/style.css", &[Method::GET]),
    ("/.well-known/oauth-authorization-server", &[Method::GET]),
    ("/.well-known/openid-configuration", &[Method::GET]),
    ("/.well-known/oauth-protected-resource/mcp", &[Method::GET]),
    ("/.well-known/jwks.json", &[Method::GET]),
    ("/health/live", &[Method::GET]),
    ("/health/ready", &[Method::GET]),
    ("/userinfo", &[Method::GET]),
    ("/authorize", &[Method::GET]),
    ("/register", &[Method::POST]),
    ("/token", &[Method::POST]),
    ("/revoke", &[Method::POST]),
    ("/introspect", &[Method::POST]),
    ("/register/a-client", &[Method::GET, Method::PUT, Method::DELETE]),
    ("/login", &[Method::POST]),
    ("/logout", &[Method::GET, Method::POST]),
    ("/consent", &[Method::GET, Method::POST]),
    ("/dev/token", &[Method::GET, Method::POST]),
];

#[tokio::test]
async fn another_method_is_405_and_told_which_to_use() {
    let scenario = Scenario::new();
    let brew = Method::from_bytes(b"BREW").unwrap();
    let all = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, brew];
    for (path, served) in PATHS {
        for method in all.iter().filter(|method| !served.contains(method)) {
            let answer = scenario.call(method.clone(), path).send().await;
            answer.refused(405, "invalid_request");
            let allow: BTreeSet<_> = answer.header("allow").unwrap().split(", ").collect();
            let head = served.contains(&Method::GET).then_some("HEAD");
            let expected: BTreeSet<_> = served.iter().map(Method::as_str).chain(head).collect();
            assert_eq!(allow, expected, "{method} {path}");
        }
    }
    assert_eq!(scenario.store.writes(), [""; 0]);
}

#[tokio::test]
async fn what_is_served_can_be_asked_for_without_its_body() {
    let scenario = Scenario::new();
    for (path, _) in PATHS.iter().filter(|(_, served)| served.contains(&Method::GET)) {
        let got = scenario.get(path).send().await;
        let head = scenario.call(Method::HEAD, path).send().await;
        assert_eq!(head.status, got.status, "{path}");
    }
}

#[tokio::test]
async fn a_path_that_is_not_there_is_404_with_a_document() {
    let scenario = Scenario::new();
    let paths = [
        "/nothing",
        "/token/",
        "/authorize/x",
        "/mcp/x",
        "/.well-known/x",
        "/.well-known/oauth-protected-resource/other",
        "/.well-known/oauth-authorization-server/mcp",
        "/..%2fetc/passwd",
        "/%00",
        "/%ff",
        "//evil.example",
        "/register/",
        "/register/x/y",
    ];
    for path in paths {
        for method in [Method::GET, Method::POST] {
            scenario.call(method, path).send().await.refused(404, "not_found");
        }
    }
}

#[tokio::test]
async fn a_body_of_another_type_is_415() {
    let scenario = Scenario::new();
    let metadata = client_metadata().to_string();
    for kind in [FORM, "text/plain", "application/json5", "x"] {
        let call = scenario.post("/register").body(kind, metadata.clone());
        call.send().await.refused(415, "invalid_request");
    }
    let form = redemption("x").encoded();
    for path in ["/token", "/revoke", "/introspect", "/login", "/logout", "/consent", "/dev/token"]
    {
        for kind in [JSON, "text/plain", "multipart/form-data; boundary=x", "x"] {
            let call = scenario.post(path).body(kind, form.clone());
            call.send().await.refused(415, "invalid_request");
        }
    }
    assert_eq!(scenario.store.writes(), [""; 0]);
}

#[tokio::test]
async fn rg_08_a_body_of_more_than_64_kibibytes_is_413() {
    let scenario = Scenario::new();
    let bodies = [
        ("/register", JSON),
        ("/token", FORM),
        ("/revoke", FORM),
        ("/introspect", FORM),
        ("/login", FORM),
        ("/logout", FORM),
        ("/consent", FORM),
        ("/dev/token", FORM),
    ];
    for (path, kind) in bodies {
        let large = scenario.post(path).body(kind, "x".repeat(64 * 1024 + 1));
        large.send().await.refused(413, "invalid_request");
        let fits = scenario.post(path).body(kind, "x".repeat(64 * 1024)).send().await;
        assert_ne!(fits.status.as_u16(), 413, "{path}");
    }
    assert_eq!(scenario.store.writes(), [""; 0]);
}

#[tokio::test]
async fn a_message_of_more_than_four_mebibytes_is_413() {
    let scenario = Scenario::new();
    let token = scenario.dev_token(&[]).await;
    let large = scenario.post("/mcp").body(JSON, "x".repeat(4 * 1024 * 1024 + 1));
    large.bearer(&token).send().await.expect(413);
}

#[tokio::test]
async fn a_registration_that_is_no_json_object_is_refused() {
    let scenario = Scenario::new();
    let deep = "[".repeat(60_000);
    let bodies: [&[u8]; 10] = [
        b"",
        b"{",
        b"null",
        b"[]",
        b"7",
        b"\"x\"",
        b"{\"redirect_uris\":",
        b"\xFF\xFE",
        b"{}{}",
        deep.as_bytes(),
    ];
    for body in bodies {
        let answer = scenario.post("/register").body(JSON, body).send().await;
        answer.refused(400, "invalid_client_metadata");
    }
    assert_eq!(scenario.store.writes(), [""; 0]);
}

#[tokio::test]
async fn a_form_of_nonsense_is_refused() {
    let scenario = Scenario::new();
    let bodies: [&[u8]; 8] =
        [b"", b"%", b"%zz=%zz", b"=&=&=", b"&&&", b"\xFF=\xFE", b"grant_type", b"client_id=%00"];
    for body in bodies {
        for path in ["/token", "/revoke", "/introspect", "/login", "/consent"] {
            let answer = scenario.post(path).body(FORM, body).send().await;
            assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
        }
    }
    assert_eq!(scenario.store.writes(), [""; 0]);
}

#[tokio::test]
async fn a_form_without_content_type_and_body_is_an_empty_form() {
    let scenario = Scenario::new();
    scenario.post("/token").send().await.refused(400, "invalid_request");
    scenario.post("/login").send().await.refused_on_a_page(403);
    scenario.post("/consent").send().await.refused_on_a_page(403);
}

#[tokio::test]
async fn a_query_of_nonsense_is_refused_on_a_page() {
    let scenario = Scenario::new();
    for query in ["%", "%zz", "client_id=%ff", "=&=", "&&&", "client_id", "client_id=%00", "?"] {
        for path in ["/authorize", "/consent"] {
            scenario.get(&format!("{path}?{query}")).send().await.refused_on_a_page(400);
        }
    }
}

#[tokio::test]
async fn a_flood_of_parameters_is_refused() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let flood =
        (0..64).fold(Parameters::default(), |flood, number| flood.and(&format!("p{number}"), "x"));
    let query = format!("{}&{}", flood.encoded(), client.request().encoded());
    scenario.get(&format!("/authorize?{query}")).send().await.refused_on_a_page(400);
    let form = flood.and("client_id", &client.id).and("grant_type", "refresh_token");
    for path in ["/token", "/revoke", "/introspect"] {
        scenario.post(path).form(&form).send().await.refused(400, "invalid_request");
    }
    scenario.post("/dev/token").form(&form).send().await.refused(400, "invalid_request");
}

#[tokio::test]
async fn a_broken_cookie_is_no_cookie() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let visit = || scenario.get(&format!("/authorize?{}", client.request().encoded()));
    for cookie in ["mcp-session", "mcp-session=", "=;=;", "mcp-session=unknown", "\u{7f}", ";;;"] {
        let Ok(_) = poem::http::HeaderValue::from_str(cookie) else { continue };
        let page = visit().header("cookie", cookie).send().await.expect(200);
        assert!(page.form().fields.names().contains(&"password"), "{cookie}");
    }
}

#[tokio::test]
async fn a_message_that_is_none_is_refused_as_json_rpc_has_it() {
    let scenario = Scenario::new();
    let token = scenario.dev_token(&[]).await;
    let messages: [(&[u8], i64); 6] = [
        (b"", -32700),
        (b"{", -32700),
        (b"\xFF", -32700),
        (b"[]", -32600),
        (b"{}", -32600),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":[]}", -32602),
    ];
    for (message, code) in messages {
        let call = scenario.post("/mcp").body(JSON, message).bearer(&token);
        let answer = call.send().await.expect(400).json();
        assert_eq!(answer["error"]["code"], code, "{answer}");
    }
}
