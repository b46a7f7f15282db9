//! Logging out: nothing ends unless the form proves to be that of this very session.

use mcp_oauth_core::domain::authorization::AuthorizationQuery;
use mcp_oauth_core::domain::form_token::{FormToken, ProtectedForm};
use mcp_oauth_core::domain::login::LoginSession;
use mcp_oauth_core::domain::secret::SessionToken;
use mcp_oauth_core::service::log_out::LogOutError;
use mcp_oauth_core::service::refusal::Refusal;

use crate::samples::{SESSION, alice, at, session, store_unavailable};
use crate::world::{Stage, World, row};

fn form_token(form: ProtectedForm<'_>) -> String {
    FormToken::new(form).as_str().to_owned()
}

async fn log_out(stage: &Stage, form_token: &str) -> Result<(), LogOutError> {
    let cookie = SessionToken::presented(SESSION);
    stage.use_cases.log_out.log_out(Some(&cookie), form_token).await
}

#[tokio::test]
async fn az_21_a_form_of_another_kind_or_session_ends_nothing() {
    let query = AuthorizationQuery::new("");
    let other = SessionToken::presented("another").hash();
    let forms = [
        form_token(ProtectedForm::Consent(&session().hash, &query)),
        form_token(ProtectedForm::LogOut(&other)),
        String::new(),
    ];
    for form in forms {
        let stage = World::new().open();
        let error = log_out(&stage, &form).await.unwrap_err();
        assert_eq!(row(Refusal::LogOut(&error)), (403, "access_denied", "log_out_foreign_form"));
        assert_eq!(stage.decisions(), ["log_out_foreign_form"]);
    }
}

#[tokio::test]
async fn co_05_the_session_of_the_cookie_ends_and_whose_it_was_is_recorded() {
    let mut world = World::new();
    let end = world.sessions.expect_end().times(1).withf(|ended| *ended == session().hash);
    end.return_once(|_| Ok(Some(session())));
    let stage = world.open();
    log_out(&stage, &form_token(ProtectedForm::LogOut(&session().hash))).await.unwrap();
    let event = stage.only_event();
    assert_eq!((event.decision.name(), event.subject), ("logged_out", Some(alice().subject)));
}

#[tokio::test]
async fn a_session_that_ended_already_is_no_error_and_no_event() {
    let mut world = World::new();
    world.sessions.expect_end().times(1).return_once(|_| Ok(None));
    let stage = world.open();
    log_out(&stage, &form_token(ProtectedForm::LogOut(&session().hash))).await.unwrap();
    stage.use_cases.log_out.log_out(None, "").await.unwrap();
    assert_eq!(stage.audited(), []);
}

#[tokio::test]
async fn an_unavailable_session_store_is_503_and_nobody_is_recorded_as_logged_out() {
    let mut world = World::new();
    world.sessions.expect_end().times(1).return_once(|_| Err(store_unavailable()));
    let stage = world.open();
    let token = form_token(ProtectedForm::LogOut(&session().hash));
    let error = log_out(&stage, &token).await.unwrap_err();
    let expected = (503, "temporarily_unavailable", "store_unavailable");
    assert_eq!(row(Refusal::LogOut(&error)), expected);
    assert_eq!(stage.decisions(), ["store_unavailable"]);
}

#[tokio::test]
async fn only_a_session_that_counts_can_be_logged_out_of() {
    let over = LoginSession { expires_at: at(0), ..session() };
    for (found, counts) in [(Some(session()), true), (Some(over), false), (None, false)] {
        let stage = World::new().with_session(found).open();
        let cookie = SessionToken::presented(SESSION);
        let session = stage.use_cases.log_out.session(Some(&cookie)).await.unwrap();
        assert_eq!(session.is_some(), counts);
    }
}
