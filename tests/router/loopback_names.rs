//! `localhost`, `127.0.0.1` and `[::1]` are one local server, whichever of them people type.

use crate::forged_token::decoded;
use crate::scenario::{LOCAL, Scenario};

const HOSTS: [&str; 3] = ["localhost:8000", "127.0.0.1:8000", "[::1]:8000"];

#[tokio::test]
async fn rs_04_the_resource_is_spelled_as_it_was_asked_for() {
    let scenario = Scenario::new();
    for host in HOSTS {
        for below in ["", "/mcp", "/mcp/sse"] {
            let path = format!("/.well-known/oauth-protected-resource{below}");
            let resource = scenario.get(&path).host(host).send().await.expect(200).json();
            assert_eq!(resource["resource"], format!("http://{host}{below}"));
            assert_eq!(resource["authorization_servers"][0], LOCAL);
        }
    }
}

#[tokio::test]
async fn rs_06_the_challenge_leads_to_the_document_of_the_same_spelling() {
    let scenario = Scenario::new();
    for host in HOSTS {
        let challenge = scenario.get("/mcp").host(host).send().await.challenge();
        let metadata = format!("http://{host}/.well-known/oauth-protected-resource/mcp");
        assert_eq!(challenge["resource_metadata"], metadata);
    }
}

#[tokio::test]
async fn md_03_the_issuer_stays_the_same() {
    let scenario = Scenario::new();
    for host in HOSTS {
        for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"]
        {
            let document = scenario.get(path).host(host).send().await.expect(200).json();
            assert_eq!(document["issuer"], LOCAL);
            assert_eq!(document["token_endpoint"], format!("{LOCAL}/token"));
        }
    }
}

#[tokio::test]
async fn rs_18_a_token_for_one_spelling_works_under_the_others() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    for asked in HOSTS {
        let request = client.request().with("resource", &format!("http://{asked}/mcp"));
        let token = scenario.tokens_for(&client, &request).await.access;
        let claims = decoded(&token).1;
        assert_eq!(claims["aud"], format!("http://{asked}/mcp"));
        assert_eq!(claims["iss"], LOCAL);
        for host in HOSTS {
            let call = scenario.tool_call("hello", serde_json::json!({ "name": "x" }));
            call.host(host).bearer(&token).send().await.expect(200);
        }
    }
}

#[tokio::test]
async fn tk_18_a_token_request_may_spell_the_resource_otherwise() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let request = client.request().with("resource", "http://127.0.0.1:8000/mcp");
    let code = scenario.code_for(&request).await;
    let form = crate::steps::redemption(&code).with("resource", "http://localhost:8000/mcp");
    let token = scenario.token(&client, &form).await.expect(200).access_token();
    assert_eq!(decoded(&token).1["aud"], "http://127.0.0.1:8000/mcp");
}

#[tokio::test]
async fn rs_18_another_port_is_another_server() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let request = client.request().with("resource", "http://127.0.0.1:8001/mcp");
    let back = scenario.authorize(&request).await.location();
    assert_eq!(back.query.get("error"), Some("invalid_target"));
    let path = "/.well-known/oauth-protected-resource/mcp";
    let resource = scenario.get(path).host("127.0.0.1:8001").send().await.expect(200).json();
    assert_eq!(resource["resource"], format!("{LOCAL}/mcp"));
}
