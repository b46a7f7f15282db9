//! What is counted at each step, for whom, and what must not be: a failure is counted when it was
//! one, and whoever has to wait changes nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcp_oauth_core::domain::client::ClientId;
use mcp_oauth_core::domain::client_address::ClientAddress;
use mcp_oauth_core::domain::correlation::{CurrentRequest, RequestId};
use mcp_oauth_core::domain::limit::{Limited, LimitedAction, Network, TooMany, UserKey};
use mcp_oauth_core::domain::navigation::Navigation;
use mcp_oauth_core::domain::secret::SessionToken;
use mcp_oauth_core::port::LoginRefused;
use mcp_oauth_core::service::authorize::NextPage;
use mcp_oauth_core::service::refusal::Refusal;
use mockall::Sequence;
use serde_json::json;

use crate::consent::yes;
use crate::login::attempt;
use crate::private_key_jwt::{form, form_with, inline as signing, with_record, with_signatures};
use crate::samples::{
    CLIENT_SECRET, CODE, SESSION, VERIFIER, alice, client, code, confidential_client, grant,
    session, store_unavailable,
};
use crate::world::{World, authorization, refused, row};

const RIGHT_SECRET: &str = "client_id=client-1&client_secret=secret-of-the-client";
const WRONG_SECRET: &str = "client_id=client-1&client_secret=wrong";

fn too_many(action: LimitedAction) -> TooMany {
    TooMany { action, retry_after: Duration::from_secs(7) }
}

fn nowhere() -> Network {
    Network::of(None)
}

/// Every call of the port, in order, with its answer made by `answer`.
type Calls = Arc<Mutex<Vec<(&'static str, LimitedAction)>>>;

/// A world that writes down what is asked of the limits, and refuses `refused`.
fn noting(mut world: World, refused: Option<LimitedAction>) -> (World, Calls) {
    let calls = Calls::default();
    let answer = move |calls: &Calls, name, limited: &Limited<'_>| {
        let action = limited.action();
        calls.lock().unwrap().push((name, action));
        if refused == Some(action) { Err(too_many(action)) } else { Ok(()) }
    };
    let (counts, checks) = (Arc::clone(&calls), Arc::clone(&calls));
    world.limits.expect_count().returning(move |limited| answer(&counts, "count", limited));
    world.limits.expect_check().returning(move |limited| answer(&checks, "check", limited));
    (world, calls)
}

fn noted(calls: &Calls) -> Vec<(&'static str, LimitedAction)> {
    calls.lock().unwrap().clone()
}

#[tokio::test]
async fn rg_08_a_registration_counts_for_its_network_before_it_counts_for_all() {
    let mut world = World::new();
    let mut order = Sequence::new();
    let network = world.limits.expect_count().times(1).in_sequence(&mut order);
    network.withf(|it| *it == Limited::Registration(nowhere())).return_once(|_| Ok(()));
    let all = world.limits.expect_count().times(1).in_sequence(&mut order);
    all.withf(|it| *it == Limited::AllRegistrations).return_once(|_| Ok(()));
    world.clients.expect_register().times(1).return_once(|_, _| Ok(()));
    let stage = world.open();
    let body = br#"{"redirect_uris":["https://client.example/callback"]}"#;
    stage.use_cases.register.register(&[], body).await.unwrap();
}

#[tokio::test]
async fn rg_08_a_registration_too_many_is_429_and_stores_nothing() {
    for action in [LimitedAction::Registration, LimitedAction::AllRegistrations] {
        let (world, calls) = noting(World::new(), Some(action));
        let stage = world.open();
        let error = stage.use_cases.register.register(&[], b"{}").await.unwrap_err();
        let refused = Refusal::Registration(&error).row();
        assert_eq!((refused.status, refused.code), (429, "too_many_requests"));
        assert_eq!(refused.retry_after, Some(Duration::from_secs(7)));
        assert_eq!(stage.decisions(), [refused.audit]);
        assert_eq!(noted(&calls).last(), Some(&("count", action)));
    }
}

