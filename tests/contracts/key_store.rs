//! The contract of [`KeyStore`].

use std::sync::Arc;

use mcp_oauth_core::port::{KeyStore, StoredKey};
use secrecy::ExposeSecret;

use crate::samples::{at, key};
use crate::stores::{CALLERS, contract, race};

contract! {
    a_new_store_has_no_key,
    the_first_key_is_kept_byte_for_byte,
    a_later_key_is_not_stored_and_the_first_returned,
    of_concurrent_first_keys_all_callers_get_the_same_one,
}

fn parts(key: &StoredKey) -> (String, Vec<u8>, i64) {
    (key.key_id.clone(), key.private_key.expose_secret().to_vec(), key.created_at.as_unix())
}

async fn stored(store: &dyn KeyStore) -> Vec<(String, Vec<u8>, i64)> {
    store.keys().await.unwrap().iter().map(parts).collect()
}

async fn a_new_store_has_no_key(store: Arc<dyn KeyStore>) {
    assert!(stored(&*store).await.is_empty());
}

async fn the_first_key_is_kept_byte_for_byte(store: Arc<dyn KeyStore>) {
    let kept = store.keep_first(key("a")).await.unwrap();
    assert_eq!(parts(&kept), parts(&key("a")));
    assert_eq!(stored(&*store).await, [parts(&key("a"))]);
}

async fn a_later_key_is_not_stored_and_the_first_returned(store: Arc<dyn KeyStore>) {
    store.keep_first(key("a")).await.unwrap();
    let older = StoredKey { created_at: at(-1), ..key("b") };
    let kept = store.keep_first(older).await.unwrap();
    assert_eq!(parts(&kept), parts(&key("a")));
    assert_eq!(stored(&*store).await, [parts(&key("a"))]);
}

async fn of_concurrent_first_keys_all_callers_get_the_same_one(store: Arc<dyn KeyStore>) {
    let kept = race(|number| {
        let store = Arc::clone(&store);
        async move { parts(&store.keep_first(key(&number.to_string())).await.unwrap()) }
    })
    .await;
    assert_eq!(stored(&*store).await, [kept[0].clone()]);
    assert_eq!(kept, vec![kept[0].clone(); CALLERS]);
}
