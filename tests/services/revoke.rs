//! Revoking a token: what ends, and above all what does not.

use mcp_oauth_core::domain::access_token::VerifyError;
use mcp_oauth_core::domain::client::ClientId;
use mcp_oauth_core::domain::principal::Principal;
use mcp_oauth_core::domain::refresh::RefreshRecord;
use mcp_oauth_core::service::refusal::Refusal;
use mcp_oauth_core::service::revoke::RevocationError;

use crate::samples::{
    CLIENT_SECRET, INSIDE, REFRESH_TOKEN, SIGNED, WAIT, alice, at, client, confidential_client,
    grant, grant_of_another_client, issued_token, refresh, revoked_grant, rotated_refresh,
    store_unavailable, unreachable,
};
use crate::tools::{caller, caller_of_grant};
use crate::world::{Stage, World, form, row};

const STORE: (u16, &str, &str) = (503, "temporarily_unavailable", "store_unavailable");

/// The client asks to revoke `token`, and whatever else.
async fn revoke(stage: &Stage, token: &str, more: &str) -> Result<(), RevocationError> {
    let form = form(&format!("client_id=client-1&token={token}{more}"));
    stage.use_cases.revoke.revoke(&[], &form).await
}

fn refused(answer: Result<(), RevocationError>) -> (u16, &'static str, &'static str) {
    row(Refusal::Revocation(&answer.expect_err("a refusal")))
}

/// A world in which [`SIGNED`] is no refresh token, and verified or not.
fn with_access_token(verified: Result<Principal, VerifyError>) -> World {
    let mut world = World::new().with_client(client()).with_verified(verified);
    world.grants.expect_find_refresh().times(1).return_once(|_| Ok(None));
    world
}

/// The grant is revoked, once.
fn revoking(mut world: World) -> World {
    let revoke = world.grants.expect_revoke().times(1);
    revoke.withf(|id, moment| *id == grant().id && *moment == at(0)).return_once(|_, _| Ok(()));
    world
}

/// The access token is revoked, once, until it would have ended.
fn revoking_token(mut world: World) -> World {
    let revoke = world.revocations.expect_revoke_token().times(1);
    revoke
        .withf(|token, until| *token == issued_token() && *until == at(100))
        .return_once(|_, _| Ok(()));
    world
}

#[tokio::test]
async fn rv_01_a_refresh_token_ends_its_grant_and_no_verifier_is_asked() {
    let over = RefreshRecord { expires_at: at(-1), ..refresh() };
    for record in [refresh(), rotated_refresh(500, 0), over] {
        let world = World::new().with_client(client()).with_refresh(record, grant());
        let stage = revoking(world).open();
        revoke(&stage, REFRESH_TOKEN, "").await.unwrap();
        let event = stage.only_event();
        assert_eq!(event.decision.name(), "grant_revoked");
        assert_eq!((event.client, event.subject), (Some(client().id), Some(alice().subject)));
        assert_eq!(event.grant, Some(grant().id));
        assert_eq!(event.token.as_deref(), Some(refresh().hash.as_str()));
    }
}

#[tokio::test]
async fn rv_01_a_grant_that_ended_already_is_left_alone() {
    let world = World::new().with_client(client()).with_refresh(refresh(), revoked_grant());
    let stage = world.open();
    revoke(&stage, REFRESH_TOKEN, "").await.unwrap();
    assert_eq!(stage.audited(), []);
}

#[tokio::test]
async fn rv_01_a_refresh_token_of_another_client_is_refused_and_goes_on() {
    let world = World::new().with_client(client());
    let stage = world.with_refresh(refresh(), grant_of_another_client()).open();
    let answer = revoke(&stage, REFRESH_TOKEN, "").await;
    assert_eq!(refused(answer), (400, "invalid_grant", "revocation_other_client"));
    let event = stage.only_event();
    assert_eq!((event.client, event.grant), (Some(client().id), None));
}

#[tokio::test]
async fn rv_01_an_access_token_ends_alone() {
    let world = with_access_token(Ok(caller_of_grant())).with_revocation(Ok(false));
    let stage = revoking_token(world).open();
    revoke(&stage, SIGNED, "").await.unwrap();
    let event = stage.only_event();
    assert_eq!(event.decision.name(), "token_revoked");
    assert_eq!((event.client, event.subject), (Some(client().id), Some(alice().subject)));
    assert_eq!((event.grant, event.token.as_deref()), (Some(grant().id), Some("jti-1")));
}

#[tokio::test]
async fn rv_01_an_access_token_that_ended_already_is_left_alone() {
    let stage = with_access_token(Ok(caller_of_grant())).with_revocation(Ok(true)).open();
    revoke(&stage, SIGNED, "").await.unwrap();
    assert_eq!(stage.audited(), []);
}

