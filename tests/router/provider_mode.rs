//! A server whose clients get their tokens from providers: a resource server, and nothing else
//! (checklist 1, 2 and 3).

use std::sync::Arc;

use poem::http::Method;
use serde_json::json;

use crate::foreign_provider::{
    ForeignProvider, NEXT_TOKEN, OTHER_PROVIDER, PROVIDER, TOKEN, TOKEN_OF_OTHER, WAIT,
};
use crate::scenario::{LOCAL, Scenario, Setup};

const WELL_KNOWN: [&str; 2] =
    ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];

/// What only an authorization server has.
const NOT_HERE: [&str; 12] = [
    "/authorize",
    "/token",
    "/register",
    "/register/a-client",
    "/revoke",
    "/introspect",
    "/userinfo",
    "/login",
    "/consent",
    "/logout",
    "/.well-known/jwks.json",
    "/dev/token",
];

fn server() -> (Scenario, Arc<ForeignProvider>) {
    server_at(LOCAL)
}

fn server_at(base_url: &'static str) -> (Scenario, Arc<ForeignProvider>) {
    let provider = Arc::new(ForeignProvider::default());
    let setup = Setup { provider: Some(Arc::clone(&provider)), ..Setup::at(base_url) };
    (Scenario::of(setup), provider)
}

#[tokio::test]
async fn rs_02_the_resource_names_the_providers_byte_for_byte() {
    let (scenario, _) = server();
    for document in ["", "/mcp", "/mcp/sse"] {
        let path = format!("/.well-known/oauth-protected-resource{document}");
        let resource = scenario.get(&path).send().await.expect(200).json();
        assert_eq!(resource["authorization_servers"], json!([PROVIDER, OTHER_PROVIDER]));
        assert_eq!(resource["resource"], format!("{LOCAL}{document}"));
        assert_eq!(resource["scopes_supported"], json!(["mcp:tools"]));
    }
}

