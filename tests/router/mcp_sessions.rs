//! Sessions of the older MCP revisions, which outlive the process that began them: two servers over
//! one store are two replicas, or one before and after its restart.

use std::sync::Arc;
use std::time::Duration;

use mcp_oauth_core::domain::mcp_session::{MOST_SETUP_BYTES, SessionTerms};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_mcp::McpSettings;
use poem::http::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::recording_store::RecordingStore;
use crate::scenario::{LOCAL, Scenario, Setup};

/// When a process asks again whether a session it has was ended elsewhere, in seconds.
const LOOK_AFTER: i64 = 2;

/// A replica over `store`.
fn replica(store: &Arc<RecordingStore>) -> Scenario {
    Scenario::of(Setup { store: Arc::clone(store), ..Setup::at(LOCAL) })
}

async fn replicas() -> (Scenario, Scenario, Arc<RecordingStore>) {
    let store = Arc::default();
    let one = replica(&store);
    // Once something was written, the other one does not draw the same ids.
    one.client().await;
    (one, replica(&store), store)
}

/// The longest a session is kept after its last use, in seconds.
fn expiry() -> i64 {
    let limits = McpSettings::new("", "").sessions;
    let terms = SessionTerms { idle: limits.idle, total: 1, per_owner: 1 };
    terms.expiry(Timestamp::from_unix(0)).as_unix()
}

impl Scenario {
    async fn use_session(&self, token: &str, session: &str) -> Answer {
        let call = self.session_call(session, "hello", &json!({ "name": "World" }));
        call.bearer(token).send().await
    }

    async fn end_session(&self, token: &str, session: &str) -> Answer {
        let call = self.call(Method::DELETE, "/mcp").bearer(token);
        call.header("mcp-session-id", session).send().await
    }

    async fn initialize(&self, token: &str, client_info: Value) -> Answer {
        let params = json!({
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client_info,
        });
        let message =
            json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
        self.mcp(&message).bearer(token).send().await
    }
}

#[tokio::test]
async fn a_session_goes_on_at_another_replica_and_after_a_restart() {
    let (one, other, store) = replicas().await;
    let token = one.dev_token(&[]).await;
    let session = one.open_session(&token).await;
    for server in [&other, &one, &replica(&store)] {
        let answer = server.use_session(&token, &session).await.expect(200);
        assert!(answer.body.contains("Hello, World!"), "{}", answer.body);
        let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" });
        let list = server.mcp(&list).header("mcp-session-id", &session).bearer(&token);
        assert!(list.send().await.expect(200).body.contains("add_numbers"));
        let told = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        let told = server.mcp(&told).header("mcp-session-id", &session).bearer(&token);
        told.send().await.expect(202);
    }
}

#[tokio::test]
async fn rs_17_a_session_of_somebody_else_is_not_brought_back() {
    let (one, other, _) = replicas().await;
    let session = one.open_session(&one.dev_token(&[]).await).await;
    let mallory = one.dev_token(&[("sub", "mallory")]).await;
    let theirs = other.use_session(&mallory, &session).await.expect(404);
    let unknown = other.use_session(&mallory, &"A".repeat(43)).await.expect(404);
    assert_eq!(theirs.body, unknown.body);
    other.end_session(&mallory, &session).await.expect(404);
    other.use_session(&other.dev_token(&[]).await, &session).await.expect(200);
}

#[tokio::test]
async fn the_client_is_part_of_who_a_session_belongs_to() {
    let (one, other, _) = replicas().await;
    let client = one.client().await;
    let session = one.open_session(&one.tokens(&client).await.access).await;
    // The same person.
    let another = one.tokens(&one.client().await).await.access;
    other.use_session(&another, &session).await.expect(404);
    let again = one.tokens(&client).await.access;
    other.use_session(&again, &session).await.expect(200);
}

#[tokio::test]
async fn rs_17_a_session_that_is_brought_back_is_for_its_owner_alone() {
    let (one, other, _) = replicas().await;
    let token = one.dev_token(&[]).await;
    let session = one.open_session(&token).await;
    other.use_session(&token, &session).await.expect(200);
    let mallory = other.dev_token(&[("sub", "mallory")]).await;
    other.use_session(&mallory, &session).await.expect(404);
    let call = other.session_call(&session, "hello", &json!({ "name": "World" }));
    call.send().await.expect(401);
}

#[tokio::test]
async fn what_was_ended_at_one_replica_is_ended_at_the_other_within_seconds() {
    let (one, other, _) = replicas().await;
    let token = one.dev_token(&[]).await;
    let session = one.open_session(&token).await;
    other.use_session(&token, &session).await.expect(200);
    other.end_session(&token, &session).await.expect(202);
    other.use_session(&token, &session).await.expect(404);
    other.end_session(&token, &session).await.expect(404);
    one.clock.advance(LOOK_AFTER);
    one.use_session(&token, &session).await.expect(404);
    one.end_session(&token, &session).await.expect(404);
    other.use_session(&token, &session).await.expect(404);
}

