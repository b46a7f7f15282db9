//! The contract of [`GrantStore`]: revocation, alone and against everything else.

use std::sync::Arc;

use mcp_oauth_core::domain::grant::GrantId;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{GrantStore, RedeemError, RotateError};

use crate::grant_store::redeemed_at;
use crate::refresh_tokens::rotation;
use crate::samples::{at, begun, code_hash, grant, refresh, refresh_hash, refreshable, rotated};
use crate::stores::{contract, race};

contract! {
    rv_01_a_revoked_grant_says_when_it_ended,
    rv_01_a_second_revocation_keeps_the_first_moment,
    rv_01_of_concurrent_revocations_one_moment_stays,
    rv_01_revoking_an_unknown_grant_changes_nothing,
    rv_01_the_code_of_a_revoked_grant_is_gone,
    tk_08_the_redeemed_code_of_a_revoked_grant_is_gone,
    rv_01_the_refresh_token_of_a_revoked_grant_is_gone,
    rf_02_the_rotated_token_of_a_revoked_grant_is_gone,
    rf_02_a_rotated_token_of_a_revoked_grant_has_no_grace_uses,
    tk_08_a_redemption_and_a_revocation_at_once_leave_a_revoked_grant,
    rf_02_a_rotation_and_a_revocation_at_once_leave_a_revoked_grant,
}

async fn revoke(store: &dyn GrantStore, name: &str, moment: i64) {
    store.revoke(&GrantId::new(name), at(moment)).await.unwrap();
}

async fn revoked_at(store: &dyn GrantStore, name: &str) -> Option<Timestamp> {
    store.find_code(&code_hash(name)).await.unwrap().unwrap().1.revoked_at
}

async fn has_refresh(store: &dyn GrantStore, name: &str) -> bool {
    store.find_refresh(&refresh_hash(name)).await.unwrap().is_some()
}

async fn rv_01_a_revoked_grant_says_when_it_ended(store: Arc<dyn GrantStore>) {
    refreshable(&*store, "g").await;
    begun(&*store, "other").await;
    revoke(&*store, "g", 8).await;
    assert_eq!(revoked_at(&*store, "g").await, Some(at(8)));
    let (_, grant) = store.find_refresh(&refresh_hash("g")).await.unwrap().unwrap();
    assert_eq!(grant.revoked_at, Some(at(8)));
    assert_eq!(revoked_at(&*store, "other").await, None);
}

async fn rv_01_a_second_revocation_keeps_the_first_moment(store: Arc<dyn GrantStore>) {
    begun(&*store, "g").await;
    revoke(&*store, "g", 8).await;
    revoke(&*store, "g", 9).await;
    revoke(&*store, "g", 7).await;
    assert_eq!(revoked_at(&*store, "g").await, Some(at(8)));
}

async fn rv_01_of_concurrent_revocations_one_moment_stays(store: Arc<dyn GrantStore>) {
    begun(&*store, "g").await;
    let seen = race(|number| {
        let store = Arc::clone(&store);
        let moment = i64::try_from(number).unwrap();
        async move {
            revoke(&*store, "g", moment).await;
            revoked_at(&*store, "g").await
        }
    })
    .await;
    let stayed = revoked_at(&*store, "g").await;
    assert!(stayed.is_some());
    assert!(seen.iter().all(|seen| *seen == stayed), "{seen:?}");
}

async fn rv_01_revoking_an_unknown_grant_changes_nothing(store: Arc<dyn GrantStore>) {
    begun(&*store, "g").await;
    revoke(&*store, "unknown", 8).await;
    assert_eq!(revoked_at(&*store, "g").await, None);
    store.begin(&grant("unknown"), &crate::samples::code("unknown")).await.unwrap();
    assert_eq!(revoked_at(&*store, "unknown").await, None);
}

async fn rv_01_the_code_of_a_revoked_grant_is_gone(store: Arc<dyn GrantStore>) {
    begun(&*store, "g").await;
    revoke(&*store, "g", 8).await;
    let refusal = store.redeem_code_once(&code_hash("g"), at(9), Some(refresh("r", "g"))).await;
    assert!(matches!(refusal, Err(RedeemError::Gone)), "{refusal:?}");
    assert_eq!(redeemed_at(&*store, "g").await, None);
    assert!(!has_refresh(&*store, "r").await);
}

