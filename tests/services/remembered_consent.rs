//! What is remembered of a yes, and that nobody is asked about it unless it can count.

use std::time::Duration;

use mcp_oauth_core::domain::authorization::AuthorizationQuery;
use mcp_oauth_core::domain::client::Client;
use mcp_oauth_core::domain::consent::{ConsentKey, RememberedConsent};
use mcp_oauth_core::domain::form_token::{FormToken, ProtectedForm};
use mcp_oauth_core::domain::navigation::Navigation;
use mcp_oauth_core::domain::redirect_uri::RedirectUri;
use mcp_oauth_core::domain::secret::SessionToken;
use mcp_oauth_core::service::authorize::{AuthorizationError, NextPage};
use mcp_oauth_core::service::consent::{ConsentAnswer, ConsentError};
use mcp_oauth_core::service::refusal::Refusal;

use crate::samples::{CALLBACK, SESSION, alice, at, client, scope, session, store_unavailable};
use crate::world::{Stage, World, authorization};

/// A world that remembers for a while, in which Alice is logged in and the client known.
fn remembering() -> World {
    let mut world = World::new().with_client(client()).with_session(Some(session()));
    world.policy.consent_lifetime = Duration::from_secs(100);
    world
}

fn key() -> ConsentKey {
    let redirect_uri = RedirectUri::parse(CALLBACK).unwrap();
    ConsentKey { subject: alice().subject, client: client().id, redirect_uri }
}

fn consent() -> RememberedConsent {
    RememberedConsent {
        key: key(),
        scope: scope("mcp:tools"),
        client_digest: client().consent_digest(),
        expires_at: at(100),
    }
}

/// The memory is asked for this consent once.
fn recalling(found: Option<RememberedConsent>) -> World {
    let mut world = remembering();
    let recall = world.consents.expect_recall().times(1).withf(|asked| *asked == key());
    recall.return_once(|_| Ok(found));
    world
}

async fn begin(
    stage: &Stage,
    query: &AuthorizationQuery,
    navigation: Navigation,
) -> Result<NextPage, AuthorizationError> {
    let session = SessionToken::presented(SESSION);
    stage.use_cases.authorize.begin(query, Some(&session), navigation).await
}

async fn answer(stage: &Stage, approved: bool) -> Result<String, ConsentError> {
    let (query, session) = (authorization(&[]), SessionToken::presented(SESSION));
    let form = FormToken::new(ProtectedForm::Consent(&session.hash(), &query));
    let form_token = form.as_str().to_owned();
    let answer = ConsentAnswer { query, session: Some(session), form_token, approved };
    stage.use_cases.consent.answer(answer).await
}

#[tokio::test]
async fn az_23_a_yes_is_remembered_with_everything_it_was_given_for() {
    let mut world = remembering();
    world.grants.expect_begin().times(1).return_once(|_, _| Ok(()));
    let remember = world.consents.expect_remember().times(1).withf(|it| *it == consent());
    remember.return_once(|_| Ok(()));
    answer(&world.open(), true).await.unwrap();
}

#[tokio::test]
async fn a_yes_counts_even_if_it_is_not_remembered() {
    let mut world = remembering();
    world.grants.expect_begin().times(1).return_once(|_, _| Ok(()));
    world.consents.expect_remember().times(1).return_once(|_| Err(store_unavailable()));
    let stage = world.open();
    assert!(answer(&stage, true).await.unwrap().contains("code="));
    assert_eq!(stage.decisions(), ["consent_given"]);
}

#[tokio::test]
async fn az_23_a_yes_that_grants_nothing_is_not_remembered() {
    let mut world = remembering();
    world.grants.expect_begin().times(1).return_once(|_, _| Err(store_unavailable()));
    let stage = world.open();
    answer(&stage, true).await.unwrap_err();
    assert_eq!(stage.decisions(), ["store_unavailable"]);
}

#[tokio::test]
async fn az_23_a_no_forgets_a_yes_of_before_and_reaches_the_client_even_if_it_can_not() {
    for forgotten in [Ok(1), Err(store_unavailable())] {
        let mut world = remembering();
        let forget = world.consents.expect_forget_consents().times(1).withf(|these| {
            let (of, by) = (Some(client().id), Some(alice().subject));
            (&these.client, &these.subject) == (&of, &by)
        });
        forget.return_once(|_| forgotten);
        let stage = world.open();
        assert!(answer(&stage, false).await.unwrap().contains("error=access_denied"));
        assert_eq!(stage.decisions(), ["consent_denied"]);
    }
}

#[tokio::test]
async fn az_24_the_memory_is_not_even_asked_where_it_does_not_count() {
    let prompt = authorization(&[("prompt", Some("consent"))]);
    let cases = [
        (authorization(&[]), Navigation::Foreign, 100),
        (authorization(&[]), Navigation::Own, 0),
        (prompt, Navigation::Own, 100),
    ];
    for (query, navigation, seconds) in cases {
        let mut world = remembering();
        world.policy.consent_lifetime = Duration::from_secs(seconds);
        let page = begin(&world.open(), &query, navigation).await.unwrap();
        assert!(matches!(page, NextPage::Consent(_)), "{page:?}");
    }
}

#[tokio::test]
async fn az_23_only_a_consent_that_covers_the_request_leads_on() {
    let renamed = {
        let mut renamed = client();
        renamed.metadata.client_name = Some("Another".to_owned());
        renamed.consent_digest()
    };
    let secretive: Client = crate::samples::confidential_client();
    let cases = [
        (Some(RememberedConsent { expires_at: at(0), ..consent() }), false),
        (Some(RememberedConsent { scope: scope("mcp:admin"), ..consent() }), false),
        (Some(RememberedConsent { client_digest: renamed, ..consent() }), false),
        (Some(RememberedConsent { client_digest: secretive.consent_digest(), ..consent() }), false),
        (None, false),
        (Some(RememberedConsent { scope: scope("mcp:tools mcp:admin"), ..consent() }), true),
        (Some(consent()), true),
    ];
    for (found, leads_on) in cases {
        let told = format!("{found:?}");
        let mut world = recalling(found);
        let begun = world.grants.expect_begin().times(usize::from(leads_on));
        begun.returning(|grant, _| {
            assert_eq!(grant.scope, scope("mcp:tools"));
            Ok(())
        });
        let stage = world.open();
        let page = begin(&stage, &authorization(&[]), Navigation::Own).await.unwrap();
        assert_eq!(matches!(page, NextPage::Return(_)), leads_on, "{told}");
        let recorded: &[&str] = if leads_on { &["consent_remembered"] } else { &[] };
        assert_eq!(stage.decisions(), recorded);
    }
}

#[tokio::test]
async fn an_unavailable_memory_is_503_and_grants_nothing() {
    let mut world = remembering();
    world.consents.expect_recall().times(1).return_once(|_| Err(store_unavailable()));
    let stage = world.open();
    let error = begin(&stage, &authorization(&[]), Navigation::Own).await.unwrap_err();
    assert_eq!(Refusal::Authorization(&error).row().status, 503);
    assert_eq!(stage.decisions(), ["store_unavailable"]);
    assert_eq!(stage.only_event().client, Some(client().id));
}
