//! The contract of [`GrantStore`]: grants and their codes.

use std::sync::Arc;

use mcp_oauth_core::domain::grant::{CodeRecord, Grant};
use mcp_oauth_core::domain::person::{Person, Subject};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{GrantStore, RedeemError};

use crate::samples::{
    at, begun, code, code_hash, grant, refresh, refresh_hash, refreshable, rotated,
};
use crate::stores::{CALLERS, contract, race};

contract! {
    a_begun_grant_is_found_by_its_code_as_it_was_given,
    an_unknown_code_is_not_found,
    a_taken_grant_id_is_refused_and_nothing_stored,
    a_taken_code_is_refused_and_nothing_stored,
    of_concurrent_beginnings_with_one_id_exactly_one_is_stored_whole,
    tk_08_a_redeemed_code_is_found_with_the_moment_of_its_redemption,
    tk_08_a_code_is_redeemed_once_and_later_calls_change_nothing,
    tk_08_of_concurrent_redemptions_of_one_code_exactly_one_succeeds,
    concurrent_redemptions_of_different_codes_all_succeed,
    a_redemption_touches_its_own_code_only,
    a_code_may_be_redeemed_without_a_refresh_token,
    an_unknown_code_is_gone_and_leaves_no_refresh_token,
    a_redemption_whose_refresh_token_is_taken_leaves_the_code_unredeemed,
    an_abandoned_redemption_is_done_in_whole_or_not_at_all,
}

pub(crate) async fn redeemed_at(store: &dyn GrantStore, name: &str) -> Option<Timestamp> {
    store.find_code(&code_hash(name)).await.unwrap().unwrap().0.redeemed_at
}

async fn has_refresh(store: &dyn GrantStore, name: &str) -> bool {
    store.find_refresh(&refresh_hash(name)).await.unwrap().is_some()
}

async fn a_begun_grant_is_found_by_its_code_as_it_was_given(store: Arc<dyn GrantStore>) {
    let nameless = Person {
        subject: Subject::new("nameless"),
        name: None,
        verified_email: None,
        account: None,
    };
    for (name, grant) in
        [("a", grant("a")), ("b", Grant { person: nameless, granted_at: at(3), ..grant("b") })]
    {
        store.begin(&grant, &code(name)).await.unwrap();
        assert_eq!(store.find_code(&code_hash(name)).await.unwrap(), Some((code(name), grant)));
    }
}

async fn an_unknown_code_is_not_found(store: Arc<dyn GrantStore>) {
    begun(&*store, "g").await;
    assert_eq!(store.find_code(&code_hash("other")).await.unwrap(), None);
}

async fn a_taken_grant_id_is_refused_and_nothing_stored(store: Arc<dyn GrantStore>) {
    begun(&*store, "g").await;
    let other = Grant { granted_at: at(9), ..grant("g") };
    let fresh = CodeRecord { hash: code_hash("fresh"), ..code("g") };
    assert!(store.begin(&other, &fresh).await.is_err());
    assert_eq!(store.find_code(&code_hash("fresh")).await.unwrap(), None);
    assert_eq!(store.find_code(&code_hash("g")).await.unwrap(), Some((code("g"), grant("g"))));
}

async fn a_taken_code_is_refused_and_nothing_stored(store: Arc<dyn GrantStore>) {
    begun(&*store, "g").await;
    let taken = CodeRecord { hash: code_hash("g"), ..code("other") };
    assert!(store.begin(&grant("other"), &taken).await.is_err());
    assert_eq!(store.find_code(&code_hash("g")).await.unwrap(), Some((code("g"), grant("g"))));
    store.begin(&grant("other"), &code("other")).await.expect("the id is free");
}

async fn of_concurrent_beginnings_with_one_id_exactly_one_is_stored_whole(
    store: Arc<dyn GrantStore>,
) {
    let begun = race(|number| {
        let store = Arc::clone(&store);
        let code = CodeRecord { hash: code_hash(&number.to_string()), ..code("g") };
        async move { store.begin(&grant("g"), &code).await.is_ok() }
    })
    .await;
    assert_eq!(begun.iter().filter(|begun| **begun).count(), 1);
    for (number, begun) in begun.into_iter().enumerate() {
        let found = store.find_code(&code_hash(&number.to_string())).await.unwrap();
        assert_eq!(found.is_some(), begun);
    }
}

async fn tk_08_a_redeemed_code_is_found_with_the_moment_of_its_redemption(
    store: Arc<dyn GrantStore>,
) {
    begun(&*store, "g").await;
    let token = refresh("r", "g");
    store.redeem_code_once(&code_hash("g"), at(5), Some(token.clone())).await.unwrap();
    let redeemed = CodeRecord { redeemed_at: Some(at(5)), ..code("g") };
    assert_eq!(store.find_code(&code_hash("g")).await.unwrap(), Some((redeemed, grant("g"))));
    let found = store.find_refresh(&refresh_hash("r")).await.unwrap();
    assert_eq!(found, Some((token, grant("g"))));
}

