//! Refreshing: a refused token stays usable, racing refreshes share one lineage, a replay ends it.

use mcp_oauth_core::domain::refresh::RefreshRecord;
use mcp_oauth_core::port::RotateError;
use mockall::Sequence;

use crate::samples::{
    REFRESH_TOKEN, RESOURCE, SIGNED, alice, at, client, grant, grant_of_another_client,
    keys_unavailable, refresh, revoked_grant, rotated_refresh, scope, store_unavailable, successor,
};
use crate::world::{World, refused};

const UNAVAILABLE: (u16, &str, &str) = (503, "temporarily_unavailable", "store_unavailable");

/// The request of the rightful client, and whatever else.
fn form(more: &str) -> String {
    format!("client_id=client-1&grant_type=refresh_token&refresh_token={REFRESH_TOKEN}{more}")
}

/// A world with the client and its refresh token, where nothing is signed or changed.
fn with_refresh(record: RefreshRecord) -> World {
    World::new().with_client(client()).with_refresh(record, grant())
}

/// The store refuses to rotate the token, once.
fn losing(mut world: World, error: RotateError) -> World {
    world.grants.expect_rotate_if_current().times(1).return_once(|_, _, _| Err(error));
    world
}

/// A grace use is asked for once, with the limit of the policy, and counted or not.
fn grace(mut world: World, counted: bool) -> World {
    let count = world.grants.expect_count_grace_use().times(1).withf(|token, next, most| {
        *token == refresh().hash && *next == successor().hash() && *most == 2
    });
    count.return_once(move |_, _, _| Ok(counted));
    world
}

/// The grant is revoked, once.
fn revoking(mut world: World) -> World {
    let revoke = world.grants.expect_revoke().times(1);
    revoke.withf(|id, moment| *id == grant().id && *moment == at(0)).return_once(|_, _| Ok(()));
    world
}

#[tokio::test]
async fn rf_01_a_token_is_signed_before_the_rotation_and_the_client_touched_last() {
    let mut world = World::new().with_client(client());
    let mut order = Sequence::new();
    let find = world.grants.expect_find_refresh().times(1).in_sequence(&mut order);
    find.return_once(|_| Ok(Some((refresh(), grant()))));
    let sign = world.keys.expect_sign().times(1).in_sequence(&mut order);
    sign.return_once(|_| Ok(SIGNED.to_owned()));
    let rotate = world.grants.expect_rotate_if_current().times(1).in_sequence(&mut order);
    rotate
        .withf(|token, moment, next| {
            *token == refresh().hash && *moment == at(0) && next.hash == successor().hash()
        })
        .return_once(|_, _, _| Ok(()));
    let touch = world.clients.expect_touch().times(1).in_sequence(&mut order);
    touch.return_once(|_, _| Ok(()));
    let answer = world.open().token(&form("")).await.unwrap();
    assert_eq!(answer.refresh_token.unwrap().expose(), successor().expose());
}

#[tokio::test]
async fn rf_06_more_than_was_granted_is_refused_and_the_token_stays_usable() {
    let refusals = [
        ("&scope=mcp:tools+mcp:other", "invalid_scope", "refresh_wrong_scope"),
        ("&scope=%22", "invalid_scope", "refresh_wrong_scope"),
        ("&scope=+", "invalid_scope", "refresh_wrong_scope"),
        ("&resource=https://other.example", "invalid_target", "refresh_wrong_resource"),
        ("&resource=nonsense", "invalid_target", "refresh_wrong_resource"),
    ];
    for (more, code, audited) in refusals {
        let stage = with_refresh(refresh()).open();
        assert_eq!(refused(stage.token(&form(more)).await), (400, code, audited), "{more}");
        assert_eq!(stage.decisions(), [audited]);
    }
}

#[tokio::test]
async fn rf_05_rf_07_rf_08_a_token_that_is_no_longer_good_changes_nothing() {
    let over = RefreshRecord { expires_at: at(0), ..refresh() };
    let ended = [
        (refresh(), grant_of_another_client(), "refresh_other_client"),
        (refresh(), revoked_grant(), "refresh_revoked"),
        (over, grant(), "refresh_expired"),
    ];
    for (record, grant, audited) in ended {
        let stage = World::new().with_client(client()).with_refresh(record, grant).open();
        assert_eq!(refused(stage.token(&form("")).await), (400, "invalid_grant", audited));
        assert_eq!(stage.only_event().client, Some(client().id));
    }
}

