//! Logging in: nothing is asked of the provider until form and request are good, and no session
//! begins for anybody it did not recognise.

use std::time::Duration;

use mcp_oauth_core::domain::authorization::AuthorizationQuery;
use mcp_oauth_core::domain::form_token::{FormToken, ProtectedForm};
use mcp_oauth_core::domain::login::PasswordAnswer;
use mcp_oauth_core::domain::person::{Person, Subject};
use mcp_oauth_core::domain::secret::{BrowserToken, SessionToken};
use mcp_oauth_core::port::LoginRefused;
use mcp_oauth_core::service::login::{LoginAttempt, LoginError};
use mcp_oauth_core::service::refusal::Refusal;
use mockall::Sequence;

use crate::samples::{BROWSER, INSIDE, PASSWORD, alice, at, client, session, store_unavailable};
use crate::world::{World, authorization, row};

/// The form as this server showed it to this browser.
pub(crate) fn attempt(query: AuthorizationQuery) -> LoginAttempt {
    let browser = BrowserToken::presented(BROWSER);
    let form_token = FormToken::new(ProtectedForm::Login(&browser.hash(), &query));
    LoginAttempt {
        query,
        form_token: form_token.as_str().to_owned(),
        browser: Some(browser),
        answer: PasswordAnswer { username: "alice".to_owned(), password: PASSWORD.into() },
    }
}

/// A world whose provider gives one answer, once.
fn answering(answer: Result<Person, LoginRefused>) -> World {
    let mut world = World::new().with_client(client());
    world.identity.expect_check_password().times(1).return_once(|_| answer);
    world
}

#[tokio::test]
async fn az_21_a_form_of_another_browser_asks_nobody_anything() {
    let query = authorization(&[]);
    let of_another = LoginAttempt {
        browser: Some(BrowserToken::presented("another")),
        ..attempt(query.clone())
    };
    let of_none = LoginAttempt { browser: None, ..attempt(query.clone()) };
    let of_another_request = LoginAttempt {
        query: authorization(&[("scope", Some("mcp:admin"))]),
        ..attempt(query.clone())
    };
    let key = session().hash;
    let consent_form = FormToken::new(ProtectedForm::Consent(&key, &query)).as_str().to_owned();
    let of_another_kind = LoginAttempt { form_token: consent_form, ..attempt(query) };
    for attempt in [of_another, of_none, of_another_request, of_another_kind] {
        let stage = World::new().open();
        let error = stage.login().log_in(attempt).await.unwrap_err();
        assert_eq!(row(Refusal::Login(&error)), (403, "access_denied", "login_foreign_form"));
        assert_eq!(stage.decisions(), ["login_foreign_form"]);
    }
}

#[tokio::test]
async fn a_refused_request_checks_no_password_and_is_recorded_once() {
    let stage = World::new().with_client(client()).open();
    let attempt = attempt(authorization(&[("code_challenge", None)]));
    let error = stage.login().log_in(attempt).await.unwrap_err();
    assert!(matches!(error, LoginError::Authorization(_)), "{error}");
    assert_eq!(stage.decisions(), ["authorization_invalid"]);
}

#[tokio::test]
async fn a_wrong_password_begins_no_session() {
    let stage = answering(Err(LoginRefused::WrongCredentials)).open();
    let error = stage.login().log_in(attempt(authorization(&[]))).await.unwrap_err();
    assert_eq!(row(Refusal::Login(&error)), (403, "access_denied", "login_wrong_credentials"));
    assert_eq!(stage.decisions(), ["login_wrong_credentials"]);
}

#[tokio::test]
async fn tk_23_a_person_who_is_named_like_a_client_begins_no_session() {
    let person = Person { subject: Subject::of_client(&client().id), ..alice() };
    let stage = answering(Ok(person)).open();
    let error = stage.login().log_in(attempt(authorization(&[]))).await.unwrap_err();
    assert_eq!(row(Refusal::Login(&error)), (403, "access_denied", "login_reserved_subject"));
    assert_eq!(stage.decisions(), ["login_reserved_subject"]);
}

#[tokio::test]
async fn an_unreachable_provider_is_503_with_its_own_delay_and_begins_no_session() {
    let retry_after = Duration::from_secs(42);
    let reason = INSIDE.to_owned();
    let stage = answering(Err(LoginRefused::Unavailable { reason, retry_after })).open();
    let error = stage.login().log_in(attempt(authorization(&[]))).await.unwrap_err();
    let refused = Refusal::Login(&error).row();
    assert_eq!((refused.status, refused.retry_after), (503, Some(retry_after)));
    assert!(!Refusal::Login(&error).public_text().contains(INSIDE));
    assert_eq!(stage.decisions(), ["provider_unavailable"]);
}

#[tokio::test]
async fn the_password_is_checked_before_a_session_begins() {
    let mut world = World::new().with_client(client());
    let mut order = Sequence::new();
    let check = world.identity.expect_check_password().times(1).in_sequence(&mut order);
    check.return_once(|_| Ok(alice()));
    let open = world.sessions.expect_open().times(1).in_sequence(&mut order);
    let open = open.withf(|begun| begun.person == alice() && begun.expires_at == at(8 * 3600));
    open.return_once(|_| Ok(()));
    let stage = world.open();
    stage.login().log_in(attempt(authorization(&[]))).await.unwrap();
    let event = stage.only_event();
    assert_eq!(event.decision.name(), "logged_in");
    assert_eq!((event.client, event.subject), (Some(client().id), Some(alice().subject)));
}

#[tokio::test]
async fn rf_10_what_is_stored_is_the_hash_of_a_fresh_session_token() {
    let mut world = answering(Ok(alice()));
    let (kept, stored) = std::sync::mpsc::channel();
    let open = world.sessions.expect_open().times(1);
    open.return_once(move |session| kept.send(session.hash.clone()).map_err(|_| unreachable!()));
    let stage = world.open();
    let token = stage.login().log_in(attempt(authorization(&[]))).await.unwrap();
    assert_eq!(stored.recv().unwrap(), token.hash());
    assert_ne!(token.hash(), SessionToken::presented(BROWSER).hash());
}

#[tokio::test]
async fn an_unavailable_session_store_is_503_and_nobody_is_recorded_as_logged_in() {
    let mut world = answering(Ok(alice()));
    world.sessions.expect_open().times(1).return_once(|_| Err(store_unavailable()));
    let stage = world.open();
    let error = stage.login().log_in(attempt(authorization(&[]))).await.unwrap_err();
    let expected = (503, "temporarily_unavailable", "store_unavailable");
    assert_eq!(row(Refusal::Login(&error)), expected);
    assert_eq!(stage.decisions(), ["store_unavailable"]);
}
