//! What lets nobody in who comes back from a provider (checklist 4: AZ-10, 21, 27, 33; 5: UP-01, 02, 03,
//! 05, 09; 7: RF-07).

use std::sync::Arc;

use mcp_oauth_core::domain::admission::AdmissionPolicy;
use serde_json::json;

use crate::answer::{Answer, unescaped};
use crate::broker::{answer_for, at_work, broker, open_to_all};
use crate::parameters::Parameters;
use crate::providers::provider;
use crate::scenario::{LOCAL, Scenario, Setup};

/// Nobody was logged in, and nothing granted.
#[track_caller]
fn assert_nothing(scenario: &Scenario) {
    let writes = scenario.store.writes();
    assert!(!writes.contains(&"begin") && !writes.contains(&"open session"), "{writes:?}");
}

/// The error in the only link of a page, which leads back to the client.
#[track_caller]
fn way_back(page: &Answer, client: &crate::steps::Client) -> Parameters {
    let html = page.page();
    assert_eq!(html.matches("<a ").count(), 1, "{html}");
    let link = html.split_once("<a class=\"button\" href=\"").unwrap().1;
    let link = unescaped(link.split_once('"').unwrap().0);
    let query = link.strip_prefix(&client.redirect_uri).unwrap().strip_prefix('?').unwrap();
    let told = Parameters::decoded(query);
    assert_eq!(told.names(), ["error", "error_description", "state", "iss"]);
    assert_eq!(told.get("state"), Some("a state"));
    told
}

fn admitting(emails: &[&str]) -> AdmissionPolicy {
    let emails = emails.iter().map(|&email| email.to_owned()).collect();
    AdmissionPolicy { emails, ..AdmissionPolicy::default() }
}

#[tokio::test]
async fn az_10_a_no_sends_nobody_to_the_provider() {
    let scenario = at_work();
    let client = scenario.client().await;
    let page = scenario.authorize(&client.request()).await.expect(200);
    for typed in [
        &[("decision", "deny")][..],
        &[("decision", "deny"), ("provider", "work")],
        &[("decision", "approve")],
    ] {
        let back = scenario.submit(&page, typed).await.location();
        assert_eq!(back.address, client.redirect_uri);
        assert_eq!(back.query.get("error"), Some("access_denied"), "{typed:?}");
        assert_eq!(back.query.get("state"), Some("a state"));
    }
    assert_eq!(scenario.store.writes(), ["register"]);
}

#[tokio::test]
async fn az_10_a_form_without_an_answer_is_neither_a_yes_nor_a_no() {
    let scenario = at_work();
    let client = scenario.client().await;
    let page = scenario.authorize(&client.request()).await.expect(200);
    for typed in [&[("provider", "")][..], &[("decision", "")], &[]] {
        scenario.submit(&page, typed).await.refused_on_a_page(400);
        assert_eq!(scenario.audit.names().last(), Some(&"provider_login_unknown_provider"));
    }
    assert_eq!(scenario.store.writes(), ["register"]);
}

#[tokio::test]
async fn az_21_a_form_counts_in_its_own_browser_for_its_own_request() {
    let scenario = at_work();
    let client = scenario.client().await;
    let page = scenario.authorize(&client.request()).await.expect(200);
    let other = scenario.client().await.request().encoded();
    let yes = ("provider", "work");
    for forged in [("authorization", &*other), ("form_token", "")] {
        scenario.submit(&page, &[yes, forged]).await.refused_on_a_page(403);
    }
    scenario.another_browser();
    scenario.submit(&page, &[yes]).await.refused_on_a_page(403);
    scenario.authorize(&client.request()).await.expect(200);
    scenario.submit(&page, &[yes]).await.refused_on_a_page(403);
    assert!(!scenario.store.writes().contains(&"begin login"));
}

#[tokio::test]
async fn az_21_the_yes_of_a_person_who_is_logged_in_is_none_for_another_login() {
    let scenario = at_work();
    let client = scenario.client().await;
    let before = scenario.authorize(&client.request()).await.expect(200);
    let token_before = before.form().fields.get("form_token").unwrap().to_owned();
    let away = scenario.away(&client).await;
    scenario.logged_in_as("alice", &away).await.location();
    let after = scenario.authorize(&client.request()).await.expect(200);
    let typed = [("decision", "approve"), ("form_token", &*token_before)];
    scenario.submit(&after, &typed).await.refused_on_a_page(403);
    let typed = [("before_login", "yes"), ("provider", "work")];
    scenario.submit(&after, &typed).await.refused_on_a_page(403);
}

