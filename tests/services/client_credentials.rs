//! A token for a client that acts for itself: every refusal before anything is signed or stored.

use mcp_oauth_core::domain::client::{Client, GrantType};
use mcp_oauth_core::domain::grant::Grant;
use mcp_oauth_core::domain::person::{Person, Subject};
use mcp_oauth_core::port::SigningUnavailable;
use mockall::Sequence;

use crate::samples::{
    CLIENT_SECRET, SIGNED, at, client, confidential_client, grant, keys_unavailable, scope,
    store_unavailable,
};
use crate::world::{World, refused};

/// The client as the operator added it, with no scope but these.
fn machine(scopes: &str) -> Client {
    let mut client = confidential_client();
    client.metadata.grant_types = vec![GrantType::ClientCredentials];
    client.metadata.redirect_uris = Vec::new();
    client.metadata.scope = Some(scope(scopes));
    client
}

/// The request of the rightful client, and whatever else.
fn form(more: &str) -> String {
    let who = format!("client_id=client-1&client_secret={CLIENT_SECRET}");
    format!("{who}&grant_type=client_credentials{more}")
}

/// What is stored of a request of which everything is granted.
fn expected(scopes: &str, stored: &Grant) -> Grant {
    Grant {
        id: stored.id.clone(),
        person: Person::of_client(&client().id),
        scope: scope(scopes),
        granted_at: at(0),
        ..grant()
    }
}

/// A world in which the machine is given a token of these scopes.
fn granting(client: Client, scopes: &'static str) -> World {
    let mut world = World::new().with_client(client).with_signing(1).with_touch();
    let begin = world.directory.expect_begin_without_code().times(1);
    begin.withf(move |stored| *stored == expected(scopes, stored)).return_once(|_| Ok(()));
    world
}

#[tokio::test]
async fn ex_01_a_token_is_signed_before_its_grant_is_stored_and_there_is_no_refresh_token() {
    let mut world = World::new().with_client(machine("mcp:tools"));
    let mut order = Sequence::new();
    let sign = world.keys.expect_sign().times(1).in_sequence(&mut order);
    sign.return_once(|_| Ok(SIGNED.to_owned()));
    let begin = world.directory.expect_begin_without_code().times(1).in_sequence(&mut order);
    begin.return_once(|_| Ok(()));
    let touch = world.clients.expect_touch().times(1).in_sequence(&mut order);
    touch.return_once(|_, _| Ok(()));
    let stage = world.open();
    let answer = stage.token(&form("")).await.unwrap();
    assert_eq!(answer.access_token.expose(), SIGNED);
    assert!(answer.refresh_token.is_none());
    let event = stage.only_event();
    assert_eq!(event.decision.name(), "token_issued");
    assert_eq!(event.client, Some(client().id));
    assert!(event.grant.is_some() && event.token.is_some());
}

#[tokio::test]
async fn tk_23_the_token_is_about_the_client_and_about_no_person() {
    let mut world = World::new().with_client(machine("mcp:tools")).with_touch();
    let (told, signed) = std::sync::mpsc::channel();
    let sign = world.keys.expect_sign().times(1);
    sign.return_once(move |claims| {
        told.send(claims.clone()).map_err(|_| SigningUnavailable::new("gone"))?;
        Ok(SIGNED.to_owned())
    });
    let (kept, stored) = std::sync::mpsc::channel();
    let begin = world.directory.expect_begin_without_code().times(1);
    begin.return_once(move |grant| kept.send(grant.clone()).map_err(|_| store_unavailable()));
    let stage = world.open();
    stage.token(&form("")).await.unwrap();
    let (claims, grant) = (signed.recv().unwrap(), stored.recv().unwrap());
    assert_eq!(claims.person.subject, Subject::new("client:client-1"));
    assert_eq!((claims.person.name, claims.person.verified_email), (None, None));
    assert_eq!((claims.client, claims.grant), (client().id, Some(grant.id)));
    assert_eq!(stage.only_event().subject, Some(claims.person.subject));
}