#[tokio::test]
async fn rg_08_a_look_at_a_registration_too_many_looks_nobody_up() {
    let (world, calls) = noting(World::new(), Some(LimitedAction::Registration));
    let stage = world.open();
    let manage = &stage.use_cases.manage_registration;
    let error = manage.read(&client().id, &[b"Bearer token"]).await.unwrap_err();
    let expected = (429, "too_many_requests", "limit_registration");
    assert_eq!(row(Refusal::Management(&error)), expected);
    assert_eq!(stage.decisions(), ["limit_registration"]);
    assert_eq!(noted(&calls), [("count", LimitedAction::Registration)]);
}

#[tokio::test]
async fn an_authorization_request_too_many_looks_nobody_up() {
    let (world, _) = noting(World::new(), Some(LimitedAction::Authorization));
    let stage = world.open();
    let begun = stage.use_cases.authorize.begin(&authorization(&[]), None, Navigation::Own).await;
    let expected = (429, "too_many_requests", "limit_authorization");
    assert_eq!(row(Refusal::Authorization(&begun.unwrap_err())), expected);
    assert_eq!(stage.decisions(), ["limit_authorization"]);
}

#[tokio::test]
async fn a_consent_form_too_many_looks_nobody_up_and_grants_nothing() {
    let (world, calls) = noting(World::new(), Some(LimitedAction::Authorization));
    let stage = world.open();
    let error = stage.use_cases.consent.answer(yes()).await.unwrap_err();
    let expected = (429, "too_many_requests", "limit_authorization");
    assert_eq!(row(Refusal::Consent(&error)), expected);
    assert_eq!(stage.decisions(), ["limit_authorization"]);
    assert_eq!(noted(&calls), [("count", LimitedAction::Authorization)]);
}

#[tokio::test]
async fn going_on_without_a_login_counts_as_a_beginning_and_looks_nobody_up() {
    let token = SessionToken::presented(SESSION);
    let unknown = (World::new().with_session(None), Some(&token));
    for (world, session) in [(World::new(), None), unknown] {
        let (world, calls) = noting(world, Some(LimitedAction::Authorization));
        let stage = world.open();
        let authorize = &stage.use_cases.authorize;
        let gone_on = authorize.proceed(&authorization(&[]), session, Navigation::Own).await;
        let expected = (429, "too_many_requests", "limit_authorization");
        assert_eq!(row(Refusal::Authorization(&gone_on.unwrap_err())), expected);
        assert_eq!(noted(&calls), [("count", LimitedAction::Authorization)]);
    }
}

#[tokio::test]
async fn going_on_after_a_login_is_not_counted_again() {
    let world = World::new().with_client(client()).with_session(Some(session()));
    let (world, calls) = noting(world, None);
    let stage = world.open();
    let token = SessionToken::presented(SESSION);
    let authorize = &stage.use_cases.authorize;
    let gone_on = authorize.proceed(&authorization(&[]), Some(&token), Navigation::Own).await;
    assert!(matches!(gone_on, Ok(NextPage::Consent(_))), "{gone_on:?}");
    assert_eq!(noted(&calls), []);
}

#[tokio::test]
async fn a_wrong_password_is_counted_for_user_and_network_after_it_was_wrong() {
    let mut world = World::new().with_client(client());
    let check = world.identity.expect_check_password().times(1);
    check.return_once(|_| Err(LoginRefused::WrongCredentials));
    let (world, calls) = noting(world, None);
    let stage = world.open();
    stage.login().log_in(attempt(authorization(&[]))).await.unwrap_err();
    let failures = [
        LimitedAction::WrongPassword,
        LimitedAction::WrongPasswordOfUser,
        LimitedAction::WrongPasswordOfNetwork,
    ];
    let looks = failures.map(|action| ("check", action));
    let counts = failures.map(|action| ("count", action));
    let expected = [&[("count", LimitedAction::Login)][..], &looks, &counts].concat();
    assert_eq!(noted(&calls), expected);
}

