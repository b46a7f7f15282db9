//! Where an answer may go (checklist 4: AZ-02 to AZ-07).

use serde_json::json;

use crate::scenario::Scenario;
use crate::steps::Client;

async fn registered_at(scenario: &Scenario, redirect_uri: &str) -> Client {
    scenario.client_like(json!({ "redirect_uris": [redirect_uri] })).await
}

/// Asserts that a person sees a page and nobody else hears of it.
async fn assert_untrusted(scenario: &Scenario, client: &Client, redirect_uri: &str) {
    let request = client.request().with("redirect_uri", redirect_uri);
    scenario.authorize(&request).await.refused_on_a_page(400);
}

async fn assert_taken(scenario: &Scenario, client: &Client, redirect_uri: &str) {
    let request = client.request().with("redirect_uri", redirect_uri);
    let back = scenario.approve(&scenario.ask(&request).await).await.location();
    assert_eq!(back.address, redirect_uri);
}

#[tokio::test]
async fn az_02_an_unknown_client_is_a_page_and_no_redirect() {
    let scenario = Scenario::new();
    let request = scenario.client().await.request();
    for id in ["unknown", "", "<script>alert(1)</script>", &"x".repeat(600)] {
        let answer = scenario.authorize(&request.clone().with("client_id", id)).await;
        answer.refused_on_a_page(400);
        assert!(!answer.body.contains("<script>"));
    }
    scenario.authorize(&request.without("client_id")).await.refused_on_a_page(400);
    scenario.get("/authorize").send().await.refused_on_a_page(400);
}

#[tokio::test]
async fn az_02_no_other_mistake_reaches_an_unverified_address() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let request = client.request().with("redirect_uri", "https://evil.example/cb");
    let mistakes = [
        request.clone().with("response_type", "token"),
        request.clone().without("code_challenge"),
        request.clone().with("resource", "https://other.example"),
        request.clone().with("scope", "bogus"),
        request.with("prompt", "none"),
    ];
    for request in mistakes {
        let answer = scenario.authorize(&request).await;
        answer.refused_on_a_page(400);
        assert!(!answer.body.contains("href=\"https://evil"));
    }
}

#[tokio::test]
async fn az_02_the_only_registered_address_need_not_be_named() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let request = client.request().without("redirect_uri");
    let back = scenario.approve(&scenario.ask(&request).await).await.location();
    assert_eq!(back.address, client.redirect_uri);
    let two = json!({ "redirect_uris": ["https://c.example/1", "https://c.example/2"] });
    let request = scenario.client_like(two).await.request().without("redirect_uri");
    scenario.authorize(&request).await.refused_on_a_page(400);
}

#[tokio::test]
async fn az_03_an_address_is_compared_byte_by_byte() {
    let scenario = Scenario::new();
    let client = registered_at(&scenario, "https://c.example/cb").await;
    let others = [
        "https://c.example/cb/",
        "https://c.example/cb?x=1",
        "https://c.example/CB",
        "https://C.example/cb",
        "https://c.example:443/cb",
        "https://c.example:8443/cb",
        "https://c.example/cb/../cb",
        "https://c.example/%63b",
        "http://c.example/cb",
        "https://c.example.evil.example/cb",
        "https://c.example@evil.example/cb",
        "https://c.example/cb#f",
        "//c.example/cb",
        "/cb",
        "javascript:alert(1)",
    ];
    for other in others {
        assert_untrusted(&scenario, &client, other).await;
    }
    assert_taken(&scenario, &client, "https://c.example/cb").await;
}

#[tokio::test]
async fn az_04_a_loopback_ip_may_use_any_port() {
    let scenario = Scenario::new();
    for (host, other) in [("127.0.0.1", "[::1]"), ("[::1]", "127.0.0.1")] {
        let client = registered_at(&scenario, &format!("http://{host}/cb")).await;
        assert_taken(&scenario, &client, &format!("http://{host}:49567/cb")).await;
        for address in [
            format!("http://{other}:49567/cb"),
            format!("https://{host}:49567/cb"),
            format!("http://{host}:49567/other"),
            format!("http://{host}:49567/cb?x=1"),
            format!("http://{host}:49567@evil.example/cb"),
            format!("http://{host}.evil.example:49567/cb"),
        ] {
            assert_untrusted(&scenario, &client, &address).await;
        }
    }
}

#[tokio::test]
async fn az_05_localhost_may_use_any_port_and_is_no_ip() {
    let scenario = Scenario::new();
    let client = registered_at(&scenario, "http://localhost/callback").await;
    assert_taken(&scenario, &client, "http://localhost:3118/callback").await;
    for host in ["127.0.0.1", "[::1]", "localhost.evil.example"] {
        assert_untrusted(&scenario, &client, &format!("http://{host}:3118/callback")).await;
    }
}

#[tokio::test]
async fn az_06_plain_http_to_another_machine_is_no_address() {
    let scenario = Scenario::new();
    for address in
        ["http://evil.example/cb", "http://10.0.0.1/cb", "http://localhost.evil.example/"]
    {
        let metadata = json!({ "redirect_uris": [address] });
        scenario.register(&metadata).await.refused(400, "invalid_redirect_uri");
        let client = scenario.client().await;
        assert_untrusted(&scenario, &client, address).await;
    }
}

#[tokio::test]
async fn az_07_a_scheme_that_nobody_owns_or_that_is_executed_is_refused() {
    let scenario = Scenario::new();
    let refused = [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "vbscript:x",
        "blob:https://c.example/x",
        "about:blank",
        "myapp://cb",
        "ftp://c.example/cb",
        "https://c.example/cb#f",
        "https://user:pass@c.example/cb",
        "https://c.example/a b",
        "/cb",
        "",
    ];
    for address in refused {
        let metadata = json!({ "redirect_uris": [address] });
        scenario.register(&metadata).await.refused(400, "invalid_redirect_uri");
    }
    assert!(scenario.store.writes().is_empty());
}

#[tokio::test]
async fn az_07_the_schemes_of_installed_clients_are_taken() {
    let scenario = Scenario::new();
    for address in
        ["cursor://anysphere.cursor-mcp/oauth/callback", "com.example.app:/cb", "vscode://x/y"]
    {
        let client = registered_at(&scenario, address).await;
        assert_taken(&scenario, &client, address).await;
    }
}

#[tokio::test]
async fn az_03_a_web_client_of_the_operator_has_no_freedom_of_ports() {
    let scenario = Scenario::new();
    let client = registered_at(&scenario, "http://localhost:8000/docs/receiver").await;
    let web = |stored: &mut mcp_oauth_core::domain::client::Client| {
        stored.metadata.application_type = Some("web".to_owned());
    };
    scenario.changed_by_operator(&client, web).await;
    assert_untrusted(&scenario, &client, "http://localhost:9000/docs/receiver").await;
    assert_taken(&scenario, &client, "http://localhost:8000/docs/receiver").await;
}
