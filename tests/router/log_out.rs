//! Logging out (checklist 4: AZ-21, AZ-22, AZ-25, AZ-30; 10: CO-05).

use mcp_oauth_core::domain::audit::Decision;
use serde_json::json;

use crate::answer::Answer;
use crate::parameters::Parameters;
use crate::scenario::{LOCAL, Scenario};

/// The header of the browser's cookies, to be sent when the browser has given them up.
fn cookies(scenario: &Scenario, name: &str) -> String {
    let values = scenario.cookie_values();
    format!("{name}={}", values.last().unwrap())
}

async fn log_out_page(scenario: &Scenario) -> Answer {
    scenario.get("/logout").in_browser().send().await.expect(200)
}

/// A scenario in which Alice is logged in.
async fn logged_in() -> Scenario {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    scenario.ask(&client.request()).await;
    scenario
}

async fn asks_for_password(scenario: &Scenario) -> bool {
    let client = scenario.client().await;
    let page = scenario.authorize(&client.request()).await.expect(200);
    page.form().fields.names().contains(&"password")
}

#[tokio::test]
async fn az_25_who_logs_out_has_to_log_in_again() {
    let scenario = logged_in().await;
    let page = log_out_page(&scenario).await;
    assert!(page.page().contains("Alice Example"));
    assert!(!asks_for_password(&scenario).await, "looking at the page ends nothing");
    let done = scenario.submit(&page, &[]).await.expect(200);
    assert!(done.page().contains("You are logged out"));
    assert!(asks_for_password(&scenario).await);
}

#[tokio::test]
async fn az_25_the_session_ends_here_and_not_only_in_the_browser() {
    let scenario = logged_in().await;
    let kept = cookies(&scenario, "mcp-session");
    let client = scenario.client().await;
    let visit = || {
        let path = format!("/authorize?{}", client.request().encoded());
        scenario.get(&path).header("cookie", &kept).send()
    };
    assert!(visit().await.page().contains("value=\"approve\""));
    scenario.submit(&log_out_page(&scenario).await, &[]).await.expect(200);
    assert!(visit().await.form().fields.names().contains(&"password"));
}

#[tokio::test]
async fn az_25_the_cookie_is_taken_back_as_it_was_set() {
    for (base_url, name, secure) in
        [(LOCAL, "mcp-session", ""), ("https://mcp.example.com", "__Host-mcp-session", "Secure; ")]
    {
        let scenario = Scenario::at(base_url);
        let client = scenario.client().await;
        scenario.ask(&client.request()).await;
        let done = scenario.submit(&log_out_page(&scenario).await, &[]).await.expect(200);
        let cookie = done.header("set-cookie").unwrap();
        let (removal, expiry) = cookie.split_once("; Expires=").unwrap();
        let attributes = format!("{name}=; HttpOnly; SameSite=Lax; {secure}Path=/; Max-Age=0");
        assert_eq!(removal, attributes);
        assert!(expiry.ends_with("GMT"), "{cookie}");
    }
}

#[tokio::test]
async fn az_21_the_consent_page_of_the_session_before_grants_nothing() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let consent = scenario.ask(&client.request()).await;
    let kept = cookies(&scenario, "mcp-session");
    scenario.submit(&log_out_page(&scenario).await, &[]).await.expect(200);
    scenario.approve(&consent).await.refused_on_a_page(403);
    let fields = consent.form().fields.with("decision", "approve");
    let replayed = scenario.post("/consent").form(&fields).header("cookie", &kept);
    replayed.send().await.refused_on_a_page(403);
    scenario.ask(&client.request()).await;
    scenario.approve(&consent).await.refused_on_a_page(403);
    assert!(!scenario.store.writes().contains(&"begin"));
}

#[tokio::test]
async fn az_21_nobody_is_logged_out_without_the_token_of_their_form() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let consent = scenario.ask(&client.request()).await;
    let page = log_out_page(&scenario).await;
    let token = page.form().fields.get("form_token").unwrap().to_owned();
    let of_consent = consent.form().fields.get("form_token").unwrap().to_owned();
    for wrong in ["", "x", &token[1..], &of_consent] {
        scenario.submit(&page, &[("form_token", wrong)]).await.refused_on_a_page(403);
    }
    let without = scenario.post("/logout").form(&Parameters::default()).in_browser();
    without.send().await.refused_on_a_page(403);
    assert_eq!(scenario.audit.names()[2..], ["log_out_foreign_form"; 5]);
    assert!(!asks_for_password(&scenario).await);
    scenario.submit(&page, &[]).await.expect(200);
}

