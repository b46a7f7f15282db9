//! Logging in at a provider: nobody is sent there, and nothing stored, before they said yes; nobody is
//! logged in, and nothing granted, before everything about their return is in order.

use std::collections::BTreeSet;
use std::sync::{Arc, mpsc};

use mcp_oauth_core::domain::admission::AdmissionPolicy;
use mcp_oauth_core::domain::authorization::AuthorizationQuery;
use mcp_oauth_core::domain::client::{Client, ConsentDigest};
use mcp_oauth_core::domain::form_token::{FormToken, ProtectedForm};
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::limit::{LimitedAction, TooMany};
use mcp_oauth_core::domain::provider::{IssuerRule, ProviderName};
use mcp_oauth_core::domain::provider_account::{CarriedClaims, ProviderIdentity, ProviderSubject};
use mcp_oauth_core::domain::provider_login::{
    LoginSecrets, PendingLogin, ProviderRequest, ProviderTokens,
};
use mcp_oauth_core::domain::secret::{BrowserToken, LoginCookie, ProviderState};
use mcp_oauth_core::port::{CameBack, LoginProvider, MockIdentityProvider, ProviderError};
use mcp_oauth_core::service::provider_login::{
    LoggedIn, Onward, ProviderChoice, ProviderLoginError, ProviderReturn,
};
use mcp_oauth_core::service::refusal::Refusal;
use mockall::Sequence;
use secrecy::ExposeSecret;
use serde_json::{Map, json};
use url::form_urlencoded;

use crate::samples::{
    BASE, BROWSER, CALLBACK, INSIDE, LOGIN_COOKIE, PROVIDER_CODE, PROVIDER_STATE, PROVIDER_TOKEN,
    RESOURCE, WAIT, at, client, store_unavailable,
};
use crate::world::{Stage, World, authorization, row};

const ISSUER: &str = "https://id.example";

/// The provider `work`, which lets everybody in.
pub(crate) fn work(provider: MockIdentityProvider) -> LoginProvider {
    LoginProvider {
        name: ProviderName::parse("work").unwrap(),
        title: "your work account".to_owned(),
        issuer: IssuerRule::exactly(Issuer::new(ISSUER)),
        admission: AdmissionPolicy::default(),
        carried: CarriedClaims::new(["org_id".to_owned()]).unwrap(),
        keeps_tokens: false,
        provider: Arc::new(provider),
    }
}

/// A world in which people log in at `work`.
fn at_work(provider: MockIdentityProvider) -> World {
    World { providers: vec![work(provider)], ..World::new() }
}

/// The same, whose provider nobody may ask anything.
fn unasked() -> World {
    at_work(MockIdentityProvider::new())
}

/// The consent form as this server showed it to this browser, with a yes.
fn choice(query: AuthorizationQuery) -> ProviderChoice {
    let browser = BrowserToken::presented(BROWSER);
    let form = ProtectedForm::ConsentBeforeLogin(&browser.hash(), &query);
    ProviderChoice {
        form_token: FormToken::new(form).as_str().to_owned(),
        query,
        browser: Some(browser),
        cookie: None,
        provider: Some("work".to_owned()),
    }
}

fn secrets() -> LoginSecrets {
    let cookie = LoginCookie::presented(LOGIN_COOKIE);
    LoginSecrets::new(cookie, ProviderState::presented(PROVIDER_STATE))
}

/// The login that [`secrets`] are of, as the store has it.
fn pending() -> PendingLogin {
    PendingLogin {
        state: secrets().name(),
        cookie: secrets().cookie().hash(),
        provider: ProviderName::parse("work").unwrap(),
        query: authorization(&[]),
        client_digest: client().consent_digest(),
        expires_at: at(1),
    }
}

/// The login is taken out of the store, once.
fn with_pending(mut world: World, found: Option<PendingLogin>) -> World {
    let take = world.pending.expect_take_once().times(1);
    take.withf(|asked| *asked == secrets().name()).return_once(|_| Ok(found));
    world
}

