//! The contract of [`McpSessions`].

use std::sync::Arc;

use mcp_oauth_core::domain::mcp_session::{
    MOST_SETUP_BYTES, McpSession, SessionOwner, SessionSetup,
};
use mcp_oauth_core::domain::secret::McpSessionHash;
use mcp_oauth_core::port::{McpSessions, OpenSessionError, SessionBounds, SessionUse};

use crate::samples::{at, mcp_session, mcp_session_hash, session_owner};
use crate::stores::{CALLERS, contract, race};

contract! {
    a_session_is_found_by_its_owner_as_it_was_opened,
    the_session_of_somebody_else_does_not_exist,
    a_taken_id_is_refused_and_its_session_stays,
    of_concurrent_openings_with_one_id_exactly_one_succeeds,
    one_session_too_many_ends_the_one_used_longest_ago,
    of_those_used_at_once_the_one_opened_first_is_ended,
    as_many_are_ended_as_it_takes,
    sessions_that_have_expired_take_no_room,
    one_session_too_many_of_all_is_refused_and_ends_none,
    a_full_house_still_lets_an_owner_change_one_for_another,
    the_bounds_hold_for_concurrent_openings,
    a_use_is_remembered_and_an_earlier_one_is_not,
    a_session_that_expired_stays_so,
    a_session_that_was_ended_stays_so,
    a_use_amid_the_end_revives_nothing,
    of_concurrent_ends_one_is_told_so,
    a_setup_is_replaced_only_while_it_is_current,
    of_concurrent_replacements_exactly_one_succeeds,
}

/// More than any test opens.
const WIDE: SessionBounds = SessionBounds { total: 1000, per_owner: 1000 };

async fn opened(store: &dyn McpSessions, name: &str) {
    let ended = store.open_session(&mcp_session(name, "owner"), WIDE).await.unwrap();
    assert_eq!(ended, []);
}

async fn find(store: &dyn McpSessions, name: &str, owner: &str) -> Option<McpSession> {
    store.find_session(&mcp_session_hash(name), &session_owner(owner)).await.unwrap()
}

async fn is_there(store: &dyn McpSessions, name: &str) -> bool {
    find(store, name, "owner").await.is_some()
}

fn hashes(names: &[&str]) -> Vec<McpSessionHash> {
    names.iter().map(|name| mcp_session_hash(name)).collect()
}

fn setup(text: &str) -> SessionSetup {
    SessionSetup::new(format!("\0{text}\u{ff}").into_bytes()).unwrap()
}

fn used(seconds: i64) -> SessionUse {
    SessionUse { used_at: at(seconds), expires_at: at(seconds + 100) }
}

async fn touch(store: &dyn McpSessions, name: &str, owner: &str, usage: SessionUse) -> bool {
    store.touch_session(&mcp_session_hash(name), &session_owner(owner), usage).await.unwrap()
}

async fn end(store: &dyn McpSessions, name: &str, owner: &str) -> bool {
    store.end_session(&mcp_session_hash(name), &session_owner(owner)).await.unwrap()
}

async fn a_session_is_found_by_its_owner_as_it_was_opened(store: Arc<dyn McpSessions>) {
    opened(&*store, "a").await;
    let large = SessionSetup::new(vec![0xff; MOST_SETUP_BYTES]).unwrap();
    let other = McpSession { setup: large, expires_at: at(-9), ..mcp_session("b", "owner") };
    store.open_session(&other, WIDE).await.unwrap();
    assert_eq!(find(&*store, "a", "owner").await, Some(mcp_session("a", "owner")));
    assert_eq!(find(&*store, "b", "owner").await, Some(other), "expired or not");
    assert_eq!(find(&*store, "c", "owner").await, None);
}

async fn the_session_of_somebody_else_does_not_exist(store: Arc<dyn McpSessions>) {
    opened(&*store, "a").await;
    let (id, thief) = (mcp_session_hash("a"), session_owner("thief"));
    assert_eq!(find(&*store, "a", "thief").await, None);
    assert!(!touch(&*store, "a", "thief", used(50)).await);
    let current = mcp_session("a", "owner").setup;
    let replaced = store.replace_setup_if_current(&id, &thief, &current, &setup("theirs")).await;
    assert!(!replaced.unwrap());
    assert!(!end(&*store, "a", "thief").await);
    assert_eq!(find(&*store, "a", "owner").await, Some(mcp_session("a", "owner")));
}

async fn a_taken_id_is_refused_and_its_session_stays(store: Arc<dyn McpSessions>) {
    opened(&*store, "a").await;
    let narrow = SessionBounds { total: 1, per_owner: 1 };
    for owner in ["owner", "thief"] {
        let refused = store.open_session(&mcp_session("a", owner), WIDE).await.unwrap_err();
        assert!(matches!(refused, OpenSessionError::Unavailable(_)), "{refused}");
    }
    assert_eq!(find(&*store, "a", "owner").await, Some(mcp_session("a", "owner")));
    opened(&*store, "b").await;
    assert!(store.open_session(&mcp_session("b", "thief"), narrow).await.is_err());
    assert!(is_there(&*store, "a").await && is_there(&*store, "b").await);
}

