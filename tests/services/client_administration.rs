//! The operator's view of clients: what makes no sense is refused before anything is stored, and
//! every change is recorded as the operator's.

use mcp_oauth_core::domain::audit::Decision;
use mcp_oauth_core::domain::client::{
    Client, ClientCredential, ClientId, ClientOrigin, GrantType, SecretTransport,
};
use mcp_oauth_core::domain::client_document_policy::ClientDocumentPolicy;
use mcp_oauth_core::domain::client_keys::ClientKeys;
use mcp_oauth_core::domain::grant::GrantSelection;
use mcp_oauth_core::domain::person::Subject;
use mcp_oauth_core::domain::redirect_uri::RedirectUri;
use mcp_oauth_core::domain::scope::ScopeSet;
use mcp_oauth_core::port::RegisterError;
use mcp_oauth_core::service::client_administration::{
    AddClientError, ChangeClientError, ClientSelection, NewClient, NewCredential,
};
use mockall::Sequence;
use serde_json::json;

use crate::samples::{CALLBACK, at, client, confidential_client, grant, scope, store_unavailable};
use crate::world::World;

const BASIC: NewCredential = NewCredential::Secret(SecretTransport::Basic);

/// A program that acts for itself.
fn machine() -> NewClient {
    NewClient {
        id: None,
        name: "Nightly report".to_owned(),
        redirect_uris: Vec::new(),
        grant_types: vec![GrantType::ClientCredentials],
        scope: scope("mcp:tools"),
        credential: BASIC,
        may_introspect: false,
    }
}

/// A program that acts for people.
fn application() -> NewClient {
    NewClient {
        redirect_uris: vec![RedirectUri::parse(CALLBACK).unwrap()],
        grant_types: Vec::new(),
        scope: ScopeSet::default(),
        credential: NewCredential::Public,
        ..machine()
    }
}

/// Adds a client in a world where that succeeds, and returns what was stored.
async fn stored(new: NewClient) -> Client {
    let mut world = World::new();
    let (kept, stored) = std::sync::mpsc::channel();
    let register = world.clients.expect_register().times(1);
    register.return_once(move |client, _| {
        kept.send(client.clone()).unwrap();
        Ok(())
    });
    world.directory.expect_list_grants().returning(|_, _| Ok(Vec::new()));
    let stage = world.open();
    let added = stage.use_cases.client_administration.add(new).await.unwrap();
    let client = stored.recv().unwrap();
    assert_eq!(added.client, client);
    match (&client.credential, &added.secret) {
        (ClientCredential::Public | ClientCredential::Keys(_), None) => {}
        (ClientCredential::Secret { hash, .. }, Some(secret)) => assert!(hash.matches(secret)),
        (credential, _) => panic!("{credential:?}"),
    }
    let event = stage.only_event();
    assert_eq!(event.decision, Decision::ClientAddedByOperator);
    assert_eq!(event.client, Some(client.id.clone()));
    if let Some(secret) = added.secret {
        assert!(!format!("{event:?}{client:?}").contains(secret.expose()));
    }
    client
}

/// Why a client is not added, in a world where nothing may be stored.
async fn refused(new: NewClient) -> AddClientError {
    let stage = World::new().open();
    let error = stage.use_cases.client_administration.add(new).await.unwrap_err();
    assert!(stage.audited().is_empty());
    error
}

#[tokio::test]
async fn ex_01_a_machine_client_is_stored_with_its_scopes_and_a_secret_that_is_told_once() {
    let client = stored(machine()).await;
    assert_eq!(client.origin, ClientOrigin::Operator);
    assert_eq!(client.metadata.client_name.as_deref(), Some("Nightly report"));
    assert_eq!(client.metadata.grant_types, [GrantType::ClientCredentials]);
    assert_eq!(client.metadata.scope, Some(scope("mcp:tools")));
    assert_eq!((client.registered_at, client.last_used_at), (at(0), None));
    assert!(client.registration_token.is_none() && !client.may_introspect);
}