#[tokio::test]
async fn the_right_password_is_counted_for_no_failure() {
    let mut world = World::new().with_client(client());
    world.identity.expect_check_password().times(1).return_once(|_| Ok(alice()));
    world.sessions.expect_open().times(1).return_once(|_| Ok(()));
    let (world, calls) = noting(world, None);
    let stage = world.open();
    stage.login().log_in(attempt(authorization(&[]))).await.unwrap();
    let counted: Vec<_> = noted(&calls).into_iter().filter(|(name, _)| *name == "count").collect();
    assert_eq!(counted, [("count", LimitedAction::Login)]);
}

#[tokio::test]
async fn a_password_of_a_user_who_has_to_wait_is_not_checked() {
    for action in [
        LimitedAction::WrongPassword,
        LimitedAction::WrongPasswordOfUser,
        LimitedAction::WrongPasswordOfNetwork,
    ] {
        let (world, _) = noting(World::new().with_client(client()), Some(action));
        let stage = world.open();
        let error = stage.login().log_in(attempt(authorization(&[]))).await.unwrap_err();
        assert_eq!(Refusal::Login(&error).row().status, 429, "{action:?}");
    }
}

#[tokio::test]
async fn tk_16_a_wrong_secret_is_counted_for_the_client_and_its_network() {
    let mut world = World::new().with_client(confidential_client());
    let wrong = world.limits.expect_count().times(1);
    let id = ClientId::new("client-1");
    wrong.withf(move |it| *it == Limited::WrongSecret(&id, nowhere())).return_once(|_| Ok(()));
    let stage = world.open();
    let answer = stage.token(WRONG_SECRET).await;
    assert_eq!(refused(answer), (401, "invalid_client", "client_wrong_secret"));
}

#[tokio::test]
async fn tk_16_a_client_that_has_to_wait_is_not_told_whether_its_secret_is_right() {
    for form in [RIGHT_SECRET, WRONG_SECRET] {
        let world = World::new().with_client(confidential_client());
        let (world, calls) = noting(world, Some(LimitedAction::WrongSecret));
        let stage = world.open();
        let answer = stage.token(form).await;
        assert_eq!(refused(answer), (429, "too_many_requests", "limit_wrong_secret"));
        assert!(!noted(&calls).contains(&("count", LimitedAction::WrongSecret)));
    }
}

#[tokio::test]
async fn tk_16_ex_02_a_wrong_assertion_is_counted_as_a_wrong_secret() {
    let signed = |right| with_signatures(World::new().with_client(signing()), 1, right);
    let other_audience = form_with("known", &json!("https://other.example"));
    for (world, form) in [
        (signed(false), form("known")),
        (with_record(signed(true), false), form("known")),
        (World::new().with_client(signing()), other_audience),
        (World::new().with_client(client()), form("known")),
    ] {
        let (world, calls) = noting(world, None);
        assert_eq!(refused(world.open().token(&form).await).0, 401);
        let expected = [
            ("count", LimitedAction::Token),
            ("check", LimitedAction::WrongSecret),
            ("count", LimitedAction::WrongSecret),
        ];
        assert_eq!(noted(&calls), expected);
    }
}

#[tokio::test]
async fn tk_16_ex_02_an_assertion_of_a_client_that_has_to_wait_is_not_looked_at() {
    let (world, _) = noting(World::new().with_client(signing()), Some(LimitedAction::WrongSecret));
    let answer = world.open().token(&form("known")).await;
    assert_eq!(refused(answer), (429, "too_many_requests", "limit_wrong_secret"));
}

#[tokio::test]
async fn ex_02_a_failure_of_ours_is_no_wrong_assertion() {
    let mut world = with_signatures(World::new().with_client(signing()), 1, true);
    world.spent.expect_record_once().times(1).return_once(|_, _| Err(store_unavailable()));
    let (world, calls) = noting(world, None);
    assert_eq!(refused(world.open().token(&form("known")).await).0, 503);
    assert!(!noted(&calls).contains(&("count", LimitedAction::WrongSecret)));
}

