//! The contract of [`TokenRevocations`].

use std::sync::Arc;

use mcp_oauth_core::domain::access_token::IssuedToken;
use mcp_oauth_core::domain::grant::{Grant, GrantId, GrantSelection};
use mcp_oauth_core::port::TokenRevocations;

use crate::samples::{at, begun, grant, refreshable};
use crate::stores::{Store, contract, race};

contract! {
    rv_01_a_revoked_token_ends_alone,
    rv_01_a_token_may_be_revoked_again,
    rv_01_of_concurrent_revocations_of_a_token_all_succeed,
    tk_08_rf_02_the_tokens_of_a_revoked_grant_are_revoked,
    rv_01_the_tokens_of_every_grant_of_a_selection_are_revoked,
    the_token_of_a_grant_nobody_knows_is_revoked,
    a_revoked_token_is_kept_until_it_would_have_ended,
    the_tokens_of_a_forgotten_grant_are_revoked,
    of_concurrent_runs_each_revoked_token_is_counted_once,
}

/// A token of the grant of that name.
fn token(id: &str, grant: &str) -> IssuedToken {
    IssuedToken { token_id: id.to_owned(), grant: GrantId::new(grant) }
}

async fn is_revoked(store: &dyn TokenRevocations, id: &str, grant: &str) -> bool {
    store.is_revoked(&token(id, grant)).await.unwrap()
}

async fn rv_01_a_revoked_token_ends_alone(store: Arc<dyn Store>) {
    refreshable(&*store, "g").await;
    begun(&*store, "other").await;
    assert!(!is_revoked(&*store, "t", "g").await);
    store.revoke_token(&token("t", "g"), at(3600)).await.unwrap();
    assert!(is_revoked(&*store, "t", "g").await);
    assert!(!is_revoked(&*store, "T", "g").await);
    assert!(!is_revoked(&*store, "t2", "g").await);
    assert!(!is_revoked(&*store, "t2", "other").await);
    assert_eq!(store.find_grant(&GrantId::new("g")).await.unwrap(), Some(grant("g")));
}

async fn rv_01_a_token_may_be_revoked_again(store: Arc<dyn Store>) {
    begun(&*store, "g").await;
    for _ in 0..2 {
        store.revoke_token(&token("t", "g"), at(3600)).await.unwrap();
        assert!(is_revoked(&*store, "t", "g").await);
    }
}

async fn rv_01_of_concurrent_revocations_of_a_token_all_succeed(store: Arc<dyn Store>) {
    begun(&*store, "g").await;
    let seen = race(|_| {
        let store = Arc::clone(&store);
        async move {
            store.revoke_token(&token("t", "g"), at(3600)).await.unwrap();
            is_revoked(&*store, "t", "g").await
        }
    })
    .await;
    assert!(seen.iter().all(|seen| *seen), "{seen:?}");
    assert!(!is_revoked(&*store, "t2", "g").await);
}

async fn tk_08_rf_02_the_tokens_of_a_revoked_grant_are_revoked(store: Arc<dyn Store>) {
    refreshable(&*store, "g").await;
    begun(&*store, "other").await;
    store.revoke(&GrantId::new("g"), at(8)).await.unwrap();
    for id in ["t", "t2"] {
        assert!(is_revoked(&*store, id, "g").await);
        assert!(!is_revoked(&*store, id, "other").await);
    }
}

async fn rv_01_the_tokens_of_every_grant_of_a_selection_are_revoked(store: Arc<dyn Store>) {
    begun(&*store, "g").await;
    store.begin_without_code(&grant("machine")).await.unwrap();
    assert!(!is_revoked(&*store, "t", "g").await);
    assert!(!is_revoked(&*store, "t", "machine").await);
    store.revoke_all(&GrantSelection::default(), at(8)).await.unwrap();
    assert!(is_revoked(&*store, "t", "g").await);
    assert!(is_revoked(&*store, "t", "machine").await);
}

async fn the_token_of_a_grant_nobody_knows_is_revoked(store: Arc<dyn Store>) {
    begun(&*store, "g").await;
    assert!(is_revoked(&*store, "t", "unknown").await);
    assert!(is_revoked(&*store, "t", "G").await);
    assert!(!is_revoked(&*store, "t", "g").await);
}

async fn a_revoked_token_is_kept_until_it_would_have_ended(store: Arc<dyn Store>) {
    let late = Grant { granted_at: at(100), ..grant("g") };
    store.begin_without_code(&late).await.unwrap();
    for (id, until) in [("before", 99), ("then", 100)] {
        store.revoke_token(&token(id, "g"), at(until)).await.unwrap();
    }
    assert_eq!(store.forget_expired(at(100)).await.unwrap(), 1);
    assert!(!is_revoked(&*store, "before", "g").await);
    assert!(is_revoked(&*store, "then", "g").await);
}

async fn the_tokens_of_a_forgotten_grant_are_revoked(store: Arc<dyn Store>) {
    store.begin_without_code(&grant("machine")).await.unwrap();
    assert_eq!(store.forget_expired(at(0)).await.unwrap(), 0);
    assert!(!is_revoked(&*store, "t", "machine").await);
    assert_eq!(store.forget_expired(at(1)).await.unwrap(), 1);
    assert!(is_revoked(&*store, "t", "machine").await);
    assert_eq!(store.find_grant(&GrantId::new("machine")).await.unwrap(), None);
}

async fn of_concurrent_runs_each_revoked_token_is_counted_once(store: Arc<dyn Store>) {
    for number in 0..10 {
        store.revoke_token(&token(&number.to_string(), "g"), at(50)).await.unwrap();
    }
    let counts = race(|_| {
        let store = Arc::clone(&store);
        async move { store.forget_expired(at(100)).await.unwrap() }
    })
    .await;
    assert_eq!(counts.iter().sum::<u64>(), 10);
}
