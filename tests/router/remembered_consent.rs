//! Whom a person need not be asked about again (checklist 4: AZ-23, AZ-24).

use std::time::Duration;

use mcp_oauth_core::domain::audit::Decision;
use mcp_oauth_core::domain::client::ClientId;
use poem::http::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::parameters::Parameters;
use crate::scenario::{LOCAL, Scenario, Setup};
use crate::steps::{Client, client_metadata};

const HOUR: i64 = 3600;
const REDIRECT: &str = "https://c.example/cb";

/// How a browser says that the person came by themselves.
const OWN: [&str; 2] = ["none", "same-origin"];

fn remembering() -> Scenario {
    let hour = |policy: &mut mcp_oauth_core::service::policy::Policy| {
        policy.consent_lifetime = Duration::from_secs(3600);
    };
    Scenario::of(Setup { decided: hour, ..Setup::at(LOCAL) })
}

async fn web_client(scenario: &Scenario) -> Client {
    scenario.client_like(json!({ "redirect_uris": [REDIRECT] })).await
}

/// A browser that says how it came here.
async fn visit(scenario: &Scenario, request: &Parameters, sec_fetch_site: &str) -> Answer {
    let call = scenario.get(&format!("/authorize?{}", request.encoded())).in_browser();
    call.header("sec-fetch-site", sec_fetch_site).send().await
}

#[track_caller]
fn assert_asked(answer: &Answer) {
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
    assert!(answer.page().contains("value=\"approve\""), "{}", answer.body);
}

/// Asserts a code without a page, and returns it.
#[track_caller]
fn assert_not_asked(answer: &Answer) -> String {
    let back = answer.location();
    assert_eq!(back.query.names(), ["code", "state", "iss"]);
    back.query.get("code").unwrap().to_owned()
}

/// A scenario in which Alice has said yes to this client, and the client.
async fn consented() -> (Scenario, Client) {
    let scenario = remembering();
    let client = web_client(&scenario).await;
    scenario.code(&client).await;
    (scenario, client)
}

#[tokio::test]
async fn az_24_unless_the_operator_decides_otherwise_nothing_is_remembered() {
    let scenario = Scenario::new();
    let client = web_client(&scenario).await;
    let page = scenario.ask(&client.request()).await;
    assert!(!page.page().contains("you will not be asked again"));
    scenario.approve(&page).await.location();
    for own in OWN {
        assert_asked(&visit(&scenario, &client.request(), own).await);
    }
    assert!(!scenario.store.writes().contains(&"remember"));
}

#[tokio::test]
async fn az_24_who_comes_by_themselves_gets_a_code_without_a_page() {
    let (scenario, client) = consented().await;
    for own in OWN {
        let answer = visit(&scenario, &client.request(), own).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.location().address, REDIRECT);
        assert_eq!(answer.location().query.get("iss"), Some(LOCAL));
        let code = assert_not_asked(&answer);
        let tokens = scenario.redeem(&client, &code).await.expect(200).tokens();
        scenario.assert_accepted(&tokens.access).await;
    }
}

#[tokio::test]
async fn az_24_who_was_sent_by_another_page_or_by_nobody_knows_whom_is_asked() {
    let (scenario, client) = consented().await;
    let codes = || scenario.store.writes().iter().filter(|write| **write == "begin").count();
    let before = codes();
    for foreign in ["cross-site", "same-site", "None", "", "none, none"] {
        assert_asked(&visit(&scenario, &client.request(), foreign).await);
    }
    assert_asked(&scenario.authorize(&client.request()).await);
    let path = format!("/authorize?{}", client.request().encoded());
    let twice = scenario.get(&path).in_browser().header("sec-fetch-site", "none");
    assert_asked(&twice.header("sec-fetch-site", "cross-site").send().await);
    let consent = scenario.get(&format!("/consent?{}", client.request().encoded())).in_browser();
    assert_asked(&consent.header("sec-fetch-site", "cross-site").send().await);
    assert_eq!(codes(), before);
}

#[tokio::test]
async fn az_24_the_page_says_what_a_yes_will_mean() {
    let scenario = remembering();
    let sentence = "you will not be asked again for 60 minutes";
    let page = scenario.ask(&web_client(&scenario).await.request()).await;
    assert!(page.page().contains(sentence), "{}", page.body);
    let page = scenario.ask(&scenario.client().await.request()).await;
    assert!(!page.page().contains("you will not be asked again"));
}

