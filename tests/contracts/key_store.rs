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
    jv_20_a_key_is_added_after_the_newest_only,
    jv_20_a_key_whose_id_is_taken_is_an_error_and_not_stored,
    jv_20_of_concurrent_successors_exactly_one_is_added,
    jv_20_a_resealed_key_changes_in_its_private_half_alone,
    jv_20_keys_are_forgotten_but_never_the_newest,
    jv_20_amid_concurrent_rotations_the_newest_key_is_never_forgotten,
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

async fn ids(store: &dyn KeyStore) -> Vec<String> {
    stored(store).await.into_iter().map(|(id, ..)| id).collect()
}

fn named(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|&id| id.to_owned()).collect()
}

async fn jv_20_a_key_is_added_after_the_newest_only(store: Arc<dyn KeyStore>) {
    assert!(!store.add_after("a", key("b")).await.unwrap());
    store.keep_first(key("a")).await.unwrap();
    assert!(store.add_after("a", key("b")).await.unwrap());
    for after in ["a", "B", "unknown"] {
        assert!(!store.add_after(after, key("c")).await.unwrap(), "{after}");
    }
    assert!(store.add_after("b", key("c")).await.unwrap());
    assert_eq!(stored(&*store).await, [parts(&key("c")), parts(&key("b")), parts(&key("a"))]);
}

async fn jv_20_a_key_whose_id_is_taken_is_an_error_and_not_stored(store: Arc<dyn KeyStore>) {
    store.keep_first(key("a")).await.unwrap();
    assert!(store.add_after("a", key("b")).await.unwrap());
    for taken in ["a", "b"] {
        let other = StoredKey { created_at: at(9), ..key(taken) };
        assert!(store.add_after("b", other).await.is_err(), "{taken}");
    }
    assert_eq!(stored(&*store).await, [parts(&key("b")), parts(&key("a"))]);
}

async fn jv_20_of_concurrent_successors_exactly_one_is_added(store: Arc<dyn KeyStore>) {
    store.keep_first(key("first")).await.unwrap();
    let added = race(|number| {
        let store = Arc::clone(&store);
        async move { store.add_after("first", key(&number.to_string())).await.unwrap() }
    })
    .await;
    let winners: Vec<_> = (0..CALLERS).filter(|number| added[*number]).collect();
    let [winner] = winners[..] else { panic!("{winners:?}") };
    assert_eq!(ids(&*store).await, [winner.to_string(), "first".to_owned()]);
}

async fn jv_20_a_resealed_key_changes_in_its_private_half_alone(store: Arc<dyn KeyStore>) {
    store.keep_first(key("a")).await.unwrap();
    store.add_after("a", key("b")).await.unwrap();
    let private_key = b"sealed\0otherwise".to_vec();
    let sealed =
        StoredKey { private_key: private_key.clone().into(), created_at: at(99), ..key("a") };
    store.reseal(sealed).await.unwrap();
    store.reseal(key("unknown")).await.unwrap();
    let (id, _, created_at) = parts(&key("a"));
    assert_eq!(stored(&*store).await, [parts(&key("b")), (id, private_key, created_at)]);
}

async fn jv_20_keys_are_forgotten_but_never_the_newest(store: Arc<dyn KeyStore>) {
    assert_eq!(store.forget(&named(&["a"])).await.unwrap(), 0);
    store.keep_first(key("a")).await.unwrap();
    for (after, next) in [("a", "b"), ("b", "c"), ("c", "d")] {
        assert!(store.add_after(after, key(next)).await.unwrap());
    }
    assert_eq!(store.forget(&[]).await.unwrap(), 0);
    assert_eq!(store.forget(&named(&["a", "c", "d", "unknown"])).await.unwrap(), 2);
    assert_eq!(ids(&*store).await, ["d", "b"]);
    assert_eq!(store.forget(&named(&["a", "d"])).await.unwrap(), 0);
    assert!(store.add_after("d", key("a")).await.unwrap(), "a forgotten id is free");
    assert_eq!(ids(&*store).await, ["a", "d", "b"]);
}

/// Each caller adds a key after whichever is the newest, and forgets all it knew before.
async fn jv_20_amid_concurrent_rotations_the_newest_key_is_never_forgotten(
    store: Arc<dyn KeyStore>,
) {
    store.keep_first(key("first")).await.unwrap();
    let added = race(|number| {
        let store = Arc::clone(&store);
        async move {
            let known = ids(&*store).await;
            let added = store.add_after(&known[0], key(&number.to_string())).await.unwrap();
            let gone = store.forget(&known).await.unwrap();
            (added, gone)
        }
    })
    .await;
    let (came, went) = added
        .iter()
        .fold((1, 0), |(came, went), (added, gone)| (came + u64::from(*added), went + gone));
    let left = ids(&*store).await;
    assert_eq!(left.len() as u64, came - went, "{left:?} of {added:?}");
    assert!(!left.is_empty());
}