/// A browser that comes back with these parameters.
fn back(parameters: &[(&str, &str)]) -> ProviderReturn {
    let mut query = form_urlencoded::Serializer::new(String::new());
    ProviderReturn {
        provider: "work".to_owned(),
        query: query.extend_pairs(parameters).finish(),
        cookie: Some(LoginCookie::presented(LOGIN_COOKIE)),
    }
}

pub(crate) fn with_code() -> ProviderReturn {
    back(&[("state", PROVIDER_STATE), ("code", PROVIDER_CODE)])
}

pub(crate) fn identity() -> ProviderIdentity {
    ProviderIdentity {
        issuer: Issuer::new(ISSUER),
        subject: ProviderSubject::parse("alice").unwrap(),
        name: Some("Alice".to_owned()),
        verified_email: Some("alice@example.com".to_owned()),
        groups: BTreeSet::new(),
        tenant: None,
        organization: None,
        claims: Map::from_iter([
            ("org_id".to_owned(), json!("org-1")),
            ("nonce".to_owned(), json!("n")),
        ]),
    }
}

pub(crate) fn came_back(identity: ProviderIdentity) -> CameBack {
    let access_token = PROVIDER_TOKEN.into();
    let tokens = ProviderTokens { access_token, refresh_token: None, expires_at: None };
    CameBack { identity, tokens }
}

/// A provider that is asked once who came back.
fn answering(answer: Result<CameBack, ProviderError>) -> MockIdentityProvider {
    let mut provider = MockIdentityProvider::new();
    provider.expect_who_came_back().times(1).return_once(|_| answer);
    provider
}

/// A world in which everything about a return is in order but for the provider's word.
pub(crate) fn returning(answer: Result<CameBack, ProviderError>) -> World {
    with_pending(at_work(answering(answer)).with_client(client()), Some(pending()))
}

async fn begin(stage: &Stage, choice: ProviderChoice) -> Result<Onward, ProviderLoginError> {
    stage.provider_login().begin(choice).await
}

pub(crate) async fn finish(
    stage: &Stage,
    back: ProviderReturn,
) -> Result<LoggedIn, ProviderLoginError> {
    stage.provider_login().finish(back).await
}

/// What the client is told with an error.
fn told(error: &ProviderLoginError) -> String {
    let (ProviderLoginError::Redirect(failed) | ProviderLoginError::Interrupted(failed)) = error
    else {
        panic!("{error}")
    };
    assert_eq!(failed.redirect_uri.as_str(), CALLBACK);
    let told = failed.redirect_to.strip_prefix(CALLBACK).unwrap();
    assert!(told.ends_with("&state=the-state&iss=https%3A%2F%2Fmcp.example.com"), "{told}");
    let error = told.strip_prefix("?error=").unwrap().split('&').next().unwrap();
    for inside in [INSIDE, "alice", "example.org", "Alice", "tell"] {
        assert!(!told.contains(inside), "{told}");
    }
    error.to_owned()
}

#[tokio::test]
async fn az_21_a_form_of_another_browser_sends_nobody_anywhere() {
    let query = authorization(&[]);
    let browser = BrowserToken::presented(BROWSER).hash();
    let login_form = FormToken::new(ProtectedForm::Login(&browser, &query)).as_str().to_owned();
    let choices = [
        ProviderChoice {
            browser: Some(BrowserToken::presented("another")),
            ..choice(query.clone())
        },
        ProviderChoice { browser: None, ..choice(query.clone()) },
        ProviderChoice {
            query: authorization(&[("scope", Some("mcp:admin"))]),
            ..choice(query.clone())
        },
        ProviderChoice { form_token: login_form, ..choice(query.clone()) },
        ProviderChoice { form_token: String::new(), provider: None, ..choice(query) },
    ];
    for choice in choices {
        let stage = unasked().open();
        let error = begin(&stage, choice).await.unwrap_err();
        let expected = (403, "access_denied", "provider_login_foreign_form");
        assert_eq!(row(Refusal::ProviderLogin(&error)), expected);
        assert_eq!(stage.decisions(), ["provider_login_foreign_form"]);
    }
}