#[tokio::test]
async fn md_03_who_looks_for_the_authorization_server_here_gets_the_providers_own_words() {
    let (scenario, _) = server();
    for path in WELL_KNOWN {
        let answer = scenario.get(path).send().await.expect(200);
        assert_eq!(answer.json(), ForeignProvider::document(), "{path}");
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    let (below, _) = server_at("https://mcp.example.com/a");
    let inserted = WELL_KNOWN.map(|path| format!("{path}/a"));
    let appended = "/a/.well-known/openid-configuration".to_owned();
    for path in inserted.into_iter().chain([appended]) {
        let answer = below.get(&path).send().await.expect(200);
        assert_eq!(answer.json(), ForeignProvider::document(), "{path}");
    }
}

#[tokio::test]
async fn what_a_provider_says_of_itself_is_503_while_it_is_down() {
    let (scenario, provider) = server();
    provider.go_down();
    for path in WELL_KNOWN {
        let answer = scenario.get(path).send().await;
        answer.refused(503, "temporarily_unavailable");
        assert_eq!(answer.header("retry-after"), Some(&*WAIT.to_string()));
        assert!(!answer.body.contains("10.0.0.9"), "{}", answer.body);
    }
    assert_eq!(scenario.audit.names(), ["provider_unavailable"; 2]);
}

#[tokio::test]
async fn whatever_only_an_authorization_server_has_is_as_unknown_as_any_path() {
    let (scenario, _) = server();
    let unknown = scenario.get("/nobody/knows").send().await.expect(404);
    for path in NOT_HERE {
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE] {
            let answer = scenario.call(method.clone(), path).send().await;
            let got = (answer.status, &answer.body);
            assert_eq!(got, (unknown.status, &unknown.body), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn each_of_them_is_there_where_this_server_is_the_authorization_server() {
    let scenario = Scenario::new();
    for path in NOT_HERE {
        let get = scenario.get(path).send().await.status.as_u16();
        assert_ne!(get, 404, "{path}");
    }
}

#[tokio::test]
async fn md_13_what_is_not_here_is_documented_nowhere() {
    let (scenario, _) = server();
    let document = scenario.get("/openapi.json").send().await.expect(200).json();
    let paths: Vec<_> = document["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["/health/live", "/health/ready", "/mcp", "/mcp/health"]);
    let topics: Vec<_> =
        document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    assert_eq!(topics, ["Health"]);
    assert_eq!(document["components"]["schemas"], json!({}));
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(schemes["oauth2"]["type"], "http");
    assert_eq!(schemes["oauth2"]["scheme"], "bearer");
    assert!(schemes.to_string().contains(PROVIDER), "{schemes}");
    assert_eq!(document["paths"]["/mcp"]["post"]["security"], json!([{ "oauth2": [] }]));
}

#[tokio::test]
async fn the_documentation_takes_a_token_instead_of_logging_in() {
    let (scenario, _) = server();
    let answer = scenario.get("/docs").send().await.expect(200);
    let page = answer.page();
    assert!(page.contains("SwaggerUIBundle(") && page.contains("\"bearer\""));
    assert!(!page.contains("initOAuth(") && !page.contains("/register"));
    scenario.get("/docs/oauth-receiver.html").send().await.expect(404);
    let with_login = Scenario::new().get("/docs").send().await.expect(200);
    assert!(with_login.page().contains("initOAuth("));
}

#[tokio::test]
async fn the_landing_page_says_where_people_log_in() {
    let (scenario, _) = server();
    let answer = scenario.get("/").send().await.expect(200);
    let page = answer.page();
    assert!(page.contains(PROVIDER) && page.contains(OTHER_PROVIDER), "{page}");
    for untrue in ["dev/token", "Log in as", "registers itself", "sends you here"] {
        assert!(!page.contains(untrue), "{page}");
    }
}

#[tokio::test]
async fn rs_05_rs_06_rs_09_callers_without_a_good_token_are_challenged_as_ever() {
    let (scenario, _) = server();
    let none = scenario.get("/mcp").send().await.expect(401).challenge();
    assert!(none["resource_metadata"].ends_with("/oauth-protected-resource/mcp"), "{none:?}");
    assert_eq!((none["scope"].as_str(), none.get("error")), ("mcp:tools", None));
    let bad = scenario.hello("a-token-of-nobody").await;
    bad.refused(401, "invalid_token");
    assert_eq!(bad.challenge()["error"], "invalid_token");
}

#[tokio::test]
async fn rs_18_a_token_of_a_provider_lists_and_calls_tools() {
    let (scenario, _) = server();
    for token in [TOKEN, TOKEN_OF_OTHER] {
        let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
        let listed = scenario.mcp(&list).bearer(token).send().await.expect(200).message();
        assert!(!listed["result"]["tools"].as_array().unwrap().is_empty(), "{listed}");
        let greeted = scenario.hello(token).await.expect(200).tool_text();
        assert!(greeted.contains("World"), "{greeted}");
    }
    assert!(!scenario.audit.names().contains(&"invalid_token"));
}

#[tokio::test]
async fn rs_10_rs_11_a_call_beyond_the_token_is_403_with_all_it_needs() {
    let (scenario, _) = server();
    let answer = scenario.call_tool(TOKEN, "move_files", json!({})).await;
    answer.refused(403, "insufficient_scope");
    let scope = answer.challenge().remove("scope").unwrap();
    for needed in ["files:read", "files:write"] {
        assert!(scope.contains(needed), "{scope}");
    }
}

#[tokio::test]
async fn while_no_token_can_be_verified_each_is_503_and_never_401() {
    let (scenario, provider) = server();
    provider.go_down_unknown();
    for token in [TOKEN, "a-token-of-nobody"] {
        let answer = scenario.hello(token).await;
        answer.refused(503, "temporarily_unavailable");
        assert_eq!(answer.header("retry-after"), Some(&*WAIT.to_string()));
        assert_eq!(answer.header("www-authenticate"), None);
        assert!(!answer.body.contains("10.0.0.9"), "{}", answer.body);
    }
    scenario.get("/mcp").send().await.expect(401);
}

#[tokio::test]
async fn who_knows_the_keys_of_a_provider_that_is_down_goes_on_and_is_ready() {
    let (scenario, provider) = server();
    provider.go_down();
    scenario.hello(TOKEN).await.expect(200);
    scenario.get("/health/ready").send().await.expect(200);
    provider.go_down_unknown();
    scenario.get("/health/ready").send().await.expect(503);
    scenario.get("/health/live").send().await.expect(200);
}

#[tokio::test]
async fn jv_19_people_of_two_issuers_with_one_name_are_two_people() {
    let (scenario, _) = server();
    let session = scenario.open_session(TOKEN).await;
    let greeting = json!({ "name": "World" });
    let hello = || scenario.session_call(&session, "hello", &greeting);
    hello().bearer(TOKEN_OF_OTHER).send().await.expect(404);
    hello().bearer(NEXT_TOKEN).send().await.expect(200);
}
