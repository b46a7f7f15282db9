//! From a refusal to a greeting, the way every client goes.

use serde_json::json;

use crate::parameters::Parameters;
use crate::scenario::Scenario;
use crate::steps::{challenge, client_metadata, redemption, refreshing};

#[tokio::test]
async fn a_client_that_knows_the_address_only_gets_to_call_a_tool() {
    let scenario = Scenario::new();
    let call = || scenario.tool_call("hello", json!({ "name": "World" }));

    let refused = call().send().await.expect(401);
    let metadata = &refused.challenge()["resource_metadata"];
    let resource = scenario.get_at(metadata).send().await.expect(200).json();
    let issuer = resource["authorization_servers"][0].as_str().unwrap();
    let metadata = format!("{issuer}/.well-known/oauth-authorization-server");
    let server = scenario.get_at(&metadata).send().await.expect(200).json();
    assert_eq!(server["issuer"], issuer);
    let endpoint = |name: &str| {
        let url = server[name].as_str().unwrap();
        url.strip_prefix(&scenario.base_url).unwrap().to_owned()
    };

    let registration = scenario.post(&endpoint("registration_endpoint")).json(&client_metadata());
    let client = registration.send().await.expect(201).json();
    let client_id = client["client_id"].as_str().unwrap();
    let redirect_uri = client["redirect_uris"][0].as_str().unwrap();
    let request = Parameters::new(&[
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", redirect_uri),
        ("code_challenge", &challenge()),
        ("code_challenge_method", "S256"),
        ("state", "xyz"),
        ("resource", resource["resource"].as_str().unwrap()),
        ("scope", "mcp:tools offline_access"),
    ]);
    let page = format!("{}?{}", endpoint("authorization_endpoint"), request.encoded());
    let login_page = scenario.get(&page).in_browser().send().await.expect(200);
    let consent_page = scenario.log_in(&login_page).await;
    let back = scenario.approve(&consent_page).await.location();
    assert_eq!(back.address, redirect_uri);
    assert_eq!((back.query.get("state"), back.query.get("iss")), (Some("xyz"), Some(issuer)));

    let exchange = redemption(back.query.get("code").unwrap()).with("client_id", client_id);
    let exchange = scenario.post(&endpoint("token_endpoint")).form(&exchange);
    let tokens = exchange.send().await.expect(200).tokens();
    let greeting = call().bearer(&tokens.access).send().await.expect(200).tool_text();
    assert_eq!(greeting, "Hello, World! This is a protected endpoint.");

    let refresh = refreshing(&tokens.refresh).with("client_id", client_id);
    let refresh = scenario.post(&endpoint("token_endpoint")).form(&refresh);
    let refreshed = refresh.send().await.expect(200).tokens();
    assert_ne!(refreshed.access, tokens.access);
    call().bearer(&refreshed.access).send().await.expect(200);
}

#[tokio::test]
async fn a_client_of_an_older_revision_calls_a_tool_in_its_session() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let tokens = scenario.tokens(&client).await;
    let session = scenario.open_session(&tokens.access).await;
    let sum = json!({ "a": 2, "b": 3 });
    let call = || scenario.session_call(&session, "add_numbers", &sum);
    assert_eq!(call().bearer(&tokens.access).send().await.expect(200).tool_text(), "5");

    let refreshed = scenario.refresh(&client, &tokens.refresh).await.tokens();
    assert_eq!(call().bearer(&refreshed.access).send().await.expect(200).tool_text(), "5");
}

#[tokio::test]
async fn a_script_needs_one_request_and_no_session() {
    let scenario = Scenario::new();
    let token = scenario.dev_token(&[]).await;
    let params = json!({ "name": "hello", "arguments": { "name": "World" } });
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let answer = scenario.post("/mcp").json(&message).bearer(&token).send().await;
    assert!(answer.expect(200).tool_text().starts_with("Hello, World!"));
}
