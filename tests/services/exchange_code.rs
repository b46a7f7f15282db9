//! Redeeming a code: every refusal before the one change, and a token in hand before it.

use std::time::Duration;

use mcp_oauth_core::domain::grant::CodeRecord;
use mcp_oauth_core::domain::refresh::RefreshRecord;
use mcp_oauth_core::port::RedeemError;
use mockall::Sequence;

use crate::samples::{
    BASE, CALLBACK, CODE, RESOURCE, SIGNED, VERIFIER, alice, at, client, client_without_refresh,
    code, grant, grant_of_another_client, keys_unavailable, redeemed_code, revoked_grant, scope,
    store_unavailable,
};
use crate::world::{World, refused};

const UNAVAILABLE: (u16, &str, &str) = (503, "temporarily_unavailable", "store_unavailable");

/// The request of the rightful client, and whatever else.
fn form(more: &str) -> String {
    let right = format!("client_id=client-1&code={CODE}&code_verifier={VERIFIER}");
    format!("{right}&grant_type=authorization_code{more}")
}

/// A world with the client and its code, where nothing is signed or changed.
fn with_code(record: CodeRecord) -> World {
    World::new().with_client(client()).with_code(record, grant())
}

/// A world that signs a token, and whose store then refuses to redeem the code.
fn losing(error: RedeemError) -> World {
    let mut world = with_code(code()).with_signing(1);
    world.grants.expect_redeem_code_once().times(1).return_once(|_, _, _| Err(error));
    world
}

/// The grant is revoked, once.
fn revoking(mut world: World) -> World {
    let revoke = world.grants.expect_revoke().times(1);
    revoke.withf(|id, moment| *id == grant().id && *moment == at(0)).return_once(|_, _| Ok(()));
    world
}

#[tokio::test]
async fn tk_08_a_token_is_signed_before_its_code_is_redeemed_and_the_client_touched_last() {
    let mut world = World::new().with_client(client());
    let mut order = Sequence::new();
    let find = world.grants.expect_find_code().times(1).in_sequence(&mut order);
    find.return_once(|_| Ok(Some((code(), grant()))));
    let sign = world.keys.expect_sign().times(1).in_sequence(&mut order);
    sign.return_once(|_| Ok(SIGNED.to_owned()));
    let redeem = world.grants.expect_redeem_code_once().times(1).in_sequence(&mut order);
    redeem
        .withf(|hash, moment, _| *hash == code().hash && *moment == at(0))
        .return_once(|_, _, _| Ok(()));
    let touch = world.clients.expect_touch().times(1).in_sequence(&mut order);
    touch.return_once(|_, _| Ok(()));
    let answer = world.open().token(&form("")).await.unwrap();
    assert_eq!(answer.access_token.expose(), SIGNED);
    assert_eq!(answer.access_token.expires_in, Duration::from_secs(3600));
}

#[tokio::test]
async fn tk_06_tk_09_tk_18_a_refused_exchange_signs_nothing_and_changes_nothing() {
    let refusals = [
        ("&redirect_uri=https://evil.example/", "invalid_grant", "code_wrong_redirect_uri"),
        ("&resource=https://other.example", "invalid_target", "code_wrong_resource"),
        ("&resource=https://mcp.example.com", "invalid_target", "code_wrong_resource"),
        ("&resource=nonsense", "invalid_target", "code_wrong_resource"),
    ];
    for (more, oauth_code, audited) in refusals {
        let stage = with_code(code()).open();
        assert_eq!(refused(stage.token(&form(more)).await), (400, oauth_code, audited), "{more}");
        assert_eq!(stage.decisions(), [audited]);
        assert_eq!(stage.only_event().client, Some(client().id));
    }
}

#[tokio::test]
async fn tk_06_without_a_verifier_or_a_code_nothing_is_looked_up() {
    for missing in ["code", "code_verifier"] {
        let stage = World::new().with_client(client()).open();
        let form = form("").replace(&format!("&{missing}="), "&other=");
        let answer = stage.token(&form).await;
        assert_eq!(refused(answer), (400, "invalid_request", "token_parameters"), "{missing}");
    }
}

