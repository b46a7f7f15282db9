//! Clients that are known by the address of their metadata document: what is asked, and when.

use std::time::Duration;

use mcp_oauth_core::domain::client_document::ClientDocument;
use mcp_oauth_core::domain::client_document_policy::{ClientDocumentPolicy, DomainPattern};
use mcp_oauth_core::domain::client_document_url::ClientDocumentUrl;
use mcp_oauth_core::domain::consent::RememberedConsent;
use mcp_oauth_core::domain::navigation::Navigation;
use mcp_oauth_core::domain::secret::{SessionToken, base64url};
use mcp_oauth_core::port::{DocumentError, Fetched};
use mcp_oauth_core::service::authorize::{AuthorizationError, NextPage};
use mcp_oauth_core::service::refusal::Refusal;
use serde_json::{Value, json};

use crate::samples::{CALLBACK, CODE, INSIDE, SESSION, VERIFIER, at, code, grant, session};
use crate::world::{World, authorization, refused, row};

const URL: &str = "https://client.example/client.json";

/// How long consent is remembered.
const KEEP: Duration = Duration::from_secs(3600);

fn document() -> Fetched<ClientDocument> {
    document_with(&json!({}))
}

/// The document with other members.
fn document_with(members: &Value) -> Fetched<ClientDocument> {
    let mut document = json!({
        "client_id": URL, "client_name": "Example", "redirect_uris": [CALLBACK],
    });
    for (name, value) in members.as_object().unwrap() {
        document[name] = value.clone();
    }
    let url = ClientDocumentUrl::parse(URL).unwrap();
    let value = ClientDocument::parse(&url, document.to_string().as_bytes()).unwrap();
    Fetched { value, fresh_for: None }
}

/// The document is fetched, once; no client is looked up in the store.
fn world() -> World {
    world_with(document())
}

fn world_with(document: Fetched<ClientDocument>) -> World {
    let mut world = World::new();
    let fetch = world.documents.expect_fetch().times(1).withf(|url| url.as_str() == URL);
    fetch.return_once(|_| Ok(document));
    world
}

fn with_policy(policy: ClientDocumentPolicy) -> World {
    let mut world = World::new();
    world.policy.client_documents = policy;
    world
}

#[tokio::test]
async fn ci_10_the_document_stands_for_a_registration() {
    let stage = world().open();
    let query = authorization(&[("client_id", Some(URL))]);
    let page = stage.use_cases.authorize.begin(&query, None, Navigation::Foreign).await.unwrap();
    let NextPage::Login(request) = page else { panic!("{page:?}") };
    assert_eq!(request.client.id.as_str(), URL);
    assert_eq!(request.client.metadata.client_name.as_deref(), Some("Example"));
}

#[tokio::test]
async fn a_token_for_a_documented_client_remembers_no_use_in_the_store() {
    let mut grant = grant();
    grant.client = document().value.client(code().issued_at).id;
    let mut world = world().with_code(code(), grant).with_signing(1);
    world.grants.expect_redeem_code_once().times(1).return_once(|_, _, _| Ok(()));
    let form = format!(
        "grant_type=authorization_code&client_id={URL}&code={CODE}&code_verifier={VERIFIER}"
    );
    world.open().token(&form).await.unwrap();
}

#[tokio::test]
async fn ci_13_what_is_not_permitted_is_not_fetched() {
    let other = DomainPattern::parse("other.example").unwrap();
    for policy in [ClientDocumentPolicy::Off, ClientDocumentPolicy::Listed(vec![other])] {
        let stage = with_policy(policy).open();
        let answer = stage.token(&format!("client_id={URL}")).await;
        let expected = (401, "invalid_client", "client_document_not_permitted");
        assert_eq!(refused(answer), expected);
        let query = authorization(&[("client_id", Some(URL))]);
        let error =
            stage.use_cases.authorize.begin(&query, None, Navigation::Foreign).await.unwrap_err();
        let expected = (400, "invalid_client", "client_document_not_permitted");
        assert_eq!(row(Refusal::Authorization(&error)), expected);
    }
}