#[tokio::test]
async fn az_10_a_no_stores_nothing_and_tells_the_client() {
    let stage = unasked().with_client(client()).open();
    let no = ProviderChoice { provider: None, ..choice(authorization(&[])) };
    let Onward::ToClient(redirect) = begin(&stage, no).await.unwrap() else { panic!("no client") };
    assert!(redirect.starts_with(&format!("{CALLBACK}?error=access_denied&")), "{redirect}");
    assert!(redirect.ends_with("&state=the-state&iss=https%3A%2F%2Fmcp.example.com"));
    let event = stage.only_event();
    assert_eq!(event.decision.name(), "consent_denied");
    assert_eq!((event.client, event.subject), (Some(client().id), None));
}

#[tokio::test]
async fn a_provider_that_is_none_of_ours_is_no_way_to_log_in() {
    for name in ["home", "Work", "work ", "../work"] {
        let stage = unasked().with_client(client()).open();
        let other =
            ProviderChoice { provider: Some(name.to_owned()), ..choice(authorization(&[])) };
        let error = begin(&stage, other).await.unwrap_err();
        let expected = (400, "invalid_request", "provider_login_unknown_provider");
        assert_eq!(row(Refusal::ProviderLogin(&error)), expected);
        let stage = unasked().open();
        let error = finish(&stage, ProviderReturn { provider: name.to_owned(), ..with_code() });
        assert_eq!(row(Refusal::ProviderLogin(&error.await.unwrap_err())), expected);
    }
}

#[tokio::test]
async fn a_request_that_is_no_good_sends_nobody_anywhere_and_is_recorded_once() {
    let stage = unasked().with_client(client()).open();
    let error = begin(&stage, choice(authorization(&[("code_challenge", None)]))).await;
    assert!(matches!(error, Err(ProviderLoginError::Authorization(_))));
    assert_eq!(stage.decisions(), ["authorization_invalid"]);
}

#[tokio::test]
async fn az_26_nothing_is_stored_before_the_provider_says_where_to_go() {
    for (error, status, code) in [
        (ProviderError::Refused(INSIDE.to_owned()), 403, "server_error"),
        (
            ProviderError::Unavailable { reason: INSIDE.to_owned(), retry_after: WAIT },
            503,
            "temporarily_unavailable",
        ),
    ] {
        let mut provider = MockIdentityProvider::new();
        provider.expect_login_address().times(1).return_once(|_| Err(error));
        let stage = at_work(provider).with_client(client()).open();
        let error = begin(&stage, choice(authorization(&[]))).await.unwrap_err();
        assert_eq!(told(&error), code);
        let refusal = Refusal::ProviderLogin(&error);
        assert_eq!(refusal.row().status, status);
        assert_eq!(refusal.row().retry_after, (status == 503).then_some(WAIT));
        assert_eq!(stage.only_event().client, Some(client().id));
    }
}

/// A world that sends people on, with what the provider was asked for and what was stored.
fn sending() -> (World, mpsc::Receiver<ProviderRequest>, mpsc::Receiver<PendingLogin>) {
    let (asking, asked) = mpsc::channel();
    let (storing, stored) = mpsc::channel();
    let mut order = Sequence::new();
    let mut provider = MockIdentityProvider::new();
    let address = provider.expect_login_address().times(1).in_sequence(&mut order);
    address.return_once(move |request| {
        asking.send(request.clone()).unwrap();
        Ok("https://id.example/authorize".to_owned())
    });
    let mut world = at_work(provider).with_client(client());
    let begin = world.pending.expect_begin().times(1).in_sequence(&mut order);
    begin.return_once(move |login| storing.send(login.clone()).map_err(|_| unreachable!()));
    (world, asked, stored)
}

#[tokio::test]
async fn up_01_az_27_a_login_begins_with_secrets_of_its_own_that_are_stored_as_hashes() {
    let (world, asked, stored) = sending();
    let stage = world.open();
    let onward = begin(&stage, choice(authorization(&[]))).await.unwrap();
    let Onward::ToProvider { address, cookie } = onward else { panic!("no provider") };
    assert_eq!(address, "https://id.example/authorize");
    let asked = asked.recv().unwrap();
    assert_eq!(asked.redirect_uri, format!("{BASE}/callback/work"));
    assert_eq!(asked.resource.as_str(), RESOURCE);
    assert!(!asked.login_again);
    assert_eq!(asked.secrets.cookie().expose(), cookie.expose());
    assert_eq!(cookie.expose().len(), 43);
    let expected = PendingLogin {
        state: asked.secrets.name(),
        cookie: cookie.hash(),
        expires_at: at(600),
        ..pending()
    };
    assert_eq!(stored.recv().unwrap(), expected);
    assert!(stage.audited().is_empty());
}

