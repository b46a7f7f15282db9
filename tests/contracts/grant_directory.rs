//! The contract of [`GrantDirectory`].

use std::sync::Arc;

use mcp_oauth_core::domain::client::ClientId;
use mcp_oauth_core::domain::grant::{Grant, GrantId, GrantSelection};
use mcp_oauth_core::domain::person::Subject;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{GrantDirectory, GrantStore, RotateError};

use crate::refresh_tokens::rotation;
use crate::samples::{at, begun, code, grant, person, refresh, refresh_hash, refreshable};
use crate::stores::{CALLERS, Store, contract, race};

contract! {
    ex_01_a_grant_without_a_code_is_found_as_it_was_stored,
    an_id_that_is_taken_is_refused_and_the_grant_stays_as_it_was,
    of_concurrent_grants_of_one_id_one_is_stored,
    a_grant_is_found_with_or_without_a_code_revoked_or_not,
    a_selection_means_the_grants_that_fit_all_of_it,
    grants_are_listed_newest_first_and_by_id_within_a_second,
    no_more_grants_are_listed_than_asked_for,
    rv_01_the_grants_of_a_selection_end_and_others_go_on,
    rv_01_a_grant_that_ended_keeps_its_moment_and_is_not_counted,
    rv_01_of_concurrent_revocations_each_grant_is_counted_once,
    rv_01_while_grants_are_added_those_that_were_there_end,
    rf_02_a_refresh_token_of_an_ended_selection_is_gone,
    rf_02_rotations_and_a_revocation_of_all_at_once_leave_nothing_alive,
}

/// A grant of `client` by the person `subject`, given `second` seconds after the beginning.
fn given(id: &str, client: &str, subject: &str, second: i64) -> Grant {
    let (client, person) = (ClientId::new(client), person(subject));
    Grant { client, person, granted_at: at(second), ..grant(id) }
}

fn of_client(client: &str) -> GrantSelection {
    GrantSelection { client: Some(ClientId::new(client)), ..everything() }
}

fn of_person(subject: &str) -> GrantSelection {
    GrantSelection { subject: Some(Subject::new(subject)), ..everything() }
}

fn everything() -> GrantSelection {
    GrantSelection::default()
}

/// Five grants: two clients and two people in every combination, the first of them revoked, and
/// one whose names differ in case alone.
async fn fill(store: &dyn Store) {
    let grants = [
        given("a1", "a", "alice", 1),
        given("a2", "a", "bob", 2),
        given("b1", "b", "alice", 3),
        given("b2", "b", "bob", 4),
        given("A1", "A", "ALICE", 5),
    ];
    for grant in &grants {
        store.begin_without_code(grant).await.unwrap();
    }
    store.revoke(&GrantId::new("a1"), at(8)).await.unwrap();
}

/// The ids of the grants of a selection, as they are listed.
async fn listed(store: &dyn GrantDirectory, selection: &GrantSelection) -> Vec<String> {
    let grants = store.list_grants(selection, 100).await.unwrap();
    grants.into_iter().map(|grant| grant.id.as_str().to_owned()).collect()
}

async fn revoked_at(store: &dyn GrantDirectory, id: &str) -> Option<Timestamp> {
    store.find_grant(&GrantId::new(id)).await.unwrap().unwrap().revoked_at
}

async fn ex_01_a_grant_without_a_code_is_found_as_it_was_stored(store: Arc<dyn Store>) {
    store.begin_without_code(&grant("g")).await.unwrap();
    assert_eq!(store.find_grant(&GrantId::new("g")).await.unwrap(), Some(grant("g")));
    assert_eq!(store.list_grants(&everything(), 9).await.unwrap(), [grant("g")]);
    assert_eq!(store.find_grant(&GrantId::new("G")).await.unwrap(), None);
}

async fn an_id_that_is_taken_is_refused_and_the_grant_stays_as_it_was(store: Arc<dyn Store>) {
    begun(&*store, "coded").await;
    store.begin_without_code(&grant("bare")).await.unwrap();
    for id in ["coded", "bare"] {
        assert!(store.begin_without_code(&given(id, "other", "other", 9)).await.is_err());
        let (other, code) = (given(id, "other", "other", 9), code(&format!("{id}2")));
        assert!(GrantStore::begin(&*store, &other, &code).await.is_err());
        assert_eq!(store.find_grant(&GrantId::new(id)).await.unwrap(), Some(grant(id)));
    }
}

