//! The contract of [`LoginSessions`].

use std::sync::Arc;

use mcp_oauth_core::domain::login::LoginSession;
use mcp_oauth_core::domain::person::{Person, Subject};
use mcp_oauth_core::port::LoginSessions;

use crate::samples::{at, person, session, session_hash};
use crate::stores::{contract, race};

contract! {
    an_opened_session_is_found_as_it_was_opened,
    an_expired_session_is_found,
    an_unknown_session_is_not_found,
    a_taken_hash_is_refused_and_its_session_stays,
    of_concurrent_openings_of_one_hash_exactly_one_succeeds,
    an_ended_session_is_returned_once_and_gone,
    of_concurrent_ends_of_one_session_exactly_one_gets_it,
}

async fn an_opened_session_is_found_as_it_was_opened(store: Arc<dyn LoginSessions>) {
    let nameless = Person {
        subject: Subject::new("nameless"),
        name: None,
        verified_email: None,
        account: None,
    };
    for (name, person) in [("a", person("a")), ("b", nameless)] {
        let session = LoginSession { person, ..session(name) };
        store.open(&session).await.unwrap();
        assert_eq!(store.find(&session_hash(name)).await.unwrap(), Some(session));
    }
}

async fn an_expired_session_is_found(store: Arc<dyn LoginSessions>) {
    let expired = LoginSession { expires_at: at(-1_000_000), ..session("a") };
    store.open(&expired).await.unwrap();
    assert_eq!(store.find(&session_hash("a")).await.unwrap(), Some(expired));
}

async fn an_unknown_session_is_not_found(store: Arc<dyn LoginSessions>) {
    store.open(&session("a")).await.unwrap();
    assert_eq!(store.find(&session_hash("b")).await.unwrap(), None);
}

async fn a_taken_hash_is_refused_and_its_session_stays(store: Arc<dyn LoginSessions>) {
    store.open(&session("a")).await.unwrap();
    let thief = LoginSession { person: person("thief"), ..session("a") };
    assert!(store.open(&thief).await.is_err());
    assert_eq!(store.find(&session_hash("a")).await.unwrap(), Some(session("a")));
}

async fn of_concurrent_openings_of_one_hash_exactly_one_succeeds(store: Arc<dyn LoginSessions>) {
    let results = race(|_| {
        let store = Arc::clone(&store);
        async move { store.open(&session("a")).await.is_ok() }
    })
    .await;
    assert_eq!(results.into_iter().filter(|opened| *opened).count(), 1);
}

async fn an_ended_session_is_returned_once_and_gone(store: Arc<dyn LoginSessions>) {
    store.open(&session("a")).await.unwrap();
    store.open(&session("b")).await.unwrap();
    assert_eq!(store.end(&session_hash("unknown")).await.unwrap(), None);
    assert_eq!(store.end(&session_hash("a")).await.unwrap(), Some(session("a")));
    assert_eq!(store.end(&session_hash("a")).await.unwrap(), None);
    assert_eq!(store.find(&session_hash("a")).await.unwrap(), None);
    assert_eq!(store.find(&session_hash("b")).await.unwrap(), Some(session("b")));
}

async fn of_concurrent_ends_of_one_session_exactly_one_gets_it(store: Arc<dyn LoginSessions>) {
    store.open(&session("a")).await.unwrap();
    let ended = race(|_| {
        let store = Arc::clone(&store);
        async move { store.end(&session_hash("a")).await.unwrap() }
    })
    .await;
    let ended: Vec<_> = ended.into_iter().flatten().collect();
    assert_eq!(ended, [session("a")]);
}
