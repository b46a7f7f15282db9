//! How many requests one caller may have open at once.

use crate::scenario::*;
use poem::http::StatusCode;
use serde_json::{Value, json};

fn strict() -> Server {
    Server::with(|settings| settings.open_requests_per_caller = 2)
}

fn ping() -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" })
}

/// The status of a small request, which is open for no longer than it takes.
async fn status(server: &Server, token: &str) -> StatusCode {
    server.answer(post(token, &ping())).await.status
}

#[tokio::test]
async fn one_request_too_many_of_a_caller_is_refused_before_anything_runs() {
    let server = strict();
    let first = server.send(get("/mcp/sse", ALICE)).await;
    let _second = server.send(get("/mcp/sse", ALICE_AGAIN)).await;
    for request in
        [modern_call(ALICE, "who", &json!({})), get("/mcp", ALICE), get("/mcp/sse", ALICE)]
    {
        let answer = server.answer(request).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.header("retry-after"), Some("5"));
        assert_eq!(answer.error(), (-32600, Value::Null));
        assert!(answer.body.contains("too many requests open"), "{}", answer.body);
    }
    assert_eq!(server.journal.events(), [""; 0]);
    assert_eq!(status(&server, BOB).await, StatusCode::OK);
    drop(first);
    assert_eq!(status(&server, ALICE).await, StatusCode::OK);
}

#[tokio::test]
async fn a_request_is_open_until_its_answer_was_read() {
    let server = strict();
    let mut unread = server.send(post(ALICE, &ping())).await;
    let _other = server.send(post(ALICE, &ping())).await;
    assert_eq!(status(&server, ALICE).await, StatusCode::TOO_MANY_REQUESTS);
    unread.take_body().into_string().await.unwrap();
    assert_eq!(status(&server, ALICE).await, StatusCode::OK);
}

#[tokio::test]
async fn a_call_under_way_is_open_and_its_end_makes_room() {
    let server = strict();
    let endless = || server.send(modern_call(ALICE, "endless", &json!({})));
    let mut calls = Box::pin(async { tokio::join!(endless(), endless()) });
    tokio::select! {
        _ = &mut calls => panic!("it ended"),
        () = server.journal.wait_for_times("endless began", 2) => {}
    }
    assert_eq!(status(&server, ALICE).await, StatusCode::TOO_MANY_REQUESTS);
    drop(calls);
    server.journal.wait_for_times("endless ended", 2).await;
    // What is left of a call goes with its task, a moment after the tool.
    while status(&server, ALICE).await == StatusCode::TOO_MANY_REQUESTS {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_call_of_the_old_transport_is_open_after_it_was_accepted() {
    let server = Server::with(|settings| settings.open_requests_per_caller = 3);
    let mut events = server.open_sse(ALICE).await;
    let address = events.messages_address().await;
    let say = async |message: &Value| server.answer(post_to(&address, ALICE, message)).await.status;
    assert_eq!(say(&initialize("2024-11-05")).await, StatusCode::ACCEPTED);
    events.message().await;
    assert_eq!(say(&initialized()).await, StatusCode::ACCEPTED);
    for id in [1, 2] {
        assert_eq!(say(&call(id, "endless", &json!({}))).await, StatusCode::ACCEPTED);
    }
    server.journal.wait_for_times("endless began", 2).await;
    assert_eq!(say(&ping()).await, StatusCode::TOO_MANY_REQUESTS);
    drop(events);
    server.journal.wait_for_times("endless ended", 2).await;
    while status(&server, ALICE).await == StatusCode::TOO_MANY_REQUESTS {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_session_that_nothing_is_asked_of_has_no_request_open() {
    let server = strict();
    for _ in 0..3 {
        server.open_session(ALICE).await;
    }
    assert_eq!(status(&server, ALICE).await, StatusCode::OK);
}
