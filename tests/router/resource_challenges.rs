//! What a refused request to the protected resource is told (checklist 1: RS-05 to RS-16, RS-21).

use poem::http::Method;
use serde_json::json;

use crate::answer::assert_legible;
use crate::forged_token::ForgedToken;
use crate::scenario::{Scenario, words};
use crate::steps::basic;

/// Every path behind a token, and the metadata document its challenge names.
const PROTECTED: [(&str, &str); 6] = [
    ("/mcp", "/mcp"),
    ("/mcp/", "/mcp"),
    ("/mcp/sse", "/mcp/sse"),
    ("/mcp/sse/", "/mcp/sse"),
    ("/mcp/messages", "/mcp/sse"),
    ("/userinfo", ""),
];

#[tokio::test]
async fn rs_05_every_protected_path_wants_a_token() {
    let scenario = Scenario::new();
    for (path, _) in PROTECTED {
        let answer = scenario.get(path).send().await;
        assert_eq!(answer.status.as_u16(), 401, "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
    for method in [Method::POST, Method::DELETE, Method::PUT] {
        scenario.call(method, "/mcp").send().await.expect(401);
    }
}

#[tokio::test]
async fn rs_06_the_challenge_leads_to_the_resource_metadata() {
    let scenario = Scenario::new();
    for (path, document) in PROTECTED {
        let challenge = scenario.get(path).send().await.challenge();
        let metadata = &challenge["resource_metadata"];
        assert!(metadata.ends_with(&format!("/oauth-protected-resource{document}")), "{metadata}");
        let metadata = scenario.get_at(metadata).send().await.expect(200).json();
        assert_eq!(metadata["resource"], format!("{}{document}", scenario.base_url));
    }
}

#[tokio::test]
async fn rs_07_the_challenge_names_the_scope_to_ask_for() {
    let challenge = Scenario::new().get("/mcp").send().await.challenge();
    assert_eq!(challenge["scope"], "mcp:tools");
}

#[tokio::test]
async fn rs_08_no_error_is_named_when_no_credentials_were_sent() {
    let scenario = Scenario::new();
    let none = scenario.get("/mcp").send().await;
    let other_scheme = scenario.get("/mcp").header("authorization", &basic("a", "b")).send().await;
    for answer in [none.expect(401), other_scheme.expect(401)] {
        let challenge = answer.challenge();
        assert!(!challenge.contains_key("error"), "{challenge:?}");
        assert!(!challenge.contains_key("error_description"), "{challenge:?}");
        assert_eq!(answer.json().get("error"), None);
    }
}

#[tokio::test]
async fn rs_09_a_token_past_its_life_is_an_invalid_token() {
    let scenario = Scenario::new();
    let token = scenario.dev_token(&[("expires_in", "100")]).await;
    scenario.assert_accepted(&token).await;
    scenario.clock.advance(200);
    let answer = scenario.hello(&token).await;
    answer.refused(401, "invalid_token");
    let challenge = answer.challenge();
    assert_eq!(challenge["error"], "invalid_token");
    assert!(challenge["error_description"].contains("expired"), "{challenge:?}");
    assert!(challenge["resource_metadata"].ends_with("/oauth-protected-resource/mcp"));
}

#[tokio::test]
async fn rs_10_a_call_beyond_the_token_is_403_before_the_tool_runs() {
    let scenario = Scenario::new();
    let token = scenario.dev_token(&[]).await;
    let answer = scenario.call_tool(&token, "move_files", json!({})).await;
    answer.refused(403, "insufficient_scope");
    let challenge = answer.challenge();
    assert_eq!(challenge["error"], "insufficient_scope");
    assert!(challenge["resource_metadata"].ends_with("/oauth-protected-resource/mcp"));
    assert!(!answer.body.contains("moved"));
}

#[tokio::test]
async fn rs_10_a_token_that_allows_nothing_is_403_and_not_an_invalid_token() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let request = client.request().with("scope", "offline_access");
    let tokens = scenario.tokens_for(&client, &request).await;
    let answer = scenario.hello(&tokens.access).await;
    answer.refused(403, "insufficient_scope");
    assert_eq!(answer.challenge()["scope"], "mcp:tools");
}

#[tokio::test]
async fn rs_11_one_challenge_names_every_scope_the_call_needs_and_what_the_token_has() {
    let scenario = Scenario::new();
    let token = scenario.dev_token(&[("scope", "mcp:tools files:read")]).await;
    let challenge = scenario.call_tool(&token, "move_files", json!({})).await.challenge();
    assert_eq!(words(&challenge["scope"]), words("files:read files:write mcp:tools"));
    let stepped_up = scenario.dev_token(&[("scope", &challenge["scope"])]).await;
    scenario.call_tool(&stepped_up, "move_files", json!({})).await.expect(200);
}

#[tokio::test]
async fn rs_13_neither_a_challenge_nor_the_metadata_asks_for_offline_access() {
    let scenario = Scenario::new();
    let path = "/.well-known/oauth-protected-resource/mcp";
    assert!(!scenario.get(path).send().await.body.contains("offline_access"));
    let token = scenario.dev_token(&[("scope", "mcp:tools offline_access")]).await;
    let unknown = scenario.get("/mcp").send().await.challenge();
    assert!(!words(&unknown["scope"]).contains("offline_access"));
    let powerless = scenario.call_tool(&token, "move_files", json!({})).await.challenge();
    assert!(!words(&powerless["scope"]).contains("offline_access"), "{powerless:?}");
}

#[tokio::test]
async fn rs_14_two_tokens_or_half_a_token_are_an_invalid_request() {
    let scenario = Scenario::new();
    let token = scenario.dev_token(&[]).await;
    let two = scenario.get("/mcp").bearer(&token).bearer(&token).send().await;
    let half = scenario.get("/mcp").header("authorization", "Bearer").send().await;
    let split = scenario.get("/mcp").header("authorization", "Bearer a b").send().await;
    let two_at_userinfo = scenario.get("/userinfo").bearer(&token).bearer(&token).send().await;
    for answer in [two, half, split, two_at_userinfo] {
        answer.refused(400, "invalid_request");
        assert_eq!(answer.challenge()["error"], "invalid_request");
    }
}

#[tokio::test]
async fn rs_15_a_token_in_the_query_is_ignored() {
    let scenario = Scenario::new();
    let token = scenario.dev_token(&[]).await;
    for (path, _) in PROTECTED {
        let answer = scenario.get(&format!("{path}?access_token={token}")).send().await;
        assert_eq!(answer.status.as_u16(), 401, "{path}");
        assert!(!answer.challenge().contains_key("error"), "{path}");
    }
}

#[tokio::test]
async fn rs_16_the_scheme_may_be_spelled_in_any_case() {
    let scenario = Scenario::new();
    let token = scenario.dev_token(&[]).await;
    for scheme in ["bearer", "BEARER", "Bearer"] {
        let call = scenario.tool_call("hello", json!({ "name": "World" }));
        call.header("authorization", &format!("{scheme} {token}")).send().await.expect(200);
    }
}

#[tokio::test]
async fn rs_21_nothing_in_a_token_breaks_out_of_the_challenge() {
    let scenario = Scenario::new();
    let hostile = "x\", scope=\"admin\\\r\n\u{e9}";
    let key = ForgedToken::good().header("kid", hostile).signed();
    let audience = ForgedToken::good().claim("aud", hostile).signed();
    let issuer = ForgedToken::good().claim("iss", hostile).signed();
    for token in [key, audience, issuer] {
        let answer = scenario.hello(&token).await;
        answer.refused(401, "invalid_token");
        let challenge = answer.challenge();
        assert_eq!(challenge["scope"], "mcp:tools");
        assert_legible(&challenge["error_description"]);
    }
}
