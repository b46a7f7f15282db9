//! What a client wants of the login, and errors that no page stands before (checklist 4: AZ-32,
//! AZ-10).

use mcp_oauth_core::domain::client::ClientOrigin;
use serde_json::json;

use crate::answer::{Answer, unescaped};
use crate::parameters::Parameters;
use crate::scenario::Scenario;
use crate::steps::Client;

/// What somebody sees, or the error that the client is told.
async fn outcome(scenario: &Scenario, client: &Client, prompt: &str) -> String {
    let answer = scenario.authorize(&client.request().with("prompt", prompt)).await;
    if answer.status.as_u16() == 303 {
        return answer.location().query.get("error").unwrap().to_owned();
    }
    let page = answer.expect(200);
    let asked = page.form().fields.names().contains(&"password");
    (if asked { "login" } else { "consent" }).to_owned()
}

#[tokio::test]
async fn az_32_each_prompt_leads_where_it_should() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let rows = [
        ("", "login", "consent"),
        ("none", "login_required", "consent_required"),
        ("login", "login", "login"),
        ("select_account", "login", "login"),
        ("consent", "login", "consent"),
        ("login consent", "login", "login"),
        ("unknown", "login", "consent"),
        ("unknown login", "login", "login"),
        ("none login", "invalid_request", "invalid_request"),
        ("none consent", "invalid_request", "invalid_request"),
        ("none unknown", "invalid_request", "invalid_request"),
        ("NONE", "login", "consent"),
    ];
    for (prompt, nobody_logged_in, _) in rows {
        assert_eq!(outcome(&scenario, &client, prompt).await, nobody_logged_in, "{prompt}");
    }
    scenario.ask(&client.request()).await;
    for (prompt, _, logged_in) in rows {
        assert_eq!(outcome(&scenario, &client, prompt).await, logged_in, "{prompt}");
    }
}

#[tokio::test]
async fn az_32_a_login_of_long_ago_is_not_the_one_that_was_asked_for() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let again = client.request().with("prompt", "login");
    let login = scenario.authorize(&again).await;
    let consent = scenario.log_in(&login).await;
    scenario.clock.advance(601);
    scenario.approve(&consent).await.refused_on_a_page(403);
    let page = scenario.get(&format!("/consent?{}", again.encoded())).in_browser().send().await;
    assert!(page.form().fields.names().contains(&"password"));
    assert!(!scenario.store.writes().contains(&"begin"));
}

/// A client that registered itself with an address on the web.
async fn stranger(scenario: &Scenario) -> Client {
    scenario.client_like(json!({ "redirect_uris": ["https://c.example/cb?x=1"] })).await
}

/// Every kind of request that is refused once it is known where to answer.
fn mistakes(client: &Client) -> Vec<(Parameters, &'static str)> {
    let request = || client.request();
    vec![
        (request().without("code_challenge"), "invalid_request"),
        (request().with("code_challenge_method", "plain"), "invalid_request"),
        (request().with("response_type", "token"), "unsupported_response_type"),
        (request().with("scope", "bogus"), "invalid_scope"),
        (request().with("resource", "https://other.example"), "invalid_target"),
        (request().with("prompt", "none"), "login_required"),
        (request().with("prompt", "none login"), "invalid_request"),
    ]
}

/// The only link of a page, read like a redirect.
fn way_back(page: &Answer) -> Parameters {
    let html = page.page();
    assert_eq!(html.matches("<a ").count(), 1, "{html}");
    let link = html.split_once("<a class=\"button\" href=\"").unwrap().1;
    let link = unescaped(link.split_once('"').unwrap().0);
    Parameters::decoded(link.strip_prefix("https://c.example/cb?").unwrap())
}

#[tokio::test]
async fn az_32_no_error_sends_a_browser_to_a_web_site_that_nobody_vouches_for() {
    let scenario = Scenario::new();
    let client = stranger(&scenario).await;
    for (request, error) in mistakes(&client) {
        let page = scenario.authorize(&request).await;
        page.refused_on_a_page(400);
        assert!(unescaped(page.page()).contains("<code>https://c.example/cb?x=1</code>"));
        let told = way_back(&page);
        assert_eq!(told.names(), ["x", "error", "error_description", "state", "iss"]);
        assert_eq!(told.get("error"), Some(error));
        assert_eq!(told.get("state"), Some("a state"));
        assert_eq!(told.get("iss"), Some(scenario.base_url.as_str()));
        assert!(page.page().contains("rel=\"noreferrer\""));
    }
}

#[tokio::test]
async fn az_32_a_client_that_the_operator_vouches_for_is_told_at_once() {
    let scenario = Scenario::new();
    let client = stranger(&scenario).await;
    scenario.changed_by_operator(&client, |stored| stored.origin = ClientOrigin::Operator).await;
    for (request, error) in mistakes(&client) {
        let answer = scenario.authorize(&request).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let back = answer.location();
        assert_eq!(back.address, "https://c.example/cb");
        assert_eq!(back.query.names(), ["x", "error", "error_description", "state", "iss"]);
        assert_eq!(back.query.get("error"), Some(error));
    }
}

#[tokio::test]
async fn az_10_the_answer_to_a_refused_request_has_no_state_when_none_came() {
    let scenario = Scenario::new();
    let client = stranger(&scenario).await;
    let request = client.request().without("state").with("scope", "bogus");
    let page = scenario.authorize(&request).await;
    assert_eq!(way_back(&page).names(), ["x", "error", "error_description", "iss"]);
}
