//! A server whose base URL has a path (checklist 1 and 3: RS-03, MD-02).

use serde_json::json;

use crate::scenario::{ALLOWED_ORIGIN, Scenario};

const BASE: &str = "https://h.example/a";

#[tokio::test]
async fn rs_03_the_resource_metadata_is_found_with_the_path_inserted() {
    let scenario = Scenario::at(BASE);
    for below in ["", "/mcp", "/mcp/sse"] {
        let path = format!("/.well-known/oauth-protected-resource/a{below}");
        let resource = scenario.get(&path).send().await.expect(200).json();
        assert_eq!(resource["resource"], format!("{BASE}{below}"));
        assert_eq!(resource["authorization_servers"], json!([BASE]));
    }
}

#[tokio::test]
async fn rs_04_no_document_of_another_path_claims_the_resource() {
    let scenario = Scenario::at(BASE);
    for path in ["", "/mcp", "/mcp/sse", "/b/mcp", "/a/b"] {
        let path = format!("/.well-known/oauth-protected-resource{path}");
        scenario.get(&path).send().await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn rs_06_the_challenge_leads_to_the_inserted_path() {
    let scenario = Scenario::at(BASE);
    let challenge = scenario.get("/a/mcp").send().await.expect(401).challenge();
    let metadata = &challenge["resource_metadata"];
    assert_eq!(metadata, "https://h.example/.well-known/oauth-protected-resource/a/mcp");
    let resource = scenario.get_at(metadata).send().await.expect(200).json();
    assert_eq!(resource["resource"], "https://h.example/a/mcp");
}

#[tokio::test]
async fn md_02_the_server_metadata_is_found_in_all_three_places() {
    let scenario = Scenario::at(BASE);
    let places = [
        "/.well-known/oauth-authorization-server/a",
        "/.well-known/openid-configuration/a",
        "/a/.well-known/openid-configuration",
    ];
    for place in places {
        let document = scenario.get(place).send().await.expect(200).json();
        assert_eq!(document["issuer"], BASE, "{place}");
        assert_eq!(document["token_endpoint"], "https://h.example/a/token");
    }
}

#[tokio::test]
async fn md_13_every_announced_address_is_below_the_base_url_and_answers() {
    let scenario = Scenario::at(BASE);
    let path = "/.well-known/openid-configuration/a";
    let document = scenario.get(path).send().await.expect(200).json();
    for (name, value) in document.as_object().unwrap() {
        let Some(address) = value.as_str() else { continue };
        assert!(address.starts_with(BASE), "{name}");
        let status = scenario.get_at(address).send().await.status;
        assert!(name == "issuer" || status.as_u16() != 404, "{name}");
    }
}

#[tokio::test]
async fn nothing_is_served_beside_the_base_url() {
    let scenario = Scenario::at(BASE);
    for path in ["/", "/mcp", "/token", "/register", "/authorize", "/docs", "/b/mcp", "/ab/mcp"] {
        scenario.get(path).send().await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn the_landing_page_is_at_the_base_url_however_it_is_typed() {
    let scenario = Scenario::at(BASE);
    for path in ["/a", "/a/"] {
        let page = scenario.get(path).send().await.expect(200);
        assert!(page.page().contains("https://h.example/a/mcp"), "{path}");
        assert!(page.page().contains("href=\"/a/style.css\""), "{path}");
    }
    scenario.get("/a/style.css").send().await.expect(200);
}

#[tokio::test]
async fn a_client_gets_through_the_whole_flow_below_the_base_url() {
    let scenario = Scenario::at(BASE);
    let client = scenario.client().await;
    let login = scenario.authorize(&client.request()).await.expect(200);
    assert_eq!(login.form().action, "/a/login");
    let cookie = login.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-mcp-browser=") && cookie.ends_with("; Path=/"), "{cookie}");
    let consent = scenario.log_in(&login).await;
    assert_eq!(consent.form().action, "/a/consent");
    let back = scenario.approve(&consent).await.location();
    assert_eq!(back.query.get("iss"), Some(BASE));
    let tokens = scenario.redeem(&client, back.query.get("code").unwrap()).await.tokens();
    scenario.hello(&tokens.access).await.expect(200);
    scenario.refresh(&client, &tokens.refresh).await.expect(200);
}

#[tokio::test]
async fn co_02_pages_elsewhere_are_judged_below_the_base_url_too() {
    let scenario = Scenario::at(BASE);
    let evil = |path| scenario.post(path).header("origin", "https://evil.example");
    evil("/a/mcp").send().await.expect(403);
    let token = evil("/a/token").send().await.expect(400);
    assert_eq!(token.header("access-control-allow-origin"), Some("*"));
    let login = evil("/a/login").send().await;
    assert_eq!(login.header("access-control-allow-origin"), None);
    let metadata = scenario.get("/.well-known/oauth-protected-resource/a/mcp");
    let metadata = metadata.header("origin", "https://any.example").send().await.expect(200);
    assert_eq!(metadata.header("access-control-allow-origin"), Some("*"));
    let allowed = scenario.post("/a/mcp").header("origin", ALLOWED_ORIGIN).send().await.expect(401);
    assert_eq!(allowed.header("access-control-allow-origin"), Some(ALLOWED_ORIGIN));
}