async fn of_concurrent_openings_with_one_id_exactly_one_succeeds(store: Arc<dyn McpSessions>) {
    let results = race(|number| {
        let store = Arc::clone(&store);
        let session = mcp_session("a", &number.to_string());
        async move { store.open_session(&session, WIDE).await.is_ok() }
    })
    .await;
    assert_eq!(results.into_iter().filter(|opened| *opened).count(), 1);
}

async fn one_session_too_many_ends_the_one_used_longest_ago(store: Arc<dyn McpSessions>) {
    let bounds = SessionBounds { per_owner: 2, ..WIDE };
    let other = mcp_session("other", "somebody else");
    store.open_session(&other, bounds).await.unwrap();
    for name in ["first", "second"] {
        assert_eq!(store.open_session(&mcp_session(name, "owner"), bounds).await.unwrap(), []);
    }
    assert!(touch(&*store, "first", "owner", used(5)).await);
    let ended = store.open_session(&mcp_session("third", "owner"), bounds).await.unwrap();
    assert_eq!(ended, hashes(&["second"]));
    assert!(!is_there(&*store, "second").await);
    assert!(is_there(&*store, "first").await && is_there(&*store, "third").await);
    assert_eq!(find(&*store, "other", "somebody else").await, Some(other));
}

async fn of_those_used_at_once_the_one_opened_first_is_ended(store: Arc<dyn McpSessions>) {
    let bounds = SessionBounds { per_owner: 2, ..WIDE };
    for (name, opened_at) in [("younger", 2), ("older", 1)] {
        let session = McpSession {
            opened_at: at(opened_at),
            last_used_at: at(7),
            ..mcp_session(name, "owner")
        };
        store.open_session(&session, bounds).await.unwrap();
    }
    let session = McpSession { opened_at: at(7), ..mcp_session("newest", "owner") };
    assert_eq!(store.open_session(&session, bounds).await.unwrap(), hashes(&["older"]));
}

async fn as_many_are_ended_as_it_takes(store: Arc<dyn McpSessions>) {
    for (number, name) in ["a", "b", "c"].into_iter().enumerate() {
        opened(&*store, name).await;
        assert!(touch(&*store, name, "owner", used(1 + number as i64)).await);
    }
    // Somebody lowered the bound.
    let bounds = SessionBounds { per_owner: 2, ..WIDE };
    let ended = store.open_session(&mcp_session("d", "owner"), bounds).await.unwrap();
    assert_eq!(ended, hashes(&["a", "b"]));
    assert!(is_there(&*store, "c").await && is_there(&*store, "d").await);
}

async fn sessions_that_have_expired_take_no_room(store: Arc<dyn McpSessions>) {
    let bounds = SessionBounds { total: 2, per_owner: 1 };
    for owner in ["owner", "somebody else"] {
        let session = McpSession { expires_at: at(10), ..mcp_session(owner, owner) };
        store.open_session(&session, bounds).await.unwrap();
    }
    let at_the_end = McpSession { opened_at: at(10), ..mcp_session("new", "owner") };
    assert_eq!(store.open_session(&at_the_end, bounds).await.unwrap(), []);
    let third = McpSession { opened_at: at(10), ..mcp_session("third", "third") };
    assert_eq!(store.open_session(&third, bounds).await.unwrap(), []);
    for owner in ["owner", "somebody else"] {
        assert_eq!(find(&*store, owner, owner).await, None, "nobody can want it");
    }
}

async fn one_session_too_many_of_all_is_refused_and_ends_none(store: Arc<dyn McpSessions>) {
    let bounds = SessionBounds { total: 2, per_owner: 2 };
    for owner in ["a", "b"] {
        store.open_session(&mcp_session(owner, owner), bounds).await.unwrap();
    }
    let refused = store.open_session(&mcp_session("c", "a"), bounds).await.unwrap_err();
    assert!(matches!(refused, OpenSessionError::Full), "{refused}");
    for owner in ["a", "b"] {
        assert_eq!(find(&*store, owner, owner).await, Some(mcp_session(owner, owner)));
    }
    assert_eq!(find(&*store, "c", "a").await, None);
    assert!(end(&*store, "b", "b").await);
    store.open_session(&mcp_session("c", "c"), bounds).await.unwrap();
}

async fn a_full_house_still_lets_an_owner_change_one_for_another(store: Arc<dyn McpSessions>) {
    let bounds = SessionBounds { total: 2, per_owner: 1 };
    for owner in ["a", "b"] {
        store.open_session(&mcp_session(owner, owner), bounds).await.unwrap();
    }
    let ended = store.open_session(&mcp_session("c", "a"), bounds).await.unwrap();
    assert_eq!(ended, hashes(&["a"]));
}

