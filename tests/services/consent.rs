//! A person's answer: nothing is granted unless they said yes to this very request in this very
//! session.

use mcp_oauth_core::domain::authorization::AuthorizationQuery;
use mcp_oauth_core::domain::form_token::{FormToken, ProtectedForm};
use mcp_oauth_core::domain::grant::{CodeRecord, Grant};
use mcp_oauth_core::domain::login::LoginSession;
use mcp_oauth_core::domain::secret::{AuthorizationCode, BrowserToken, SessionToken};
use mcp_oauth_core::service::consent::ConsentAnswer;
use mcp_oauth_core::service::refusal::Refusal;

use crate::samples::{
    BASE, CALLBACK, CHALLENGE, RESOURCE, SESSION, alice, at, client, scope, session,
    store_unavailable,
};
use crate::world::{World, authorization, row};

/// The form as this server showed it to this session.
fn answer(query: AuthorizationQuery, approved: bool) -> ConsentAnswer {
    let session = SessionToken::presented(SESSION);
    let form_token = FormToken::new(ProtectedForm::Consent(&session.hash(), &query));
    let form_token = form_token.as_str().to_owned();
    ConsentAnswer { query, session: Some(session), form_token, approved }
}

pub(crate) fn yes() -> ConsentAnswer {
    answer(authorization(&[]), true)
}

/// A world in which Alice is logged in and the client known.
fn asked() -> World {
    World::new().with_client(client()).with_session(Some(session()))
}

/// The value of a parameter of a redirect.
fn parameter(redirect: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(redirect).unwrap();
    let mut values = url.query_pairs().filter(|(key, _)| key == name);
    let value = values.next().map(|(_, value)| value.into_owned());
    assert!(values.next().is_none(), "{name} is repeated: {redirect}");
    value
}

#[tokio::test]
async fn az_21_a_form_of_another_session_grants_nothing() {
    let of_another = ConsentAnswer { session: Some(SessionToken::presented("another")), ..yes() };
    let of_none = ConsentAnswer { session: None, ..yes() };
    let of_another_request =
        ConsentAnswer { query: authorization(&[("scope", Some("mcp:admin"))]), ..yes() };
    let browser = BrowserToken::presented(SESSION).hash();
    let login_form = FormToken::new(ProtectedForm::Login(&browser, &yes().query));
    let of_another_kind = ConsentAnswer { form_token: login_form.as_str().to_owned(), ..yes() };
    for answer in [of_another, of_none, of_another_request, of_another_kind] {
        let stage = World::new().open();
        let error = stage.use_cases.consent.answer(answer).await.unwrap_err();
        assert_eq!(row(Refusal::Consent(&error)), (403, "access_denied", "consent_foreign_form"));
        assert_eq!(stage.decisions(), ["consent_foreign_form"]);
    }
}

#[tokio::test]
async fn az_27_a_session_that_is_over_grants_nothing() {
    let over = LoginSession { expires_at: at(0), ..session() };
    let stage = World::new().with_client(client()).with_session(Some(over)).open();
    let error = stage.use_cases.consent.answer(yes()).await.unwrap_err();
    assert_eq!(row(Refusal::Consent(&error)), (403, "access_denied", "consent_foreign_form"));
}

#[tokio::test]
async fn a_request_that_is_no_good_any_more_grants_nothing_and_is_recorded_once() {
    let mut world = World::new().with_session(Some(session()));
    world.clients.expect_find().times(1).return_once(|_| Ok(None));
    let stage = world.open();
    let error = stage.use_cases.consent.answer(yes()).await.unwrap_err();
    assert_eq!(Refusal::Consent(&error).row().code, "invalid_client");
    assert_eq!(stage.decisions(), ["authorization_unknown_client"]);
}