#[tokio::test]
async fn a_client_with_a_redirect_address_gets_codes_and_refresh_tokens_unless_told_otherwise() {
    let both = [GrantType::AuthorizationCode, GrantType::RefreshToken];
    assert_eq!(stored(application()).await.metadata.grant_types, both);
    let repeated = vec![GrantType::AuthorizationCode; 2];
    let codes = NewClient { grant_types: repeated, ..application() };
    assert_eq!(stored(codes).await.metadata.grant_types, [GrantType::AuthorizationCode]);
}

#[tokio::test]
async fn a_resource_server_needs_no_grant() {
    let nothing = NewClient { grant_types: Vec::new(), scope: scope(""), ..machine() };
    let server = stored(NewClient { may_introspect: true, ..nothing.clone() }).await;
    assert!(server.may_introspect && server.metadata.grant_types.is_empty());
    assert_eq!(server.metadata.scope, None);
    assert!(matches!(refused(nothing).await, AddClientError::Useless));
}

#[tokio::test]
async fn rg_07_an_id_made_here_is_no_address_and_one_chosen_by_the_operator_is_kept() {
    let made = stored(machine()).await.id;
    assert!(made.as_str().starts_with("mcp-"), "{made}");
    let chosen = NewClient { id: Some("nightly-report".to_owned()), ..machine() };
    assert_eq!(stored(chosen).await.id, ClientId::new("nightly-report"));
}

#[tokio::test]
async fn rg_07_an_id_that_means_something_else_is_refused() {
    let with = |id: &str| NewClient { id: Some(id.to_owned()), ..machine() };
    for document in ["https://client.example/document", "HTTPS://client.example"] {
        assert!(matches!(refused(with(document)).await, AddClientError::DocumentId), "{document}");
    }
    for invisible in ["", "a b", "a\nb", "a\u{1b}[2J", "caf\u{e9}", &"x".repeat(513)] {
        assert!(matches!(refused(with(invisible)).await, AddClientError::Id), "{invisible:?}");
    }
    for own in ["docs", "dev-token"] {
        assert!(matches!(refused(with(own)).await, AddClientError::OwnId(_)), "{own}");
    }
}

#[tokio::test]
async fn tk_23_an_id_that_could_be_somebodys_subject_is_refused() {
    let with = |id: &str| NewClient { id: Some(id.to_owned()), ..machine() };
    for subject in ["client:report", "alice@example.com"] {
        assert!(matches!(refused(with(subject)).await, AddClientError::IdOfSubject), "{subject}");
    }
    let mut world = World::new();
    let of_alice = GrantSelection { subject: Some(Subject::new("alice")), ..Default::default() };
    let list = world.directory.expect_list_grants().times(1);
    list.withf(move |asked, _| *asked == of_alice).return_once(|_, _| Ok(vec![grant()]));
    let error = world.open().use_cases.client_administration.add(with("alice")).await.unwrap_err();
    assert!(matches!(error, AddClientError::IdOfSubject), "{error}");
}

#[tokio::test]
async fn az_31_a_name_that_is_not_all_to_be_seen_is_refused() {
    for name in ["", "  ", "a\u{202E}b", "a\u{1b}[31mb", &"x".repeat(101)] {
        let error = refused(NewClient { name: name.to_owned(), ..machine() }).await;
        assert!(matches!(error, AddClientError::Name), "{name:?}");
    }
}

#[tokio::test]
async fn grants_and_redirect_addresses_have_to_fit() {
    use GrantType::{AuthorizationCode, ClientCredentials, RefreshToken};
    let with = |grants: &[GrantType]| NewClient { grant_types: grants.to_vec(), ..application() };
    let without = |grants: &[GrantType]| NewClient { grant_types: grants.to_vec(), ..machine() };
    let codes_to_nowhere = refused(without(&[AuthorizationCode])).await;
    assert!(matches!(codes_to_nowhere, AddClientError::NoRedirectUri));
    let refresh_alone = refused(without(&[ClientCredentials, RefreshToken])).await;
    assert!(matches!(refresh_alone, AddClientError::RefreshAlone));
    let useless = refused(NewClient { credential: BASIC, ..with(&[ClientCredentials]) }).await;
    assert!(matches!(useless, AddClientError::UselessRedirectUri));
    let redirect_uris = vec![RedirectUri::parse(CALLBACK).unwrap(); 11];
    let many = refused(NewClient { redirect_uris, ..application() }).await;
    assert!(matches!(many, AddClientError::TooManyRedirectUris));
}

