//! Who does something too often has to wait, and nobody else does (checklist RG-08, TK-16, CO-03).

use mcp_oauth_core::domain::limit::LimitPolicy;
use serde_json::json;

use crate::answer::Answer;
use crate::parameters::Parameters;
use crate::scenario::{LOCAL, PROXY, Scenario, Setup};
use crate::steps::{Client, client_metadata, redemption, refreshing};

/// Behind this address are offices and hosted clients.
const EGRESS: &str = "198.51.100.7";
/// And behind this one is somebody else.
const ELSEWHERE: &str = "203.0.113.9";

/// A server with the limits of the defaults, and requests that come from [`EGRESS`].
fn limited() -> Scenario {
    let limits = Some(LimitPolicy::default());
    let scenario = Scenario::of(Setup { limits, ..Setup::at(LOCAL) });
    scenario.come_from(EGRESS);
    scenario
}

async fn confidential(scenario: &Scenario) -> Client {
    let method = json!({ "token_endpoint_auth_method": "client_secret_post" });
    scenario.client_like(method).await
}

/// The same client with a secret that is not its own.
fn wrong(client: &Client) -> Client {
    Client { secret: Some("wrong".to_owned()), ..client.clone() }
}

/// How long a refused request has to wait, in seconds.
#[track_caller]
fn wait(answer: &Answer) -> i64 {
    assert_eq!(answer.status.as_u16(), 429, "{}", answer.body);
    answer.header("retry-after").unwrap().parse().unwrap()
}

#[track_caller]
fn assert_too_many(answer: &Answer) -> i64 {
    answer.refused(429, "too_many_requests");
    wait(answer)
}

#[tokio::test]
async fn tk_16_after_twenty_wrong_secrets_even_the_right_one_has_to_wait() {
    let scenario = limited();
    let client = confidential(&scenario).await;
    let mut refused = Vec::new();
    for _ in 0..20 {
        refused.push(scenario.refresh(&wrong(&client), "x").await);
    }
    refused[..10].iter().for_each(|answer| answer.refused(401, "invalid_client"));
    refused[10..].iter().for_each(|answer| assert!(assert_too_many(answer) > 0));
    let seconds = assert_too_many(&scenario.refresh(&client, "x").await);
    scenario.clock.advance(seconds);
    scenario.refresh(&client, "x").await.refused(400, "invalid_grant");
    assert!(scenario.audit.names().contains(&"limit_wrong_secret"));
}

