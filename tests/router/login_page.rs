//! Logging in: whose form, which cookies, what is told to whom (checklist 4: AZ-21, 22, 25, 30).

use crate::answer::Answer;
use crate::scenario::Scenario;

const ALICE: [(&str, &str); 2] = [("username", "alice"), ("password", "password")];

/// The cookies an answer sets: the value replaced by `…`.
fn cookies(answer: &Answer) -> Vec<String> {
    let shown = |cookie: &str| {
        let (name, rest) = cookie.split_once('=').unwrap();
        let (value, attributes) = rest.split_once(';').unwrap();
        assert!(value.len() >= 43, "{cookie}");
        format!("{name}=…;{attributes}")
    };
    let all = answer.headers.get_all("set-cookie").iter();
    all.map(|cookie| shown(cookie.to_str().unwrap())).collect()
}

async fn login_page(scenario: &Scenario) -> Answer {
    let client = scenario.client().await;
    scenario.authorize(&client.request()).await.expect(200)
}

#[tokio::test]
async fn az_25_the_cookies_of_a_public_server_are_bound_to_its_host() {
    let scenario = Scenario::at("https://mcp.example.com");
    let page = login_page(&scenario).await;
    let attributes = "HttpOnly; SameSite=Lax; Secure; Path=/";
    assert_eq!(cookies(&page), [format!("__Host-mcp-browser=…; {attributes}")]);
    let logged_in = scenario.submit(&page, &ALICE).await;
    assert_eq!(cookies(&logged_in), [format!("__Host-mcp-session=…; {attributes}")]);
}

#[tokio::test]
async fn az_25_the_cookies_of_a_local_server_work_without_https() {
    let scenario = Scenario::new();
    let page = login_page(&scenario).await;
    assert_eq!(cookies(&page), ["mcp-browser=…; HttpOnly; SameSite=Lax; Path=/"]);
    let logged_in = scenario.submit(&page, &ALICE).await;
    assert_eq!(cookies(&logged_in), ["mcp-session=…; HttpOnly; SameSite=Lax; Path=/"]);
}

#[tokio::test]
async fn az_25_every_login_starts_a_session_of_its_own() {
    let scenario = Scenario::new();
    let page = login_page(&scenario).await;
    let first = scenario.submit(&page, &ALICE).await;
    let second = scenario.submit(&page, &ALICE).await;
    assert_ne!(first.header("set-cookie"), second.header("set-cookie"));
}

#[tokio::test]
async fn az_25_a_session_ends() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    scenario.code(&client).await;
    scenario.clock.advance(8 * 3600 - 1);
    let page = scenario.authorize(&client.request()).await;
    assert!(!page.form().fields.names().contains(&"password"));
    scenario.clock.advance(1);
    let page = scenario.authorize(&client.request()).await;
    assert!(page.form().fields.names().contains(&"password"));
}

#[tokio::test]
async fn az_21_the_login_form_of_another_browser_is_refused() {
    let scenario = Scenario::new();
    let page = login_page(&scenario).await;
    scenario.another_browser();
    scenario.submit(&page, &ALICE).await.refused_on_a_page(403);
    login_page(&scenario).await;
    scenario.submit(&page, &ALICE).await.refused_on_a_page(403);
    assert!(!scenario.store.writes().contains(&"open session"));
}

#[tokio::test]
async fn az_21_a_login_form_is_good_for_its_own_request_only() {
    let scenario = Scenario::new();
    let page = login_page(&scenario).await;
    let other = scenario.client().await.request().encoded();
    let typed = [("username", "alice"), ("password", "password"), ("authorization", &other)];
    scenario.submit(&page, &typed).await.refused_on_a_page(403);
    let typed = [("username", "alice"), ("password", "password"), ("form_token", "")];
    scenario.submit(&page, &typed).await.refused_on_a_page(403);
}

#[tokio::test]
async fn az_21_a_second_login_page_does_not_spoil_the_first() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let first = scenario.authorize(&client.request()).await;
    let second = scenario.authorize(&client.request()).await;
    assert_eq!(second.header("set-cookie"), None);
    scenario.log_in(&first).await;
    scenario.log_in(&second).await;
}

#[tokio::test]
async fn a_wrong_password_shows_the_form_again_and_does_not_tell_which_names_exist() {
    let scenario = Scenario::new();
    let page = login_page(&scenario).await;
    let wrong = scenario.submit(&page, &[("username", "alice"), ("password", "wrong")]).await;
    let unknown = scenario.submit(&page, &[("username", "carol"), ("password", "wrong")]).await;
    let carol = unknown.page().replace("carol", "alice");
    assert_eq!(wrong.expect(403).page(), carol);
    assert!(!carol.contains("value=\"wrong\""));
    assert!(!scenario.store.writes().contains(&"open session"));
    scenario.log_in(&unknown).await;
}

#[tokio::test]
async fn az_21_the_form_works_with_the_origin_that_browsers_send() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    for origin in ["http://localhost:8000", "null"] {
        scenario.another_browser();
        let page = scenario.authorize(&client.request()).await;
        let fields = page.form().fields.with("username", "alice").with("password", "password");
        let form = scenario.post("/login").form(&fields).header("origin", origin).in_browser();
        let onwards = form.send().await.expect(303);
        let page = scenario.get(onwards.header("location").unwrap()).in_browser().send().await;
        let fields = page.form().fields.with("decision", "approve");
        let form = scenario.post("/consent").form(&fields).header("origin", origin).in_browser();
        assert!(form.send().await.location().query.get("code").is_some(), "{origin}");
    }
}

#[tokio::test]
async fn az_25_a_session_that_somebody_planted_does_not_become_the_persons() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let page = scenario.authorize(&client.request()).await;
    let browser = format!("mcp-browser={}", scenario.cookie_values()[0]);
    let fields = page.form().fields.with("username", "alice").with("password", "password");
    let planted = format!("{browser}; mcp-session=planted");
    let logged_in = scenario.post("/login").form(&fields).header("cookie", &planted).send().await;
    assert!(!logged_in.expect(303).header("set-cookie").unwrap().contains("planted"));
    let visit = scenario.get(&format!("/authorize?{}", client.request().encoded()));
    let page = visit.header("cookie", &planted).send().await;
    assert!(page.form().fields.names().contains(&"password"));
}
