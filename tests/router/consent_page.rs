//! Asking a person (checklist 4: AZ-19 to AZ-24, 28 to 31).

use serde_json::json;

use crate::answer::{Answer, unescaped};
use crate::scenario::Scenario;

async fn consent_page(scenario: &Scenario) -> Answer {
    let client = scenario.client().await;
    scenario.ask(&client.request()).await
}

#[tokio::test]
async fn az_19_the_page_says_who_asks_for_what_and_where_it_leads() {
    let scenario = Scenario::new();
    let client = scenario.client_like(json!({ "client_name": "Claude & Co" })).await;
    let request = client.request().with("scope", "mcp:tools offline_access");
    let page = unescaped(scenario.ask(&request).await.page());
    let shown = [
        "Claude & Co",
        "Alice Example",
        "Use the tools of this server on your behalf",
        "mcp:tools",
        "offline_access",
        "Stay connected when you are not present",
        &client.redirect_uri,
    ];
    for text in shown {
        assert!(page.contains(text), "{text} is not on the page");
    }
    assert!(!page.contains("files:read"));
}

#[tokio::test]
async fn az_20_a_program_on_this_computer_is_pointed_out() {
    let scenario = Scenario::new();
    let warning = "any program here could have asked";
    for address in ["http://127.0.0.1/cb", "http://localhost/cb", "http://[::1]:7/cb"] {
        let client = scenario.client_like(json!({ "redirect_uris": [address] })).await;
        assert!(scenario.ask(&client.request()).await.page().contains(warning), "{address}");
    }
    let client = scenario.client_like(json!({ "redirect_uris": ["https://c.example/cb"] })).await;
    assert!(!scenario.ask(&client.request()).await.page().contains(warning));
}

#[tokio::test]
async fn az_21_consent_takes_the_token_of_its_own_form() {
    let scenario = Scenario::new();
    let page = consent_page(&scenario).await;
    for token in ["", "x", &page.form().fields.get("form_token").unwrap()[1..]] {
        let typed = [("decision", "approve"), ("form_token", token)];
        scenario.submit(&page, &typed).await.refused_on_a_page(403);
    }
    assert!(!scenario.store.writes().contains(&"begin"));
    scenario.approve(&page).await.location();
}

#[tokio::test]
async fn az_21_consent_for_one_request_is_none_for_another() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let page = scenario.ask(&client.request()).await;
    for other in [client.request().with("scope", "admin"), scenario.client().await.request()] {
        let typed = [("decision", "approve"), ("authorization", &*other.encoded())];
        scenario.submit(&page, &typed).await.refused_on_a_page(403);
    }
    assert!(!scenario.store.writes().contains(&"begin"));
}

#[tokio::test]
async fn az_21_consent_belongs_to_the_login_session_it_was_asked_in() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let page = scenario.ask(&client.request()).await;
    scenario.another_browser();
    scenario.approve(&page).await.refused_on_a_page(403);
    scenario.ask(&client.request()).await;
    scenario.approve(&page).await.refused_on_a_page(403);
    assert!(!scenario.store.writes().contains(&"begin"));
}

#[tokio::test]
async fn az_21_a_login_form_token_is_no_consent() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let login = scenario.authorize(&client.request()).await;
    let token = login.form().fields.get("form_token").unwrap().to_owned();
    let page = scenario.log_in(&login).await;
    let typed = [("decision", "approve"), ("form_token", &*token)];
    scenario.submit(&page, &typed).await.refused_on_a_page(403);
}

#[tokio::test]
async fn az_21_a_second_page_does_not_spoil_the_first() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let first = scenario.ask(&client.request()).await;
    let second = scenario.ask(&client.request()).await;
    assert!(scenario.approve(&first).await.location().query.get("code").is_some());
    assert!(scenario.approve(&second).await.location().query.get("code").is_some());
}

#[tokio::test]
async fn az_21_looking_at_a_request_changes_nothing() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    for _ in 0..3 {
        scenario.authorize(&client.request()).await.expect(200);
        scenario.get(&format!("/consent?{}", client.request().encoded())).send().await.expect(200);
    }
    assert_eq!(scenario.store.writes(), ["register"]);
}

#[tokio::test]
async fn az_21_anything_but_approval_is_a_denial() {
    let scenario = Scenario::new();
    let page = consent_page(&scenario).await;
    for decision in ["", "Approve", "yes", "approve "] {
        let back = scenario.submit(&page, &[("decision", decision)]).await.location();
        assert_eq!(back.query.get("error"), Some("access_denied"), "{decision}");
    }
}

#[tokio::test]
async fn az_21_an_ended_session_can_not_consent() {
    let scenario = Scenario::new();
    let page = consent_page(&scenario).await;
    scenario.clock.advance(8 * 3600);
    scenario.approve(&page).await.refused_on_a_page(403);
    assert!(!scenario.store.writes().contains(&"begin"));
}

