//! The contract of [`GrantStore`]: refresh tokens, their rotation and its grace.

use std::sync::Arc;

use mcp_oauth_core::domain::refresh::{RefreshRecord, Rotation};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{GrantStore, RotateError};

use crate::samples::{at, grant, refresh, refresh_hash, refreshable, rotated};
use crate::stores::{CALLERS, contract, race};

contract! {
    an_unknown_refresh_token_is_not_found,
    rf_04_a_rotated_token_is_found_with_its_rotation_and_its_successor_as_current,
    rf_04_a_token_is_rotated_once_and_later_calls_change_nothing,
    rf_04_of_concurrent_rotations_of_one_token_exactly_one_succeeds,
    rf_04_concurrent_rotations_of_different_tokens_all_succeed,
    rf_04_a_rotation_whose_successor_is_taken_leaves_the_token_current,
    an_unknown_token_is_gone_and_leaves_no_successor,
    a_rotation_touches_its_own_token_only,
    rf_03_grace_uses_are_counted_up_to_the_bound,
    rf_03_of_concurrent_grace_uses_at_most_the_bound_are_counted,
    rf_03_a_current_token_has_no_grace_uses,
    rf_03_an_unknown_token_has_no_grace_uses,
    rf_03_a_grace_use_needs_its_successor_to_be_current,
    rf_03_a_grace_use_needs_a_successor_that_exists,
    rf_03_a_grace_use_needs_a_successor_of_the_same_grant,
    rf_03_grace_uses_amid_the_successors_rotation_are_counted_as_reported,
    rf_03_a_rotation_starts_with_no_grace_uses,
}

async fn record(store: &dyn GrantStore, name: &str) -> Option<RefreshRecord> {
    store.find_refresh(&refresh_hash(name)).await.unwrap().map(|(token, _)| token)
}

/// When it was rotated and its grace uses.
pub(crate) async fn rotation(store: &dyn GrantStore, name: &str) -> Option<(Timestamp, u32)> {
    let token = record(store, name).await.unwrap();
    token.rotation.map(|rotation| (rotation.at, rotation.grace_uses))
}

async fn count(store: &dyn GrantStore, name: &str, successor: &str, most: u32) -> bool {
    store.count_grace_use(&refresh_hash(name), &refresh_hash(successor), most).await.unwrap()
}

async fn an_unknown_refresh_token_is_not_found(store: Arc<dyn GrantStore>) {
    refreshable(&*store, "g").await;
    assert_eq!(record(&*store, "other").await, None);
}

async fn rf_04_a_rotated_token_is_found_with_its_rotation_and_its_successor_as_current(
    store: Arc<dyn GrantStore>,
) {
    refreshable(&*store, "g").await;
    let successor = RefreshRecord {
        issued_at: at(7),
        expires_at: at(1007),
        salt: [9; 32],
        ..refresh("r2", "g")
    };
    store.rotate_if_current(&refresh_hash("g"), at(7), &successor).await.unwrap();
    let old = RefreshRecord {
        rotation: Some(Rotation { at: at(7), grace_uses: 0 }),
        ..refresh("g", "g")
    };
    let found = store.find_refresh(&refresh_hash("g")).await.unwrap();
    assert_eq!(found, Some((old, grant("g"))));
    let found = store.find_refresh(&refresh_hash("r2")).await.unwrap();
    assert_eq!(found, Some((successor, grant("g"))));
}

async fn rf_04_a_token_is_rotated_once_and_later_calls_change_nothing(store: Arc<dyn GrantStore>) {
    rotated(&*store, "g", "r2").await;
    assert!(count(&*store, "g", "r2", 5).await);
    let again = store.rotate_if_current(&refresh_hash("g"), at(9), &refresh("r3", "g")).await;
    assert!(matches!(again, Err(RotateError::NotCurrent)), "{again:?}");
    assert_eq!(rotation(&*store, "g").await, Some((at(2), 1)));
    assert_eq!(record(&*store, "r2").await, Some(refresh("r2", "g")));
    assert_eq!(record(&*store, "r3").await, None);
}

async fn rf_04_of_concurrent_rotations_of_one_token_exactly_one_succeeds(
    store: Arc<dyn GrantStore>,
) {
    refreshable(&*store, "g").await;
    let results = race(|number| {
        let store = Arc::clone(&store);
        let successor = refresh(&number.to_string(), "g");
        async move { store.rotate_if_current(&refresh_hash("g"), at(3), &successor).await }
    })
    .await;
    let refused = |result: &&Result<_, _>| matches!(result, Err(RotateError::NotCurrent));
    assert_eq!(results.iter().filter(refused).count(), CALLERS - 1, "{results:?}");
    for (number, result) in results.iter().enumerate() {
        assert_eq!(record(&*store, &number.to_string()).await.is_some(), result.is_ok());
    }
}

async fn rf_04_concurrent_rotations_of_different_tokens_all_succeed(store: Arc<dyn GrantStore>) {
    let results = race(|number| {
        let store = Arc::clone(&store);
        let name = number.to_string();
        async move { rotated(&*store, &name, &format!("{name} rotated")).await }
    })
    .await;
    for number in 0..results.len() {
        assert!(record(&*store, &format!("{number} rotated")).await.is_some());
    }
}