#[tokio::test]
async fn az_32_a_client_that_wants_a_new_login_gets_one_at_the_provider() {
    let (world, asked, _stored) = sending();
    let again = authorization(&[("prompt", Some("login"))]);
    begin(&world.open(), choice(again)).await.unwrap();
    assert!(asked.recv().unwrap().login_again);
}

#[tokio::test]
async fn az_21_the_tabs_of_a_browser_share_its_cookie_unless_it_is_none_of_ours() {
    for (presented, kept) in [
        (LOGIN_COOKIE, true),
        ("", false),
        ("planted", false),
        (&LOGIN_COOKIE[1..], false),
        (&*format!("{LOGIN_COOKIE}A"), false),
    ] {
        let (world, asked, _stored) = sending();
        let cookie = Some(LoginCookie::presented(presented));
        let choice = ProviderChoice { cookie, ..choice(authorization(&[])) };
        begin(&world.open(), choice).await.unwrap();
        let used = asked.recv().unwrap().secrets.cookie().expose().to_owned();
        assert_eq!(used == presented, kept, "{presented}");
    }
}

#[tokio::test]
async fn a_login_that_can_not_be_stored_sends_nobody_anywhere() {
    let mut provider = MockIdentityProvider::new();
    provider.expect_login_address().return_once(|_| Ok(String::new()));
    let mut world = at_work(provider).with_client(client());
    world.pending.expect_begin().times(1).return_once(|_| Err(store_unavailable()));
    let stage = world.open();
    begin(&stage, choice(authorization(&[]))).await.unwrap_err();
    assert_eq!(stage.decisions(), ["store_unavailable"]);
}

#[tokio::test]
async fn az_27_an_answer_that_can_not_be_read_uses_up_no_login() {
    let long = "x".repeat(4097);
    let state = ("state", PROVIDER_STATE);
    let code = ("code", PROVIDER_CODE);
    let rows: &[&[(&str, &str)]] = &[
        &[],
        &[code],
        &[state],
        &[("state", ""), code],
        &[state, ("code", "")],
        &[state, state, code],
        &[state, code, code],
        &[state, code, ("iss", ISSUER), ("iss", ISSUER)],
        &[state, ("error", "access_denied"), ("error", "access_denied")],
        &[state, ("error", "x"), ("error_description", "a"), ("error_description", "b")],
        &[state, ("code", &long)],
        &[("state", &long), code],
        &[state, code, ("iss", &long)],
    ];
    for row_of in rows {
        let stage = unasked().open();
        let error = finish(&stage, back(row_of)).await.unwrap_err();
        let expected = (400, "invalid_request", "provider_login_parameters");
        assert_eq!(row(Refusal::ProviderLogin(&error)), expected, "{row_of:?}");
    }
}

#[tokio::test]
async fn az_27_a_return_that_belongs_to_no_login_of_the_browser_asks_the_provider_nothing() {
    let found = [
        None,
        Some(PendingLogin { cookie: LoginCookie::presented("another").hash(), ..pending() }),
        Some(PendingLogin { provider: ProviderName::parse("home").unwrap(), ..pending() }),
        Some(PendingLogin { expires_at: at(0), ..pending() }),
    ];
    let mut reasons = BTreeSet::new();
    for found in found {
        let stage = with_pending(unasked(), found).open();
        let error = finish(&stage, with_code()).await.unwrap_err();
        let refusal = Refusal::ProviderLogin(&error);
        assert_eq!(row(refusal), (403, "access_denied", "provider_login_unknown"));
        assert!(refusal.public_text().contains("another browser"), "{}", refusal.public_text());
        assert_eq!(stage.decisions(), ["provider_login_unknown"]);
        reasons.insert(format!("{:?}", stage.only_event().decision));
    }
    assert_eq!(reasons.len(), 4, "{reasons:?}");
}

