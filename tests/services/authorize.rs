//! The authorization endpoint: it reads, and never writes.

use mcp_oauth_core::domain::client::{Client, ClientOrigin, GrantType};
use mcp_oauth_core::domain::navigation::Navigation;
use mcp_oauth_core::domain::secret::SessionToken;
use mcp_oauth_core::service::authorize::{
    AuthorizationError, NextPage, RefusedRequest, UntrustedRequest,
};
use mcp_oauth_core::service::refusal::Refusal;

use crate::samples::{
    BASE, CALLBACK, RESOURCE, SESSION, at, client, scope, session, store_unavailable,
};
use crate::world::{Stage, World, authorization, row};

async fn begin(
    stage: &Stage,
    changes: &[(&str, Option<&str>)],
) -> Result<NextPage, AuthorizationError> {
    let session = SessionToken::presented(SESSION);
    stage.use_cases.authorize.begin(&authorization(changes), Some(&session), Navigation::Own).await
}

async fn proceed(
    stage: &Stage,
    changes: &[(&str, Option<&str>)],
) -> Result<NextPage, AuthorizationError> {
    let session = SessionToken::presented(SESSION);
    stage
        .use_cases
        .authorize
        .proceed(&authorization(changes), Some(&session), Navigation::Own)
        .await
}

/// The query of a redirect to the client, and its error.
fn redirected(error: AuthorizationError) -> (RefusedRequest, String) {
    let AuthorizationError::Redirect { reason, redirect_to } = error else { panic!("{error}") };
    let query = redirect_to.strip_prefix(&format!("{CALLBACK}?")).unwrap().to_owned();
    (reason, query)
}

fn consent(page: NextPage) -> mcp_oauth_core::domain::authorization::AwaitingConsent {
    let NextPage::Consent(awaiting) = page else { panic!("{page:?}") };
    *awaiting
}

#[tokio::test]
async fn az_02_an_unknown_client_is_told_on_a_page_and_no_session_is_looked_up() {
    let mut world = World::new();
    world.clients.expect_find().times(1).return_once(|_| Ok(None));
    let stage = world.open();
    let error = begin(&stage, &[]).await.unwrap_err();
    assert!(matches!(&error, AuthorizationError::Page(UntrustedRequest::UnknownClient(_))));
    let expected = (400, "invalid_client", "authorization_unknown_client");
    assert_eq!(row(Refusal::Authorization(&error)), expected);
    assert_eq!(stage.only_event().client, Some(client().id));
}

#[tokio::test]
async fn an_endless_client_id_is_not_looked_up_and_not_recorded_in_full() {
    let stage = World::new().open();
    let endless = "c".repeat(100_000);
    let error = begin(&stage, &[("client_id", Some(&endless))]).await.unwrap_err();
    assert!(matches!(error, AuthorizationError::Page(UntrustedRequest::UnknownClient(_))));
    assert!(format!("{:?}", stage.only_event()).len() < 1000);
}

#[tokio::test]
async fn az_02_az_03_an_address_the_client_did_not_register_is_told_on_a_page() {
    for address in ["https://client.example/callback/", "https://evil.example/", "/callback"] {
        let stage = World::new().with_client(client()).open();
        let error = begin(&stage, &[("redirect_uri", Some(address))]).await.unwrap_err();
        assert!(matches!(error, AuthorizationError::Page(_)), "{address}");
        assert_eq!(stage.decisions(), ["authorization_redirect_uri"]);
    }
}