#[tokio::test]
async fn az_27_an_answer_counts_once() {
    let (login, fake) = provider("work", AdmissionPolicy::default());
    let scenario = broker(vec![login]);
    let client = scenario.client().await;
    let away = scenario.away(&client).await;
    scenario.logged_in_as("alice", &away).await.location();
    for _ in 0..2 {
        let again = scenario.logged_in_as("alice", &away).await;
        again.refused_on_a_page(403);
        assert_eq!(again.header("set-cookie"), None);
    }
    assert_eq!(fake.redeemed().len(), 1);
    assert_eq!(scenario.store.writes().iter().filter(|write| **write == "begin").count(), 1);
}

#[tokio::test]
async fn az_27_another_browser_gets_nothing_and_spoils_nothing() {
    let (login, fake) = provider("work", AdmissionPolicy::default());
    let scenario = broker(vec![login]);
    let client = scenario.client().await;
    let away = scenario.away(&client).await;
    let path = format!("/callback/work?{}", answer_for("mallory", &away).encoded());
    let other_cookie = format!("mcp-login={}", "A".repeat(43));
    for cookie in ["", "mcp-login=", &other_cookie] {
        let answer = scenario.get(&path).header("cookie", cookie).send().await;
        answer.refused_on_a_page(403);
        assert_eq!(answer.header("set-cookie"), None);
    }
    assert_nothing(&scenario);
    assert_eq!(fake.redeemed().len(), 0);
    scenario.logged_in_as("alice", &away).await.location();
}

#[tokio::test]
async fn az_27_a_login_takes_ten_minutes_at_most() {
    for (seconds, in_time) in [(599, true), (600, false)] {
        let scenario = at_work();
        let client = scenario.client().await;
        let away = scenario.away(&client).await;
        scenario.clock.advance(seconds);
        let back = scenario.logged_in_as("alice", &away).await;
        if in_time {
            back.location();
        } else {
            back.refused_on_a_page(403);
            assert_nothing(&scenario);
        }
    }
}

#[tokio::test]
async fn up_03_the_answer_of_one_provider_is_none_at_another() {
    let scenario = broker(vec![open_to_all("work"), open_to_all("home")]);
    let client = scenario.client().await;
    let away = scenario.away(&client).await;
    let answer = answer_for("alice", &away);
    scenario.come_back("home", &answer).await.refused_on_a_page(403);
    scenario.come_back("nowhere", &answer).await.refused_on_a_page(400);
    assert_nothing(&scenario);
}

#[tokio::test]
async fn up_03_the_issuer_that_a_provider_names_is_checked_before_the_code_is_used() {
    let (login, fake) = provider("work", AdmissionPolicy::default());
    let scenario = broker(vec![login]);
    let client = scenario.client().await;
    for (issuer, accepted) in [("https://evil.example", false), ("https://work.example", true)] {
        let away = scenario.away(&client).await;
        let answer = answer_for("alice", &away).with("iss", issuer);
        let back = scenario.come_back("work", &answer).await;
        assert_eq!(back.status.as_u16(), if accepted { 303 } else { 403 });
        assert_eq!(fake.redeemed().len(), usize::from(accepted));
    }
}

#[tokio::test]
async fn up_02_a_code_that_was_issued_for_another_login_logs_nobody_in() {
    let scenario = at_work();
    let client = scenario.client().await;
    let victim = scenario.away(&client).await;
    // Somebody smuggles the code of their own login into the victim's browser.
    let other = scenario.away(&client).await;
    let code = answer_for("mallory", &other).get("code").unwrap().to_owned();
    let answer = answer_for("alice", &victim).with("code", &code);
    let page = scenario.come_back("work", &answer).await;
    page.refused_on_a_page(403);
    assert!(page.page().contains("did not confirm who you are"));
    assert!(!page.body.contains("from inside"));
    assert_eq!(way_back(&page, &client).get("error"), Some("server_error"));
    assert_nothing(&scenario);
    assert_eq!(scenario.audit.names().last(), Some(&"provider_login_not_confirmed"));
}

