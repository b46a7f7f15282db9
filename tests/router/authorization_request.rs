//! What an authorization request has to say (checklist 4: AZ-01, 08, 09, 12 to 17, 32).

use serde_json::json;

use crate::answer::assert_legible;
use crate::forged_token::decoded;
use crate::parameters::Parameters;
use crate::scenario::Scenario;

/// Asserts that the client is told by redirect, in full and in vain.
async fn assert_told(scenario: &Scenario, request: &Parameters, error: &str) {
    let back = scenario.authorize(request).await.location();
    assert_eq!(Some(back.address.as_str()), request.get("redirect_uri"));
    assert_eq!(back.query.get("error"), Some(error), "{request:?}");
    assert_eq!(back.query.get("iss"), Some(scenario.base_url.as_str()));
    assert_eq!(back.query.get("code"), None);
    assert_legible(back.query.get("error_description").unwrap());
}

#[tokio::test]
async fn az_01_parameters_nobody_knows_are_ignored() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let request = client.request().and("foo", "1").and("foo", "2").and("nonce", "n");
    scenario.code_for(&request).await;
}

#[tokio::test]
async fn az_01_a_repeated_parameter_is_refused() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    for name in ["client_id", "redirect_uri"] {
        let value = client.request().get(name).unwrap().to_owned();
        scenario.authorize(&client.request().and(name, &value)).await.refused_on_a_page(400);
    }
    for name in ["response_type", "state", "code_challenge", "code_challenge_method"] {
        let value = client.request().get(name).unwrap().to_owned();
        assert_told(&scenario, &client.request().and(name, &value), "invalid_request").await;
    }
    let scopes = client.request().and("scope", "mcp:tools").and("scope", "mcp:tools");
    assert_told(&scenario, &scopes, "invalid_request").await;
    let resources = client.request().and("resource", "http://localhost:8000/mcp");
    let resources = resources.and("resource", "http://localhost:8000/mcp");
    assert_told(&scenario, &resources, "invalid_target").await;
}

#[tokio::test]
async fn az_01_an_empty_parameter_is_no_parameter() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let optional = client.request().with("scope", "").with("resource", "").with("prompt", "");
    scenario.code_for(&optional.with("state", "")).await;
    assert_told(&scenario, &client.request().with("code_challenge", ""), "invalid_request").await;
    scenario.authorize(&client.request().with("client_id", "")).await.refused_on_a_page(400);
}

#[tokio::test]
async fn az_08_a_request_without_code_challenge_is_refused() {
    let scenario = Scenario::new();
    let public = scenario.client().await;
    let confidential =
        scenario.client_like(json!({ "token_endpoint_auth_method": "client_secret_basic" })).await;
    for client in [public, confidential] {
        let request = client.request().without("code_challenge");
        assert_told(&scenario, &request, "invalid_request").await;
    }
}

#[tokio::test]
async fn az_09_only_s256_is_a_code_challenge_method() {
    let scenario = Scenario::new();
    let request = scenario.client().await.request();
    for method in ["plain", "s256", "S512"] {
        let request = request.clone().with("code_challenge_method", method);
        assert_told(&scenario, &request, "invalid_request").await;
    }
    let unnamed = request.clone().without("code_challenge_method");
    assert_told(&scenario, &unnamed, "invalid_request").await;
    for challenge in ["short", &"a".repeat(44), &format!("{}=", "a".repeat(43))] {
        let request = request.clone().with("code_challenge", challenge);
        assert_told(&scenario, &request, "invalid_request").await;
    }
}

#[tokio::test]
async fn az_13_only_a_code_is_given() {
    let scenario = Scenario::new();
    let request = scenario.client().await.request();
    for kind in ["token", "id_token", "code token", "code id_token", "none"] {
        let request = request.clone().with("response_type", kind);
        assert_told(&scenario, &request, "unsupported_response_type").await;
    }
    assert_told(&scenario, &request.without("response_type"), "invalid_request").await;
}

#[tokio::test]
async fn az_14_a_foreign_resource_is_refused() {
    let scenario = Scenario::new();
    let request = scenario.client().await.request();
    let foreign = [
        "https://other.example",
        "http://localhost:8001/mcp",
        "http://localhost:8000/mcp#x",
        "http://localhost:8000/mcp?x=1",
        "http://localhost:8000/other",
        "/mcp",
        "urn:mcp",
        "\"quoted\"",
    ];
    for resource in foreign {
        let request = request.clone().with("resource", resource);
        assert_told(&scenario, &request, "invalid_target").await;
    }
}