#[tokio::test]
async fn az_08_az_09_az_13_az_14_az_17_a_refusal_goes_to_the_client_before_any_session() {
    let refusals = [
        ("code_challenge", None, "invalid_request", "authorization_invalid"),
        ("code_challenge", Some("short"), "invalid_request", "authorization_invalid"),
        ("code_challenge_method", None, "invalid_request", "authorization_invalid"),
        ("code_challenge_method", Some("plain"), "invalid_request", "authorization_invalid"),
        ("prompt", Some("none login"), "invalid_request", "authorization_invalid"),
        ("response_type", None, "invalid_request", "authorization_invalid"),
        (
            "response_type",
            Some("token"),
            "unsupported_response_type",
            "authorization_response_type",
        ),
        ("resource", Some("https://other.example"), "invalid_target", "authorization_resource"),
        ("resource", Some("relative"), "invalid_target", "authorization_resource"),
        ("scope", Some("bogus"), "invalid_scope", "authorization_scope"),
        ("scope", Some("bad\"scope"), "invalid_scope", "authorization_scope"),
    ];
    for (name, value, code, audited) in refusals {
        let stage = World::new().with_client(client()).open();
        let error = begin(&stage, &[(name, value)]).await.unwrap_err();
        let (reason, query) = redirected(error);
        assert_eq!(reason.code(), code, "{name}={value:?}");
        assert!(query.starts_with(&format!("error={code}&")), "{query}");
        assert_eq!(stage.decisions(), [audited]);
        assert_eq!(stage.only_event().client, Some(client().id));
    }
}

#[tokio::test]
async fn ex_01_a_client_that_is_not_registered_for_codes_gets_none() {
    let mut machine = client();
    machine.metadata.grant_types = vec![GrantType::ClientCredentials, GrantType::RefreshToken];
    let stage = World::new().with_client(machine.clone()).open();
    let (reason, query) = redirected(begin(&stage, &[]).await.unwrap_err());
    assert_eq!(reason, RefusedRequest::GrantType);
    assert!(query.starts_with("error=unauthorized_client&"), "{query}");
    assert_eq!(stage.decisions(), ["authorization_grant_type"]);
    let stranger = Client { origin: ClientOrigin::Registered, ..machine };
    let error = begin(&World::new().with_client(stranger).open(), &[]).await.unwrap_err();
    assert!(matches!(&error, AuthorizationError::Interrupted { .. }), "{error}");
    let expected = (400, "unauthorized_client", "authorization_grant_type");
    assert_eq!(row(Refusal::Authorization(&error)), expected);
}

#[tokio::test]
async fn az_10_az_12_an_error_redirect_carries_state_and_issuer() {
    let stage = World::new().with_client(client()).open();
    let (_, query) = redirected(begin(&stage, &[("response_type", None)]).await.unwrap_err());
    let issuer: String = url::form_urlencoded::byte_serialize(BASE.as_bytes()).collect();
    assert!(query.ends_with(&format!("&state=the-state&iss={issuer}")), "{query}");
}

#[tokio::test]
async fn az_12_a_repeated_state_is_refused_and_not_echoed() {
    let stage = World::new().with_client(client()).open();
    let twice = [("state", Some("one")), ("state", Some("two"))];
    let (reason, query) = redirected(begin(&stage, &twice).await.unwrap_err());
    assert_eq!(reason.code(), "invalid_request");
    assert!(!query.contains("state=o") && !query.contains("state=t"), "{query}");
}

#[tokio::test]
async fn az_21_looking_at_a_request_twice_changes_nothing() {
    let mut world = World::new();
    world.clients.expect_find().times(2).returning(|_| Ok(Some(client())));
    world.sessions.expect_find().times(2).returning(|_| Ok(Some(session())));
    let stage = world.open();
    let first = consent(begin(&stage, &[]).await.unwrap());
    assert_eq!(consent(begin(&stage, &[]).await.unwrap()), first);
    assert_eq!(stage.audited(), []);
}

#[tokio::test]
async fn az_15_a_request_without_resource_and_scope_gets_the_defaults() {
    let stage = World::new().with_client(client()).with_session(Some(session())).open();
    let awaiting = consent(begin(&stage, &[]).await.unwrap());
    assert_eq!(awaiting.request().resource.as_str(), RESOURCE);
    assert_eq!(awaiting.request().scope, scope("mcp:tools"));
}

#[tokio::test]
async fn az_17_unknown_scopes_beside_known_ones_are_left_out() {
    let stage = World::new().with_client(client()).with_session(Some(session())).open();
    let asked = [("scope", Some("mcp:admin bogus offline_access"))];
    let awaiting = consent(begin(&stage, &asked).await.unwrap());
    assert_eq!(awaiting.request().scope, scope("mcp:admin offline_access"));
}