#[tokio::test]
async fn az_22_no_page_can_be_framed() {
    let scenario = Scenario::new();
    for (name, page) in every_page(&scenario).await {
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{name}: {policy}");
        assert_eq!(page.header("x-frame-options"), Some("DENY"), "{name}");
    }
}

#[tokio::test]
async fn az_24_consent_is_asked_for_every_time() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    scenario.tokens(&client).await;
    let page = scenario.authorize(&client.request()).await.expect(200);
    assert!(page.page().contains("value=\"approve\""));
}

#[tokio::test]
async fn az_29_no_page_elsewhere_can_read_the_pages() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let query = client.request().encoded();
    for origin in ["http://localhost:6274", "https://app.example.com", "https://evil.example"] {
        for path in ["/authorize", "/consent", "/login", "/"] {
            let visit = scenario.get(&format!("{path}?{query}")).header("origin", origin);
            let answer = visit.send().await;
            assert_eq!(answer.header("access-control-allow-origin"), None, "{path} {origin}");
        }
    }
}

#[tokio::test]
async fn az_30_the_pages_load_nothing_from_elsewhere_and_tell_nobody_where_one_comes_from() {
    let scenario = Scenario::new();
    for (name, page) in every_page(&scenario).await {
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"), "{name}");
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{name}: {policy}");
        assert!(!policy.contains("form-action"), "{name}: {policy}");
        for attribute in ["src=\"", "href=\"http", "action=\"http", "<script", "url("] {
            assert!(!page.page().contains(attribute), "{name}: {attribute}");
        }
    }
}

#[tokio::test]
async fn az_31_a_client_can_not_write_html() {
    let scenario = Scenario::new();
    let name = "<script>alert('x')</script>\"><img src=x>";
    let metadata =
        json!({ "client_name": name, "redirect_uris": ["https://c.example/cb?a='&lt;b"] });
    let client = scenario.client_like(metadata).await;
    let request = client.request().with("state", "\"><script>");
    let login = scenario.authorize(&request).await;
    let consent = scenario.log_in(&login).await;
    for page in [&login, &consent] {
        assert!(!page.page().contains("<script") && !page.page().contains("<img"));
        assert!(unescaped(page.page()).contains(name));
    }
    let unknown = scenario.authorize(&request.with("client_id", "<img src=x>")).await;
    assert!(!unknown.page().contains("<img"));
}

#[tokio::test]
async fn az_31_a_name_is_short_visible_and_does_not_reverse_the_text() {
    let scenario = Scenario::new();
    let name = format!("\u{202e}evil\u{7}\n{}", "x".repeat(500));
    let registered = scenario
        .register(&json!({ "redirect_uris": ["https://c.example/cb"], "client_name": name }))
        .await;
    let shown = registered.expect(201).json()["client_name"].as_str().unwrap().to_owned();
    assert_eq!(shown, format!("evil{}", "x".repeat(96)));
}

#[tokio::test]
async fn az_31_a_client_without_a_visible_name_is_called_by_its_id() {
    let scenario = Scenario::new();
    for name in [json!("  \u{202e}\n"), json!(""), json!(null)] {
        let client = scenario.client_like(json!({ "client_name": name })).await;
        let page = scenario.ask(&client.request()).await;
        assert!(page.page().contains(&format!("<strong>{}</strong>", client.id)), "{name}");
    }
}

async fn every_page(scenario: &Scenario) -> Vec<(&'static str, Answer)> {
    let client = scenario.client().await;
    let login = scenario.authorize(&client.request()).await;
    let wrong = scenario.submit(&login, &[("username", "alice"), ("password", "x")]).await;
    let consent = scenario.log_in(&login).await;
    let error = scenario.authorize(&client.request().with("client_id", "x")).await;
    vec![("login", login), ("wrong", wrong), ("consent", consent), ("error", error)]
}

#[tokio::test]
async fn az_18_a_client_that_is_new_meets_a_person_before_anything_leads_anywhere() {
    let scenario = Scenario::new();
    let known = scenario.client().await;
    scenario.tokens(&known).await;
    let begun = scenario.store.writes();
    let stranger = scenario.client_like(json!({ "client_name": "Stranger" })).await;
    for path in ["/authorize", "/consent"] {
        let visit = scenario.get(&format!("{path}?{}", stranger.request().encoded()));
        let page = visit.in_browser().header("sec-fetch-site", "none").send().await.expect(200);
        assert_eq!(page.header("location"), None);
        assert_eq!(page.header("set-cookie"), None);
        assert!(page.page().contains("Allow <strong>Stranger</strong>"), "{}", page.body);
    }
    assert_eq!(scenario.store.writes(), [&*begun, &["register"]].concat());
}