#[tokio::test]
async fn az_11_a_yes_sends_the_code_with_state_and_issuer() {
    let mut world = asked();
    world.grants.expect_begin().times(1).return_once(|_, _| Ok(()));
    let redirect = world.open().use_cases.consent.answer(yes()).await.unwrap();
    assert!(redirect.starts_with(&format!("{CALLBACK}?code=")), "{redirect}");
    assert_eq!(parameter(&redirect, "state").as_deref(), Some("the-state"));
    assert_eq!(parameter(&redirect, "iss").as_deref(), Some(BASE));
    assert_eq!(parameter(&redirect, "error"), None);
}

#[tokio::test]
async fn tk_05_the_code_is_bound_to_everything_that_was_asked_and_stored_as_a_hash() {
    let mut world = asked();
    let (kept, stored) = std::sync::mpsc::channel::<(Grant, CodeRecord)>();
    let begin = world.grants.expect_begin().times(1);
    begin.return_once(move |grant, code| {
        kept.send((grant.clone(), code.clone())).map_err(|_| unreachable!())
    });
    let redirect = world.open().use_cases.consent.answer(yes()).await.unwrap();
    let (grant, code) = stored.recv().unwrap();
    let sent = AuthorizationCode::presented(&parameter(&redirect, "code").unwrap());
    assert_eq!((&code.hash, &code.grant), (&sent.hash(), &grant.id));
    assert_eq!((grant.client, grant.person), (client().id, alice()));
    assert_eq!((grant.resource.as_str(), grant.scope), (RESOURCE, scope("mcp:tools")));
    assert_eq!((code.redirect_uri.as_str(), code.challenge.as_str()), (CALLBACK, CHALLENGE));
    assert_eq!((code.expires_at, code.redeemed_at), (at(60), None));
}

#[tokio::test]
async fn co_05_a_yes_is_recorded_with_client_subject_and_grant_and_without_the_code() {
    let mut world = asked();
    world.grants.expect_begin().times(1).return_once(|_, _| Ok(()));
    let stage = world.open();
    let redirect = stage.use_cases.consent.answer(yes()).await.unwrap();
    let event = stage.only_event();
    assert_eq!(event.decision.name(), "consent_given");
    assert_eq!((&event.client, &event.subject), (&Some(client().id), &Some(alice().subject)));
    assert!(event.grant.is_some());
    assert!(!format!("{event:?}").contains(&parameter(&redirect, "code").unwrap()));
}

#[tokio::test]
async fn az_10_a_no_grants_nothing_and_tells_the_client() {
    let stage = asked().open();
    let no = answer(authorization(&[]), false);
    let redirect = stage.use_cases.consent.answer(no).await.unwrap();
    assert_eq!(parameter(&redirect, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&redirect, "state").as_deref(), Some("the-state"));
    assert_eq!(parameter(&redirect, "iss").as_deref(), Some(BASE));
    assert_eq!(parameter(&redirect, "code"), None);
    let event = stage.only_event();
    assert_eq!(event.decision.name(), "consent_denied");
    assert_eq!((event.client, event.subject), (Some(client().id), Some(alice().subject)));
}

#[tokio::test]
async fn an_unavailable_grant_store_is_503_and_no_consent_is_recorded() {
    let mut world = asked();
    world.grants.expect_begin().times(1).return_once(|_, _| Err(store_unavailable()));
    let stage = world.open();
    let error = stage.use_cases.consent.answer(yes()).await.unwrap_err();
    let expected = (503, "temporarily_unavailable", "store_unavailable");
    assert_eq!(row(Refusal::Consent(&error)), expected);
    assert_eq!(stage.decisions(), ["store_unavailable"]);
}

#[tokio::test]
async fn an_unavailable_session_store_grants_nothing_and_is_recorded_once() {
    let mut world = World::new();
    world.sessions.expect_find().times(1).return_once(|_| Err(store_unavailable()));
    let stage = world.open();
    let error = stage.use_cases.consent.answer(yes()).await.unwrap_err();
    assert_eq!(Refusal::Consent(&error).row().status, 503);
    assert_eq!(stage.decisions(), ["store_unavailable"]);
}