#[tokio::test]
async fn rf_05_a_used_token_in_the_hands_of_another_client_revokes_nothing() {
    let world = World::new().with_client(client());
    let stage = world.with_refresh(rotated_refresh(60, 0), grant_of_another_client()).open();
    let answer = stage.token(&form("")).await;
    assert_eq!(refused(answer), (400, "invalid_grant", "refresh_other_client"));
}

#[tokio::test]
async fn an_unknown_token_changes_nothing() {
    let mut world = World::new().with_client(client());
    world.grants.expect_find_refresh().times(1).return_once(|_| Ok(None));
    let answer = world.open().token(&form("")).await;
    assert_eq!(refused(answer), (400, "invalid_grant", "refresh_unknown"));
}

#[tokio::test]
async fn rf_03_within_grace_the_same_successor_is_sent_again_and_the_use_counted() {
    let world = with_refresh(rotated_refresh(30, 1)).with_signing(1).with_touch();
    let stage = grace(world, true).open();
    let answer = stage.token(&form("")).await.unwrap();
    assert_eq!(answer.refresh_token.unwrap().expose(), successor().expose());
    assert_eq!(stage.decisions(), ["token_refreshed"]);
}

#[tokio::test]
async fn rf_02_after_the_grace_window_or_its_uses_a_replay_revokes_and_signs_nothing() {
    for record in [rotated_refresh(31, 0), rotated_refresh(1, 2)] {
        let stage = revoking(with_refresh(record)).open();
        let answer = stage.token(&form("")).await;
        assert_eq!(refused(answer), (400, "invalid_grant", "refresh_replayed"));
        assert_eq!(stage.decisions(), ["grant_replayed", "refresh_replayed"]);
    }
}

#[tokio::test]
async fn rf_02_a_use_within_grace_that_the_store_does_not_count_is_a_replay() {
    let world = with_refresh(rotated_refresh(1, 0)).with_signing(1);
    let stage = revoking(grace(world, false)).open();
    let answer = stage.token(&form("")).await;
    assert_eq!(refused(answer), (400, "invalid_grant", "refresh_replayed"));
}

#[tokio::test]
async fn rf_03_who_loses_the_race_gets_the_winners_successor() {
    let world = losing(with_refresh(refresh()), RotateError::NotCurrent);
    let stage = grace(world.with_signing(2).with_touch(), true).open();
    let answer = stage.token(&form("")).await.unwrap();
    assert_eq!(answer.refresh_token.unwrap().expose(), successor().expose());
    assert_eq!(stage.decisions(), ["token_refreshed"]);
}

#[tokio::test]
async fn rf_02_who_loses_the_race_too_often_ends_the_family() {
    let world = losing(with_refresh(refresh()), RotateError::NotCurrent);
    let stage = revoking(grace(world.with_signing(2), false)).open();
    let answer = stage.token(&form("")).await;
    assert_eq!(refused(answer), (400, "invalid_grant", "refresh_replayed"));
    assert_eq!(stage.decisions(), ["grant_replayed", "refresh_replayed"]);
}

#[tokio::test]
async fn co_05_a_replay_is_recorded_with_client_subject_grant_and_hashed_token() {
    let stage = revoking(with_refresh(rotated_refresh(60, 0))).open();
    stage.token(&form("")).await.unwrap_err();
    let replay = stage.audited().remove(0);
    assert_eq!((replay.client, replay.grant), (Some(client().id), Some(grant().id)));
    assert_eq!(replay.subject, Some(alice().subject));
    assert_eq!(replay.token.as_deref(), Some(refresh().hash.as_str()));
}

#[tokio::test]
async fn rf_07_a_grant_that_is_gone_meanwhile_gives_no_token_and_revokes_nothing() {
    let stage = losing(with_refresh(refresh()).with_signing(1), RotateError::Gone).open();
    let answer = stage.token(&form("")).await;
    assert_eq!(refused(answer), (400, "invalid_grant", "refresh_revoked"));
    assert_eq!(stage.decisions(), ["refresh_revoked"]);
}

