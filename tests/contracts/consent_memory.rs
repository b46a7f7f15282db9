//! The contract of [`ConsentMemory`].

use std::sync::Arc;

use mcp_oauth_core::domain::client::ClientId;
use mcp_oauth_core::domain::client::ConsentDigest;
use mcp_oauth_core::domain::consent::{ConsentKey, RememberedConsent};
use mcp_oauth_core::domain::grant::GrantSelection;
use mcp_oauth_core::domain::person::Subject;
use mcp_oauth_core::domain::redirect_uri::RedirectUri;
use mcp_oauth_core::domain::scope::ScopeSet;
use mcp_oauth_core::port::{ConsentMemory, Housekeeping};

use crate::samples::{at, consent};
use crate::stores::{CALLERS, contract, race};

contract! {
    az_23_a_consent_is_recalled_as_it_was_given,
    az_23_a_consent_is_recalled_under_its_very_key,
    az_23_a_later_consent_takes_the_place_of_an_earlier_one,
    az_23_of_concurrent_consents_one_is_remembered_whole,
    az_23_consents_are_forgotten_by_client_by_person_or_all,
    az_23_whether_grants_are_alive_does_not_matter_to_consents,
    az_23_of_concurrent_forgetters_each_consent_is_counted_once,
    az_23_a_consent_goes_when_it_has_expired,
}

fn of_client(client: &str) -> GrantSelection {
    GrantSelection { client: Some(ClientId::new(client)), ..GrantSelection::default() }
}

fn of_person(subject: &str) -> GrantSelection {
    GrantSelection { subject: Some(Subject::new(subject)), ..GrantSelection::default() }
}

async fn is_remembered(memory: &impl ConsentMemory, subject: &str, client: &str) -> bool {
    memory.recall(&consent(subject, client).key).await.unwrap().is_some()
}

async fn az_23_a_consent_is_recalled_as_it_was_given(memory: Arc<impl ConsentMemory>) {
    let given = consent("alice", "a");
    assert_eq!(memory.recall(&given.key).await.unwrap(), None);
    memory.remember(&given).await.unwrap();
    assert_eq!(memory.recall(&given.key).await.unwrap(), Some(given));
}

async fn az_23_a_consent_is_recalled_under_its_very_key(memory: Arc<impl ConsentMemory>) {
    let given = consent("alice", "a");
    memory.remember(&given).await.unwrap();
    let elsewhere = RedirectUri::parse("https://client.example/other").unwrap();
    for other in [
        consent("Alice", "a").key,
        consent("alice", "A").key,
        consent("a", "alice").key,
        ConsentKey { redirect_uri: elsewhere, ..given.key },
    ] {
        assert_eq!(memory.recall(&other).await.unwrap(), None, "{other:?}");
    }
}

async fn az_23_a_later_consent_takes_the_place_of_an_earlier_one(memory: Arc<impl ConsentMemory>) {
    memory.remember(&consent("alice", "a")).await.unwrap();
    memory.remember(&consent("alice", "b")).await.unwrap();
    let later = RememberedConsent {
        scope: ScopeSet::parse("mcp:tools").unwrap(),
        client_digest: ConsentDigest::from_stored("another"),
        expires_at: at(9),
        ..consent("alice", "a")
    };
    memory.remember(&later).await.unwrap();
    assert_eq!(memory.recall(&later.key).await.unwrap(), Some(later));
    assert!(is_remembered(&*memory, "alice", "b").await);
}

async fn az_23_of_concurrent_consents_one_is_remembered_whole(
    memory: Arc<impl ConsentMemory + 'static>,
) {
    let given = |number: usize| RememberedConsent {
        client_digest: ConsentDigest::from_stored(number.to_string()),
        expires_at: at(i64::try_from(number).unwrap()),
        ..consent("alice", "a")
    };
    let remembered = race(|number| {
        let (memory, given) = (Arc::clone(&memory), given(number));
        async move { memory.remember(&given).await }
    })
    .await;
    assert!(remembered.iter().all(Result::is_ok), "{remembered:?}");
    let kept = memory.recall(&consent("alice", "a").key).await.unwrap().unwrap();
    assert!((0..CALLERS).any(|number| kept == given(number)), "{kept:?}");
}

async fn az_23_consents_are_forgotten_by_client_by_person_or_all(memory: Arc<impl ConsentMemory>) {
    for subject in ["alice", "bob"] {
        for client in ["a", "b"] {
            memory.remember(&consent(subject, client)).await.unwrap();
        }
    }
    let both = GrantSelection { client: Some(ClientId::new("a")), ..of_person("bob") };
    for (selection, went) in [
        (of_client("unknown"), 0),
        (of_person("Alice"), 0),
        (both.clone(), 1),
        (both, 0),
        (of_client("a"), 1),
        (of_person("alice"), 1),
    ] {
        assert_eq!(memory.forget_consents(&selection).await.unwrap(), went, "{selection:?}");
    }
    assert!(is_remembered(&*memory, "bob", "b").await);
    assert_eq!(memory.forget_consents(&GrantSelection::default()).await.unwrap(), 1);
    assert!(!is_remembered(&*memory, "bob", "b").await);
}

async fn az_23_whether_grants_are_alive_does_not_matter_to_consents(
    memory: Arc<impl ConsentMemory>,
) {
    memory.remember(&consent("alice", "a")).await.unwrap();
    let alive = GrantSelection { alive: true, ..of_client("a") };
    assert_eq!(memory.forget_consents(&alive).await.unwrap(), 1);
}

async fn az_23_of_concurrent_forgetters_each_consent_is_counted_once(
    memory: Arc<impl ConsentMemory + 'static>,
) {
    for number in 0..20 {
        let (subject, client) = (format!("s{}", number % 5), format!("c{}", number / 5));
        memory.remember(&consent(&subject, &client)).await.unwrap();
    }
    let counts = race(|number| {
        let memory = Arc::clone(&memory);
        // Selections that overlap, in every order.
        let selections =
            [GrantSelection::default(), of_client("c0"), of_person("s1"), of_client("c3")];
        let selection = selections[number % selections.len()].clone();
        async move { memory.forget_consents(&selection).await.unwrap() }
    })
    .await;
    assert_eq!(counts.iter().sum::<u64>(), 20, "{counts:?}");
}

async fn az_23_a_consent_goes_when_it_has_expired(store: Arc<impl ConsentMemory + Housekeeping>) {
    for (client, expires_at) in [("before", 99), ("then", 100)] {
        let consent = RememberedConsent { expires_at: at(expires_at), ..consent("alice", client) };
        store.remember(&consent).await.unwrap();
    }
    assert_eq!(store.forget_expired(at(100)).await.unwrap(), 1);
    assert!(!is_remembered(&*store, "alice", "before").await);
    assert!(is_remembered(&*store, "alice", "then").await);
}