#[tokio::test]
async fn tk_06_a_wrong_verifier_signs_nothing_and_changes_nothing() {
    for wrong in ["a".repeat(43), "short".to_owned(), "a".repeat(129)] {
        let stage = with_code(code()).open();
        let answer = stage.token(&form("").replace(VERIFIER, &wrong)).await;
        assert_eq!(refused(answer), (400, "invalid_grant", "code_wrong_verifier"), "{wrong}");
    }
}

#[tokio::test]
async fn tk_05_a_code_that_is_over_or_whose_grant_is_revoked_signs_nothing() {
    let over = CodeRecord { expires_at: at(0), ..code() };
    let ended = [(over, grant(), "code_expired"), (code(), revoked_grant(), "code_revoked")];
    for (record, grant, audited) in ended {
        let stage = World::new().with_client(client()).with_code(record, grant).open();
        assert_eq!(refused(stage.token(&form("")).await), (400, "invalid_grant", audited));
    }
}

#[tokio::test]
async fn an_unknown_code_signs_nothing() {
    let mut world = World::new().with_client(client());
    world.grants.expect_find_code().times(1).return_once(|_| Ok(None));
    let answer = world.open().token(&form("")).await;
    assert_eq!(refused(answer), (400, "invalid_grant", "code_unknown"));
}

#[tokio::test]
async fn tk_08_tk_10_a_used_code_that_is_wrongly_presented_revokes_nothing() {
    let another = World::new().with_client(client());
    let another = another.with_code(redeemed_code(), grant_of_another_client()).open();
    let answer = another.token(&form("")).await;
    assert_eq!(refused(answer), (400, "invalid_grant", "code_other_client"));
    let guessed = with_code(redeemed_code()).open();
    let answer = guessed.token(&form("").replace(VERIFIER, &"a".repeat(43))).await;
    assert_eq!(refused(answer), (400, "invalid_grant", "code_wrong_verifier"));
}

#[tokio::test]
async fn tk_08_a_replayed_code_revokes_its_grant_and_signs_nothing() {
    let stage = revoking(with_code(redeemed_code())).open();
    let answer = stage.token(&form("")).await;
    assert_eq!(refused(answer), (400, "invalid_grant", "code_replayed"));
    assert_eq!(stage.decisions(), ["grant_replayed", "code_replayed"]);
    let replay = stage.audited().remove(0);
    assert_eq!((replay.client, replay.grant), (Some(client().id), Some(grant().id)));
    assert_eq!(replay.subject, Some(alice().subject));
    assert_eq!(replay.token.as_deref(), Some(code().hash.as_str()));
}

#[tokio::test]
async fn tk_08_who_loses_the_race_for_a_code_revokes_its_grant_and_gets_no_token() {
    let stage = revoking(losing(RedeemError::AlreadyRedeemed)).open();
    let answer = stage.token(&form("")).await;
    assert_eq!(refused(answer), (400, "invalid_grant", "code_replayed"));
    assert_eq!(stage.decisions(), ["grant_replayed", "code_replayed"]);
}

#[tokio::test]
async fn a_grant_that_is_gone_meanwhile_gives_no_token_and_revokes_nothing() {
    let stage = losing(RedeemError::Gone).open();
    let answer = stage.token(&form("")).await;
    assert_eq!(refused(answer), (400, "invalid_grant", "code_revoked"));
    assert_eq!(stage.decisions(), ["code_revoked"]);
}

#[tokio::test]
async fn a_store_that_fails_to_redeem_is_503_and_no_token_is_recorded_as_issued() {
    let stage = losing(RedeemError::Unavailable(store_unavailable())).open();
    assert_eq!(refused(stage.token(&form("")).await), UNAVAILABLE);
    assert_eq!(stage.decisions(), ["store_unavailable"]);
}

#[tokio::test]
async fn a_store_that_fails_to_find_the_code_is_503_and_never_invalid_grant() {
    let mut world = World::new().with_client(client());
    world.grants.expect_find_code().times(1).return_once(|_| Err(store_unavailable()));
    let stage = world.open();
    assert_eq!(refused(stage.token(&form("")).await), UNAVAILABLE);
    assert_eq!(stage.decisions(), ["store_unavailable"]);
}