#[tokio::test]
async fn tk_16_wrong_secrets_keep_neither_other_clients_nor_other_networks_out() {
    let scenario = limited();
    let (guessed, other) = (confidential(&scenario).await, confidential(&scenario).await);
    for _ in 0..11 {
        scenario.refresh(&wrong(&guessed), "x").await;
    }
    assert_too_many(&scenario.refresh(&guessed, "x").await);
    scenario.refresh(&other, "x").await.refused(400, "invalid_grant");
    scenario.come_from(ELSEWHERE);
    scenario.refresh(&guessed, "x").await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn tk_16_a_secret_for_a_client_that_has_none_does_not_keep_it_out() {
    let scenario = limited();
    let client = scenario.client().await;
    let guess = Client { method: "client_secret_post".to_owned(), ..wrong(&client) };
    for _ in 0..20 {
        scenario.refresh(&guess, "x").await;
    }
    assert_too_many(&scenario.refresh(&guess, "x").await);
    scenario.refresh(&client, "x").await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn rg_08_two_hundred_clients_behind_one_address_all_get_their_tokens() {
    let scenario = limited();
    let mut clients = Vec::new();
    for _ in 0..200 {
        scenario.clock.advance(1);
        clients.push(scenario.client().await);
    }
    let mut tokens = Vec::new();
    for client in &clients {
        // People sign in at their own pace; what their clients ask for comes all at once.
        scenario.come_from(&format!("192.0.2.{}", tokens.len()));
        let code = scenario.code(client).await;
        scenario.come_from(EGRESS);
        tokens.push(scenario.redeem(client, &code).await.expect(200).tokens());
    }
    for (client, tokens) in clients.iter().zip(&tokens) {
        scenario.refresh(client, &tokens.refresh).await.expect(200);
    }
}

#[tokio::test]
async fn what_succeeds_is_no_failure_however_often_it_does() {
    let scenario = limited();
    let client = confidential(&scenario).await;
    let mut tokens = scenario.tokens(&client).await;
    for _ in 0..100 {
        tokens = scenario.refresh(&client, &tokens.refresh).await.expect(200).tokens();
    }
    for _ in 0..10 {
        scenario.refresh(&wrong(&client), "x").await.refused(401, "invalid_client");
    }
}

#[tokio::test]
async fn rg_08_a_flood_of_registrations_is_429_for_its_network_alone() {
    let scenario = limited();
    let register = || async { scenario.register(&client_metadata()).await };
    for _ in 0..30 {
        register().await.expect(201);
    }
    let seconds = assert_too_many(&register().await);
    let kept = scenario.store.writes();
    assert_too_many(&register().await);
    assert_eq!(scenario.store.writes(), kept);
    scenario.come_from(ELSEWHERE);
    register().await.expect(201);
    scenario.come_from(EGRESS);
    scenario.clock.advance(seconds);
    register().await.expect(201);
}

#[tokio::test]
async fn rg_08_registrations_from_everywhere_have_an_end_too() {
    let scenario = limited();
    for network in 0..10 {
        scenario.come_from(&format!("192.0.2.{network}"));
        for _ in 0..30 {
            scenario.client().await;
        }
    }
    scenario.come_from(ELSEWHERE);
    assert_too_many(&scenario.register(&client_metadata()).await);
    assert_eq!(scenario.audit.names().last(), Some(&"limit_all_registrations"));
}

#[tokio::test]
async fn rg_08_the_addresses_of_one_ipv6_network_are_one() {
    let scenario = limited();
    for host in 0..30 {
        scenario.come_from(&format!("2001:db8:1:2::{host:x}"));
        scenario.client().await;
    }
    scenario.come_from("2001:db8:1:2:ffff::");
    assert_too_many(&scenario.register(&client_metadata()).await);
    scenario.come_from("2001:db8:1:3::");
    scenario.client().await;
}

#[tokio::test]
async fn co_03_a_forged_x_forwarded_for_is_no_new_budget() {
    let scenario = limited();
    let register = |header: &'static str, forged: String| {
        let call = scenario.post("/register").json(&client_metadata());
        async move { call.header(header, &forged).send().await }
    };
    for forged in 0..30 {
        register("x-forwarded-for", format!("192.0.2.{forged}")).await.expect(201);
    }
    assert_too_many(&register("x-forwarded-for", "192.0.2.99".to_owned()).await);
    assert_too_many(&register("forwarded", "for=192.0.2.99".to_owned()).await);
    assert_too_many(&register("x-real-ip", "192.0.2.99".to_owned()).await);
}

#[tokio::test]
async fn co_03_behind_a_trusted_proxy_each_client_has_its_own_budget_and_cannot_forge_another() {
    let scenario = limited();
    scenario.come_from(PROXY);
    let register = |forwarded: String| {
        let call = scenario.post("/register").json(&client_metadata());
        async move { call.header("x-forwarded-for", &forwarded).send().await }
    };
    for forged in 0..30 {
        register(format!("192.0.2.{forged}, {EGRESS}")).await.expect(201);
    }
    assert_too_many(&register(format!("192.0.2.99, {EGRESS}")).await);
    register(ELSEWHERE.to_owned()).await.expect(201);
}

#[tokio::test]
async fn az_01_a_flood_of_authorization_requests_is_429_on_a_page() {
    let scenario = limited();
    let client = scenario.client().await;
    for _ in 0..60 {
        scenario.authorize(&client.request()).await.expect(200);
    }
    let refused = scenario.authorize(&client.request()).await;
    refused.refused_on_a_page(429);
    assert!(refused.page().contains("too many authorization requests"), "{}", refused.body);
    scenario.clock.advance(wait(&refused));
    scenario.authorize(&client.request()).await.expect(200);
}

#[tokio::test]
async fn az_01_a_flood_of_consent_forms_is_429_on_a_page_and_grants_nothing() {
    let scenario = limited();
    let client = scenario.client().await;
    let page = scenario.ask(&client.request()).await;
    let mut answers = Vec::new();
    while answers.len() < 60 {
        let answer = scenario.deny(&page).await;
        let status = answer.status.as_u16();
        answers.push(answer);
        if status == 429 {
            break;
        }
    }
    let refused = answers.pop().unwrap();
    refused.refused_on_a_page(429);
    // What led to the form has counted as well.
    assert!((50..60).contains(&answers.len()), "{}", answers.len());
    let kept = scenario.store.writes();
    scenario.approve(&page).await.refused_on_a_page(429);
    assert_eq!(scenario.store.writes(), kept);
    scenario.come_from(ELSEWHERE);
    assert!(scenario.approve(&page).await.location().query.get("code").is_some());
    scenario.come_from(EGRESS);
    scenario.clock.advance(wait(&refused));
    assert!(scenario.approve(&page).await.location().query.get("code").is_some());
}

/// Sends a login form of a page.
async fn log_in(scenario: &Scenario, page: &Answer, username: &str, password: &str) -> Answer {
    scenario.submit(page, &[("username", username), ("password", password)]).await
}

#[tokio::test]
async fn who_guesses_a_password_has_to_wait_and_the_user_elsewhere_has_not() {
    let scenario = limited();
    let client = scenario.client().await;
    let page = scenario.authorize(&client.request()).await;
    for spelling in ["alice", "Alice", "ALICE", " alice", "alice"] {
        log_in(&scenario, &page, spelling, "wrong").await.expect(403);
    }
    let refused = log_in(&scenario, &page, "alice", "password").await;
    refused.refused_on_a_page(429);
    assert_eq!(scenario.audit.names().last(), Some(&"limit_wrong_password"));
    log_in(&scenario, &page, "bob", "wrong").await.expect(403);
    scenario.come_from(ELSEWHERE);
    log_in(&scenario, &page, "alice", "password").await.expect(303);
    scenario.come_from(EGRESS);
    scenario.clock.advance(wait(&refused));
    log_in(&scenario, &page, "alice", "password").await.expect(303);
}

#[tokio::test]
async fn a_user_guessed_at_from_everywhere_is_guarded_loosely() {
    let scenario = limited();
    let client = scenario.client().await;
    let page = scenario.authorize(&client.request()).await;
    for network in 0..50 {
        scenario.come_from(&format!("192.0.2.{network}"));
        log_in(&scenario, &page, "alice", "wrong").await.expect(403);
    }
    scenario.come_from(ELSEWHERE);
    log_in(&scenario, &page, "alice", "password").await.refused_on_a_page(429);
    assert_eq!(scenario.audit.names().last(), Some(&"limit_wrong_password_of_user"));
    log_in(&scenario, &page, "bob", "wrong").await.expect(403);
}

#[tokio::test]
async fn one_password_tried_on_many_users_has_an_end() {
    let scenario = limited();
    let client = scenario.client().await;
    let page = scenario.authorize(&client.request()).await;
    let mut statuses = Vec::new();
    for user in 0..100 {
        scenario.clock.advance(1);
        statuses.push(log_in(&scenario, &page, &format!("user{user}"), "123456").await.status);
    }
    assert!(statuses.contains(&poem::http::StatusCode::TOO_MANY_REQUESTS));
    assert!(scenario.audit.names().contains(&"limit_wrong_password_of_network"));
}

#[tokio::test]
async fn a_flood_of_login_forms_is_429_on_a_page() {
    let scenario = limited();
    let client = scenario.client().await;
    let page = scenario.authorize(&client.request()).await;
    for _ in 0..30 {
        log_in(&scenario, &page, "alice", "password").await.expect(303);
    }
    let refused = log_in(&scenario, &page, "alice", "password").await;
    refused.refused_on_a_page(429);
    assert!(wait(&refused) > 0);
}

#[tokio::test]
async fn guessed_codes_and_refresh_tokens_are_429_and_the_right_ones_get_through() {
    let scenario = limited();
    let client = scenario.client().await;
    let code = scenario.code(&client).await;
    for guess in 0..30 {
        let form = redemption(&format!("code{guess}"));
        scenario.token(&client, &form).await.refused(400, "invalid_grant");
        let form = refreshing(&format!("token{guess}"));
        scenario.token(&client, &form).await.refused(400, "invalid_grant");
    }
    assert_too_many(&scenario.redeem(&client, "x").await);
    let seconds = assert_too_many(&scenario.refresh(&client, "x").await);
    let tokens = scenario.redeem(&client, &code).await.expect(200).tokens();
    scenario.refresh(&client, &tokens.refresh).await.expect(200);
    scenario.clock.advance(seconds);
    scenario.refresh(&client, "x").await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_flood_of_token_requests_is_429_for_its_network_alone() {
    let scenario = limited();
    for _ in 0..600 {
        scenario.post("/token").send().await.refused(400, "invalid_request");
    }
    let seconds = assert_too_many(&scenario.post("/token").send().await);
    scenario.come_from(ELSEWHERE);
    scenario.post("/token").send().await.refused(400, "invalid_request");
    scenario.come_from(EGRESS);
    scenario.clock.advance(seconds);
    scenario.post("/token").send().await.refused(400, "invalid_request");
}

#[tokio::test]
async fn nobody_uses_up_the_budget_of_a_client_that_anybody_can_name() {
    let scenario = limited();
    let (public, secretive) = (scenario.client().await, confidential(&scenario).await);
    for (client, is_counted_everywhere) in [(&public, false), (&secretive, true)] {
        scenario.come_from(EGRESS);
        scenario.clock.advance(3600);
        for _ in 0..300 {
            scenario.token(client, &redemption("x").with("grant_type", "x")).await.expect(400);
        }
        assert_too_many(&scenario.redeem(client, "x").await);
        assert_eq!(scenario.audit.names().last(), Some(&"limit_token_of_client"));
        scenario.come_from(ELSEWHERE);
        let elsewhere = scenario.redeem(client, "x").await.status.as_u16();
        assert_eq!(elsewhere == 429, is_counted_everywhere);
    }
}

#[tokio::test]
async fn without_limits_nobody_waits() {
    let scenario = Scenario::new();
    let client = confidential(&scenario).await;
    for _ in 0..700 {
        scenario.refresh(&wrong(&client), "x").await.refused(401, "invalid_client");
    }
}

#[tokio::test]
async fn tk_16_a_wrong_secret_counts_wherever_it_is_tried() {
    for path in ["/revoke", "/introspect"] {
        let scenario = limited();
        let client = confidential(&scenario).await;
        let attempt = |client: &Client| {
            let secret = client.secret.as_deref().unwrap();
            let form = Parameters::new(&[("token", "x"), ("client_id", &client.id)]);
            scenario.post(path).form(&form.with("client_secret", secret)).send()
        };
        for _ in 0..10 {
            attempt(&wrong(&client)).await.refused(401, "invalid_client");
        }
        assert_too_many(&attempt(&wrong(&client)).await);
        assert_too_many(&attempt(&client).await);
        assert_too_many(&scenario.refresh(&client, "x").await);
    }
}