#[tokio::test]
async fn az_27_a_browser_without_the_cookie_uses_up_no_login() {
    let stage = unasked().open();
    let error = finish(&stage, ProviderReturn { cookie: None, ..with_code() }).await.unwrap_err();
    let expected = (403, "access_denied", "provider_login_unknown");
    assert_eq!(row(Refusal::ProviderLogin(&error)), expected);
}

#[tokio::test]
async fn az_23_a_client_that_changed_while_the_person_was_away_gets_nothing() {
    let before = ConsentDigest::from_stored("what the client was before");
    let changed = PendingLogin { client_digest: before, ..pending() };
    let stage = with_pending(unasked().with_client(client()), Some(changed)).open();
    let error = finish(&stage, with_code()).await.unwrap_err();
    let expected = (403, "access_denied", "provider_login_client_changed");
    assert_eq!(row(Refusal::ProviderLogin(&error)), expected);
    assert_eq!(stage.only_event().client, Some(client().id));
}

#[tokio::test]
async fn a_client_that_is_gone_meanwhile_gets_nothing_and_is_recorded_once() {
    let mut world = with_pending(unasked(), Some(pending()));
    world.clients.expect_find().times(1).return_once(|_| Ok(None::<Client>));
    let stage = world.open();
    let error = finish(&stage, with_code()).await.unwrap_err();
    assert_eq!(Refusal::ProviderLogin(&error).row().code, "invalid_client");
    assert_eq!(stage.decisions(), ["authorization_unknown_client"]);
}

#[tokio::test]
async fn up_05_what_a_provider_says_of_an_error_reaches_the_log_and_not_the_client() {
    for (error, code, audit) in [
        ("access_denied", "access_denied", "provider_login_declined"),
        ("login_required", "access_denied", "provider_login_declined"),
        ("interaction_required", "access_denied", "provider_login_declined"),
        ("consent_required", "access_denied", "provider_login_declined"),
        ("server_error", "server_error", "provider_login_failed"),
        ("invalid_scope", "server_error", "provider_login_failed"),
        ("unauthorized_client", "server_error", "provider_login_failed"),
        ("tell-it-to-nobody", "server_error", "provider_login_failed"),
    ] {
        let stage = with_pending(unasked().with_client(client()), Some(pending())).open();
        let answer = back(&[
            ("state", PROVIDER_STATE),
            ("error", error),
            ("error_description", "tell nobody"),
            // Whatever else there is.
            ("code", PROVIDER_CODE),
        ]);
        let refused = finish(&stage, answer).await.unwrap_err();
        assert!(matches!(refused, ProviderLoginError::Redirect(_)));
        assert_eq!(told(&refused), code);
        assert_eq!(row(Refusal::ProviderLogin(&refused)), (303, code, audit));
        let event = stage.only_event();
        let recorded = format!("{:?}", event.decision);
        assert!(recorded.contains(error) && recorded.contains("tell nobody"), "{recorded}");
        assert_eq!(event.client, Some(client().id));
    }
}

#[tokio::test]
async fn up_02_nobody_whom_the_provider_does_not_vouch_for_is_logged_in() {
    for (error, expected) in [
        (
            ProviderError::Refused(INSIDE.to_owned()),
            (403, "server_error", "provider_login_not_confirmed"),
        ),
        (
            ProviderError::Unavailable { reason: INSIDE.to_owned(), retry_after: WAIT },
            (503, "temporarily_unavailable", "provider_unavailable"),
        ),
    ] {
        let stage = returning(Err(error)).open();
        let error = finish(&stage, with_code()).await.unwrap_err();
        assert_eq!(told(&error), expected.1);
        let refusal = Refusal::ProviderLogin(&error);
        assert_eq!(row(refusal), expected);
        assert_eq!(refusal.row().retry_after, (expected.0 == 503).then_some(WAIT));
        assert!(!refusal.public_text().contains(INSIDE));
        let event = stage.only_event();
        assert!(format!("{:?}", event.decision).contains(INSIDE));
        assert_eq!((event.client, event.subject), (Some(client().id), None));
    }
}

