//! What the protected resource says of itself and whom it lets in (checklist 1, the rest).

use poem::http::Method;
use serde_json::json;

use crate::forged_token::ForgedToken;
use crate::scenario::Scenario;

#[tokio::test]
async fn rs_01_the_resource_metadata_is_public_json() {
    let scenario = Scenario::new();
    for document in ["", "/mcp", "/mcp/sse"] {
        let path = format!("/.well-known/oauth-protected-resource{document}");
        scenario.get(&path).send().await.expect(200).json();
    }
}

#[tokio::test]
async fn rs_02_the_resource_names_the_issuer_that_the_server_names_itself() {
    let scenario = Scenario::new();
    let server = scenario.get("/.well-known/oauth-authorization-server").send().await.json();
    for document in ["", "/mcp", "/mcp/sse"] {
        let path = format!("/.well-known/oauth-protected-resource{document}");
        let resource = scenario.get(&path).send().await.json();
        assert_eq!(resource["authorization_servers"], json!([server["issuer"]]));
    }
}

#[tokio::test]
async fn rs_04_each_document_describes_the_address_it_was_asked_for() {
    let scenario = Scenario::at("https://mcp.example.com");
    for document in ["", "/mcp", "/mcp/", "/mcp/sse", "/mcp/sse/"] {
        let path = format!("/.well-known/oauth-protected-resource{document}");
        let resource = scenario.get(&path).send().await.expect(200).json();
        assert_eq!(resource["resource"], format!("https://mcp.example.com{document}"));
    }
}

#[tokio::test]
async fn rs_12_a_broader_scope_opens_what_it_includes() {
    let scenario = Scenario::new();
    let admin = scenario.dev_token(&[("scope", "admin")]).await;
    scenario.call_tool(&admin, "move_files", json!({})).await.expect(200);
    scenario.hello(&admin).await.expect(200);
    let reader = scenario.dev_token(&[("scope", "files:read")]).await;
    scenario.call_tool(&reader, "move_files", json!({})).await.expect(403);
}

#[tokio::test]
async fn rs_22_the_metadata_asks_for_the_least() {
    let path = "/.well-known/oauth-protected-resource/mcp";
    let resource = Scenario::new().get(path).send().await.json();
    assert_eq!(resource["scopes_supported"], json!(["mcp:tools"]));
}

#[tokio::test]
async fn rs_17_every_request_of_a_session_needs_a_token() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let tokens = scenario.tokens(&client).await;
    let session = scenario.open_session(&tokens.access).await;
    let call = || scenario.session_call(&session, "hello", &json!({ "name": "World" }));
    call().bearer(&tokens.access).send().await.expect(200);
    call().send().await.expect(401);
    call().in_browser().send().await.expect(401);
    for method in [Method::GET, Method::DELETE] {
        let request = scenario.call(method, "/mcp").header("mcp-session-id", &session);
        request.send().await.expect(401);
    }
}

#[tokio::test]
async fn rs_17_a_session_is_of_no_use_to_somebody_else() {
    let scenario = Scenario::new();
    let session = scenario.open_session(&scenario.dev_token(&[]).await).await;
    let other = scenario.dev_token(&[("sub", "mallory")]).await;
    let call = scenario.session_call(&session, "hello", &json!({ "name": "World" }));
    call.bearer(&other).send().await.expect(404);
}

#[tokio::test]
async fn rs_18_a_token_for_another_resource_is_refused() {
    let scenario = Scenario::new();
    for audience in
        ["https://other.example/mcp", "http://localhost:8001/mcp", "http://localhost:8000/mc"]
    {
        let token = ForgedToken::good().claim("aud", audience).signed();
        let why = scenario.assert_refused(&token).await;
        assert!(why.contains(audience) && why.contains("http://localhost:8000/mcp"), "{why}");
    }
}

#[tokio::test]
async fn rs_19_a_token_for_no_resource_in_particular_is_refused() {
    let scenario = Scenario::new();
    scenario.assert_refused(&ForgedToken::good().without_claim("aud").signed()).await;
    scenario.assert_refused(&ForgedToken::good().claim("aud", json!([])).signed()).await;
    scenario.assert_refused(&ForgedToken::good().claim("aud", "").signed()).await;
}

#[tokio::test]
async fn rs_20_a_tool_learns_who_calls_and_never_the_token() {
    let scenario = Scenario::new();
    let token = scenario.dev_token(&[("scope", "admin")]).await;
    let signature = token.rsplit('.').next().unwrap();
    let told = scenario.call_tool(&token, "move_files", json!({})).await.expect(200).tool_text();
    assert!(told.contains("alice@example.com"), "{told}");
    assert!(!told.contains(signature), "{told}");
}

#[tokio::test]
async fn rs_23_a_bad_token_is_noticed_before_a_bad_message() {
    let scenario = Scenario::new();
    for path in ["/mcp", "/mcp/messages"] {
        let message = scenario.post(path).body("text/plain", "{ no json").bearer("no.good.token");
        message.header("accept", "image/png").send().await.refused(401, "invalid_token");
    }
    let token = scenario.dev_token(&[]).await;
    let message = scenario.post("/mcp").body("application/json", "{ no json").bearer(&token);
    message.send().await.expect(400);
}

#[tokio::test]
async fn rs_24_the_metadata_says_how_to_send_a_token_and_what_this_is() {
    let path = "/.well-known/oauth-protected-resource/mcp";
    let answer = Scenario::new().get(path).send().await;
    let resource = answer.json();
    assert_eq!(resource["bearer_methods_supported"], json!(["header"]));
    assert_eq!(resource["resource_name"], "Test server");
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
}

#[tokio::test]
async fn rs_25_no_header_of_a_request_changes_a_published_address() {
    let scenario = Scenario::at("https://mcp.example.com");
    let paths = [
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/openapi.json",
        "/",
    ];
    for path in paths {
        let plain = scenario.get(path).send().await.expect(200);
        let deceived = scenario
            .get(path)
            .host("evil.example")
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "http")
            .header("forwarded", "host=evil.example;proto=http");
        assert_eq!(deceived.send().await.body, plain.body, "{path}");
    }
    let challenge = scenario.get("/mcp").host("evil.example").send().await.challenge();
    assert!(challenge["resource_metadata"].starts_with("https://mcp.example.com/.well-known/"));
}