#[tokio::test]
async fn az_15_without_resource_the_token_is_for_the_mcp_endpoint() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let request = client.request().without("resource");
    let token = scenario.tokens_for(&client, &request).await.access;
    assert_eq!(decoded(&token).1["aud"], "http://localhost:8000/mcp");
    scenario.assert_accepted(&token).await;
}

#[tokio::test]
async fn az_15_each_address_of_the_resource_opens_all_of_it() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    for below in ["", "/", "/mcp", "/mcp/", "/mcp/sse"] {
        let request = client.request().with("resource", &format!("http://localhost:8000{below}"));
        let token = scenario.tokens_for(&client, &request).await.access;
        scenario.assert_accepted(&token).await;
        scenario.get("/userinfo").bearer(&token).send().await.expect(200);
    }
}

#[tokio::test]
async fn az_16_the_scheme_and_host_of_a_resource_may_be_in_upper_case() {
    let scenario = Scenario::at("https://mcp.example.com");
    let client = scenario.client().await;
    for spelled in ["HTTPS://MCP.Example.COM/mcp", "https://mcp.example.com:443/mcp"] {
        let request = client.request().with("resource", spelled);
        let token = scenario.tokens_for(&client, &request).await.access;
        assert_eq!(decoded(&token).1["aud"], "https://mcp.example.com/mcp");
    }
    let path = client.request().with("resource", "https://mcp.example.com/MCP");
    assert_told(&scenario, &path, "invalid_target").await;
}

#[tokio::test]
async fn az_17_unknown_scopes_are_left_out_and_the_answer_says_so() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let request = client.request().with("scope", "mcp:tools bogus openid");
    let code = scenario.code_for(&request).await;
    let answer = scenario.redeem(&client, &code).await.expect(200).json();
    assert_eq!(answer["scope"], "mcp:tools");
}

#[tokio::test]
async fn az_17_only_unknown_or_malformed_scopes_are_an_invalid_scope() {
    let scenario = Scenario::new();
    let request = scenario.client().await.request();
    for scope in ["bogus", "bogus other", "\"quoted\"", "mcp:tools \\", "é", " "] {
        let request = request.clone().with("scope", scope);
        assert_told(&scenario, &request, "invalid_scope").await;
    }
}

#[tokio::test]
async fn az_17_a_client_may_ask_for_more_than_it_registered() {
    let scenario = Scenario::new();
    let client = scenario.client_like(json!({ "scope": "mcp:tools" })).await;
    let request = client.request().with("scope", "mcp:tools files:read files:write");
    let token = scenario.tokens_for(&client, &request).await.access;
    scenario.call_tool(&token, "move_files", json!({})).await.expect(200);
}

#[tokio::test]
async fn az_17_without_scope_a_client_gets_what_it_registered_or_the_default() {
    let scenario = Scenario::new();
    let registered = scenario.client_like(json!({ "scope": "files:read bogus" })).await;
    let plain = scenario.client().await;
    for (client, scope) in [(registered, "files:read"), (plain, "mcp:tools")] {
        let token = scenario.tokens(&client).await.access;
        assert_eq!(decoded(&token).1["scope"], scope);
    }
}

#[tokio::test]
async fn az_32_without_a_page_nobody_is_logged_in_and_nothing_is_granted() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let silent = client.request().with("prompt", "none");
    assert_told(&scenario, &silent, "login_required").await;
    scenario.code(&client).await;
    assert_told(&scenario, &silent, "consent_required").await;
    let both = client.request().with("prompt", "none login");
    assert_told(&scenario, &both, "invalid_request").await;
}

#[tokio::test]
async fn az_32_a_client_can_have_the_person_log_in_again() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    scenario.code(&client).await;
    let again = client.request().with("prompt", "login");
    let page = scenario.authorize(&again).await;
    assert!(page.form().fields.names().contains(&"password"));
    let consent = scenario.log_in(&page).await;
    assert!(scenario.approve(&consent).await.location().query.get("code").is_some());
}

#[tokio::test]
async fn md_13_every_announced_scope_can_be_asked_for() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let document = scenario.get("/.well-known/oauth-authorization-server").send().await.json();
    for scope in document["scopes_supported"].as_array().unwrap() {
        let asked = format!("mcp:tools {}", scope.as_str().unwrap());
        let page = scenario.ask(&client.request().with("scope", &asked)).await;
        assert!(page.page().contains(&format!("<code>{}</code>", scope.as_str().unwrap())));
    }
}
