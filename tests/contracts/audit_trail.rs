//! The contract of [`AuditTrail`]: in which order entries are found, and which are forgotten.

use std::sync::Arc;

use mcp_oauth_core::domain::audit_trail::{AuditEntry, AuditQuery};
use mcp_oauth_core::domain::client::ClientId;
use mcp_oauth_core::domain::person::Subject;
use mcp_oauth_core::port::AuditTrail;

use crate::samples::{at, entry};
use crate::stores::{CALLERS, contract, race};

contract! {
    co_05_entries_are_found_as_they_were_added,
    co_05_entries_are_found_in_the_order_of_their_numbers,
    co_05_every_part_of_a_query_narrows_what_is_found,
    co_05_concurrent_entries_stay_together_and_have_numbers_of_their_own,
    co_05_who_follows_the_trail_misses_nothing,
    co_05_entries_made_at_the_moment_or_later_are_kept,
    co_05_the_number_of_a_forgotten_entry_is_not_given_out_again,
    co_05_of_a_surplus_the_oldest_numbers_go,
    co_05_of_concurrent_forgetters_each_entry_is_counted_once,
}

/// As many as any test adds.
const ALL: u32 = 1000;

fn everything() -> AuditQuery {
    AuditQuery::default()
}

fn after(number: i64) -> AuditQuery {
    AuditQuery { after: Some(number), ..everything() }
}

async fn numbers(trail: &impl AuditTrail) -> Vec<i64> {
    let found = trail.read(&everything(), ALL).await.unwrap();
    found.into_iter().map(|(number, _)| number).collect()
}

/// The names of the decisions that are found.
async fn names(trail: &impl AuditTrail, query: &AuditQuery, most: u32) -> Vec<String> {
    let found = trail.read(query, most).await.unwrap();
    found.into_iter().map(|(_, entry)| entry.decision).collect()
}

async fn add(trail: &impl AuditTrail, names: &[&str]) {
    let entries: Vec<_> = names.iter().zip(1..).map(|(name, second)| entry(name, second)).collect();
    trail.append(&entries).await.unwrap();
}

async fn co_05_entries_are_found_as_they_were_added(trail: Arc<impl AuditTrail>) {
    let bare = AuditEntry {
        code: None,
        reason: None,
        client: None,
        subject: None,
        grant: None,
        token: None,
        request: None,
        address: None,
        ..entry("bare", -1)
    };
    trail.append(&[entry("whole", 1), bare.clone()]).await.unwrap();
    trail.append(&[]).await.unwrap();
    let found = trail.read(&everything(), ALL).await.unwrap();
    let entries: Vec<_> = found.into_iter().map(|(_, entry)| entry).collect();
    assert_eq!(entries, [entry("whole", 1), bare]);
}

async fn co_05_entries_are_found_in_the_order_of_their_numbers(trail: Arc<impl AuditTrail>) {
    add(&*trail, &["b", "a"]).await;
    add(&*trail, &["c", "B"]).await;
    assert_eq!(names(&*trail, &everything(), ALL).await, ["b", "a", "c", "B"]);
    assert!(numbers(&*trail).await.is_sorted_by(|one, next| one < next));
    assert_eq!(names(&*trail, &everything(), 3).await, ["a", "c", "B"], "the newest");
    assert_eq!(names(&*trail, &everything(), 0).await, [""; 0]);
    let second = numbers(&*trail).await[1];
    assert_eq!(names(&*trail, &after(second), ALL).await, ["c", "B"]);
    assert_eq!(names(&*trail, &after(second), 1).await, ["B"]);
}

async fn co_05_every_part_of_a_query_narrows_what_is_found(trail: Arc<impl AuditTrail>) {
    let of = |decision: &str, second, client: &str, subject: &str| AuditEntry {
        client: Some(ClientId::new(client)),
        subject: Some(Subject::new(subject)),
        grant: Some(format!("{client}-{subject}")),
        request: Some(format!("request-{second}")),
        ..entry(decision, second)
    };
    let entries = [
        entry("nobody", 0),
        of("token_issued", 1, "a", "alice"),
        of("refused", 2, "a", "bob"),
        of("refused", 3, "b", "alice"),
        of("refused", 4, "A", "ALICE"),
    ];
    trail.append(&entries).await.unwrap();
    let all = AuditQuery::default;
    let client = |id: &str| Some(ClientId::new(id));
    let subject = |name: &str| Some(Subject::new(name));
    let text = |text: &str| Some(text.to_owned());
    for (query, seconds) in [
        (all(), &[0, 1, 2, 3, 4][..]),
        (AuditQuery { client: client("a"), ..all() }, &[1, 2]),
        (AuditQuery { subject: subject("alice"), ..all() }, &[1, 3]),
        (AuditQuery { grant: text("b-alice"), ..all() }, &[3]),
        (AuditQuery { request: text("request-2"), ..all() }, &[2]),
        (AuditQuery { decision: text("refused"), ..all() }, &[2, 3, 4]),
        (AuditQuery { since: Some(at(3)), ..all() }, &[3, 4]),
        (AuditQuery { client: client("a"), decision: text("refused"), ..all() }, &[2]),
        (AuditQuery { client: client("a"), subject: subject("carol"), ..all() }, &[]),
        (AuditQuery { client: client("%"), ..all() }, &[]),
    ] {
        let found = trail.read(&query, 10).await.unwrap();
        let found: Vec<_> = found.into_iter().map(|(_, entry)| entry).collect();
        let expected: Vec<_> =
            entries.iter().filter(|entry| seconds.iter().any(|it| entry.at == at(*it))).collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query:?}");
    }
}