#[tokio::test]
async fn a_store_that_fails_to_rotate_is_503_and_no_token_is_recorded_as_refreshed() {
    let error = RotateError::Unavailable(store_unavailable());
    let stage = losing(with_refresh(refresh()).with_signing(1), error).open();
    assert_eq!(refused(stage.token(&form("")).await), UNAVAILABLE);
    assert_eq!(stage.decisions(), ["store_unavailable"]);
}

#[tokio::test]
async fn a_store_that_fails_to_count_is_503_and_revokes_nothing() {
    let mut world = with_refresh(rotated_refresh(1, 0)).with_signing(1);
    let count = world.grants.expect_count_grace_use().times(1);
    count.return_once(|_, _, _| Err(store_unavailable()));
    let stage = world.open();
    assert_eq!(refused(stage.token(&form("")).await), UNAVAILABLE);
    assert_eq!(stage.decisions(), ["store_unavailable"]);
}

#[tokio::test]
async fn a_store_that_fails_to_find_the_token_is_503_and_never_invalid_grant() {
    let mut world = World::new().with_client(client());
    world.grants.expect_find_refresh().times(1).return_once(|_| Err(store_unavailable()));
    let stage = world.open();
    assert_eq!(refused(stage.token(&form("")).await), UNAVAILABLE);
    assert_eq!(stage.decisions(), ["store_unavailable"]);
}

#[tokio::test]
async fn a_replay_that_can_not_be_answered_by_revoking_is_503_and_not_recorded_as_answered() {
    let mut world = with_refresh(rotated_refresh(60, 0));
    world.grants.expect_revoke().times(1).return_once(|_, _| Err(store_unavailable()));
    let stage = world.open();
    assert_eq!(refused(stage.token(&form("")).await), UNAVAILABLE);
    assert_eq!(stage.decisions(), ["store_unavailable"]);
}

#[tokio::test]
async fn without_a_key_the_token_is_neither_rotated_nor_counted() {
    for record in [refresh(), rotated_refresh(1, 0)] {
        let mut world = with_refresh(record);
        world.keys.expect_sign().times(1).return_once(|_| Err(keys_unavailable()));
        let answer = world.open().token(&form("")).await;
        assert_eq!(refused(answer), (503, "temporarily_unavailable", "keys_unavailable"));
    }
}

#[tokio::test]
async fn a_token_once_refreshed_reaches_the_client_even_if_its_use_is_not_remembered() {
    let mut world = with_refresh(refresh()).with_signing(1);
    world.grants.expect_rotate_if_current().times(1).return_once(|_, _, _| Ok(()));
    world.clients.expect_touch().times(1).return_once(|_, _| Err(store_unavailable()));
    let stage = world.open();
    stage.token(&form("")).await.unwrap();
    assert_eq!(stage.decisions(), ["token_refreshed"]);
}

#[tokio::test]
async fn rf_06_less_scope_narrows_the_access_token_and_nothing_of_the_family() {
    let mut world = with_refresh(refresh()).with_touch();
    let sign = world.keys.expect_sign().times(1);
    let sign =
        sign.withf(|claims| claims.scope == scope("mcp:tools") && claims.audience == RESOURCE);
    sign.return_once(|_| Ok(SIGNED.to_owned()));
    let rotate = world.grants.expect_rotate_if_current().times(1);
    let rotate = rotate.withf(|_, _, next| next.grant == grant().id && next.rotation.is_none());
    rotate.return_once(|_, _, _| Ok(()));
    let answer = world.open().token(&form("&scope=mcp:tools+offline_access")).await.unwrap();
    assert_eq!(answer.access_token.scope, scope("mcp:tools"));
}

#[tokio::test]
async fn rf_08_no_successor_outlives_the_cap_of_its_grant() {
    let mut old = grant();
    old.granted_at = at(-4900);
    let world = World::new().with_client(client()).with_refresh(refresh(), old);
    let mut world = world.with_signing(1).with_touch();
    let rotate = world.grants.expect_rotate_if_current().times(1);
    rotate.withf(|_, _, next| next.expires_at == at(100)).return_once(|_, _, _| Ok(()));
    world.open().token(&form("")).await.unwrap();
}