#[tokio::test]
async fn az_21_the_form_of_one_session_does_not_end_another() {
    let scenario = logged_in().await;
    let of_another = log_out_page(&scenario).await;
    scenario.another_browser();
    scenario.ask(&scenario.client().await.request()).await;
    scenario.submit(&of_another, &[]).await.refused_on_a_page(403);
    assert!(!asks_for_password(&scenario).await);
}

#[tokio::test]
async fn who_is_not_logged_in_is_told_so_and_nothing_is_ended() {
    let scenario = Scenario::new();
    let page = log_out_page(&scenario).await;
    assert!(page.page().contains("Nobody is logged in"));
    let done = scenario.post("/logout").form(&Parameters::default()).send().await.expect(200);
    assert!(done.page().contains("Nobody is logged in"));
    assert_eq!(scenario.store.writes(), [""; 0]);
    assert_eq!(scenario.audit.names(), [""; 0]);
}

#[tokio::test]
async fn a_session_that_is_over_is_none_to_log_out_of() {
    let scenario = logged_in().await;
    scenario.clock.advance(8 * 3600);
    assert!(log_out_page(&scenario).await.page().contains("Nobody is logged in"));
}

#[tokio::test]
async fn what_was_granted_goes_on() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let tokens = scenario.tokens(&client).await;
    scenario.submit(&log_out_page(&scenario).await, &[]).await.expect(200);
    scenario.assert_accepted(&tokens.access).await;
    scenario.refresh(&client, &tokens.refresh).await.expect(200);
}

#[tokio::test]
async fn co_05_a_log_out_is_recorded_once_with_who_it_was() {
    let scenario = logged_in().await;
    let page = log_out_page(&scenario).await;
    scenario.submit(&page, &[]).await.expect(200);
    scenario.submit(&page, &[]).await.expect(200);
    let events = scenario.audit.events();
    let log_outs: Vec<_> =
        events.iter().filter(|event| event.decision == Decision::LoggedOut).collect();
    let [log_out] = log_outs[..] else { panic!("{events:?}") };
    assert_eq!(log_out.subject.as_ref().map(|subject| subject.as_str()), Some("alice"));
}

#[tokio::test]
async fn az_22_az_30_the_pages_of_a_log_out_are_as_safe_as_the_others() {
    let scenario = logged_in().await;
    let page = log_out_page(&scenario).await;
    let done = scenario.submit(&page, &[]).await;
    let way_back = scenario.client_like(json!({ "redirect_uris": ["https://c.example/cb"] })).await;
    let told = scenario.authorize(&way_back.request().with("scope", "bogus")).await.expect(400);
    for page in [page, done, told] {
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(page.header("x-frame-options"), Some("DENY"));
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert!(!page.page().contains("<script") && !page.page().contains("src=\""));
    }
}

#[tokio::test]
async fn az_29_no_page_elsewhere_reads_or_sends_the_form() {
    let scenario = logged_in().await;
    for origin in ["http://localhost:6274", "https://evil.example", "null"] {
        let page = scenario.get("/logout").header("origin", origin).in_browser().send().await;
        assert_eq!(page.header("access-control-allow-origin"), None, "{origin}");
    }
}

#[tokio::test]
async fn while_the_store_is_out_of_reach_nobody_is_told_to_be_logged_out() {
    let scenario = logged_in().await;
    let page = log_out_page(&scenario).await;
    scenario.store.put_out_of_reach();
    scenario.get("/logout").in_browser().send().await.refused_on_a_page(503);
    let refused = scenario.submit(&page, &[]).await;
    refused.refused_on_a_page(503);
    assert_eq!(refused.header("retry-after"), Some("5"));
    assert_eq!(refused.header("set-cookie"), None);
}