async fn co_05_concurrent_entries_stay_together_and_have_numbers_of_their_own(
    trail: Arc<impl AuditTrail + 'static>,
) {
    let added = race(|number| {
        let trail = Arc::clone(&trail);
        let parts = ["first", "second", "third"].map(|part| format!("{number} {part}"));
        async move { add(&*trail, &parts.each_ref().map(String::as_str)).await }
    })
    .await;
    let found = names(&*trail, &everything(), ALL).await;
    assert_eq!(found.len(), added.len() * 3);
    for together in found.chunks(3) {
        let caller = together[0].split(' ').next().unwrap();
        let expected = ["first", "second", "third"].map(|part| format!("{caller} {part}"));
        assert_eq!(together, expected);
    }
    assert!(numbers(&*trail).await.is_sorted_by(|one, next| one < next));
}

/// Whoever has seen a number need not look below it again.
async fn co_05_who_follows_the_trail_misses_nothing(trail: Arc<impl AuditTrail + 'static>) {
    let followed = race(|number| {
        let trail = Arc::clone(&trail);
        async move {
            if number % 8 > 0 {
                add(&*trail, &[&format!("{number} a"), &format!("{number} b")]).await;
                return Vec::new();
            }
            let (mut seen, mut last) = (Vec::new(), 0);
            for _ in 0..20 {
                let found = trail.read(&after(last), ALL).await.unwrap();
                last = found.last().map_or(last, |(number, _)| *number);
                seen.extend(found.into_iter().map(|(number, _)| number));
            }
            seen
        }
    })
    .await;
    let all = numbers(&*trail).await;
    assert_eq!(all.len(), CALLERS / 8 * 7 * 2);
    for seen in followed {
        assert_eq!(seen, all[..seen.len()], "in the order of their numbers, without a gap");
    }
}

async fn co_05_entries_made_at_the_moment_or_later_are_kept(trail: Arc<impl AuditTrail>) {
    // Not in the order of their numbers: clocks of several servers differ.
    let entries = [entry("then", 100), entry("before", 99), entry("later", 101)];
    trail.append(&entries).await.unwrap();
    assert_eq!(trail.forget_entries(at(100), ALL).await.unwrap(), 1);
    assert_eq!(names(&*trail, &everything(), ALL).await, ["then", "later"]);
    assert_eq!(trail.forget_entries(at(100), ALL).await.unwrap(), 0);
}

async fn co_05_the_number_of_a_forgotten_entry_is_not_given_out_again(trail: Arc<impl AuditTrail>) {
    add(&*trail, &["a", "b"]).await;
    let last = numbers(&*trail).await[1];
    assert_eq!(trail.forget_entries(at(1000), ALL).await.unwrap(), 2);
    add(&*trail, &["c"]).await;
    assert!(numbers(&*trail).await[0] > last);
    assert_eq!(names(&*trail, &after(last), ALL).await, ["c"]);
}

async fn co_05_of_a_surplus_the_oldest_numbers_go(trail: Arc<impl AuditTrail>) {
    add(&*trail, &["a", "b", "c", "d"]).await;
    assert_eq!(trail.forget_entries(at(0), 4).await.unwrap(), 0);
    assert_eq!(trail.forget_entries(at(0), 3).await.unwrap(), 1);
    assert_eq!(names(&*trail, &everything(), ALL).await, ["b", "c", "d"]);
    assert_eq!(trail.forget_entries(at(0), 0).await.unwrap(), 3);
    assert_eq!(names(&*trail, &everything(), ALL).await, [""; 0]);
    assert_eq!(trail.forget_entries(at(0), 0).await.unwrap(), 0);
}

async fn co_05_of_concurrent_forgetters_each_entry_is_counted_once(
    trail: Arc<impl AuditTrail + 'static>,
) {
    for number in 0..30 {
        trail.append(&[entry("entry", number)]).await.unwrap();
    }
    let counts = race(|number| {
        let trail = Arc::clone(&trail);
        let (before, most) = if number % 2 == 0 { (20, ALL) } else { (0, 10) };
        async move { trail.forget_entries(at(before), most).await.unwrap() }
    })
    .await;
    assert_eq!(counts.iter().sum::<u64>(), 20, "{counts:?}");
    assert_eq!(numbers(&*trail).await.len(), 10);
}