#[tokio::test]
async fn what_a_client_does_right_is_counted_for_no_failure() {
    assert!(RIGHT_SECRET.ends_with(CLIENT_SECRET));
    let mut world = World::new().with_client(confidential_client()).with_touch().with_signing(1);
    world = world.with_code(code(), grant());
    world.grants.expect_redeem_code_once().times(1).return_once(|_, _, _| Ok(()));
    let (world, calls) = noting(world, None);
    let stage = world.open();
    let grant = format!("grant_type=authorization_code&code={CODE}&code_verifier={VERIFIER}");
    stage.token(&format!("{RIGHT_SECRET}&{grant}")).await.unwrap();
    let expected = [
        ("count", LimitedAction::Token),
        ("check", LimitedAction::WrongSecret),
        ("count", LimitedAction::TokenOfClient),
    ];
    assert_eq!(noted(&calls), expected);
}

#[tokio::test]
async fn a_token_request_too_many_looks_no_client_up() {
    let (world, _) = noting(World::new(), Some(LimitedAction::Token));
    let stage = world.open();
    let answer = stage.token("client_id=client-1").await;
    assert_eq!(refused(answer), (429, "too_many_requests", "limit_token"));
    assert_eq!(stage.decisions(), ["limit_token"]);
}

#[tokio::test]
async fn only_a_code_that_was_not_issued_to_its_sender_counts_as_guessed() {
    let of_another = mcp_oauth_core::domain::grant::Grant { client: ClientId::new("x"), ..grant() };
    let form = |verifier| {
        format!(
            "client_id=client-1&grant_type=authorization_code&code={CODE}&code_verifier={verifier}"
        )
    };
    let resource = format!("{}&resource=https://x.example", form(VERIFIER));
    for (found, form, is_guess) in [
        (None, form(VERIFIER), true),
        (Some((code(), of_another)), form(VERIFIER), true),
        (Some((code(), grant())), form(&VERIFIER.replace('d', "e")), true),
        (Some((code(), grant())), resource, false),
    ] {
        let mut world = World::new().with_client(client());
        world.grants.expect_find_code().times(1).return_once(|_| Ok(found));
        let (world, _) = noting(world, Some(LimitedAction::WrongGrant));
        let (status, ..) = refused(world.open().token(&form).await);
        assert_eq!(status == 429, is_guess, "{form}");
    }
}

#[tokio::test]
async fn what_is_counted_is_counted_for_the_network_of_the_request() {
    let address = ClientAddress::new("2001:db8::1:2:3:4".parse().unwrap());
    let request = CurrentRequest { id: RequestId::given("id").unwrap(), address: Some(address) };
    let mut world = World::new();
    let expected = Network::of(Some(ClientAddress::new("2001:db8::".parse().unwrap())));
    let count = world.limits.expect_count().times(1);
    count.withf(move |it| *it == Limited::Token(expected)).return_once(|_| Ok(()));
    let stage = world.open();
    let answer = Arc::new(request).during(stage.token("")).await;
    assert_eq!(refused(answer), (400, "invalid_request", "token_parameters"));
}

#[tokio::test]
async fn spellings_of_a_user_are_one_user() {
    let mut world = World::new().with_client(client());
    let alice = UserKey::typed("alice");
    let check = world.limits.expect_check().times(1);
    check
        .withf(move |it| *it == Limited::WrongPassword(&alice, nowhere()))
        .return_once(|_| Err(too_many(LimitedAction::WrongPassword)));
    let mut attempt = attempt(authorization(&[]));
    attempt.answer.username = " ALICE ".to_owned();
    let error = world.open().login().log_in(attempt).await.unwrap_err();
    assert_eq!(Refusal::Login(&error).row().status, 429);
}

#[tokio::test]
async fn whoever_asks_for_too_much_is_recognised_nowhere() {
    let (world, _) = noting(World::new(), Some(LimitedAction::Token));
    let stage = world.open();
    let form = crate::world::form(RIGHT_SECRET);
    let revocation = stage.use_cases.revoke.revoke(&[], &form).await.unwrap_err();
    let introspection = stage.use_cases.introspect.introspect(&[], &form).await.unwrap_err();
    let expected = (429, "too_many_requests", "limit_token");
    assert_eq!(row(Refusal::Revocation(&revocation)), expected);
    assert_eq!(row(Refusal::Introspection(&introspection)), expected);
    assert_eq!(stage.decisions(), ["limit_token", "limit_token"]);
}