#[tokio::test]
async fn what_anybody_could_be_gets_nothing_on_its_own() {
    let public = NewClient { credential: NewCredential::Public, ..machine() };
    assert!(matches!(refused(public).await, AddClientError::PublicMachine));
    let server = NewClient { may_introspect: true, ..application() };
    assert!(matches!(refused(server).await, AddClientError::PublicResourceServer));
}

#[tokio::test]
async fn a_scope_that_there_is_not_is_refused_by_name() {
    let error = refused(NewClient { scope: scope("mcp:tools mcp:root"), ..machine() }).await;
    let AddClientError::UnknownScope(unknown) = error else { panic!("{error}") };
    assert_eq!(unknown, scope("mcp:root"));
}

#[tokio::test]
async fn an_id_that_is_taken_is_refused_and_nothing_is_recorded() {
    for (answer, is_expected) in [
        (RegisterError::Exists, (|error| matches!(error, AddClientError::Taken)) as fn(_) -> bool),
        (RegisterError::Unavailable(store_unavailable()), |error| {
            matches!(error, AddClientError::Unavailable(_))
        }),
    ] {
        let mut world = World::new();
        world.clients.expect_register().times(1).return_once(|_, _| Err(answer));
        let stage = world.open();
        let error = stage.use_cases.client_administration.add(machine()).await.unwrap_err();
        assert!(is_expected(error));
        assert!(stage.audited().is_empty());
    }
}

#[tokio::test]
async fn clients_are_selected_by_origin_and_by_their_last_use() {
    let named = |id: &str| Client { id: ClientId::new(id), ..client() };
    let fresh = Client { registered_at: at(-10), ..named("fresh") };
    let stale = Client { registered_at: at(-90), last_used_at: None, ..named("stale") };
    let used = Client { last_used_at: Some(at(-20)), ..named("used") };
    let idle = Client { last_used_at: Some(at(-70)), ..named("idle") };
    let idle = Client { origin: ClientOrigin::Registered, ..idle };
    let all = vec![stale, idle, used, fresh];
    let unused = ClientSelection { unused_since: Some(at(-50)), ..ClientSelection::default() };
    let registered = ClientOrigin::Registered;
    for (selection, expected) in [
        (ClientSelection::default(), &["stale", "idle", "used", "fresh"][..]),
        (unused, &["stale", "idle"]),
        (ClientSelection { origin: Some(registered), ..ClientSelection::default() }, &["idle"]),
        (ClientSelection { origin: Some(ClientOrigin::Operator), ..unused }, &["stale"]),
    ] {
        let mut world = World::new();
        let all = all.clone();
        world.clients.expect_list().times(1).return_once(|| Ok(all));
        let stage = world.open();
        let listed = stage.use_cases.client_administration.list(&selection).await.unwrap();
        let ids: Vec<_> = listed.iter().map(|client| client.id.as_str()).collect();
        assert_eq!(ids, expected, "{selection:?}");
    }
}

#[tokio::test]
async fn a_new_secret_takes_the_place_of_the_old_one_and_changes_nothing_else() {
    let mut world = World::new().with_client(confidential_client());
    let (kept, stored) = std::sync::mpsc::channel();
    let replace = world.clients.expect_replace().times(1);
    replace.return_once(move |client| {
        kept.send(client.clone()).unwrap();
        Ok(true)
    });
    let stage = world.open();
    let secret = stage.use_cases.client_administration.replace_secret(&client().id).await.unwrap();
    let changed = stored.recv().unwrap();
    let ClientCredential::Secret { sent_by, hash } = &changed.credential else { panic!() };
    assert!(hash.matches(&secret) && *sent_by == SecretTransport::Basic);
    let credential = confidential_client().credential;
    assert_ne!(changed.credential, credential);
    assert_eq!(Client { credential, ..changed }, confidential_client());
    let event = stage.only_event();
    assert_eq!(event.decision, Decision::ClientSecretReplacedByOperator);
    assert_eq!(event.client, Some(client().id));
    assert!(!format!("{event:?}").contains(secret.expose()));
}

