//! The contract of [`PendingLogins`].

use std::sync::Arc;

use mcp_oauth_core::domain::provider_login::PendingLogin;
use mcp_oauth_core::port::PendingLogins;

use crate::samples::{at, pending_login, state_hash};
use crate::stores::{contract, race};

contract! {
    up_01_a_login_is_taken_as_it_began_once,
    up_01_of_concurrent_returns_with_one_state_exactly_one_gets_the_login,
    up_01_a_state_nobody_began_with_takes_nothing,
    an_expired_login_is_taken_all_the_same,
    a_taken_state_is_refused_and_its_login_stays,
    of_concurrent_beginnings_with_one_state_exactly_one_succeeds,
}

async fn up_01_a_login_is_taken_as_it_began_once(store: Arc<dyn PendingLogins>) {
    for name in ["a", "b"] {
        store.begin(&pending_login(name)).await.unwrap();
    }
    assert_eq!(store.take_once(&state_hash("a")).await.unwrap(), Some(pending_login("a")));
    assert_eq!(store.take_once(&state_hash("a")).await.unwrap(), None);
    assert_eq!(store.take_once(&state_hash("b")).await.unwrap(), Some(pending_login("b")));
}

async fn up_01_of_concurrent_returns_with_one_state_exactly_one_gets_the_login(
    store: Arc<dyn PendingLogins>,
) {
    store.begin(&pending_login("a")).await.unwrap();
    let taken = race(|_| {
        let store = Arc::clone(&store);
        async move { store.take_once(&state_hash("a")).await.unwrap() }
    })
    .await;
    let taken: Vec<_> = taken.into_iter().flatten().collect();
    assert_eq!(taken, [pending_login("a")]);
}

async fn up_01_a_state_nobody_began_with_takes_nothing(store: Arc<dyn PendingLogins>) {
    store.begin(&pending_login("a")).await.unwrap();
    assert_eq!(store.take_once(&state_hash("b")).await.unwrap(), None);
    assert_eq!(store.take_once(&state_hash("a")).await.unwrap(), Some(pending_login("a")));
}

async fn an_expired_login_is_taken_all_the_same(store: Arc<dyn PendingLogins>) {
    let expired = PendingLogin { expires_at: at(-1_000_000), ..pending_login("a") };
    store.begin(&expired).await.unwrap();
    assert_eq!(store.take_once(&state_hash("a")).await.unwrap(), Some(expired));
}

async fn a_taken_state_is_refused_and_its_login_stays(store: Arc<dyn PendingLogins>) {
    store.begin(&pending_login("a")).await.unwrap();
    let thief = PendingLogin { cookie: pending_login("b").cookie, ..pending_login("a") };
    assert!(store.begin(&thief).await.is_err());
    assert_eq!(store.take_once(&state_hash("a")).await.unwrap(), Some(pending_login("a")));
}

async fn of_concurrent_beginnings_with_one_state_exactly_one_succeeds(
    store: Arc<dyn PendingLogins>,
) {
    let results = race(|_| {
        let store = Arc::clone(&store);
        async move { store.begin(&pending_login("a")).await.is_ok() }
    })
    .await;
    assert_eq!(results.into_iter().filter(|begun| *begun).count(), 1);
}
