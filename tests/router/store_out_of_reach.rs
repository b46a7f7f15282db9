//! While the store can't answer: 503, when to come back, and nothing about our inside.

use crate::answer::Answer;
use crate::scenario::Scenario;
use crate::steps::client_metadata;

fn assert_unavailable(answer: &Answer) {
    assert_eq!(answer.status.as_u16(), 503, "{}", answer.body);
    assert_eq!(answer.header("retry-after"), Some("5"));
    assert!(!answer.body.contains("10.0.0.7"), "{}", answer.body);
    assert_eq!(answer.header("location"), None);
}

#[tokio::test]
async fn programs_are_told_to_come_back() {
    let scenario = Scenario::new();
    let (client, server) = (scenario.client().await, scenario.resource_server().await);
    let (code, tokens) = (scenario.code(&client).await, scenario.tokens(&client).await);
    scenario.store.put_out_of_reach();
    let registration = scenario.register(&client_metadata()).await;
    let redemption = scenario.redeem(&client, &code).await;
    let refresh = scenario.refresh(&client, &tokens.refresh).await;
    let revocation = scenario.revoke(&client, &tokens.refresh).await;
    let introspection = scenario.introspect(&server, &tokens.access).await;
    for answer in [registration, redemption, refresh, revocation, introspection] {
        assert_unavailable(&answer);
        answer.refused(503, "temporarily_unavailable");
    }
}

#[tokio::test]
async fn people_are_told_to_come_back() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let login = scenario.authorize(&client.request()).await;
    let consent = scenario.log_in(&login).await;
    scenario.store.put_out_of_reach();
    let visit = scenario.authorize(&client.request()).await;
    let typed = [("username", "alice"), ("password", "password")];
    let logged_in = scenario.submit(&login, &typed).await;
    let approved = scenario.approve(&consent).await;
    for page in [visit, logged_in, approved] {
        assert_unavailable(&page);
        assert!(page.page().contains("try again later"));
    }
}

#[tokio::test]
async fn tools_that_need_no_store_go_on() {
    let scenario = Scenario::new();
    let token = scenario.dev_token(&[]).await;
    scenario.store.put_out_of_reach();
    scenario.assert_accepted(&token).await;
}

#[tokio::test]
async fn a_token_that_may_be_revoked_is_neither_accepted_nor_called_bad() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let token = scenario.tokens(&client).await.access;
    scenario.store.put_out_of_reach();
    let answer = scenario.hello(&token).await;
    assert_unavailable(&answer);
    assert_eq!(answer.header("www-authenticate"), None);
    assert_eq!(scenario.audit.names().last(), Some(&"store_unavailable"));
}

#[tokio::test]
async fn the_server_is_alive_and_not_ready() {
    let scenario = Scenario::new();
    scenario.get("/health/ready").send().await.expect(200);
    scenario.store.put_out_of_reach();
    scenario.get("/health/live").send().await.expect(200);
    scenario.get("/mcp/health").send().await.expect(200);
    let answer = scenario.get("/health/ready").send().await.expect(503);
    assert!(!answer.body.contains("10.0.0.7"));
}