#[tokio::test]
async fn a_client_without_a_secret_is_given_none() {
    let stage = World::new().with_client(client()).open();
    let replaced = stage.use_cases.client_administration.replace_secret(&client().id).await;
    let error = replaced.unwrap_err();
    assert!(matches!(error, ChangeClientError::NoSecret("none")), "{error}");
    assert!(stage.audited().is_empty());
}

#[tokio::test]
async fn a_client_ends_after_its_grants_and_what_it_was_allowed() {
    let mut world = World::new().with_client(client());
    let mut order = Sequence::new();
    let of_client = GrantSelection { client: Some(client().id), ..GrantSelection::default() };
    let meant = of_client.clone();
    let revoke = world.directory.expect_revoke_all().times(1).in_sequence(&mut order);
    revoke.withf(move |asked, now| *asked == meant && *now == at(0)).return_once(|_, _| Ok(3));
    let forget = world.consents.expect_forget_consents().times(1).in_sequence(&mut order);
    forget.withf(move |asked| *asked == of_client).return_once(|_| Ok(1));
    let delete = world.clients.expect_delete().times(1).in_sequence(&mut order);
    delete.withf(|id| *id == client().id).return_once(|_| Ok(true));
    let stage = world.open();
    assert_eq!(stage.use_cases.client_administration.delete(&client().id).await.unwrap(), 3);
    let event = stage.only_event();
    assert_eq!(event.decision, Decision::ClientDeletedByOperator { grants: 3 });
    assert_eq!(event.client, Some(client().id));
}

#[tokio::test]
async fn a_client_whose_grants_could_not_be_ended_stays() {
    let mut world = World::new().with_client(client());
    world.directory.expect_revoke_all().times(1).return_once(|_, _| Err(store_unavailable()));
    let stage = world.open();
    let deleted = stage.use_cases.client_administration.delete(&client().id).await;
    assert!(matches!(deleted.unwrap_err(), ChangeClientError::Unavailable(_)));
    assert!(stage.audited().is_empty());
}

#[tokio::test]
async fn a_client_that_there_is_not_is_neither_changed_nor_ended() {
    for is_deletion in [true, false] {
        let mut world = World::new();
        world.clients.expect_find().times(1).return_once(|_| Ok(None));
        let stage = world.open();
        let administration = &stage.use_cases.client_administration;
        let id = client().id;
        let error = match is_deletion {
            true => administration.delete(&id).await.unwrap_err(),
            false => administration.replace_secret(&id).await.unwrap_err(),
        };
        assert!(matches!(error, ChangeClientError::Unknown), "{error}");
        assert!(stage.audited().is_empty());
    }
}

#[tokio::test]
async fn the_client_of_the_documentation_page_can_not_be_ended() {
    let docs = Client { id: ClientId::new("docs"), ..client() };
    let stage = World::new().with_client(docs.clone()).open();
    let error = stage.use_cases.client_administration.delete(&docs.id).await.unwrap_err();
    assert!(matches!(error, ChangeClientError::Own), "{error}");
}

#[tokio::test]
async fn ci_13_keys_that_this_server_may_not_fetch_are_refused() {
    let members = json!({ "jwks_uri": "https://keys.example/jwks" });
    let keys = ClientKeys::from_metadata(members.as_object().unwrap()).unwrap();
    let signing = NewClient { credential: NewCredential::Keys(keys), ..machine() };
    assert!(matches!(stored(signing.clone()).await.credential, ClientCredential::Keys(_)));
    let mut world = World::new();
    world.policy.client_documents = ClientDocumentPolicy::Off;
    let stage = world.open();
    let refused = stage.use_cases.client_administration.add(signing).await.unwrap_err();
    assert!(matches!(refused, AddClientError::KeysOutOfReach(host) if host == "keys.example"));
    assert_eq!(stage.audited(), []);
}
