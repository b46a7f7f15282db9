//! The contract of [`ProviderTokenStore`].

use std::sync::Arc;

use mcp_oauth_core::domain::grant::{Grant, GrantId};
use mcp_oauth_core::domain::kept_tokens::{KeptTokens, SealedTokens};

use crate::samples::{at, begun, grant, kept_tokens};
use crate::stores::{Store, contract, race};

contract! {
    up_07_tokens_are_found_as_they_were_kept,
    up_07_tokens_without_a_grant_are_refused,
    tokens_that_are_there_stay,
    up_07_tokens_end_with_their_grant,
    up_07_housekeeping_takes_the_tokens_of_a_revoked_grant,
    up_07_housekeeping_takes_the_tokens_of_a_grant_it_forgets,
    tokens_are_replaced_only_while_they_are_current,
    of_concurrent_replacements_exactly_one_succeeds,
    tokens_are_forgotten_only_while_they_are_current,
}

fn id(name: &str) -> GrantId {
    GrantId::new(name)
}

fn sealed(text: &str) -> SealedTokens {
    SealedTokens::new(format!("\0{text}\u{ff}").into_bytes())
}

async fn kept(store: &dyn Store, grant: &str) -> KeptTokens {
    let tokens = kept_tokens(grant);
    begun(store, grant).await;
    store.keep_tokens(&tokens).await.unwrap();
    tokens
}

async fn up_07_tokens_are_found_as_they_were_kept(store: Arc<dyn Store>) {
    let first = kept(&*store, "a").await;
    begun(&*store, "b").await;
    begun(&*store, "bare").await;
    let second = KeptTokens { access_expires_at: None, ..kept_tokens("b") };
    store.keep_tokens(&second).await.unwrap();
    assert_eq!(store.find_tokens(&id("a")).await.unwrap(), Some(first));
    assert_eq!(store.find_tokens(&id("b")).await.unwrap(), Some(second));
    assert_eq!(store.find_tokens(&id("bare")).await.unwrap(), None);
}

async fn up_07_tokens_without_a_grant_are_refused(store: Arc<dyn Store>) {
    assert!(store.keep_tokens(&kept_tokens("nobody")).await.is_err());
    assert_eq!(store.find_tokens(&id("nobody")).await.unwrap(), None);
}

async fn tokens_that_are_there_stay(store: Arc<dyn Store>) {
    let tokens = kept(&*store, "a").await;
    let other = KeptTokens { sealed: sealed("other"), ..tokens.clone() };
    assert!(store.keep_tokens(&other).await.is_err());
    assert_eq!(store.find_tokens(&id("a")).await.unwrap(), Some(tokens));
}

async fn up_07_tokens_end_with_their_grant(store: Arc<dyn Store>) {
    let tokens = kept(&*store, "a").await;
    store.revoke(&id("a"), at(1)).await.unwrap();
    assert_eq!(store.find_tokens(&id("a")).await.unwrap(), None);
    let next = KeptTokens { sealed: sealed("next"), ..tokens.clone() };
    assert!(!store.replace_tokens_if_current(&tokens.sealed, &next).await.unwrap());
}

/// Whether they are there, also when nobody finds them.
async fn are_there(store: &dyn Store, tokens: &KeptTokens) -> bool {
    store.forget_tokens_if_current(&tokens.grant, &tokens.sealed).await.unwrap()
}

async fn up_07_housekeeping_takes_the_tokens_of_a_revoked_grant(store: Arc<dyn Store>) {
    let (alive, revoked) = (kept(&*store, "alive").await, kept(&*store, "revoked").await);
    store.revoke(&id("revoked"), at(1)).await.unwrap();
    // Before either of the grants is forgotten.
    assert_eq!(store.forget_expired(at(0)).await.unwrap(), 0, "what goes along is not counted");
    assert!(!are_there(&*store, &revoked).await);
    assert!(are_there(&*store, &alive).await);
}

async fn up_07_housekeeping_takes_the_tokens_of_a_grant_it_forgets(store: Arc<dyn Store>) {
    for (name, granted_at) in [("before", 99), ("then", 100)] {
        let grant = Grant { granted_at: at(granted_at), ..grant(name) };
        store.begin_without_code(&grant).await.unwrap();
        store.keep_tokens(&kept_tokens(name)).await.unwrap();
    }
    assert_eq!(store.forget_expired(at(100)).await.unwrap(), 1, "what goes along is not counted");
    assert!(!are_there(&*store, &kept_tokens("before")).await);
    assert!(are_there(&*store, &kept_tokens("then")).await);
}

async fn tokens_are_replaced_only_while_they_are_current(store: Arc<dyn Store>) {
    let (first, other) = (kept(&*store, "a").await, kept(&*store, "b").await);
    let next =
        KeptTokens { sealed: sealed("next"), access_expires_at: Some(at(9)), ..first.clone() };
    assert!(store.replace_tokens_if_current(&first.sealed, &next).await.unwrap());
    assert_eq!(store.find_tokens(&id("a")).await.unwrap(), Some(next.clone()));
    let late = KeptTokens { sealed: sealed("late"), ..first.clone() };
    assert!(!store.replace_tokens_if_current(&first.sealed, &late).await.unwrap());
    assert_eq!(store.find_tokens(&id("a")).await.unwrap(), Some(next));
    assert_eq!(store.find_tokens(&id("b")).await.unwrap(), Some(other));
}

async fn of_concurrent_replacements_exactly_one_succeeds(store: Arc<dyn Store>) {
    let first = kept(&*store, "a").await;
    let replaced = race(|number| {
        let (store, first) = (Arc::clone(&store), first.clone());
        async move {
            let next = KeptTokens { sealed: sealed(&number.to_string()), ..first.clone() };
            let won = store.replace_tokens_if_current(&first.sealed, &next).await.unwrap();
            won.then_some(next)
        }
    })
    .await;
    let winners: Vec<_> = replaced.into_iter().flatten().collect();
    let [winner] = <[KeptTokens; 1]>::try_from(winners).expect("one winner");
    assert_eq!(store.find_tokens(&id("a")).await.unwrap(), Some(winner));
}

async fn tokens_are_forgotten_only_while_they_are_current(store: Arc<dyn Store>) {
    let tokens = kept(&*store, "a").await;
    assert!(!store.forget_tokens_if_current(&id("a"), &sealed("other")).await.unwrap());
    assert_eq!(store.find_tokens(&id("a")).await.unwrap(), Some(tokens.clone()));
    assert!(store.forget_tokens_if_current(&id("a"), &tokens.sealed).await.unwrap());
    assert!(!store.forget_tokens_if_current(&id("a"), &tokens.sealed).await.unwrap());
    assert_eq!(store.find_tokens(&id("a")).await.unwrap(), None);
}