async fn of_concurrent_grants_of_one_id_one_is_stored(store: Arc<dyn Store>) {
    let stored = race(|number| {
        let store = Arc::clone(&store);
        let grant = given("g", &number.to_string(), "subject", 0);
        async move { store.begin_without_code(&grant).await.is_ok() }
    })
    .await;
    let winners: Vec<_> = (0..CALLERS).filter(|number| stored[*number]).collect();
    let [winner] = winners[..] else { panic!("{winners:?}") };
    let found = store.find_grant(&GrantId::new("g")).await.unwrap().unwrap();
    assert_eq!(found.client, ClientId::new(winner.to_string()));
}

async fn a_grant_is_found_with_or_without_a_code_revoked_or_not(store: Arc<dyn Store>) {
    begun(&*store, "coded").await;
    store.begin_without_code(&grant("bare")).await.unwrap();
    for id in ["coded", "bare"] {
        assert_eq!(revoked_at(&*store, id).await, None);
        store.revoke(&GrantId::new(id), at(8)).await.unwrap();
        assert_eq!(revoked_at(&*store, id).await, Some(at(8)));
    }
    assert_eq!(store.find_grant(&GrantId::new("unknown")).await.unwrap(), None);
}

async fn a_selection_means_the_grants_that_fit_all_of_it(store: Arc<dyn Store>) {
    fill(&*store).await;
    let alive = |selection| GrantSelection { alive: true, ..selection };
    let both = GrantSelection { client: of_client("a").client, ..of_person("alice") };
    let meant = [
        (everything(), vec!["A1", "b2", "b1", "a2", "a1"]),
        (alive(everything()), vec!["A1", "b2", "b1", "a2"]),
        (of_client("a"), vec!["a2", "a1"]),
        (alive(of_client("a")), vec!["a2"]),
        (of_person("alice"), vec!["b1", "a1"]),
        (alive(of_person("alice")), vec!["b1"]),
        (both.clone(), vec!["a1"]),
        (alive(both), vec![]),
        (of_client("unknown"), vec![]),
        (of_client(""), vec![]),
        (of_person("%"), vec![]),
    ];
    for (selection, ids) in meant {
        assert_eq!(listed(&*store, &selection).await, ids, "{selection:?}");
    }
}

async fn grants_are_listed_newest_first_and_by_id_within_a_second(store: Arc<dyn Store>) {
    for id in ["b", "_", "a", "-", "B", "1"] {
        store.begin_without_code(&given(id, "client", "subject", 1)).await.unwrap();
    }
    for (id, second) in [("old", 0), ("new", 2)] {
        store.begin_without_code(&given(id, "client", "subject", second)).await.unwrap();
    }
    let order = ["new", "-", "1", "B", "_", "a", "b", "old"];
    assert_eq!(listed(&*store, &everything()).await, order);
}

async fn no_more_grants_are_listed_than_asked_for(store: Arc<dyn Store>) {
    // Of one second are those that the cut goes through, in no order that would hide a wrong one.
    for id in ["d", "a", "e", "c", "b"] {
        store.begin_without_code(&given(id, "client", "subject", 1)).await.unwrap();
    }
    store.begin_without_code(&given("new", "client", "subject", 2)).await.unwrap();
    let order = ["new", "a", "b", "c", "d", "e"];
    for most in 0..=7 {
        let grants = store.list_grants(&everything(), most).await.unwrap();
        let ids: Vec<_> = grants.iter().map(|grant| grant.id.as_str()).collect();
        assert_eq!(ids, order[..order.len().min(most as usize)], "{most}");
    }
}

async fn rv_01_the_grants_of_a_selection_end_and_others_go_on(store: Arc<dyn Store>) {
    fill(&*store).await;
    assert_eq!(store.revoke_all(&of_client("unknown"), at(9)).await.unwrap(), 0);
    assert_eq!(store.revoke_all(&of_client("b"), at(9)).await.unwrap(), 2);
    let ended = [("b1", Some(at(9))), ("b2", Some(at(9))), ("a2", None), ("A1", None)];
    for (id, moment) in ended {
        assert_eq!(revoked_at(&*store, id).await, moment, "{id}");
    }
    let bob = GrantSelection { alive: true, ..of_person("bob") };
    assert_eq!(store.revoke_all(&bob, at(10)).await.unwrap(), 1);
    assert_eq!(revoked_at(&*store, "a2").await, Some(at(10)));
    assert_eq!(revoked_at(&*store, "A1").await, None);
}

