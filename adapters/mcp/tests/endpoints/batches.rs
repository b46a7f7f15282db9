//! Batches, which only revision 2025-03-26 has.

use crate::scenario::*;
use poem::http::StatusCode;
use serde_json::{Value, json};

async fn session_of(server: &Server, version: &str) -> String {
    let answer = server.answer(post(ALICE, &initialize(version))).await;
    answer.header("mcp-session-id").unwrap().to_owned()
}

fn who(id: i64) -> Value {
    call(id, "who", &json!({}))
}

#[tokio::test]
async fn a_session_of_2025_03_26_takes_several_messages_at_once() {
    let server = Server::new();
    let session = session_of(&server, "2025-03-26").await;
    let batch = json!([initialized(), who(1), who(2), asking(3, "ping", &json!({}))]);
    let answer = server.answer(in_session(post(ALICE, &batch), &session)).await;
    let mut ids: Vec<_> =
        answer.messages().iter().map(|message| message["id"].as_i64().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, [1, 2, 3]);
    let notifications = json!([initialized(), initialized()]);
    let answer = server.answer(in_session(post(ALICE, &notifications), &session)).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn no_other_revision_takes_a_batch() {
    let server = Server::new();
    let batch = json!([who(1)]);
    for version in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let session = session_of(&server, version).await;
        let answer = server.answer(in_session(post(ALICE, &batch), &session)).await;
        assert_eq!(
            (answer.status, answer.error()),
            (StatusCode::BAD_REQUEST, (-32600, Value::Null))
        );
    }
    let mut sse = server.open_sse(ALICE).await;
    let address = sse.messages_address().await;
    for request in [
        post(ALICE, &batch),
        modern(post(ALICE, &batch), "tools/call", Some("who")),
        post_to(&address, ALICE, &batch),
    ] {
        let answer = server.answer(request).await;
        assert_eq!(
            (answer.status, answer.error()),
            (StatusCode::BAD_REQUEST, (-32600, Value::Null))
        );
    }
    assert_eq!(server.journal.events(), [""; 0]);
}

#[tokio::test]
async fn a_batch_is_refused_as_a_whole_before_anything_of_it_runs() {
    let server = Server::new();
    let session = session_of(&server, "2025-03-26").await;
    for (other, status) in [
        (call(2, "delete_files", &json!({})), StatusCode::FORBIDDEN),
        (who(1), StatusCode::BAD_REQUEST),
        (initialize("2025-03-26"), StatusCode::BAD_REQUEST),
        (json!([who(2)]), StatusCode::BAD_REQUEST),
        (json!(7), StatusCode::BAD_REQUEST),
        (json!({ "jsonrpc": "2.0", "id": 2, "method": 7 }), StatusCode::BAD_REQUEST),
    ] {
        let batch = json!([who(1), other]);
        let answer = server.answer(in_session(post(ALICE, &batch), &session)).await;
        assert_eq!(answer.status, status, "{other}");
    }
    for batch in [json!([]), json!((0..51).map(who).collect::<Vec<_>>())] {
        let answer = server.answer(in_session(post(ALICE, &batch), &session)).await;
        assert_eq!((answer.status, answer.error().0), (StatusCode::BAD_REQUEST, -32600));
    }
    assert_eq!(server.journal.events(), [""; 0]);
}

#[tokio::test]
async fn the_session_of_another_caller_does_not_exist_for_a_batch_either() {
    let server = Server::new();
    let session = session_of(&server, "2025-03-26").await;
    let answer = server.answer(in_session(post(BOB, &json!([who(1)])), &session)).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(server.journal.events(), [""; 0]);
}
