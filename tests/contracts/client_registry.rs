//! The contract of [`ClientRegistry`].

use std::sync::Arc;

use mcp_oauth_core::domain::client::{Client, ClientId};
use mcp_oauth_core::port::{ClientRegistry, RegisterError};

use crate::samples::{
    MOST, at, begun, client, code_hash, public_client, publishing_client, signing_client,
};
use crate::stores::{CALLERS, Store, contract, race};

contract! {
    rg_10_a_registered_client_is_found_as_it_was_registered,
    an_unknown_client_is_not_found,
    a_taken_id_is_refused_and_its_client_stays,
    of_concurrent_registrations_of_one_id_exactly_one_succeeds,
    concurrent_registrations_of_different_ids_all_succeed,
    a_replaced_client_is_the_new_one_in_every_part,
    replacing_an_unknown_client_stores_nothing,
    rg_10_a_use_is_remembered_and_changes_nothing_else,
    an_earlier_use_does_not_replace_a_later_one,
    of_concurrent_uses_the_latest_is_remembered,
    the_use_of_an_unknown_client_changes_nothing,
    a_deleted_client_is_gone_and_its_id_free,
    deleting_an_unknown_client_says_so,
    of_concurrent_deletions_exactly_one_finds_the_client,
    a_deleted_client_leaves_its_grants,
    clients_are_listed_oldest_first_then_by_id,
}

async fn found(store: &dyn ClientRegistry, id: &str) -> Option<Client> {
    store.find(&ClientId::new(id)).await.unwrap()
}

async fn rg_10_a_registered_client_is_found_as_it_was_registered(store: Arc<dyn ClientRegistry>) {
    let clients = [
        client("secret"),
        public_client("public"),
        signing_client("signing"),
        publishing_client("publishing"),
    ];
    for client in clients {
        store.register(&client, MOST).await.unwrap();
        assert_eq!(found(&*store, client.id.as_str()).await, Some(client));
    }
}

async fn an_unknown_client_is_not_found(store: Arc<dyn ClientRegistry>) {
    store.register(&client("a"), MOST).await.unwrap();
    assert_eq!(found(&*store, "A").await, None);
}

async fn a_taken_id_is_refused_and_its_client_stays(store: Arc<dyn ClientRegistry>) {
    store.register(&client("a"), MOST).await.unwrap();
    let refusal = store.register(&public_client("a"), MOST).await;
    assert!(matches!(refusal, Err(RegisterError::Exists)), "{refusal:?}");
    assert_eq!(found(&*store, "a").await, Some(client("a")));
}

async fn of_concurrent_registrations_of_one_id_exactly_one_succeeds(
    store: Arc<dyn ClientRegistry>,
) {
    let results = race(|number| {
        let store = Arc::clone(&store);
        async move {
            let mut client = client("contested");
            client.metadata.client_name = Some(number.to_string());
            store.register(&client, MOST).await
        }
    })
    .await;
    let winners: Vec<_> = (0..CALLERS).filter(|number| results[*number].is_ok()).collect();
    let refused = |result: &&Result<_, _>| matches!(result, Err(RegisterError::Exists));
    assert_eq!(results.iter().filter(refused).count(), CALLERS - 1);
    let kept = found(&*store, "contested").await.unwrap().metadata.client_name;
    assert_eq!(kept, Some(winners[0].to_string()));
}

async fn concurrent_registrations_of_different_ids_all_succeed(store: Arc<dyn ClientRegistry>) {
    let results = race(|number| {
        let store = Arc::clone(&store);
        async move { store.register(&client(&number.to_string()), MOST).await }
    })
    .await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(store.list().await.unwrap().len(), CALLERS);
}

async fn a_replaced_client_is_the_new_one_in_every_part(store: Arc<dyn ClientRegistry>) {
    store.register(&client("a"), MOST).await.unwrap();
    store.register(&client("b"), MOST).await.unwrap();
    let new = Client { registered_at: at(5), ..public_client("a") };
    assert!(store.replace(&new).await.unwrap());
    assert_eq!(found(&*store, "a").await, Some(new));
    assert!(store.replace(&client("a")).await.unwrap());
    assert_eq!(found(&*store, "a").await, Some(client("a")), "optional parts are cleared, too");
    for new in [signing_client("a"), publishing_client("a"), public_client("a")] {
        assert!(store.replace(&new).await.unwrap());
        assert_eq!(found(&*store, "a").await, Some(new), "optional parts are cleared, too");
    }
    assert_eq!(found(&*store, "b").await, Some(client("b")));
}

