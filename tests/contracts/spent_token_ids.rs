//! The contract of [`SpentTokenIds`].

use std::sync::Arc;

use mcp_oauth_core::domain::client::ClientId;
use mcp_oauth_core::domain::spent_id::SpentId;
use mcp_oauth_core::port::SpentTokenIds;

use crate::samples::at;
use crate::stores::{Store, contract, race};

contract! {
    an_id_counts_once,
    an_id_of_one_client_is_none_of_another,
    of_concurrent_uses_exactly_one_counts,
    of_concurrent_uses_of_different_ids_all_count,
    an_id_is_kept_until_its_moment_and_forgotten_after_it,
    a_second_use_moves_no_moment,
}

fn id(token_id: &str) -> SpentId {
    SpentId::client_assertion(&ClientId::new("client"), token_id)
}

async fn an_id_counts_once(store: Arc<dyn SpentTokenIds>) {
    assert!(!store.contains(&id("a")).await.unwrap());
    assert!(store.record_once(&id("a"), at(60)).await.unwrap());
    assert!(store.contains(&id("a")).await.unwrap());
    for until in [0, 60, 120] {
        assert!(!store.record_once(&id("a"), at(until)).await.unwrap());
    }
    assert!(store.record_once(&id("b"), at(60)).await.unwrap());
}

async fn an_id_of_one_client_is_none_of_another(store: Arc<dyn SpentTokenIds>) {
    let other = SpentId::client_assertion(&ClientId::new("other"), "a");
    assert!(store.record_once(&id("a"), at(60)).await.unwrap());
    assert!(!store.contains(&other).await.unwrap());
    assert!(store.record_once(&other, at(60)).await.unwrap());
}

async fn of_concurrent_uses_exactly_one_counts(store: Arc<dyn SpentTokenIds>) {
    let results = race(|_| {
        let store = Arc::clone(&store);
        async move { store.record_once(&id("a"), at(60)).await.unwrap() }
    })
    .await;
    assert_eq!(results.into_iter().filter(|counted| *counted).count(), 1);
}

async fn of_concurrent_uses_of_different_ids_all_count(store: Arc<dyn SpentTokenIds>) {
    let results = race(|number| {
        let store = Arc::clone(&store);
        async move { store.record_once(&id(&number.to_string()), at(60)).await.unwrap() }
    })
    .await;
    assert!(results.into_iter().all(|counted| counted));
}

async fn an_id_is_kept_until_its_moment_and_forgotten_after_it(store: Arc<dyn Store>) {
    for (name, until) in [("before", 99), ("then", 100)] {
        assert!(store.record_once(&id(name), at(until)).await.unwrap());
    }
    assert_eq!(store.forget_expired(at(100)).await.unwrap(), 1);
    assert!(!store.contains(&id("before")).await.unwrap());
    assert!(store.contains(&id("then")).await.unwrap());
    assert!(!store.record_once(&id("then"), at(200)).await.unwrap());
}

async fn a_second_use_moves_no_moment(store: Arc<dyn Store>) {
    assert!(store.record_once(&id("a"), at(50)).await.unwrap());
    assert!(!store.record_once(&id("a"), at(1000)).await.unwrap());
    assert_eq!(store.forget_expired(at(100)).await.unwrap(), 1);
    assert!(!store.contains(&id("a")).await.unwrap());
}
