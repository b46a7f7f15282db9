//! Looking after a registration: nobody without its token sees or changes anything, and it ends
//! after everything that hangs on it.

use mcp_oauth_core::domain::client::{Client, ClientOrigin};
use mcp_oauth_core::domain::grant::GrantSelection;
use mcp_oauth_core::domain::secret::RegistrationToken;
use mcp_oauth_core::service::manage_registration::ManagementError;
use mcp_oauth_core::service::refusal::Refusal;
use mockall::Sequence;
use serde_json::{Value, json};

use crate::samples::{CALLBACK, at, client, store_unavailable};
use crate::world::{Stage, World, row};

const TOKEN: &str = "registration-access-token";

/// A client that registered itself.
fn registered() -> Client {
    let registration_token = Some(RegistrationToken::presented(TOKEN).hash());
    Client { registration_token, origin: ClientOrigin::Registered, ..client() }
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn selection() -> GrantSelection {
    GrantSelection { client: Some(client().id), ..GrantSelection::default() }
}

async fn replace(stage: &Stage, token: &str, body: &Value) -> Result<(), ManagementError> {
    let manage = &stage.use_cases.manage_registration;
    let body = body.to_string();
    let replaced = manage.replace(&client().id, &[bearer(token).as_bytes()], body.as_bytes()).await;
    replaced.map(|_| ())
}

#[tokio::test]
async fn rg_11_with_another_token_nothing_is_shown_changed_or_ended() {
    let wrong = (401, "invalid_token", "management_wrong_token");
    let of_nobody = Client { registration_token: None, ..registered() };
    for (found, token) in [(registered(), "another"), (of_nobody, TOKEN)] {
        let open = || World::new().with_client(found.clone()).open();
        let header = bearer(token);
        let headers: [&[u8]; 1] = [header.as_bytes()];
        let stage = open();
        let error = stage.use_cases.manage_registration.read(&client().id, &headers).await;
        assert_eq!(row(Refusal::Management(&error.unwrap_err())), wrong);
        let stage = open();
        let error = stage.use_cases.manage_registration.delete(&client().id, &headers).await;
        assert_eq!(row(Refusal::Management(&error.unwrap_err())), wrong);
        let stage = open();
        let error = replace(&stage, token, &json!({ "client_id": "client-1" })).await;
        assert_eq!(row(Refusal::Management(&error.unwrap_err())), wrong);
        assert_eq!(stage.decisions(), ["management_wrong_token"]);
        assert_eq!(stage.only_event().client, Some(client().id));
    }
}

#[tokio::test]
async fn rg_11_without_a_token_no_client_is_looked_up() {
    let stage = World::new().open();
    let error = stage.use_cases.manage_registration.read(&client().id, &[]).await.unwrap_err();
    assert_eq!(row(Refusal::Management(&error)), (401, "", "registration_token_missing"));
}

#[tokio::test]
async fn rg_11_a_document_that_is_not_the_clients_stores_nothing() {
    let documents = [
        json!({ "redirect_uris": [CALLBACK] }),
        json!({ "redirect_uris": [CALLBACK], "client_id": "client-2" }),
        json!({ "redirect_uris": [CALLBACK], "client_id": "client-1", "client_secret": "x" }),
        json!({ "redirect_uris": [], "client_id": "client-1" }),
    ];
    for document in documents {
        let stage = World::new().with_client(registered()).open();
        let error = replace(&stage, TOKEN, &document).await.unwrap_err();
        assert_eq!(Refusal::Management(&error).row().status, 400, "{document}");
    }
}

#[tokio::test]
async fn rg_11_what_a_client_says_changes_nothing_of_what_others_said_of_it() {
    let mut world = World::new();
    let found = Client { last_used_at: Some(at(-5)), ..registered() };
    world.clients.expect_find().times(1).return_once(|_| Ok(Some(found)));
    let replace_once = world.clients.expect_replace().times(1).withf(|new| {
        let before = registered();
        (&new.id, new.origin, &new.registration_token)
            == (&before.id, before.origin, &before.registration_token)
            && !new.may_introspect
            && new.registered_at == before.registered_at
            && new.last_used_at == Some(at(-5))
            && new.metadata.client_name.as_deref() == Some("New")
    });
    replace_once.return_once(|_| Ok(true));
    let stage = world.open();
    let document = json!({
        "redirect_uris": [CALLBACK],
        "client_id": "client-1",
        "client_name": "New",
        "token_endpoint_auth_method": "none",
        "may_introspect": true,
    });
    replace(&stage, TOKEN, &document).await.unwrap();
    assert_eq!(stage.decisions(), ["client_changed"]);
}

#[tokio::test]
async fn a_client_that_went_meanwhile_is_not_stored_anew() {
    let mut world = World::new().with_client(registered());
    world.clients.expect_replace().times(1).return_once(|_| Ok(false));
    let stage = world.open();
    let document = json!({ "redirect_uris": [CALLBACK], "client_id": "client-1" });
    let error = replace(&stage, TOKEN, &document).await.unwrap_err();
    let expected = (401, "invalid_token", "management_wrong_token");
    assert_eq!(row(Refusal::Management(&error)), expected);
    assert_eq!(stage.decisions(), ["management_wrong_token"]);
}

#[tokio::test]
async fn rg_11_grants_and_consents_end_before_the_registration() {
    let mut world = World::new().with_client(registered());
    let mut order = Sequence::new();
    let revoke = world.directory.expect_revoke_all().times(1).in_sequence(&mut order);
    revoke.withf(|these, moment| *these == selection() && *moment == at(0));
    revoke.return_once(|_, _| Ok(3));
    let forget = world.consents.expect_forget_consents().times(1).in_sequence(&mut order);
    forget.withf(|these| *these == selection()).return_once(|_| Ok(1));
    let delete = world.clients.expect_delete().times(1).in_sequence(&mut order);
    delete.withf(|id| *id == client().id).return_once(|_| Ok(true));
    let stage = world.open();
    let header = bearer(TOKEN);
    let manage = &stage.use_cases.manage_registration;
    manage.delete(&client().id, &[header.as_bytes()]).await.unwrap();
    assert_eq!(stage.decisions(), ["client_deleted"]);
}

#[tokio::test]
async fn rg_11_while_its_grants_can_not_be_ended_the_registration_stays() {
    for consents_fail in [false, true] {
        let mut world = World::new().with_client(registered());
        let revoked = if consents_fail { Ok(0) } else { Err(store_unavailable()) };
        world.directory.expect_revoke_all().times(1).return_once(|_, _| revoked);
        let forget = world.consents.expect_forget_consents().times(usize::from(consents_fail));
        forget.returning(|_| Err(store_unavailable()));
        let stage = world.open();
        let header = bearer(TOKEN);
        let manage = &stage.use_cases.manage_registration;
        assert!(manage.delete(&client().id, &[header.as_bytes()]).await.is_err());
        assert_eq!(stage.decisions(), ["store_unavailable"]);
    }
}

#[tokio::test]
async fn ending_a_registration_that_went_meanwhile_is_recorded_as_nothing() {
    let mut world = World::new().with_client(registered());
    world.directory.expect_revoke_all().times(1).return_once(|_, _| Ok(0));
    world.consents.expect_forget_consents().times(1).return_once(|_| Ok(0));
    world.clients.expect_delete().times(1).return_once(|_| Ok(false));
    let stage = world.open();
    let header = bearer(TOKEN);
    let manage = &stage.use_cases.manage_registration;
    manage.delete(&client().id, &[header.as_bytes()]).await.unwrap();
    assert_eq!(stage.audited(), []);
}