#[tokio::test]
async fn a_session_can_be_ended_where_nobody_has_used_it() {
    let (one, other, store) = replicas().await;
    let token = one.dev_token(&[]).await;
    let session = one.open_session(&token).await;
    other.end_session(&token, &session).await.expect(202);
    other.end_session(&token, &session).await.expect(404);
    replica(&store).use_session(&token, &session).await.expect(404);
}

#[tokio::test]
async fn an_expired_session_is_revived_by_nothing() {
    let (one, other, _) = replicas().await;
    let token = one.dev_token(&[("expires_in", "86400")]).await;
    let session = one.open_session(&token).await;
    for server in [&one, &other] {
        server.clock.advance(expiry());
    }
    other.use_session(&token, &session).await.expect(404);
    one.use_session(&token, &session).await.expect(404);
    one.open_session(&token).await;
    other.use_session(&token, &session).await.expect(404);
}

#[tokio::test]
async fn a_session_in_use_does_not_expire() {
    let (one, other, _) = replicas().await;
    let token = one.dev_token(&[("expires_in", "86400")]).await;
    let session = one.open_session(&token).await;
    for _ in 0..3 {
        for server in [&one, &other] {
            server.clock.advance(expiry() - 1);
        }
        one.use_session(&token, &session).await.expect(200);
    }
    other.use_session(&token, &session).await.expect(200);
}

#[tokio::test]
async fn the_store_is_not_told_of_every_use() {
    let scenario = Scenario::new();
    let token = scenario.dev_token(&[]).await;
    let session = scenario.open_session(&token).await;
    let lookups = || scenario.store.session_lookups();
    let (written, asked) = (scenario.store.writes().len(), lookups());
    for _ in 0..20 {
        scenario.use_session(&token, &session).await.expect(200);
    }
    assert_eq!((scenario.store.writes().len(), lookups()), (written, asked));
    scenario.clock.advance(LOOK_AFTER);
    for _ in 0..20 {
        scenario.use_session(&token, &session).await.expect(200);
    }
    assert_eq!((scenario.store.writes().len(), lookups()), (written, asked + 1));
    scenario.clock.advance(60);
    for _ in 0..20 {
        scenario.use_session(&token, &session).await.expect(200);
    }
    assert_eq!(scenario.store.writes()[written..], ["touch session"]);
}

#[tokio::test]
async fn the_flood_of_one_caller_reaches_nobody_else_at_any_replica() {
    let (one, other, _) = replicas().await;
    let most = McpSettings::new("", "").sessions.per_caller;
    let (alice, bob) = (one.dev_token(&[]).await, one.dev_token(&[("sub", "bob")]).await);
    let bobs = one.open_session(&bob).await;
    let mut sessions = Vec::new();
    for server in [&one, &other].into_iter().cycle().take(most + 10) {
        one.clock.advance(1);
        other.clock.advance(1);
        sessions.push(server.open_session(&alice).await);
    }
    let mut statuses = Vec::new();
    for session in &sessions {
        one.clock.advance(LOOK_AFTER);
        statuses.push(one.use_session(&alice, session).await.status.as_u16());
    }
    let (ended, open) = statuses.split_at(10);
    assert!(ended.iter().all(|status| *status == 404), "{statuses:?}");
    assert!(open.iter().all(|status| *status == 200), "{statuses:?}");
    one.use_session(&bob, &bobs).await.expect(200);
}

#[tokio::test]
async fn a_session_in_use_survives_the_flood_of_its_own_client() {
    let scenario = Scenario::new();
    let most = McpSettings::new("", "").sessions.per_caller;
    let token = scenario.dev_token(&[]).await;
    let working = scenario.open_session(&token).await;
    for _ in 0..most * 2 {
        scenario.clock.advance(1);
        scenario.use_session(&token, &working).await.expect(200);
        scenario.open_session(&token).await;
    }
    scenario.clock.advance(LOOK_AFTER);
    scenario.use_session(&token, &working).await.expect(200);
}

#[tokio::test]
async fn the_store_is_not_asked_about_what_never_was_an_id() {
    let scenario = Scenario::new();
    let token = scenario.dev_token(&[]).await;
    let long = "A".repeat(5000);
    let near = format!("{}*", "A".repeat(42));
    for garbage in ["x", "5b7a8f0e-0000-4000-8000-000000000000", "' OR 1=1 --", &long, &near] {
        scenario.use_session(&token, garbage).await.expect(404);
        scenario.end_session(&token, garbage).await.expect(404);
    }
    assert_eq!(scenario.store.session_lookups(), 0);
    assert!(!scenario.store.writes().contains(&"end session"));
    scenario.use_session(&token, &"A".repeat(43)).await.expect(404);
    assert_eq!(scenario.store.session_lookups(), 1);
}

