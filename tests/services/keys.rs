//! Replacing the signing keys on behalf of the operator.

use mcp_oauth_core::domain::audit::Decision;
use mcp_oauth_core::port::RotationManner;

use crate::samples::keys_unavailable;
use crate::world::World;

#[tokio::test]
async fn a_rotation_is_recorded_as_the_operators_with_the_new_key_and_its_manner() {
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
async fn a_rotation_that_failed_is_not_recorded() {
    let mut world = World::new();
    world.keys.expect_rotate().times(1).return_once(|_| Err(keys_unavailable()));
    let stage = world.open();
    assert!(stage.use_cases.keys.rotate(RotationManner::Overlapping).await.is_err());
    assert!(stage.audited().is_empty());
}

#[tokio::test]
async fn a_key_replaced_for_its_age_is_not_the_operators_doing() {
    let mut world = World::new();
    world.keys.expect_tend().times(1).return_once(|| Ok(Some("key-2".to_owned())));
    let stage = world.open();
    stage.use_cases.keys.tend().await.unwrap();
    let expected = Decision::KeyRotated { key_id: "key-2".to_owned() };
    assert_eq!(stage.only_event().decision, expected);
}