async fn tk_08_a_code_is_redeemed_once_and_later_calls_change_nothing(store: Arc<dyn GrantStore>) {
    begun(&*store, "g").await;
    store.redeem_code_once(&code_hash("g"), at(5), Some(refresh("r", "g"))).await.unwrap();
    for later in ["r2", "r3"] {
        let replay =
            store.redeem_code_once(&code_hash("g"), at(6), Some(refresh(later, "g"))).await;
        assert!(matches!(replay, Err(RedeemError::AlreadyRedeemed)), "{replay:?}");
        assert!(!has_refresh(&*store, later).await);
    }
    assert_eq!(redeemed_at(&*store, "g").await, Some(at(5)));
}

async fn tk_08_of_concurrent_redemptions_of_one_code_exactly_one_succeeds(
    store: Arc<dyn GrantStore>,
) {
    begun(&*store, "g").await;
    let results = race(|number| {
        let store = Arc::clone(&store);
        let token = refresh(&number.to_string(), "g");
        async move { store.redeem_code_once(&code_hash("g"), at(1), Some(token)).await }
    })
    .await;
    let refused = |result: &&Result<_, _>| matches!(result, Err(RedeemError::AlreadyRedeemed));
    assert_eq!(results.iter().filter(refused).count(), CALLERS - 1, "{results:?}");
    for (number, result) in results.iter().enumerate() {
        assert_eq!(has_refresh(&*store, &number.to_string()).await, result.is_ok());
    }
}

async fn concurrent_redemptions_of_different_codes_all_succeed(store: Arc<dyn GrantStore>) {
    let results = race(|number| {
        let store = Arc::clone(&store);
        async move { refreshable(&*store, &number.to_string()).await }
    })
    .await;
    for number in 0..results.len() {
        assert!(has_refresh(&*store, &number.to_string()).await);
    }
}

async fn a_redemption_touches_its_own_code_only(store: Arc<dyn GrantStore>) {
    begun(&*store, "other").await;
    refreshable(&*store, "g").await;
    assert_eq!(redeemed_at(&*store, "other").await, None);
}

async fn a_code_may_be_redeemed_without_a_refresh_token(store: Arc<dyn GrantStore>) {
    begun(&*store, "g").await;
    store.redeem_code_once(&code_hash("g"), at(5), None).await.unwrap();
    assert_eq!(redeemed_at(&*store, "g").await, Some(at(5)));
}

async fn an_unknown_code_is_gone_and_leaves_no_refresh_token(store: Arc<dyn GrantStore>) {
    begun(&*store, "g").await;
    let refusal = store.redeem_code_once(&code_hash("x"), at(1), Some(refresh("r", "g"))).await;
    assert!(matches!(refusal, Err(RedeemError::Gone)), "{refusal:?}");
    assert!(!has_refresh(&*store, "r").await);
}

async fn a_redemption_whose_refresh_token_is_taken_leaves_the_code_unredeemed(
    store: Arc<dyn GrantStore>,
) {
    rotated(&*store, "other", "taken").await;
    begun(&*store, "g").await;
    let clash = store.redeem_code_once(&code_hash("g"), at(1), Some(refresh("taken", "g"))).await;
    assert!(matches!(clash, Err(RedeemError::Unavailable(_))), "{clash:?}");
    assert_eq!(redeemed_at(&*store, "g").await, None);
    let (_, grant) = store.find_refresh(&refresh_hash("taken")).await.unwrap().unwrap();
    assert_eq!(grant.id.as_str(), "other");
    store.redeem_code_once(&code_hash("g"), at(1), Some(refresh("r", "g"))).await.unwrap();
}

/// A caller can go away at any point, e.g. when its client closes the connection.
async fn an_abandoned_redemption_is_done_in_whole_or_not_at_all(store: Arc<dyn GrantStore>) {
    for patience in 0..CALLERS {
        let name = patience.to_string();
        begun(&*store, &name).await;
        let hash = code_hash(&name);
        let call = store.redeem_code_once(&hash, at(1), Some(refresh(&name, &name)));
        tokio::select! {
            biased;
            result = call => result.unwrap(),
            () = yields(patience * patience) => {}
        }
        // Its own redemption queues behind whatever is left of the abandoned one.
        let own = format!("own {name}");
        let second = store.redeem_code_once(&hash, at(2), Some(refresh(&own, &name))).await;
        let abandoned_was_done = redeemed_at(&*store, &name).await == Some(at(1));
        assert_eq!(second.is_err(), abandoned_was_done, "{second:?}");
        assert_eq!(has_refresh(&*store, &name).await, abandoned_was_done);
        assert_eq!(has_refresh(&*store, &own).await, !abandoned_was_done);
    }
}

async fn yields(times: usize) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}