#[tokio::test]
async fn az_24_a_no_is_not_remembered_as_a_yes() {
    let scenario = remembering();
    let client = web_client(&scenario).await;
    scenario.deny(&scenario.ask(&client.request()).await).await.location();
    assert_asked(&visit(&scenario, &client.request(), "none").await);
    assert!(!scenario.store.writes().contains(&"remember"));
}

#[tokio::test]
async fn az_24_who_is_asked_again_may_answer_again() {
    let (scenario, client) = consented().await;
    let page = visit(&scenario, &client.request(), "cross-site").await;
    let code = assert_not_asked(&scenario.approve(&page).await);
    scenario.redeem(&client, &code).await.expect(200);
    assert_not_asked(&visit(&scenario, &client.request(), "none").await);
}

#[tokio::test]
async fn az_23_the_last_word_counts() {
    let (scenario, client) = consented().await;
    let other = web_client(&scenario).await;
    scenario.code(&other).await;
    let page = visit(&scenario, &client.request(), "cross-site").await;
    let back = scenario.deny(&page).await.location();
    assert_eq!(back.query.get("error"), Some("access_denied"));
    assert_asked(&visit(&scenario, &client.request(), "none").await);
    assert_not_asked(&visit(&scenario, &other.request(), "none").await);
}

#[tokio::test]
async fn az_23_a_consent_counts_for_its_time_only() {
    let (scenario, client) = consented().await;
    scenario.clock.advance(HOUR - 1);
    assert_not_asked(&visit(&scenario, &client.request(), "none").await);
    scenario.clock.advance(1);
    assert_asked(&visit(&scenario, &client.request(), "none").await);
}

#[tokio::test]
async fn az_23_another_address_asks_again() {
    let scenario = remembering();
    let both = json!({ "redirect_uris": [REDIRECT, "https://c.example/other"] });
    let client = scenario.client_like(both).await;
    scenario.code(&client).await;
    let other = client.request().with("redirect_uri", "https://c.example/other");
    assert_asked(&visit(&scenario, &other, "none").await);
    assert_not_asked(&visit(&scenario, &client.request(), "none").await);
}

#[tokio::test]
async fn az_23_more_scope_asks_again_and_less_does_not() {
    let scenario = remembering();
    let client = web_client(&scenario).await;
    let asking = |scope: &str| client.request().with("scope", scope);
    scenario.code_for(&asking("mcp:tools files:read")).await;
    for wider in ["mcp:tools files:read files:write", "admin", "mcp:tools offline_access"] {
        assert_asked(&visit(&scenario, &asking(wider), "none").await);
    }
    let code = assert_not_asked(&visit(&scenario, &asking("files:read"), "none").await);
    let answer = scenario.redeem(&client, &code).await.expect(200);
    assert_eq!(answer.json()["scope"], "files:read");
    assert_not_asked(&visit(&scenario, &asking("files:read mcp:tools"), "none").await);
}

#[tokio::test]
async fn az_23_a_client_that_changed_asks_again() {
    for (name, value) in [
        ("client_name", json!("Another name")),
        ("redirect_uris", json!([REDIRECT, "https://evil.example/cb"])),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
    ] {
        let scenario = remembering();
        let mut document = client_metadata();
        document["redirect_uris"] = json!([REDIRECT]);
        let told = scenario.register(&document).await.expect(201).json();
        let id = told["client_id"].as_str().unwrap();
        let request = scenario.client().await.request();
        let request = request.with("client_id", id).with("redirect_uri", REDIRECT);
        scenario.code_for(&request).await;
        assert_not_asked(&visit(&scenario, &request, "none").await);
        document["client_id"] = json!(id);
        let replace = |document: &Value| {
            let token = told["registration_access_token"].as_str().unwrap();
            let call = scenario.call(Method::PUT, &format!("/register/{id}"));
            call.bearer(token).json(document).send()
        };
        replace(&document).await.expect(200);
        assert_not_asked(&visit(&scenario, &request, "none").await);
        document[name] = value;
        replace(&document).await.expect(200);
        assert_asked(&visit(&scenario, &request, "none").await);
    }
}

#[tokio::test]
async fn az_23_the_consent_to_one_client_is_none_to_another() {
    let (scenario, client) = consented().await;
    let twin = web_client(&scenario).await;
    assert_asked(&visit(&scenario, &twin.request(), "none").await);
    assert_not_asked(&visit(&scenario, &client.request(), "none").await);
}

