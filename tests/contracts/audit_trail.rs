//! The contract of [`AuditTrail`].

use std::sync::Arc;

use mcp_oauth_core::domain::audit_trail::{AuditEntry, AuditQuery};
use mcp_oauth_core::domain::client::ClientId;
use mcp_oauth_core::domain::person::Subject;
use mcp_oauth_core::port::AuditTrail;

use crate::samples::at;
use crate::stores::contract;

contract! {
    co_05_entries_are_read_as_they_were_added_oldest_first,
    numbers_rise_and_later_entries_can_be_asked_for,
    the_newest_are_read_when_there_are_more_than_wanted,
    a_query_means_the_entries_that_fit_all_of_it,
    old_entries_and_a_surplus_are_forgotten,
}

/// An entry about nobody, made `second` seconds after the beginning.
fn entry(decision: &str, second: i64) -> AuditEntry {
    AuditEntry {
        at: at(second),
        decision: decision.to_owned(),
        code: None,
        reason: None,
        client: None,
        subject: None,
        grant: None,
        token: None,
        request: None,
        address: None,
    }
}

/// The decisions of the entries of a query.
async fn read(trail: &impl AuditTrail, query: &AuditQuery, most: u32) -> Vec<String> {
    let entries = trail.read(query, most).await.unwrap();
    entries.into_iter().map(|(_, entry)| entry.decision).collect()
}

async fn fill(trail: &impl AuditTrail, names: &[&str]) {
    let entries: Vec<_> = names.iter().zip(1..).map(|(name, second)| entry(name, second)).collect();
    trail.append(&entries).await.unwrap();
}

async fn co_05_entries_are_read_as_they_were_added_oldest_first(trail: Arc<impl AuditTrail>) {
    let full = AuditEntry {
        code: Some("refresh_replayed".to_owned()),
        reason: Some("the refresh token was \u{1b}[1mused\n\u{1F512}".to_owned()),
        client: Some(ClientId::new("client")),
        subject: Some(Subject::new("alice")),
        grant: Some("grant".to_owned()),
        token: Some("token".to_owned()),
        request: Some("request".to_owned()),
        address: Some("198.51.100.7".to_owned()),
        ..entry("refused", 2)
    };
    trail.append(&[]).await.unwrap();
    trail.append(&[entry("first", 3), full.clone()]).await.unwrap();
    trail.append(&[entry("last", 1)]).await.unwrap();
    let entries = trail.read(&AuditQuery::default(), 10).await.unwrap();
    let entries: Vec<_> = entries.into_iter().map(|(_, entry)| entry).collect();
    assert_eq!(entries, [entry("first", 3), full, entry("last", 1)]);
}

async fn numbers_rise_and_later_entries_can_be_asked_for(trail: Arc<impl AuditTrail>) {
    fill(&*trail, &["a", "b"]).await;
    let entries = trail.read(&AuditQuery::default(), 10).await.unwrap();
    let [(first, _), (second, _)] = &entries[..] else { panic!("{entries:?}") };
    assert!(first < second);
    fill(&*trail, &["c", "d"]).await;
    let after = AuditQuery { after: Some(*second), ..AuditQuery::default() };
    assert_eq!(read(&*trail, &after, 10).await, ["c", "d"]);
    let after = AuditQuery { after: Some(*first), ..AuditQuery::default() };
    assert_eq!(read(&*trail, &after, 10).await, ["b", "c", "d"]);
}

async fn the_newest_are_read_when_there_are_more_than_wanted(trail: Arc<impl AuditTrail>) {
    fill(&*trail, &["a", "b", "c", "d"]).await;
    assert_eq!(read(&*trail, &AuditQuery::default(), 2).await, ["c", "d"]);
    assert!(read(&*trail, &AuditQuery::default(), 0).await.is_empty());
}

async fn a_query_means_the_entries_that_fit_all_of_it(trail: Arc<impl AuditTrail>) {
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
    ] {
        let found = trail.read(&query, 10).await.unwrap();
        let found: Vec<_> = found.into_iter().map(|(_, entry)| entry).collect();
        let expected: Vec<_> =
            entries.iter().filter(|entry| seconds.iter().any(|it| entry.at == at(*it))).collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query:?}");
    }
}

async fn old_entries_and_a_surplus_are_forgotten(trail: Arc<impl AuditTrail>) {
    fill(&*trail, &["a", "b", "c", "d"]).await;
    assert_eq!(trail.forget_entries(at(2), 10).await.unwrap(), 1);
    assert_eq!(read(&*trail, &AuditQuery::default(), 10).await, ["b", "c", "d"]);
    assert_eq!(trail.forget_entries(at(0), 2).await.unwrap(), 1);
    assert_eq!(read(&*trail, &AuditQuery::default(), 10).await, ["c", "d"]);
}