#[tokio::test]
async fn up_05_an_error_of_the_provider_goes_to_the_client_without_its_words() {
    let scenario = at_work();
    let client = scenario.client().await;
    for (error, told) in [
        ("access_denied", "access_denied"),
        ("login_required", "access_denied"),
        ("server_error", "server_error"),
        ("<script>", "server_error"),
    ] {
        let away = scenario.away(&client).await;
        let answer = Parameters::new(&[
            ("state", away.query.get("state").unwrap()),
            ("error", error),
            ("error_description", "words of the provider"),
            ("error_uri", "https://work.example/help"),
        ]);
        let back = scenario.come_back("work", &answer).await;
        assert_eq!(back.header("set-cookie"), None);
        let back = back.location();
        assert_eq!(back.address, client.redirect_uri);
        assert_eq!(back.query.names(), ["error", "error_description", "state", "iss"]);
        assert_eq!(back.query.get("error"), Some(told));
        assert!(!back.query.encoded().contains("provider"), "{back:?}");
        let recorded = format!("{:?}", scenario.audit.events().last().unwrap());
        assert!(recorded.contains("words of the provider"), "{recorded}");
        scenario.come_back("work", &answer).await.refused_on_a_page(403);
    }
    assert_nothing(&scenario);
}

#[tokio::test]
async fn az_33_who_is_not_admitted_is_told_why_and_the_client_is_not() {
    let scenario = broker(vec![provider("work", admitting(&["alice@work.example"])).0]);
    let client = scenario.client().await;
    for (subject, reason) in [
        ("bob", "the e-mail address bob@work.example is not on the list"),
        ("mallory", "your e-mail address is not verified"),
    ] {
        let away = scenario.away(&client).await;
        let page = scenario.logged_in_as(subject, &away).await;
        page.refused_on_a_page(403);
        assert_eq!(page.header("set-cookie"), None);
        assert!(unescaped(page.page()).contains(reason), "{}", page.body);
        assert!(page.page().contains("another account at your provider"), "{}", page.body);
        let told = way_back(&page, &client);
        assert_eq!(told.get("error"), Some("access_denied"));
        assert_eq!(told.get("error_description"), Some("the request was denied"));
        let event = scenario.audit.events().pop().unwrap();
        let who = format!("https://work.example|{subject}");
        assert_eq!(event.subject.as_ref().map(|subject| subject.as_str()), Some(&*who));
        assert!(format!("{event:?}").contains(reason));
    }
    assert_nothing(&scenario);
    let away = scenario.away(&client).await;
    scenario.logged_in_as("alice", &away).await.location();
}

#[tokio::test]
async fn a_provider_out_of_reach_is_told_to_person_and_client_with_a_delay() {
    let (login, fake) = provider("work", AdmissionPolicy::default());
    let scenario = broker(vec![login]);
    let client = scenario.client().await;
    let away = scenario.away(&client).await;
    let before = scenario.store.writes();
    fake.put_out_of_reach(true);
    let page = scenario.authorize(&client.request()).await.expect(200);
    let not_sent = scenario.submit(&page, &[("provider", "work")]).await;
    assert_eq!(scenario.store.writes(), before);
    let not_back = scenario.logged_in_as("alice", &away).await;
    for page in [not_sent, not_back] {
        page.refused_on_a_page(503);
        assert_eq!(page.header("retry-after"), Some("9"));
        assert_eq!(page.header("set-cookie"), None);
        assert!(!page.body.contains("10.0.0.9"), "{}", page.body);
        assert!(!page.body.contains("another account"), "{}", page.body);
        assert_eq!(way_back(&page, &client).get("error"), Some("temporarily_unavailable"));
    }
    assert_nothing(&scenario);
    fake.put_out_of_reach(false);
    let away = scenario.away(&client).await;
    scenario.logged_in_as("alice", &away).await.location();
}

#[tokio::test]
async fn az_23_a_client_that_changed_meanwhile_gets_nothing() {
    let scenario = at_work();
    let client = scenario.client().await;
    let away = scenario.away(&client).await;
    scenario
        .changed_by_operator(&client, |stored| {
            stored.metadata.client_name = Some("Another name".to_owned());
        })
        .await;
    scenario.logged_in_as("alice", &away).await.refused_on_a_page(403);
    assert_nothing(&scenario);
}