#[tokio::test]
async fn ci_01_an_impossible_address_is_neither_fetched_nor_looked_up() {
    let stage = World::new().open();
    let answer = stage.token("client_id=https://client.example/").await;
    assert_eq!(refused(answer), (401, "invalid_client", "client_document_address"));
    let long = format!("client_id=https://client.example/{}", "a".repeat(512));
    assert_eq!(refused(stage.token(&long).await), (401, "invalid_client", "client_unknown"));
}

#[tokio::test]
async fn ci_18_a_failed_fetch_is_recorded_with_its_reason_and_told_without() {
    let mut world = World::new();
    let failed =
        || DocumentError::Unreachable { address: URL.to_owned(), reason: INSIDE.to_owned() };
    world.documents.expect_fetch().times(1).return_once(move |_| Err(failed()));
    let stage = world.open();
    let query = authorization(&[("client_id", Some(URL))]);
    let error =
        stage.use_cases.authorize.begin(&query, None, Navigation::Foreign).await.unwrap_err();
    assert!(!Refusal::Authorization(&error).public_text().contains(INSIDE));
    let event = stage.only_event();
    assert_eq!(event.client.map(|client| client.to_string()).as_deref(), Some(URL));
    assert!(format!("{:?}", event.decision).contains(INSIDE));
}

/// Somebody who is logged in comes by themselves, at a server that remembers consent.
async fn come_back(mut world: World, remembered: Option<RememberedConsent>) -> NextPage {
    world.policy.consent_lifetime = KEEP;
    world.consents.expect_recall().times(1).return_once(|_| Ok(remembered));
    world.grants.expect_begin().returning(|_, _| Ok(()));
    let stage = world.with_session(Some(session())).open();
    let query = authorization(&[("client_id", Some(URL))]);
    let cookie = SessionToken::presented(SESSION);
    stage.use_cases.authorize.begin(&query, Some(&cookie), Navigation::Own).await.unwrap()
}

#[tokio::test]
async fn ci_14_a_consent_is_remembered_until_the_document_says_something_else() {
    let key = |byte| json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(&[byte; 32]) });
    let keys = |byte| {
        let keys = json!({ "keys": [key(byte)] });
        json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": keys })
    };
    let signing = || world_with(document_with(&keys(1)));
    let NextPage::Consent(asked) = come_back(signing(), None).await else { panic!("not asked") };
    let remembered = RememberedConsent::of(&asked, KEEP, at(0)).unwrap();
    let again = come_back(signing(), Some(remembered.clone())).await;
    assert!(matches!(again, NextPage::Return(_)), "{again:?}");
    let changed = |name: &str, value: Value| {
        let mut members = keys(1);
        members[name] = value;
        members
    };
    for members in [
        keys(2),
        json!({}),
        changed("client_name", json!("Another")),
        changed("redirect_uris", json!([CALLBACK, "https://client.example/other"])),
    ] {
        let world = world_with(document_with(&members));
        let page = come_back(world, Some(remembered.clone())).await;
        assert!(matches!(page, NextPage::Consent(_)), "{members}");
    }
}

#[tokio::test]
async fn az_32_the_operator_does_not_vouch_for_a_document() {
    let query = authorization(&[("client_id", Some(URL)), ("code_challenge", None)]);
    let stage = world().open();
    let error = stage.use_cases.authorize.begin(&query, None, Navigation::Own).await.unwrap_err();
    assert!(matches!(error, AuthorizationError::Interrupted { .. }), "{error}");
}

#[tokio::test]
async fn ex_01_a_document_gets_no_token_for_itself_whatever_it_says() {
    let grant_types = json!(["authorization_code", "client_credentials"]);
    let stage = world_with(document_with(&json!({ "grant_types": grant_types }))).open();
    let answer = stage.token(&format!("client_id={URL}&grant_type=client_credentials")).await;
    assert_eq!(refused(answer), (400, "unauthorized_client", "token_unauthorized_client"));
}