async fn replacing_an_unknown_client_stores_nothing(store: Arc<dyn ClientRegistry>) {
    store.register(&client("b"), MOST).await.unwrap();
    assert!(!store.replace(&client("a")).await.unwrap());
    assert_eq!(store.list().await.unwrap(), [client("b")]);
}

async fn rg_10_a_use_is_remembered_and_changes_nothing_else(store: Arc<dyn ClientRegistry>) {
    store.register(&client("a"), MOST).await.unwrap();
    store.register(&client("b"), MOST).await.unwrap();
    store.touch(&ClientId::new("a"), at(10)).await.unwrap();
    let used = Client { last_used_at: Some(at(10)), ..client("a") };
    assert_eq!(found(&*store, "a").await, Some(used));
    assert_eq!(found(&*store, "b").await, Some(client("b")));
}

async fn an_earlier_use_does_not_replace_a_later_one(store: Arc<dyn ClientRegistry>) {
    store.register(&client("a"), MOST).await.unwrap();
    for moment in [10, 9, 11, 10] {
        store.touch(&ClientId::new("a"), at(moment)).await.unwrap();
    }
    assert_eq!(found(&*store, "a").await.unwrap().last_used_at, Some(at(11)));
}

async fn of_concurrent_uses_the_latest_is_remembered(store: Arc<dyn ClientRegistry>) {
    store.register(&client("a"), MOST).await.unwrap();
    let results = race(|number| {
        let store = Arc::clone(&store);
        let moment = i64::try_from(number * 29 % CALLERS).unwrap();
        async move { store.touch(&ClientId::new("a"), at(moment)).await }
    })
    .await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let latest = i64::try_from(CALLERS - 1).unwrap();
    assert_eq!(found(&*store, "a").await.unwrap().last_used_at, Some(at(latest)));
}

async fn the_use_of_an_unknown_client_changes_nothing(store: Arc<dyn ClientRegistry>) {
    store.register(&client("b"), MOST).await.unwrap();
    store.touch(&ClientId::new("a"), at(10)).await.unwrap();
    assert_eq!(store.list().await.unwrap(), [client("b")]);
}

async fn a_deleted_client_is_gone_and_its_id_free(store: Arc<dyn ClientRegistry>) {
    store.register(&client("a"), MOST).await.unwrap();
    store.register(&client("b"), MOST).await.unwrap();
    assert!(store.delete(&ClientId::new("a")).await.unwrap());
    assert_eq!(store.list().await.unwrap(), [client("b")]);
    store.register(&public_client("a"), MOST).await.unwrap();
    assert_eq!(found(&*store, "a").await, Some(public_client("a")));
}

async fn deleting_an_unknown_client_says_so(store: Arc<dyn ClientRegistry>) {
    store.register(&client("b"), MOST).await.unwrap();
    assert!(!store.delete(&ClientId::new("a")).await.unwrap());
    assert_eq!(store.list().await.unwrap(), [client("b")]);
}

async fn of_concurrent_deletions_exactly_one_finds_the_client(store: Arc<dyn ClientRegistry>) {
    store.register(&client("a"), MOST).await.unwrap();
    let results = race(|_| {
        let store = Arc::clone(&store);
        async move { store.delete(&ClientId::new("a")).await.unwrap() }
    })
    .await;
    assert_eq!(results.into_iter().filter(|deleted| *deleted).count(), 1);
}

async fn a_deleted_client_leaves_its_grants(store: Arc<dyn Store>) {
    ClientRegistry::register(&*store, &client("client"), MOST).await.unwrap();
    begun(&*store, "g").await;
    assert!(store.delete(&ClientId::new("client")).await.unwrap());
    let (_, grant) = store.find_code(&code_hash("g")).await.unwrap().unwrap();
    assert_eq!(grant.client, ClientId::new("client"));
}

async fn clients_are_listed_oldest_first_then_by_id(store: Arc<dyn ClientRegistry>) {
    // Bytes order "B" before "a"; a language's collation would not.
    for (id, registered_at) in [("c", 2), ("a", 1), ("b", 0), ("B", 1), ("Ä", 1)] {
        let client = Client { registered_at: at(registered_at), ..client(id) };
        store.register(&client, MOST).await.unwrap();
    }
    let clients = store.list().await.unwrap();
    let ids: Vec<_> = clients.iter().map(|client| client.id.as_str()).collect();
    assert_eq!(ids, ["b", "B", "a", "Ä", "c"]);
}
