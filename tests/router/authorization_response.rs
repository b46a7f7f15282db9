//! What the client is answered (checklist 4: AZ-10 to AZ-12, 28).

use serde_json::json;

use crate::scenario::Scenario;

#[tokio::test]
async fn az_10_a_denial_reaches_the_client_with_state_and_iss() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let back = scenario.deny(&scenario.ask(&client.request()).await).await.location();
    assert_eq!(back.address, client.redirect_uri);
    assert_eq!(back.query.get("error"), Some("access_denied"));
    assert_eq!(back.query.get("state"), Some("a state"));
    assert_eq!(back.query.get("iss"), Some("http://localhost:8000"));
    assert_eq!(back.query.get("code"), None);
    assert_eq!(scenario.store.writes(), ["register", "open session"]);
}

#[tokio::test]
async fn az_10_a_refusal_reaches_the_client_with_state_and_iss() {
    let scenario = Scenario::new();
    let request = scenario.client().await.request().with("response_type", "token");
    let back = scenario.authorize(&request).await.location();
    assert_eq!(back.query.names(), ["error", "error_description", "state", "iss"]);
    assert_eq!(back.query.get("state"), Some("a state"));
}

#[tokio::test]
async fn az_11_a_success_has_each_parameter_once_and_nothing_else() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let answer = scenario.approve(&scenario.ask(&client.request()).await).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let back = answer.location();
    assert_eq!(back.query.names(), ["code", "state", "iss"]);
    assert_eq!(back.query.get("iss"), Some("http://localhost:8000"));
}

#[tokio::test]
async fn az_11_the_query_of_a_redirect_address_is_kept() {
    let scenario = Scenario::new();
    let metadata = json!({ "redirect_uris": ["https://c.example/cb?tenant=a%20b&x="] });
    let client = scenario.client_like(metadata).await;
    let answer = scenario.approve(&scenario.ask(&client.request()).await).await;
    let location = answer.header("location").unwrap();
    assert!(location.starts_with("https://c.example/cb?tenant=a%20b&x=&code="), "{location}");
    assert_eq!(answer.location().query.names(), ["tenant", "x", "code", "state", "iss"]);
}

#[tokio::test]
async fn az_12_the_state_comes_back_exactly_as_it_was() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    for state in ["é&=+ %20\"<>'", "a+b", "https://x/?a=b&c#d", "0", &"s".repeat(4000)] {
        let request = client.request().with("state", state);
        let back = scenario.approve(&scenario.ask(&request).await).await.location();
        assert_eq!(back.query.get("state"), Some(state));
    }
}

#[tokio::test]
async fn az_12_without_state_there_is_none_in_the_answer() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    for request in [client.request().without("state"), client.request().with("state", "")] {
        let page = scenario.ask(&request).await;
        assert_eq!(scenario.approve(&page).await.location().query.names(), ["code", "iss"]);
        assert!(!scenario.deny(&page).await.location().query.names().contains(&"state"));
    }
}

#[tokio::test]
async fn az_28_every_redirect_turns_a_post_into_a_get() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let login = scenario.authorize(&client.request()).await;
    let typed = [("username", "alice"), ("password", "password")];
    let onwards = scenario.submit(&login, &typed).await;
    assert_eq!(onwards.status.as_u16(), 303);
    let consent = scenario.get(onwards.header("location").unwrap()).in_browser().send().await;
    for answer in [scenario.approve(&consent).await, scenario.deny(&consent).await] {
        assert_eq!(answer.status.as_u16(), 303);
    }
}
