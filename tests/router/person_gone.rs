//! A person who may not log in any more, or about whom nobody can be asked (checklist 7: RF-07; 4:
//! AZ-32).

use mcp_oauth_core::domain::audit::Decision;
use serde_json::json;

use crate::answer::Answer;
use crate::parameters::Parameters;
use crate::scenario::Scenario;
use crate::steps::Client;

fn asks_for_password(page: &Answer) -> bool {
    page.form().fields.names().contains(&"password")
}

/// The error that the client is told without a page.
async fn told(scenario: &Scenario, client: &Client, prompt: &str) -> String {
    let request = client.request().with("prompt", prompt);
    let back = scenario.authorize(&request).await.location();
    back.query.get("error").unwrap().to_owned()
}

/// The tokens of a grant that Bob gave.
async fn tokens_of_bob(scenario: &Scenario, client: &Client) -> crate::answer::Tokens {
    scenario.another_browser();
    let login = scenario.authorize(&client.request()).await;
    let typed = [("username", "bob"), ("password", "password")];
    let onwards = scenario.submit(&login, &typed).await.expect(303);
    let consent = scenario.get(onwards.header("location").unwrap()).in_browser().send().await;
    let back = scenario.approve(&consent).await.location();
    scenario.redeem(client, back.query.get("code").unwrap()).await.expect(200).tokens()
}

#[tokio::test]
async fn rf_07_the_refresh_token_of_a_person_who_is_gone_is_worthless() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let tokens = scenario.tokens(&client).await;
    scenario.people.leave("alice");
    scenario.refresh(&client, &tokens.refresh).await.refused(400, "invalid_grant");
    assert!(!scenario.store.writes().contains(&"rotate"));
    scenario.assert_refused(&tokens.access).await;
    scenario.people.return_of("alice");
    scenario.refresh(&client, &tokens.refresh).await.refused(400, "invalid_grant");
    let [.., revoked, refused, _, _] = &scenario.audit.events()[..] else { panic!("too few") };
    assert_eq!(revoked.decision, Decision::GrantRevoked);
    assert_eq!(revoked.subject.as_ref().map(|subject| subject.as_str()), Some("alice"));
    assert_eq!(revoked.client.as_ref().map(|client| client.as_str()), Some(&*client.id));
    let Decision::Refused { code, .. } = refused.decision else { panic!("{refused:?}") };
    assert_eq!(code, "refresh_person_gone");
}

#[tokio::test]
async fn rf_07_there_is_no_grace_for_a_person_who_is_gone() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let first = scenario.tokens(&client).await;
    let second = scenario.refresh(&client, &first.refresh).await.expect(200).tokens();
    scenario.people.leave("alice");
    for token in [&first.refresh, &second.refresh] {
        scenario.refresh(&client, token).await.refused(400, "invalid_grant");
    }
    scenario.assert_refused(&second.access).await;
    assert!(!scenario.store.writes().contains(&"count grace use"));
}

#[tokio::test]
async fn rf_07_others_go_on() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let of_bob = tokens_of_bob(&scenario, &client).await;
    scenario.another_browser();
    let of_alice = scenario.tokens(&client).await;
    scenario.people.leave("alice");
    scenario.refresh(&client, &of_alice.refresh).await.refused(400, "invalid_grant");
    scenario.assert_accepted(&of_bob.access).await;
    scenario.refresh(&client, &of_bob.refresh).await.expect(200);
}

#[tokio::test]
async fn rf_07_a_client_whose_grant_the_operator_ended_gets_nothing() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let tokens = scenario.tokens(&client).await;
    let without = |stored: &mut mcp_oauth_core::domain::client::Client| {
        stored.metadata.grant_types.retain(|grant| grant.as_str() != "refresh_token");
    };
    scenario.changed_by_operator(&client, without).await;
    scenario.refresh(&client, &tokens.refresh).await.refused(400, "unauthorized_client");
    assert!(!scenario.store.writes().contains(&"rotate"));
}

#[tokio::test]
async fn rf_07_while_nobody_can_tell_the_token_stays_usable() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let tokens = scenario.tokens(&client).await;
    scenario.people.put_out_of_reach(true);
    let answer = scenario.refresh(&client, &tokens.refresh).await;
    answer.refused(503, "temporarily_unavailable");
    assert_eq!(answer.header("retry-after"), Some("9"));
    assert!(!answer.body.contains("10.0.0.8"), "{}", answer.body);
    scenario.assert_accepted(&tokens.access).await;
    scenario.people.put_out_of_reach(false);
    scenario.refresh(&client, &tokens.refresh).await.expect(200);
}

#[tokio::test]
async fn az_32_the_session_of_a_person_who_is_gone_is_none() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let consent = scenario.ask(&client.request()).await;
    scenario.people.leave("alice");
    scenario.approve(&consent).await.refused_on_a_page(403);
    assert_eq!(told(&scenario, &client, "none").await, "login_required");
    for prompt in ["", "login", "consent"] {
        let request = client.request().with("prompt", prompt);
        let page = scenario.authorize(&request).await.expect(200);
        assert!(asks_for_password(&page), "{prompt}");
        let typed = [("username", "alice"), ("password", "password")];
        let again = scenario.submit(&page, &typed).await.expect(403);
        assert!(asks_for_password(&again), "{prompt}");
    }
    assert!(!scenario.store.writes().contains(&"begin"));
}

#[tokio::test]
async fn az_32_while_nobody_can_tell_nothing_is_granted_in_the_background() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let consent = scenario.ask(&client.request()).await;
    scenario.people.put_out_of_reach(true);
    scenario.approve(&consent).await.refused_on_a_page(403);
    assert_eq!(told(&scenario, &client, "none").await, "login_required");
    let page = scenario.authorize(&client.request()).await.expect(200);
    let typed = [("username", "alice"), ("password", "password")];
    let unanswered = scenario.submit(&page, &typed).await;
    unanswered.refused_on_a_page(503);
    assert_eq!(unanswered.header("retry-after"), Some("9"));
    assert!(!unanswered.body.contains("10.0.0.8"), "{}", unanswered.body);
    scenario.people.put_out_of_reach(false);
    scenario.approve(&consent).await.location();
}

#[tokio::test]
async fn a_machine_has_no_person_to_ask_about() {
    let scenario = Scenario::new();
    let machine = scenario.machine("mcp:tools").await;
    scenario.people.put_out_of_reach(true);
    let form = Parameters::new(&[("grant_type", "client_credentials")]);
    let token = scenario.token(&machine, &form).await.expect(200).access_token();
    scenario.call_tool(&token, "hello", json!({ "name": "x" })).await.expect(200);
}