/// Bob logs in while he may, and then the server is started with another provider or another list.
async fn restarted(provider_name: &'static str, admission: AdmissionPolicy) {
    let both = admitting(&["alice@work.example", "bob@work.example"]);
    let scenario = broker(vec![provider("work", both).0]);
    let client = scenario.client().await;
    let away = scenario.away(&client).await;
    let back = scenario.logged_in_as("bob", &away).await.location();
    let code = back.query.get("code").unwrap();
    let tokens = scenario.redeem(&client, code).await.expect(200).tokens();
    let tokens = scenario.refresh(&client, &tokens.refresh).await.expect(200).tokens();
    let later = Scenario::of(Setup {
        providers: vec![provider(provider_name, admission).0],
        store: Arc::clone(&scenario.store),
        ..Setup::at(LOCAL)
    });
    later.take_cookies_of(&scenario);
    later.assert_accepted(&tokens.access).await;
    let page = later.authorize(&client.request()).await.expect(200);
    assert!(page.page().contains("name=\"provider\""), "{}", page.body);
    later.refresh(&client, &tokens.refresh).await.refused(400, "invalid_grant");
    assert_eq!(later.audit.names().last(), Some(&"refresh_person_gone"));
    later.assert_refused(&tokens.access).await;
}

#[tokio::test]
async fn rf_07_who_is_taken_off_the_list_can_not_refresh_and_is_logged_in_nowhere() {
    restarted("work", admitting(&["alice@work.example"])).await;
}

#[tokio::test]
async fn rf_07_the_people_of_a_provider_that_is_taken_away_go_with_it() {
    restarted("home", AdmissionPolicy::default()).await;
}

#[tokio::test]
async fn az_31_nothing_that_comes_with_an_answer_is_shown() {
    let scenario = at_work();
    let client = scenario.client().await;
    let away = scenario.away(&client).await;
    let script = "<script>alert(1)</script>";
    let state = away.query.get("state").unwrap();
    for parameters in [
        [("state", script), ("code", script), ("iss", script)],
        [("state", state), ("code", script), ("iss", script)],
    ] {
        let page = scenario.come_back("work", &Parameters::new(&parameters)).await;
        page.refused_on_a_page(403);
        assert!(!page.body.contains("<script") && !page.body.contains("alert(1)"), "{}", page.body);
    }
    let answer = Parameters::new(&[("state", "a"), ("state", "b"), ("code", "c")]);
    scenario.come_back("work", &answer).await.refused_on_a_page(400);
    let path = format!("/callback/{}?state=a&code=b", "%3Cscript%3E");
    scenario.get(&path).in_browser().send().await.refused_on_a_page(400);
}

#[tokio::test]
async fn az_22_az_30_the_pages_are_as_safe_as_the_others() {
    let scenario = at_work();
    let client = scenario.client_like(json!({ "client_name": "x" })).await;
    let consent = scenario.authorize(&client.request()).await.expect(200);
    let invented = Parameters::new(&[("state", "a"), ("code", "b")]);
    let refused = scenario.come_back("work", &invented);
    for page in [consent, refused.await] {
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("form-action"));
        assert_eq!(page.header("x-frame-options"), Some("DENY"));
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert_eq!(page.header("access-control-allow-origin"), None);
    }
}

#[tokio::test]
async fn jv_18_no_secret_of_a_login_is_recorded() {
    let scenario = at_work();
    let client = scenario.client().await;
    let away = scenario.away(&client).await;
    let answer = answer_for("alice", &away);
    scenario.come_back("work", &answer).await.location();
    scenario.come_back("work", &answer).await.refused_on_a_page(403);
    let recorded = format!("{:?}", scenario.audit.events());
    let mut secrets = scenario.cookie_values();
    secrets.extend(["state", "nonce"].map(|name| away.query.get(name).unwrap().to_owned()));
    secrets.push(answer.get("code").unwrap().to_owned());
    for secret in secrets {
        assert!(!recorded.contains(&secret), "{recorded}");
    }
}