async fn the_bounds_hold_for_concurrent_openings(store: Arc<dyn McpSessions>) {
    let bounds = SessionBounds { total: 20, per_owner: 3 };
    let openings = race(|number| {
        let store = Arc::clone(&store);
        async move {
            // Half of them are of one owner, the others of one each.
            let owner = if number % 2 == 0 { "greedy".to_owned() } else { number.to_string() };
            let session = mcp_session(&format!("session {number}"), &owner);
            store.open_session(&session, bounds).await
        }
    })
    .await;
    let mut left = Vec::new();
    for number in 0..CALLERS {
        let owner = if number % 2 == 0 { "greedy".to_owned() } else { number.to_string() };
        left.extend(find(&*store, &format!("session {number}"), &owner).await);
    }
    let greedy = left.iter().filter(|session| session.owner == session_owner("greedy")).count();
    assert!(greedy <= 3, "{greedy}");
    assert_eq!(left.len(), 20);
    let ended: usize = openings.iter().flatten().map(Vec::len).sum();
    assert_eq!(openings.iter().flatten().count() - ended, 20);
}

async fn a_use_is_remembered_and_an_earlier_one_is_not(store: Arc<dyn McpSessions>) {
    opened(&*store, "a").await;
    opened(&*store, "b").await;
    assert!(touch(&*store, "a", "owner", used(50)).await);
    assert!(touch(&*store, "a", "owner", used(40)).await);
    assert!(touch(&*store, "a", "owner", used(50)).await);
    let expected =
        McpSession { last_used_at: at(50), expires_at: at(150), ..mcp_session("a", "owner") };
    assert_eq!(find(&*store, "a", "owner").await, Some(expected));
    assert_eq!(find(&*store, "b", "owner").await, Some(mcp_session("b", "owner")));
}

async fn a_session_that_expired_stays_so(store: Arc<dyn McpSessions>) {
    opened(&*store, "a").await;
    assert!(touch(&*store, "a", "owner", used(99)).await);
    assert!(!touch(&*store, "a", "owner", used(199)).await);
    assert!(!touch(&*store, "a", "owner", used(500)).await);
    let found = find(&*store, "a", "owner").await.unwrap();
    assert_eq!((found.last_used_at, found.expires_at), (at(99), at(199)));
}

async fn a_session_that_was_ended_stays_so(store: Arc<dyn McpSessions>) {
    opened(&*store, "a").await;
    opened(&*store, "b").await;
    assert!(end(&*store, "a", "owner").await);
    assert!(!end(&*store, "a", "owner").await);
    assert!(!touch(&*store, "a", "owner", used(1)).await);
    let (id, current) = (mcp_session_hash("a"), mcp_session("a", "owner").setup);
    let owner = session_owner("owner");
    let replaced = store.replace_setup_if_current(&id, &owner, &current, &setup("next")).await;
    assert!(!replaced.unwrap());
    assert_eq!(find(&*store, "a", "owner").await, None);
    assert!(is_there(&*store, "b").await);
}

async fn a_use_amid_the_end_revives_nothing(store: Arc<dyn McpSessions>) {
    opened(&*store, "a").await;
    race(|number| {
        let store = Arc::clone(&store);
        async move {
            match number == CALLERS / 2 {
                true => assert!(end(&*store, "a", "owner").await),
                false => drop(touch(&*store, "a", "owner", used(number as i64)).await),
            }
        }
    })
    .await;
    assert_eq!(find(&*store, "a", "owner").await, None);
}

async fn of_concurrent_ends_one_is_told_so(store: Arc<dyn McpSessions>) {
    opened(&*store, "a").await;
    let ended = race(|_| {
        let store = Arc::clone(&store);
        async move { end(&*store, "a", "owner").await }
    })
    .await;
    assert_eq!(ended.into_iter().filter(|ended| *ended).count(), 1);
}

async fn replaced(
    store: &dyn McpSessions,
    name: &str,
    current: &SessionSetup,
    next: &SessionSetup,
) -> bool {
    let (id, owner): (_, SessionOwner) = (mcp_session_hash(name), session_owner("owner"));
    store.replace_setup_if_current(&id, &owner, current, next).await.unwrap()
}

async fn a_setup_is_replaced_only_while_it_is_current(store: Arc<dyn McpSessions>) {
    opened(&*store, "a").await;
    opened(&*store, "b").await;
    let first = mcp_session("a", "owner").setup;
    assert!(replaced(&*store, "a", &first, &setup("next")).await);
    assert!(!replaced(&*store, "a", &first, &setup("late")).await);
    assert_eq!(find(&*store, "a", "owner").await.unwrap().setup, setup("next"));
    assert_eq!(find(&*store, "b", "owner").await, Some(mcp_session("b", "owner")));
}

async fn of_concurrent_replacements_exactly_one_succeeds(store: Arc<dyn McpSessions>) {
    opened(&*store, "a").await;
    let outcomes = race(|number| {
        let store = Arc::clone(&store);
        async move {
            let (first, next) = (mcp_session("a", "owner").setup, setup(&number.to_string()));
            replaced(&*store, "a", &first, &next).await.then_some(next)
        }
    })
    .await;
    let winners: Vec<_> = outcomes.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(find(&*store, "a", "owner").await.unwrap().setup, winners[0]);
}