#[tokio::test]
async fn az_23_the_consent_of_one_person_is_none_of_another() {
    let (scenario, client) = consented().await;
    scenario.another_browser();
    let login = visit(&scenario, &client.request(), "none").await;
    let typed = [("username", "bob"), ("password", "password")];
    let onwards = scenario.submit(&login, &typed).await.expect(303);
    let onwards = scenario.get(onwards.header("location").unwrap()).in_browser();
    assert_asked(&onwards.header("sec-fetch-site", "same-origin").send().await);
}

#[tokio::test]
async fn az_23_the_consent_to_a_client_that_was_deleted_is_forgotten() {
    let scenario = Scenario::of(Setup {
        decided: |policy| {
            policy.consent_lifetime = Duration::from_secs(3600);
            policy.registration.share = true;
        },
        ..Setup::at(LOCAL)
    });
    let client = web_client(&scenario).await;
    scenario.code(&client).await;
    assert_not_asked(&visit(&scenario, &client.request(), "none").await);
    let id = ClientId::new(&*client.id);
    scenario.use_cases.client_administration.delete(&id).await.unwrap();
    assert_eq!(web_client(&scenario).await.id, client.id);
    assert_asked(&visit(&scenario, &client.request(), "none").await);
}

#[tokio::test]
async fn az_23_what_waits_on_the_persons_own_machine_is_asked_about_every_time() {
    let scenario = remembering();
    for address in [
        "http://127.0.0.1:33418/callback",
        "http://localhost/callback",
        "http://[::1]/callback",
        "https://localhost/callback",
        "https://127.0.0.1:8443/callback",
        "cursor://x/y",
        "com.example.app:/cb",
    ] {
        let client = scenario.client_like(json!({ "redirect_uris": [address] })).await;
        scenario.code(&client).await;
        assert_asked(&visit(&scenario, &client.request(), "none").await);
    }
    assert!(!scenario.store.writes().contains(&"remember"));
}

#[tokio::test]
async fn az_24_a_client_can_have_the_person_asked_again() {
    let (scenario, client) = consented().await;
    let again = client.request().with("prompt", "consent");
    let page = visit(&scenario, &again, "none").await;
    assert_asked(&page);
    scenario.approve(&page).await.location();
    assert_not_asked(&visit(&scenario, &client.request(), "none").await);
}

#[tokio::test]
async fn az_32_a_remembered_consent_needs_no_page_but_a_login_and_the_persons_own_way() {
    let (scenario, client) = consented().await;
    let silent = client.request().with("prompt", "none");
    assert_not_asked(&visit(&scenario, &silent, "none").await);
    let from_elsewhere = visit(&scenario, &silent, "cross-site").await;
    from_elsewhere.refused_on_a_page(400);
    assert!(from_elsewhere.page().contains("error=consent_required"), "{}", from_elsewhere.body);
    scenario.another_browser();
    let nobody = visit(&scenario, &silent, "none").await;
    nobody.refused_on_a_page(400);
    assert!(nobody.page().contains("error=login_required"), "{}", nobody.body);
}

#[tokio::test]
async fn az_24_after_a_login_the_person_need_not_be_asked_either() {
    let (scenario, client) = consented().await;
    scenario.another_browser();
    let login = visit(&scenario, &client.request(), "none").await;
    let typed = [("username", "alice"), ("password", "password")];
    let onwards = scenario.submit(&login, &typed).await.expect(303);
    let onwards = || scenario.get(onwards.header("location").unwrap()).in_browser();
    assert_asked(&onwards().send().await);
    assert_not_asked(&onwards().header("sec-fetch-site", "same-origin").send().await);
}

#[tokio::test]
async fn co_05_a_code_without_a_page_is_recorded_with_client_subject_and_grant() {
    let (scenario, client) = consented().await;
    visit(&scenario, &client.request(), "none").await.location();
    let event = scenario.audit.events().pop().unwrap();
    assert_eq!(event.decision, Decision::ConsentRemembered);
    assert_eq!(event.client.as_ref().map(ClientId::as_str), Some(&*client.id));
    assert_eq!(event.subject.as_ref().map(|subject| subject.as_str()), Some("alice"));
    assert!(event.grant.is_some());
}