#[tokio::test]
async fn up_02_an_account_of_another_issuer_is_nobodys() {
    let other = ProviderIdentity { issuer: Issuer::new("https://id.example/"), ..identity() };
    let stage = returning(Ok(came_back(other))).open();
    let error = finish(&stage, with_code()).await.unwrap_err();
    assert_eq!(told(&error), "access_denied");
    let expected = (403, "access_denied", "provider_login_other_issuer");
    assert_eq!(row(Refusal::ProviderLogin(&error)), expected);
    assert!(format!("{:?}", stage.only_event().decision).contains("https://id.example/"));
}

#[tokio::test]
async fn az_33_up_09_why_somebody_is_not_admitted_is_for_them_and_the_log() {
    let unverified = ProviderIdentity { verified_email: None, ..identity() };
    for (identity, reason) in [
        (identity(), "the e-mail address alice@example.com is not on the list"),
        (unverified, "your e-mail address is not verified"),
    ] {
        let mut world = returning(Ok(came_back(identity)));
        world.providers[0].admission.email_domains = ["example.org".to_owned()].into();
        let stage = world.open();
        let error = finish(&stage, with_code()).await.unwrap_err();
        assert_eq!(told(&error), "access_denied");
        let refusal = Refusal::ProviderLogin(&error);
        assert_eq!(row(refusal), (403, "access_denied", "provider_login_not_admitted"));
        assert!(refusal.public_text().contains(reason), "{}", refusal.public_text());
        let event = stage.only_event();
        assert!(format!("{:?}", event.decision).contains(reason));
        let subject = event.subject.as_ref().map(|subject| subject.as_str());
        assert_eq!((event.client, subject), (Some(client().id), Some("https://id.example|alice")));
    }
}

#[tokio::test]
async fn who_came_back_is_asked_with_the_secrets_of_the_login_and_its_issuer_parameter() {
    let mut provider = MockIdentityProvider::new();
    let asked = provider.expect_who_came_back().times(1).withf(|answer| {
        answer.code.expose_secret() == PROVIDER_CODE
            && answer.issuer.as_deref() == Some("https://other.example")
            && answer.redirect_uri == format!("{BASE}/callback/work")
            && answer.secrets.nonce().expose_secret() == secrets().nonce().expose_secret()
            && answer.secrets.name() == secrets().name()
            && answer.resource.as_str() == RESOURCE
    });
    asked.return_once(|_| Err(ProviderError::Refused(String::new())));
    let stage = with_pending(at_work(provider).with_client(client()), Some(pending())).open();
    let answer = back(&[
        ("state", PROVIDER_STATE),
        ("code", PROVIDER_CODE),
        ("iss", "https://other.example"),
        ("session_state", "x"),
    ]);
    finish(&stage, answer).await.unwrap_err();
}

#[tokio::test]
async fn az_18_who_is_let_in_gets_a_session_and_the_client_its_code_in_this_order() {
    let mut order = Sequence::new();
    let mut world = returning(Ok(came_back(identity())));
    let (kept, opened) = mpsc::channel();
    let open = world.sessions.expect_open().times(1).in_sequence(&mut order);
    open.return_once(move |session| kept.send(session.clone()).map_err(|_| unreachable!()));
    let grant = world.grants.expect_begin().times(1).in_sequence(&mut order);
    grant
        .withf(|grant, code| {
            let account = grant.person.account.as_ref().unwrap();
            // The nonce is not carried, nor is anything that nobody selected.
            account.claims == Map::from_iter([("org_id".to_owned(), json!("org-1"))])
                && grant.person.subject.as_str() == "https://id.example|alice"
                && code.redirect_uri.as_str() == CALLBACK
        })
        .return_once(|_, _| Ok(()));
    let stage = world.open();
    let logged_in = finish(&stage, with_code()).await.unwrap();
    assert!(logged_in.redirect_to.starts_with(&format!("{CALLBACK}?code=")));
    let session = opened.recv().unwrap();
    assert_eq!(session.hash, logged_in.session.hash());
    assert_eq!((session.logged_in_at, session.expires_at), (at(0), at(8 * 3600)));
    assert_eq!(stage.decisions(), ["logged_in", "consent_given"]);
    for event in stage.audited() {
        assert_eq!(event.client, Some(client().id));
        assert_eq!(event.subject, Some(session.person.subject.clone()));
    }
}

