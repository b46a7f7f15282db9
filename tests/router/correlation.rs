//! What joins an answer with the decisions it came from (checklist CO-03, CO-05).

use serde_json::json;

use crate::scenario::{PROXY, Scenario};

#[tokio::test]
async fn co_05_every_decision_carries_the_id_of_the_answer_and_the_address() {
    let scenario = Scenario::new();
    scenario.come_from("198.51.100.7");
    let registered = scenario.register(&json!({})).await;
    let challenged = scenario.get("/mcp").send().await;
    let unknown = scenario.get("/authorize?client_id=x").send().await;
    let ids: Vec<_> = scenario.audit.requests().iter().map(|it| it.id.to_string()).collect();
    let answered = [registered, challenged, unknown];
    let answered = answered.map(|answer| answer.header("x-request-id").unwrap().to_owned());
    assert_eq!(ids, answered);
    for request in scenario.audit.requests() {
        assert_eq!(request.address.unwrap().to_string(), "198.51.100.7");
    }
}

#[tokio::test]
async fn co_03_the_address_recorded_is_the_one_a_trusted_proxy_names() {
    let scenario = Scenario::new();
    let forwarded = "6.6.6.6, 198.51.100.7";
    for (peer, recorded) in [(PROXY, "198.51.100.7"), ("203.0.113.9", "203.0.113.9")] {
        scenario.come_from(peer);
        scenario.get("/mcp").header("x-forwarded-for", forwarded).send().await.expect(401);
        let request = scenario.audit.requests().pop().unwrap();
        assert_eq!(request.address.unwrap().to_string(), recorded);
    }
}

#[tokio::test]
async fn co_05_an_id_is_taken_over_from_a_trusted_proxy_only_and_only_when_it_is_one() {
    let scenario = Scenario::new();
    let id = async |given: &str| {
        let answer = scenario.get("/mcp/health").header("x-request-id", given).send().await;
        answer.header("x-request-id").unwrap().to_owned()
    };
    assert_ne!(id("from-nowhere").await, "from-nowhere");
    scenario.come_from("203.0.113.9");
    assert_ne!(id("from-anybody").await, "from-anybody");
    scenario.come_from(PROXY);
    assert_eq!(id("from-the-proxy").await, "from-the-proxy");
    let endless = "x".repeat(65);
    for no_id in ["", "a b", "<script>", &endless] {
        assert_eq!(id(no_id).await.len(), 22, "{no_id}");
    }
}

#[tokio::test]
async fn rs_25_forwarded_headers_of_a_trusted_proxy_change_no_published_address() {
    let scenario = Scenario::new();
    scenario.come_from(PROXY);
    let path = "/.well-known/oauth-authorization-server";
    let plain = scenario.get(path).send().await.expect(200).json();
    let proxied = scenario.get(path).header("x-forwarded-for", "198.51.100.7");
    let proxied = proxied.header("x-forwarded-host", "evil.example");
    let proxied = proxied.header("x-forwarded-proto", "https");
    let proxied = proxied.header("forwarded", "for=198.51.100.7;host=evil.example;proto=https");
    assert_eq!(proxied.send().await.expect(200).json(), plain);
}