#[tokio::test]
async fn rv_01_an_access_token_of_another_client_is_refused_and_goes_on() {
    for holder in [Some(ClientId::new("client-2")), None] {
        let stage = with_access_token(Ok(Principal { client: holder, ..caller_of_grant() })).open();
        let answer = revoke(&stage, SIGNED, "").await;
        assert_eq!(refused(answer), (400, "invalid_grant", "revocation_other_client"));
        assert_eq!(stage.only_event().client, Some(client().id));
    }
}

#[tokio::test]
async fn rv_01_a_token_nobody_knows_or_that_expired_is_no_error() {
    let expired = VerifyError::Expired { expired_at: 1, now: 2 };
    for error in [
        expired,
        VerifyError::BadSignature,
        VerifyError::WrongType { received: None, expected: String::new() },
    ] {
        let stage = with_access_token(Err(error)).open();
        revoke(&stage, SIGNED, "").await.unwrap();
        assert_eq!(stage.audited(), []);
    }
}

#[tokio::test]
async fn rv_02_a_token_that_only_expires_is_not_said_to_be_revoked() {
    let stage = with_access_token(Ok(caller("mcp:tools"))).open();
    let answer = revoke(&stage, SIGNED, "").await;
    assert_eq!(refused(answer), (400, "unsupported_token_type", "revocation_without_grant"));
}

#[tokio::test]
async fn rv_02_whatever_the_hint_the_token_is_found() {
    for hint in ["access_token", "refresh_token", "saml2_assertion"] {
        let hint = format!("&token_type_hint={hint}");
        let world = World::new().with_client(client()).with_refresh(refresh(), grant());
        revoke(&revoking(world).open(), REFRESH_TOKEN, &hint).await.unwrap();
        let world = with_access_token(Ok(caller_of_grant())).with_revocation(Ok(false));
        revoke(&revoking_token(world).open(), SIGNED, &hint).await.unwrap();
    }
}

#[tokio::test]
async fn rv_01_without_one_token_nothing_is_looked_up() {
    for form in ["", "&token=", "&token=a&token=b", "&token=a&token_type_hint=b&token_type_hint=c"]
    {
        let stage = World::new().with_client(client()).open();
        let form = crate::world::form(&format!("client_id=client-1{form}"));
        let answer = stage.use_cases.revoke.revoke(&[], &form).await;
        assert_eq!(refused(answer), (400, "invalid_request", "revocation_parameters"));
        assert_eq!(stage.only_event().client, Some(client().id));
    }
}

#[tokio::test]
async fn rv_01_a_client_with_a_secret_has_to_prove_it_before_anything_is_looked_up() {
    for (secret, audited) in [("", "client_secret_missing"), ("x", "client_wrong_secret")] {
        let stage = World::new().with_client(confidential_client()).open();
        let answer = revoke(&stage, REFRESH_TOKEN, &format!("&client_secret={secret}")).await;
        assert_eq!(refused(answer), (401, "invalid_client", audited));
        assert_eq!(stage.only_event().client, Some(client().id));
    }
    let world = World::new().with_client(confidential_client()).with_refresh(refresh(), grant());
    let secret = format!("&client_secret={CLIENT_SECRET}");
    revoke(&revoking(world).open(), REFRESH_TOKEN, &secret).await.unwrap();
}

#[tokio::test]
async fn a_store_out_of_reach_is_503_and_nothing_is_said_to_be_revoked() {
    let mut unfound = World::new().with_client(client());
    unfound.grants.expect_find_refresh().times(1).return_once(|_| Err(store_unavailable()));
    let mut grant_kept = World::new().with_client(client()).with_refresh(refresh(), grant());
    grant_kept.grants.expect_revoke().times(1).return_once(|_, _| Err(store_unavailable()));
    let unasked =
        with_access_token(Ok(caller_of_grant())).with_revocation(Err(store_unavailable()));
    let mut token_kept = with_access_token(Ok(caller_of_grant())).with_revocation(Ok(false));
    let revoke_token = token_kept.revocations.expect_revoke_token().times(1);
    revoke_token.return_once(|_, _| Err(store_unavailable()));
    let worlds =
        [(unfound, SIGNED), (grant_kept, REFRESH_TOKEN), (unasked, SIGNED), (token_kept, SIGNED)];
    for (world, token) in worlds {
        let stage = world.open();
        assert_eq!(refused(revoke(&stage, token, "").await), STORE);
        assert_eq!(stage.decisions(), ["store_unavailable"]);
    }
}

#[tokio::test]
async fn an_unreachable_verifier_is_503_with_its_own_delay() {
    let stage = with_access_token(Err(unreachable())).open();
    let error = revoke(&stage, SIGNED, "").await.unwrap_err();
    let refusal = Refusal::Revocation(&error);
    assert_eq!(row(refusal), (503, "temporarily_unavailable", "verifier_unavailable"));
    assert_eq!(refusal.row().retry_after, Some(WAIT));
    assert!(!refusal.public_text().contains(INSIDE));
}