async fn rf_04_a_rotation_whose_successor_is_taken_leaves_the_token_current(
    store: Arc<dyn GrantStore>,
) {
    refreshable(&*store, "other").await;
    refreshable(&*store, "g").await;
    let taken = refresh("other", "g");
    let clash = store.rotate_if_current(&refresh_hash("g"), at(3), &taken).await;
    assert!(matches!(clash, Err(RotateError::Unavailable(_))), "{clash:?}");
    assert_eq!(record(&*store, "g").await, Some(refresh("g", "g")));
    assert_eq!(record(&*store, "other").await, Some(refresh("other", "other")));
    store.rotate_if_current(&refresh_hash("g"), at(3), &refresh("r2", "g")).await.unwrap();
}

async fn an_unknown_token_is_gone_and_leaves_no_successor(store: Arc<dyn GrantStore>) {
    refreshable(&*store, "g").await;
    let refusal = store.rotate_if_current(&refresh_hash("x"), at(3), &refresh("r2", "g")).await;
    assert!(matches!(refusal, Err(RotateError::Gone)), "{refusal:?}");
    assert_eq!(record(&*store, "r2").await, None);
}

async fn a_rotation_touches_its_own_token_only(store: Arc<dyn GrantStore>) {
    refreshable(&*store, "other").await;
    rotated(&*store, "g", "r2").await;
    assert!(count(&*store, "g", "r2", 5).await);
    assert_eq!(record(&*store, "other").await, Some(refresh("other", "other")));
    assert_eq!(record(&*store, "r2").await, Some(refresh("r2", "g")));
}

async fn rf_03_grace_uses_are_counted_up_to_the_bound(store: Arc<dyn GrantStore>) {
    rotated(&*store, "g", "r2").await;
    assert!(!count(&*store, "g", "r2", 0).await);
    assert!(count(&*store, "g", "r2", 2).await);
    assert!(count(&*store, "g", "r2", 2).await);
    assert!(!count(&*store, "g", "r2", 2).await);
    assert_eq!(rotation(&*store, "g").await, Some((at(2), 2)));
    assert!(count(&*store, "g", "r2", u32::MAX).await);
}

async fn rf_03_of_concurrent_grace_uses_at_most_the_bound_are_counted(store: Arc<dyn GrantStore>) {
    rotated(&*store, "g", "r2").await;
    let counted = race(|_| {
        let store = Arc::clone(&store);
        async move { count(&*store, "g", "r2", 5).await }
    })
    .await;
    assert_eq!(counted.into_iter().filter(|counted| *counted).count(), 5);
    assert_eq!(rotation(&*store, "g").await, Some((at(2), 5)));
}

async fn rf_03_a_current_token_has_no_grace_uses(store: Arc<dyn GrantStore>) {
    rotated(&*store, "g", "r2").await;
    assert!(!count(&*store, "r2", "r2", 5).await);
    assert_eq!(record(&*store, "r2").await, Some(refresh("r2", "g")));
}

async fn rf_03_an_unknown_token_has_no_grace_uses(store: Arc<dyn GrantStore>) {
    rotated(&*store, "g", "r2").await;
    assert!(!count(&*store, "x", "r2", 5).await);
}

async fn rf_03_a_grace_use_needs_its_successor_to_be_current(store: Arc<dyn GrantStore>) {
    rotated(&*store, "g", "r2").await;
    store.rotate_if_current(&refresh_hash("r2"), at(4), &refresh("r3", "g")).await.unwrap();
    assert!(!count(&*store, "g", "r2", 5).await);
    assert_eq!(rotation(&*store, "g").await, Some((at(2), 0)));
}

async fn rf_03_a_grace_use_needs_a_successor_that_exists(store: Arc<dyn GrantStore>) {
    rotated(&*store, "g", "r2").await;
    assert!(!count(&*store, "g", "x", 5).await);
    assert_eq!(rotation(&*store, "g").await, Some((at(2), 0)));
}

async fn rf_03_a_grace_use_needs_a_successor_of_the_same_grant(store: Arc<dyn GrantStore>) {
    refreshable(&*store, "other").await;
    rotated(&*store, "g", "r2").await;
    assert!(!count(&*store, "g", "other", 5).await);
    assert_eq!(rotation(&*store, "g").await, Some((at(2), 0)));
}

async fn rf_03_grace_uses_amid_the_successors_rotation_are_counted_as_reported(
    store: Arc<dyn GrantStore>,
) {
    rotated(&*store, "g", "r2").await;
    let counted = race(|number| {
        let store = Arc::clone(&store);
        async move {
            if number == CALLERS / 2 {
                let next = refresh("r3", "g");
                store.rotate_if_current(&refresh_hash("r2"), at(4), &next).await.unwrap();
                return 0;
            }
            u32::from(count(&*store, "g", "r2", 1000).await)
        }
    })
    .await;
    let reported = counted.into_iter().sum::<u32>();
    assert_eq!(rotation(&*store, "g").await, Some((at(2), reported)));
    assert!(!count(&*store, "g", "r2", 1000).await);
}

async fn rf_03_a_rotation_starts_with_no_grace_uses(store: Arc<dyn GrantStore>) {
    rotated(&*store, "g", "r2").await;
    assert!(count(&*store, "g", "r2", 5).await);
    store.rotate_if_current(&refresh_hash("r2"), at(4), &refresh("r3", "g")).await.unwrap();
    assert_eq!(rotation(&*store, "r2").await, Some((at(4), 0)));
    assert!(count(&*store, "r2", "r3", 1).await);
    assert_eq!(rotation(&*store, "g").await, Some((at(2), 1)));
}