async fn rv_01_a_grant_that_ended_keeps_its_moment_and_is_not_counted(store: Arc<dyn Store>) {
    fill(&*store).await;
    assert_eq!(store.revoke_all(&everything(), at(9)).await.unwrap(), 4);
    assert_eq!(store.revoke_all(&everything(), at(10)).await.unwrap(), 0);
    assert_eq!(revoked_at(&*store, "a1").await, Some(at(8)));
    assert_eq!(revoked_at(&*store, "b2").await, Some(at(9)));
}

async fn rv_01_of_concurrent_revocations_each_grant_is_counted_once(store: Arc<dyn Store>) {
    for number in 0..20 {
        let (client, subject) = (format!("c{}", number % 2), format!("s{}", number % 5));
        let grant = given(&number.to_string(), &client, &subject, number);
        store.begin_without_code(&grant).await.unwrap();
    }
    let counts = race(|number| {
        let store = Arc::clone(&store);
        // Selections that overlap, in every order.
        let selections = [everything(), of_client("c0"), of_person("s1"), of_client("c1")];
        let selection = selections[number % selections.len()].clone();
        async move { store.revoke_all(&selection, at(100)).await.unwrap() }
    })
    .await;
    assert_eq!(counts.iter().sum::<u64>(), 20, "{counts:?}");
    let alive = GrantSelection { alive: true, ..everything() };
    assert_eq!(listed(&*store, &alive).await, [""; 0]);
}

async fn rv_01_while_grants_are_added_those_that_were_there_end(store: Arc<dyn Store>) {
    for number in 0..10 {
        store.begin_without_code(&grant(&format!("old {number}"))).await.unwrap();
    }
    let counts = race(|number| {
        let store = Arc::clone(&store);
        async move {
            if number % 4 == 0 {
                return store.revoke_all(&of_client("client"), at(9)).await.unwrap();
            }
            store.begin_without_code(&grant(&format!("new {number}"))).await.unwrap();
            0
        }
    })
    .await;
    let grants = store.list_grants(&everything(), 100).await.unwrap();
    let ended = |grant: &&Grant| grant.revoked_at == Some(at(9));
    assert_eq!(counts.iter().sum::<u64>(), grants.iter().filter(ended).count() as u64);
    let old = grants.iter().filter(|grant| grant.id.as_str().starts_with("old"));
    assert_eq!(old.filter(ended).count(), 10);
    assert_eq!(grants.len(), 10 + CALLERS / 4 * 3);
}

async fn rf_02_a_refresh_token_of_an_ended_selection_is_gone(store: Arc<dyn Store>) {
    refreshable(&*store, "g").await;
    store.revoke_all(&of_person("subject"), at(8)).await.unwrap();
    let refusal = store.rotate_if_current(&refresh_hash("g"), at(9), &refresh("r2", "g")).await;
    assert!(matches!(refusal, Err(RotateError::Gone)), "{refusal:?}");
    assert_eq!(rotation(&*store, "g").await, None);
}

async fn rf_02_rotations_and_a_revocation_of_all_at_once_leave_nothing_alive(
    store: Arc<dyn Store>,
) {
    for number in 0..CALLERS {
        refreshable(&*store, &number.to_string()).await;
    }
    race(|number| {
        let store = Arc::clone(&store);
        let name = number.to_string();
        async move {
            if number % 8 == 0 {
                store.revoke_all(&of_client("client"), at(8)).await.unwrap();
            }
            let successor = refresh(&format!("{name} next"), &name);
            let rotated = store.rotate_if_current(&refresh_hash(&name), at(9), &successor).await;
            assert!(!matches!(rotated, Err(RotateError::Unavailable(_))), "{rotated:?}");
        }
    })
    .await;
    let alive = GrantSelection { alive: true, ..everything() };
    assert_eq!(listed(&*store, &alive).await, [""; 0]);
}