#[tokio::test]
async fn a_browser_without_a_cookie_is_sent_to_log_in() {
    let stage = World::new().with_client(client()).open();
    let authorize = &stage.use_cases.authorize;
    let page = authorize.begin(&authorization(&[]), None, Navigation::Own).await.unwrap();
    assert!(matches!(page, NextPage::Login(_)));
}

#[tokio::test]
async fn a_session_that_is_over_or_gone_is_no_session() {
    let mut over = session();
    over.expires_at = at(0);
    for found in [None, Some(over)] {
        let stage = World::new().with_client(client()).with_session(found).open();
        assert!(matches!(begin(&stage, &[]).await.unwrap(), NextPage::Login(_)));
    }
}

#[tokio::test]
async fn prompt_login_asks_again_once_and_not_after_the_login() {
    for (prompt, after_login) in [("login", false), ("select_account", false), ("login", true)] {
        let stage = World::new().with_client(client()).with_session(Some(session())).open();
        let changes = [("prompt", Some(prompt))];
        let page = if after_login {
            proceed(&stage, &changes).await
        } else {
            begin(&stage, &changes).await
        };
        assert_eq!(matches!(page.unwrap(), NextPage::Consent(_)), after_login);
    }
}

#[tokio::test]
async fn prompt_login_is_not_satisfied_by_a_login_of_long_ago() {
    let mut of_long_ago = session();
    of_long_ago.logged_in_at = at(-601);
    for (prompt, asked_again) in [("login", true), ("", false)] {
        let stage = World::new().with_client(client()).with_session(Some(of_long_ago.clone()));
        let page = proceed(&stage.open(), &[("prompt", Some(prompt))]).await.unwrap();
        assert_eq!(matches!(page, NextPage::Login(_)), asked_again);
    }
}

#[tokio::test]
async fn az_32_prompt_none_never_shows_a_page() {
    for (found, code) in [(None, "login_required"), (Some(session()), "consent_required")] {
        let stage = World::new().with_client(client()).with_session(found).open();
        let error = begin(&stage, &[("prompt", Some("none"))]).await.unwrap_err();
        assert_eq!(redirected(error).0.code(), code);
        assert_eq!(stage.decisions(), [code]);
        assert_eq!(stage.only_event().client, Some(client().id));
    }
}

#[tokio::test]
async fn an_unavailable_client_registry_is_503_and_recorded() {
    let mut world = World::new();
    world.clients.expect_find().times(1).return_once(|_| Err(store_unavailable()));
    let stage = world.open();
    let error = begin(&stage, &[]).await.unwrap_err();
    assert_eq!(Refusal::Authorization(&error).row().status, 503);
    assert_eq!(stage.decisions(), ["store_unavailable"]);
}

#[tokio::test]
async fn an_unavailable_session_store_is_503_and_recorded_and_no_login_page() {
    let mut world = World::new().with_client(client());
    world.sessions.expect_find().times(1).return_once(|_| Err(store_unavailable()));
    let stage = world.open();
    let error = begin(&stage, &[]).await.unwrap_err();
    assert_eq!(Refusal::Authorization(&error).row().status, 503);
    assert_eq!(stage.decisions(), ["store_unavailable"]);
    assert_eq!(stage.only_event().client, Some(client().id));
}

#[tokio::test]
async fn az_32_an_error_leads_to_no_web_site_that_nobody_vouches_for() {
    let stranger = Client { origin: ClientOrigin::Registered, ..client() };
    let stage = World::new().with_client(stranger).open();
    let error = begin(&stage, &[("code_challenge", None)]).await.unwrap_err();
    assert_eq!(row(Refusal::Authorization(&error)).0, 400);
    let AuthorizationError::Interrupted { redirect_uri, redirect_to, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(redirect_uri.as_str(), CALLBACK);
    assert!(redirect_to.contains("error=invalid_request"), "{redirect_to}");
}