#[tokio::test]
async fn ex_01_without_asking_a_client_gets_all_it_was_given_but_offline_access() {
    let given = granting(machine("mcp:tools mcp:admin offline_access"), "mcp:admin mcp:tools");
    let answer = given.open().token(&form("")).await.unwrap();
    assert_eq!(answer.access_token.scope, scope("mcp:admin mcp:tools"));
    let mut silent = machine("");
    silent.metadata.scope = None;
    granting(silent, "mcp:tools").open().token(&form("")).await.unwrap();
}

#[tokio::test]
async fn ex_01_a_client_may_ask_for_less_and_for_this_resource() {
    let more = "&scope=mcp:admin+offline_access&resource=https://mcp.example.com/mcp";
    let stage = granting(machine("mcp:tools mcp:admin"), "mcp:admin").open();
    let answer = stage.token(&form(more)).await.unwrap();
    assert_eq!(answer.access_token.scope, scope("mcp:admin"));
}

#[tokio::test]
async fn ex_01_a_refused_request_signs_nothing_and_stores_nothing() {
    let wrong_scope = ("invalid_scope", "client_credentials_wrong_scope");
    let wrong_resource = ("invalid_target", "client_credentials_wrong_resource");
    let repeated = ("invalid_request", "token_parameters");
    let refusals = [
        ("&scope=mcp:admin", wrong_scope),
        ("&scope=mcp:tools+mcp:admin", wrong_scope),
        ("&scope=offline_access", wrong_scope),
        ("&scope=%22", wrong_scope),
        ("&scope=mcp:tools&scope=mcp:tools", repeated),
        ("&resource=https://other.example/mcp", wrong_resource),
        ("&resource=nonsense", wrong_resource),
    ];
    for (more, (code, audited)) in refusals {
        let stage = World::new().with_client(machine("mcp:tools offline_access")).open();
        assert_eq!(refused(stage.token(&form(more)).await), (400, code, audited), "{more}");
        assert_eq!(stage.only_event().client, Some(client().id));
    }
}

#[tokio::test]
async fn ex_01_a_public_client_gets_nothing_for_itself_whatever_the_operator_says() {
    let public = Client { credential: client().credential, ..machine("mcp:tools") };
    let stage = World::new().with_client(public).open();
    let answer = stage.token("client_id=client-1&grant_type=client_credentials").await;
    assert_eq!(refused(answer), (400, "unauthorized_client", "client_credentials_public"));
    assert_eq!(stage.decisions(), ["client_credentials_public"]);
}

#[tokio::test]
async fn ex_01_tk_17_a_client_the_operator_did_not_give_the_grant_gets_nothing() {
    let mut client = confidential_client();
    client.metadata.grant_types = vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
    let stage = World::new().with_client(client).open();
    let answer = stage.token(&form("")).await;
    assert_eq!(refused(answer), (400, "unauthorized_client", "token_unauthorized_client"));
}

#[tokio::test]
async fn ex_01_a_client_that_does_not_prove_who_it_is_gets_nothing() {
    for (secret, audited) in [("", "client_secret_missing"), ("x", "client_wrong_secret")] {
        let stage = World::new().with_client(machine("mcp:tools")).open();
        let answer = stage.token(&form("").replace(CLIENT_SECRET, secret)).await;
        assert_eq!(refused(answer), (401, "invalid_client", audited));
    }
}

#[tokio::test]
async fn without_a_key_nothing_is_stored() {
    let mut world = World::new().with_client(machine("mcp:tools"));
    world.keys.expect_sign().times(1).return_once(|_| Err(keys_unavailable()));
    let answer = world.open().token(&form("")).await;
    assert_eq!(refused(answer), (503, "temporarily_unavailable", "keys_unavailable"));
}

#[tokio::test]
async fn a_token_whose_grant_is_not_stored_is_not_given() {
    let mut world = World::new().with_client(machine("mcp:tools")).with_signing(1);
    let begin = world.directory.expect_begin_without_code().times(1);
    begin.return_once(|_| Err(store_unavailable()));
    let stage = world.open();
    let answer = stage.token(&form("")).await;
    assert_eq!(refused(answer), (503, "temporarily_unavailable", "store_unavailable"));
    assert_eq!(stage.decisions(), ["store_unavailable"]);
}