#[tokio::test]
async fn az_23_a_consent_before_the_login_is_remembered_for_who_logged_in() {
    let mut world = returning(Ok(came_back(identity())));
    world.policy.consent_lifetime = std::time::Duration::from_secs(100);
    world.sessions.expect_open().times(1).return_once(|_| Ok(()));
    world.grants.expect_begin().times(1).return_once(|_, _| Ok(()));
    let remember = world.consents.expect_remember().times(1).withf(|consent| {
        consent.key.subject.as_str() == "https://id.example|alice"
            && consent.key.client == client().id
            && consent.expires_at == at(100)
    });
    remember.return_once(|_| Ok(()));
    finish(&world.open(), with_code()).await.unwrap();
}

#[tokio::test]
async fn a_store_that_fails_at_the_end_grants_nothing() {
    let mut without_session = returning(Ok(came_back(identity())));
    without_session.sessions.expect_open().times(1).return_once(|_| Err(store_unavailable()));
    let mut without_grant = returning(Ok(came_back(identity())));
    without_grant.sessions.expect_open().times(1).return_once(|_| Ok(()));
    without_grant.grants.expect_begin().times(1).return_once(|_, _| Err(store_unavailable()));
    for (world, expected) in [
        (without_session, &["store_unavailable"][..]),
        (without_grant, &["logged_in", "store_unavailable"]),
    ] {
        let stage = world.open();
        let error = finish(&stage, with_code()).await.unwrap_err();
        let row_of = (503, "temporarily_unavailable", "store_unavailable");
        assert_eq!(row(Refusal::ProviderLogin(&error)), row_of);
        assert_eq!(stage.decisions(), expected);
    }
}

#[tokio::test]
async fn an_unavailable_store_of_logins_asks_the_provider_nothing() {
    let mut world = unasked();
    world.pending.expect_take_once().times(1).return_once(|_| Err(store_unavailable()));
    let stage = world.open();
    let error = finish(&stage, with_code()).await.unwrap_err();
    assert_eq!(Refusal::ProviderLogin(&error).row().status, 503);
    assert_eq!(stage.decisions(), ["store_unavailable"]);
}

#[tokio::test]
async fn who_comes_too_often_is_told_before_anything_is_looked_at() {
    for action in [LimitedAction::Authorization, LimitedAction::Login] {
        let mut world = unasked();
        let count = world.limits.expect_count().times(1);
        let too_many = TooMany { action, retry_after: WAIT };
        count.withf(move |limited| limited.action() == action).return_once(move |_| Err(too_many));
        let stage = world.open();
        let error = match action {
            LimitedAction::Login => finish(&stage, with_code()).await.map(|_| ()),
            _ => begin(&stage, choice(authorization(&[]))).await.map(|_| ()),
        };
        assert_eq!(Refusal::ProviderLogin(&error.unwrap_err()).row().status, 429);
    }
}

#[tokio::test]
async fn jv_18_where_people_are_sent_can_not_be_printed() {
    let (world, _asked, _stored) = sending();
    let onward = begin(&world.open(), choice(authorization(&[]))).await.unwrap();
    assert!(!format!("{onward:?}").contains("id.example"), "{onward:?}");
    let mut world = returning(Ok(came_back(identity())));
    world.sessions.expect_open().times(1).return_once(|_| Ok(()));
    world.grants.expect_begin().times(1).return_once(|_, _| Ok(()));
    let logged_in = finish(&world.open(), with_code()).await.unwrap();
    let printed = format!("{logged_in:?} {:?}", returned_secrets());
    assert!(!printed.contains("code=") && !printed.contains("secret-"), "{printed}");
}

fn returned_secrets() -> (LoginSecrets, CameBack) {
    (secrets(), came_back(identity()))
}