#[tokio::test]
async fn of_requests_at_once_one_brings_the_session_back() {
    let (one, other, store) = replicas().await;
    let token = one.dev_token(&[]).await;
    let session = one.open_session(&token).await;
    let (asked, written) = (store.session_lookups(), store.writes().len());
    let list = async |id: i64| {
        let list = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/list" });
        let list = other.mcp(&list).header("mcp-session-id", &session).bearer(&token);
        list.send().await.expect(200);
    };
    tokio::join!(list(1), list(2), list(3), list(4));
    assert_eq!(store.session_lookups(), asked + 1);
    assert_eq!(store.writes()[written..], ["touch session"]);
}

#[tokio::test]
async fn while_the_store_is_away_nothing_opens_and_what_is_here_goes_on() {
    let (one, other, store) = replicas().await;
    let token = one.dev_token(&[]).await;
    let session = one.open_session(&token).await;
    store.put_out_of_reach();
    for seconds in [0, LOOK_AFTER, 60] {
        one.clock.advance(seconds);
        one.use_session(&token, &session).await.expect(200);
    }
    let opening = one.initialize(&token, json!({ "name": "test", "version": "1" })).await;
    let elsewhere = other.use_session(&token, &session).await;
    let end = one.end_session(&token, &session).await;
    for answer in [opening, elsewhere, end] {
        let answer = answer.expect(503);
        assert_eq!(answer.header("retry-after"), Some("5"));
        assert!(!answer.body.contains("10.0.0.7"), "{}", answer.body);
    }
    one.use_session(&token, &session).await.expect(200);
    store.put_within_reach();
    other.use_session(&token, &session).await.expect(200);
}

#[tokio::test]
async fn what_opens_a_session_is_bounded() {
    let scenario = Scenario::new();
    let token = scenario.dev_token(&[]).await;
    let info = json!({ "name": "n".repeat(MOST_SETUP_BYTES), "version": "1" });
    let refused = scenario.initialize(&token, info).await.expect(400);
    assert!(refused.body.contains("16384 bytes"), "{}", refused.body);
    assert!(!scenario.store.writes().contains(&"open session"));
    // Pictures are for people, and nobody has to be shown them again.
    let icon = json!({ "src": format!("data:image/png;base64,{}", "A".repeat(MOST_SETUP_BYTES)) });
    let info = json!({ "name": "test", "version": "1", "icons": [icon] });
    scenario.initialize(&token, info).await.expect(200);
}

#[tokio::test]
async fn an_end_elsewhere_counts_for_the_next_end_at_once() {
    let (one, other, _) = replicas().await;
    let token = one.dev_token(&[]).await;
    let session = one.open_session(&token).await;
    other.end_session(&token, &session).await.expect(202);
    one.end_session(&token, &session).await.expect(404);
    one.use_session(&token, &session).await.expect(404);
}

#[tokio::test]
async fn what_a_client_set_is_kept_and_does_not_keep_its_session_from_coming_back() {
    let (one, other, store) = replicas().await;
    let token = one.dev_token(&[]).await;
    let session = one.open_session(&token).await;
    let params = json!({ "uri": "test://nothing" });
    let set = json!({
        "jsonrpc": "2.0", "id": 5, "method": "resources/subscribe", "params": params,
    });
    for _ in 0..2 {
        let set = one.mcp(&set).header("mcp-session-id", &session).bearer(&token);
        set.send().await.expect(200);
    }
    let written = store.writes();
    assert_eq!(written.iter().filter(|what| **what == "replace setup").count(), 1);
    // Whatever the server thinks of it now.
    other.use_session(&token, &session).await.expect(200);
}

#[tokio::test]
async fn a_token_that_allows_less_brings_back_no_more() {
    let (one, other, _) = replicas().await;
    let admin = one.dev_token(&[("scope", "admin")]).await;
    let session = one.open_session(&admin).await;
    let reader = other.dev_token(&[("scope", "files:read")]).await;
    let call = other.session_call(&session, "move_files", &json!({}));
    call.bearer(&reader).send().await.expect(403);
    let call = other.session_call(&session, "move_files", &json!({}));
    call.bearer(&admin).send().await.expect(200);
}

#[tokio::test]
async fn a_stream_opens_at_a_replica_that_never_saw_the_session() {
    let (one, other, _) = replicas().await;
    let token = one.dev_token(&[]).await;
    let session = one.open_session(&token).await;
    let stream = other.get("/mcp").bearer(&token).header("accept", "text/event-stream");
    let opened = stream.header("mcp-session-id", &session).head().await;
    assert_eq!(opened.as_u16(), 200);
    // What was sent before and elsewhere is gone; the client is told so by the end of the stream.
    let resumed = other.get("/mcp").bearer(&token).header("accept", "text/event-stream");
    let resumed = resumed.header("mcp-session-id", &session).header("last-event-id", "3/1");
    let answer = tokio::time::timeout(Duration::from_secs(60), resumed.send()).await.unwrap();
    assert_eq!(answer.expect(200).body, "");
}