#[tokio::test]
async fn a_replay_that_can_not_be_answered_by_revoking_is_503_and_not_recorded_as_answered() {
    let mut world = with_code(redeemed_code());
    world.grants.expect_revoke().times(1).return_once(|_, _| Err(store_unavailable()));
    let stage = world.open();
    assert_eq!(refused(stage.token(&form("")).await), UNAVAILABLE);
    assert_eq!(stage.decisions(), ["store_unavailable"]);
}

#[tokio::test]
async fn without_a_key_the_code_stays_good() {
    let mut world = with_code(code());
    world.keys.expect_sign().times(1).return_once(|_| Err(keys_unavailable()));
    let stage = world.open();
    let answer = stage.token(&form("")).await;
    assert_eq!(refused(answer), (503, "temporarily_unavailable", "keys_unavailable"));
    assert_eq!(stage.decisions(), ["keys_unavailable"]);
}

#[tokio::test]
async fn a_token_once_issued_reaches_the_client_even_if_its_use_is_not_remembered() {
    let mut world = with_code(code()).with_signing(1);
    world.grants.expect_redeem_code_once().times(1).return_once(|_, _, _| Ok(()));
    world.clients.expect_touch().times(1).return_once(|_, _| Err(store_unavailable()));
    let stage = world.open();
    assert_eq!(stage.token(&form("")).await.unwrap().access_token.expose(), SIGNED);
    assert_eq!(stage.decisions(), ["token_issued"]);
}

#[tokio::test]
async fn tk_19_tk_22_the_token_says_what_was_granted_and_by_whom() {
    let mut world = with_code(code()).with_touch();
    world.grants.expect_redeem_code_once().times(1).return_once(|_, _, _| Ok(()));
    let sign = world.keys.expect_sign().times(1).withf(|claims| {
        assert_eq!((claims.issuer.as_str(), claims.audience.as_str()), (BASE, RESOURCE));
        assert_eq!((&claims.person, &claims.client), (&alice(), &client().id));
        assert_eq!(claims.scope, scope("mcp:admin mcp:tools"));
        assert_eq!((claims.issued_at, claims.expires_at), (at(0), at(3600)));
        true
    });
    sign.return_once(|_| Ok(SIGNED.to_owned()));
    let stage = world.open();
    let more = format!("&redirect_uri={CALLBACK}&resource={RESOURCE}");
    stage.token(&form(&more)).await.unwrap();
}

#[tokio::test]
async fn rf_10_the_first_refresh_token_is_stored_as_a_hash_together_with_the_redemption() {
    let mut world = with_code(code()).with_signing(1).with_touch();
    let (kept, stored) = std::sync::mpsc::channel::<Option<RefreshRecord>>();
    let redeem = world.grants.expect_redeem_code_once().times(1);
    redeem.return_once(move |_, _, record| kept.send(record).map_err(|_| unreachable!()));
    let stage = world.open();
    let token = stage.token(&form("")).await.unwrap().refresh_token.unwrap();
    let record = stored.recv().unwrap().unwrap();
    assert_eq!((record.hash, record.grant), (token.hash(), grant().id));
    assert_eq!((record.expires_at, record.rotation), (at(1000), None));
    assert!(!format!("{:?}", stage.audited()).contains(token.expose()));
}

#[tokio::test]
async fn a_client_without_the_refresh_grant_gets_no_refresh_token_and_none_is_stored() {
    let world = World::new().with_client(client_without_refresh()).with_code(code(), grant());
    let mut world = world.with_signing(1).with_touch();
    let redeem = world.grants.expect_redeem_code_once().times(1);
    redeem.withf(|_, _, record| record.is_none()).return_once(|_, _, _| Ok(()));
    let answer = world.open().token(&form("")).await.unwrap();
    assert!(answer.refresh_token.is_none());
}

#[tokio::test]
async fn co_05_an_issued_token_is_recorded_with_client_subject_grant_and_token_id() {
    let mut world = with_code(code()).with_signing(1).with_touch();
    world.grants.expect_redeem_code_once().times(1).return_once(|_, _, _| Ok(()));
    let stage = world.open();
    let answer = stage.token(&form("")).await.unwrap();
    let event = stage.only_event();
    assert_eq!(event.decision.name(), "token_issued");
    assert_eq!((event.client, event.subject), (Some(client().id), Some(alice().subject)));
    assert_eq!((event.grant, event.token), (Some(grant().id), Some(answer.access_token.token_id)));
}
