//! Looking after the signing keys: what was changed is recorded, and what was not is not.

use mcp_oauth_core::domain::audit::Decision;
use mcp_oauth_core::port::{JwkSet, RotationManner};

use crate::samples::keys_unavailable;
use crate::world::World;

#[tokio::test]
async fn co_05_a_rotation_is_recorded_as_the_operators_with_the_new_key_and_its_manner() {
    let key_id = "key-2".to_owned();
    for (manner, expected) in [
        (RotationManner::Overlapping, Decision::KeyRotatedByOperator { key_id: key_id.clone() }),
        (RotationManner::DiscardingOld, Decision::KeysDiscardedByOperator { key_id }),
    ] {
        let mut world = World::new();
        let rotate = world.keys.expect_rotate().times(1).withf(move |asked| *asked == manner);
        rotate.return_once(|_| Ok("key-2".to_owned()));
        let stage = world.open();
        assert_eq!(stage.use_cases.keys.rotate(manner).await.unwrap(), "key-2");
        assert_eq!(stage.only_event().decision, expected);
    }
}

#[tokio::test]
async fn co_05_a_key_that_was_replaced_for_its_age_is_recorded_and_one_that_was_not_is_not() {
    for (made, recorded) in [(Some("new-key".to_owned()), &["key_rotated"][..]), (None, &[])] {
        let mut world = World::new();
        world.keys.expect_tend().times(1).return_once(|| Ok(made));
        let stage = world.open();
        stage.use_cases.keys.tend().await.unwrap();
        assert_eq!(stage.decisions(), recorded);
    }
}

#[tokio::test]
async fn a_rotation_that_failed_is_not_recorded_as_one() {
    let mut world = World::new();
    world.keys.expect_rotate().times(1).return_once(|_| Err(keys_unavailable()));
    world.keys.expect_tend().times(1).return_once(|| Err(keys_unavailable()));
    let stage = world.open();
    assert!(stage.use_cases.keys.rotate(RotationManner::Overlapping).await.is_err());
    assert!(stage.use_cases.keys.tend().await.is_err());
    assert_eq!(stage.audited(), []);
}

#[tokio::test]
async fn keys_that_can_not_be_published_are_recorded_as_unavailable() {
    let mut world = World::new();
    world.keys.expect_published().times(1).return_once(|| Ok(JwkSet { keys: Vec::new() }));
    world.keys.expect_published().times(1).return_once(|| Err(keys_unavailable()));
    let stage = world.open();
    stage.use_cases.keys.published().await.unwrap();
    assert_eq!(stage.audited(), []);
    assert!(stage.use_cases.keys.published().await.is_err());
    assert_eq!(stage.decisions(), ["keys_unavailable"]);
}