async fn tk_08_the_redeemed_code_of_a_revoked_grant_is_gone(store: Arc<dyn GrantStore>) {
    refreshable(&*store, "g").await;
    revoke(&*store, "g", 8).await;
    let refusal = store.redeem_code_once(&code_hash("g"), at(9), Some(refresh("r", "g"))).await;
    assert!(matches!(refusal, Err(RedeemError::Gone)), "{refusal:?}");
    assert_eq!(redeemed_at(&*store, "g").await, Some(at(1)));
    assert!(!has_refresh(&*store, "r").await);
}

async fn rv_01_the_refresh_token_of_a_revoked_grant_is_gone(store: Arc<dyn GrantStore>) {
    refreshable(&*store, "g").await;
    revoke(&*store, "g", 8).await;
    let refusal = store.rotate_if_current(&refresh_hash("g"), at(9), &refresh("r2", "g")).await;
    assert!(matches!(refusal, Err(RotateError::Gone)), "{refusal:?}");
    assert_eq!(rotation(&*store, "g").await, None);
    assert!(!has_refresh(&*store, "r2").await);
}

async fn rf_02_the_rotated_token_of_a_revoked_grant_is_gone(store: Arc<dyn GrantStore>) {
    rotated(&*store, "g", "r2").await;
    revoke(&*store, "g", 8).await;
    let refusal = store.rotate_if_current(&refresh_hash("g"), at(9), &refresh("r3", "g")).await;
    assert!(matches!(refusal, Err(RotateError::Gone)), "{refusal:?}");
    assert_eq!(rotation(&*store, "g").await, Some((at(2), 0)));
}

async fn rf_02_a_rotated_token_of_a_revoked_grant_has_no_grace_uses(store: Arc<dyn GrantStore>) {
    rotated(&*store, "g", "r2").await;
    revoke(&*store, "g", 8).await;
    let counted = store.count_grace_use(&refresh_hash("g"), &refresh_hash("r2"), 5).await.unwrap();
    assert!(!counted);
    assert_eq!(rotation(&*store, "g").await, Some((at(2), 0)));
}

async fn tk_08_a_redemption_and_a_revocation_at_once_leave_a_revoked_grant(
    store: Arc<dyn GrantStore>,
) {
    for round in ["a", "b", "c", "d"] {
        begun(&*store, round).await;
        let won = race_with_revocation(&store, round, redeems).await;
        assert_eq!(won, usize::from(redeemed_at(&*store, round).await.is_some()));
    }
}

async fn rf_02_a_rotation_and_a_revocation_at_once_leave_a_revoked_grant(
    store: Arc<dyn GrantStore>,
) {
    for round in ["a", "b", "c", "d"] {
        refreshable(&*store, round).await;
        let won = race_with_revocation(&store, round, rotates).await;
        assert_eq!(won, usize::from(rotation(&*store, round).await.is_some()));
    }
}

/// Whether this call redeemed the code of the grant for a refresh token of that name.
async fn redeems(store: Arc<dyn GrantStore>, grant: &'static str, token: String) -> bool {
    let token = refresh(&token, grant);
    let result = store.redeem_code_once(&code_hash(grant), at(1), Some(token)).await;
    assert!(!matches!(result, Err(RedeemError::Unavailable(_))), "{result:?}");
    result.is_ok()
}

/// Whether this call rotated the refresh token of the grant to a successor of that name.
async fn rotates(store: Arc<dyn GrantStore>, grant: &'static str, successor: String) -> bool {
    let successor = refresh(&successor, grant);
    let result = store.rotate_if_current(&refresh_hash(grant), at(3), &successor).await;
    assert!(!matches!(result, Err(RotateError::Unavailable(_))), "{result:?}");
    result.is_ok()
}

/// Lets every fourth caller revoke the grant and the others `attempt` something new with it.
/// Returns how many attempts succeeded, and only those may have stored their refresh token.
async fn race_with_revocation<F>(
    store: &Arc<dyn GrantStore>,
    grant: &'static str,
    attempt: impl Fn(Arc<dyn GrantStore>, &'static str, String) -> F,
) -> usize
where
    F: Future<Output = bool> + Send + 'static,
{
    let token = |number| format!("{grant} {number}");
    let successes = race(|number| {
        let (store, attempt) =
            (Arc::clone(store), attempt(Arc::clone(store), grant, token(number)));
        async move {
            if number % 4 > 0 {
                return attempt.await;
            }
            revoke(&*store, grant, 8).await;
            false
        }
    })
    .await;
    assert_eq!(revoked_at(&**store, grant).await, Some(at(8)));
    for (number, succeeded) in successes.iter().enumerate() {
        assert_eq!(has_refresh(&**store, &token(number)).await, *succeeded);
    }
    successes.into_iter().filter(|succeeded| *succeeded).count()
}
