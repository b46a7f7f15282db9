//! The contract of [`Housekeeping`].

use std::sync::Arc;

use mcp_oauth_core::domain::grant::{CodeRecord, Grant};
use mcp_oauth_core::domain::login::LoginSession;
use mcp_oauth_core::domain::refresh::RefreshRecord;
use mcp_oauth_core::port::{GrantStore, LoginSessions};

use crate::samples::{
    MOST, at, begun, client, code, code_hash, grant, key, refresh, refresh_hash, session,
    session_hash,
};
use crate::stores::{CALLERS, Store, contract, race};

contract! {
    what_expired_before_the_moment_goes_and_the_rest_stays,
    a_grant_stays_while_a_refresh_token_is_left,
    a_grant_stays_while_a_code_is_left,
    a_grant_given_at_the_moment_or_later_stays,
    clients_and_keys_never_go,
    every_record_that_went_is_counted,
    of_concurrent_runs_each_record_is_counted_once,
    a_run_amid_redemptions_leaves_no_token_without_its_grant,
}

async fn begun_with(store: &dyn Store, grant: Grant, code: CodeRecord) {
    GrantStore::begin(store, &grant, &code).await.unwrap();
}

async fn redeemed(store: &dyn Store, name: &str, refresh: RefreshRecord) {
    store.redeem_code_once(&code_hash(name), at(1), Some(refresh)).await.unwrap();
}

/// Whether the grant's id is taken, seen by trying to take it.
async fn is_kept(store: &dyn Store, name: &str) -> bool {
    let probe = CodeRecord { hash: code_hash(&format!("probe {name}")), ..code(name) };
    GrantStore::begin(store, &grant(name), &probe).await.is_err()
}

async fn what_expired_before_the_moment_goes_and_the_rest_stays(store: Arc<dyn Store>) {
    for (name, expires_at) in [("before", 99), ("then", 100)] {
        let session = LoginSession { expires_at: at(expires_at), ..session(name) };
        store.open(&session).await.unwrap();
        let code = CodeRecord { expires_at: at(expires_at), ..code(name) };
        begun_with(&*store, grant(name), code).await;
        let token = RefreshRecord { expires_at: at(expires_at), ..refresh(name, name) };
        redeemed(&*store, name, token).await;
    }
    store.forget_expired(at(100)).await.unwrap();
    for (name, stays) in [("before", false), ("then", true)] {
        let session = LoginSessions::find(&*store, &session_hash(name)).await.unwrap();
        assert_eq!(session.is_some(), stays, "session {name}");
        let code = store.find_code(&code_hash(name)).await.unwrap();
        assert_eq!(code.is_some(), stays, "code {name}");
        let token = store.find_refresh(&refresh_hash(name)).await.unwrap();
        assert_eq!(token.is_some(), stays, "refresh token {name}");
        assert_eq!(is_kept(&*store, name).await, stays, "grant {name}");
    }
}

async fn a_grant_stays_while_a_refresh_token_is_left(store: Arc<dyn Store>) {
    begun(&*store, "g").await;
    redeemed(&*store, "g", refresh("r", "g")).await;
    assert_eq!(store.forget_expired(at(100)).await.unwrap(), 1);
    assert_eq!(store.find_code(&code_hash("g")).await.unwrap(), None);
    let found = store.find_refresh(&refresh_hash("r")).await.unwrap();
    assert_eq!(found, Some((refresh("r", "g"), grant("g"))));
}

async fn a_grant_stays_while_a_code_is_left(store: Arc<dyn Store>) {
    let early = Grant { granted_at: at(-100), ..grant("g") };
    begun_with(&*store, early.clone(), code("g")).await;
    assert_eq!(store.forget_expired(at(50)).await.unwrap(), 0);
    assert_eq!(store.find_code(&code_hash("g")).await.unwrap(), Some((code("g"), early)));
}

async fn a_grant_given_at_the_moment_or_later_stays(store: Arc<dyn Store>) {
    for (name, granted_at) in [("before", 99), ("then", 100)] {
        let grant = Grant { granted_at: at(granted_at), ..grant(name) };
        begun_with(&*store, grant, CodeRecord { expires_at: at(0), ..code(name) }).await;
    }
    assert_eq!(store.forget_expired(at(100)).await.unwrap(), 3);
    assert!(!is_kept(&*store, "before").await);
    assert!(is_kept(&*store, "then").await);
}

async fn clients_and_keys_never_go(store: Arc<dyn Store>) {
    store.register(&client("a"), MOST).await.unwrap();
    store.keep_first(key("k")).await.unwrap();
    assert_eq!(store.forget_expired(at(1_000_000_000)).await.unwrap(), 0);
    assert_eq!(store.list().await.unwrap(), [client("a")]);
    assert_eq!(store.keys().await.unwrap().len(), 1);
}

async fn every_record_that_went_is_counted(store: Arc<dyn Store>) {
    store.open(&session("s")).await.unwrap();
    begun(&*store, "g").await;
    redeemed(&*store, "g", refresh("r", "g")).await;
    store.rotate_if_current(&refresh_hash("r"), at(2), &refresh("r2", "g")).await.unwrap();
    assert_eq!(store.forget_expired(at(2000)).await.unwrap(), 5, "session, code, 2 tokens, grant");
    assert_eq!(store.forget_expired(at(2000)).await.unwrap(), 0);
}

async fn of_concurrent_runs_each_record_is_counted_once(store: Arc<dyn Store>) {
    for number in 0..10 {
        begun(&*store, &number.to_string()).await;
    }
    let counts = race(|_| {
        let store = Arc::clone(&store);
        async move { store.forget_expired(at(100)).await.unwrap() }
    })
    .await;
    assert_eq!(counts.iter().sum::<u64>(), 20);
}

async fn a_run_amid_redemptions_leaves_no_token_without_its_grant(store: Arc<dyn Store>) {
    for number in 0..CALLERS {
        begun(&*store, &number.to_string()).await;
    }
    let outcomes = race(|number| {
        let store = Arc::clone(&store);
        async move {
            let name = number.to_string();
            if number % 8 == 0 {
                store.forget_expired(at(100)).await.unwrap();
            }
            let token = refresh(&name, &name);
            (store.redeem_code_once(&code_hash(&name), at(1), Some(token)).await.is_ok(), name)
        }
    })
    .await;
    for (redeemed, name) in outcomes {
        let token = store.find_refresh(&refresh_hash(&name)).await.unwrap();
        assert_eq!(token.is_some(), redeemed, "{name}");
        assert_eq!(is_kept(&*store, &name).await, redeemed, "{name}");
    }
}
