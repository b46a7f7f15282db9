//! The old HTTP+SSE transport (2024-11-05).

use std::time::Duration;

use crate::scenario::*;
use poem::http::StatusCode;
use serde_json::{Value, json};

/// Says something on the session of `address`.
async fn say(server: &Server, address: &str, message: &Value) {
    let answer = server.answer(post_to(address, ALICE, message)).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
}

/// A session after its handshake: the address for messages and the events.
async fn session(server: &Server) -> (String, Events) {
    let mut events = server.open_sse(ALICE).await;
    let address = events.messages_address().await;
    say(server, &address, &initialize("2024-11-05")).await;
    assert_eq!(events.message().await["result"]["protocolVersion"], "2024-11-05");
    say(server, &address, &initialized()).await;
    (address, events)
}

#[tokio::test]
async fn the_first_event_is_a_relative_address_below_the_base_url() {
    for (base_url, prefix) in [("http://localhost:8000", ""), ("https://h.example/a/b/", "/a/b")] {
        let server = Server::at(base_url, |_| ());
        let address = server.open_sse(ALICE).await.messages_address().await;
        let id = address.strip_prefix(&format!("{prefix}/mcp/messages?session_id=")).unwrap();
        assert_eq!(id.len(), 36, "{address}");
    }
}

#[tokio::test]
async fn the_stream_is_neither_cached_nor_held_back() {
    let response = Server::new().send(get("/mcp/sse/", ALICE)).await;
    assert_eq!(response.header("content-type"), Some("text/event-stream"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("x-accel-buffering"), Some("no"));
}

#[tokio::test]
async fn a_session_works_from_handshake_to_call() {
    let server = Server::new();
    let (address, mut events) = session(&server).await;
    say(&server, &address, &json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" })).await;
    assert_eq!(events.message().await["result"]["tools"].as_array().unwrap().len(), 7);
    let answer = server.answer(post_to(&address, ALICE_AGAIN, &call(2, "who", &json!({})))).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::ACCEPTED, "Accepted"));
    let message = events.message().await;
    assert_eq!(text_of(&message), "alice with id of alice.refreshed");
    assert_eq!(message["result"].get("resultType"), None);
}

#[tokio::test]
async fn a_panic_leaves_the_session_open() {
    let server = Server::new();
    let (address, mut events) = session(&server).await;
    say(&server, &address, &call(1, "panic", &json!({}))).await;
    assert_eq!(events.message().await["error"]["code"], -32603);
    say(&server, &address, &call(2, "who", &json!({}))).await;
    assert_eq!(events.message().await["id"], 2);
}

#[tokio::test]
async fn a_probe_of_the_new_era_gets_an_error_and_the_handshake_still_works() {
    let server = Server::new();
    for params in [json!({ "_meta": modern_meta() }), json!({})] {
        let mut events = server.open_sse(ALICE).await;
        let address = events.messages_address().await;
        let probe =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": params });
        say(&server, &address, &probe).await;
        let error = events.message().await["error"].clone();
        assert!([json!(-32601), json!(-32602)].contains(&error["code"]), "{error}");
        let cancelled = json!({
            "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 },
        });
        say(&server, &address, &cancelled).await;
        say(&server, &address, &initialize("2025-06-18")).await;
        assert_eq!(events.message().await["result"]["protocolVersion"], "2025-06-18");
    }
}

#[tokio::test]
async fn the_session_of_another_caller_does_not_exist() {
    let server = Server::new();
    let (address, _events) = session(&server).await;
    let theirs = server.answer(post_to(&address, BOB, &call(1, "who", &json!({})))).await;
    assert_eq!((theirs.status, theirs.error().0), (StatusCode::NOT_FOUND, -32600));
    for unknown in ["/mcp/messages?session_id=x", "/mcp/messages", "/mcp/messages?session_id="] {
        let answer = server.answer(post_to(unknown, BOB, &call(1, "who", &json!({})))).await;
        assert_eq!((answer.status, &answer.body), (theirs.status, &theirs.body), "{unknown}");
    }
    assert_eq!(server.journal.events(), [""; 0]);
}

#[tokio::test]
async fn messages_are_checked_like_those_of_streamable_http() {
    let server = Server::with(|settings| settings.max_body_bytes = 200);
    let (address, _events) = session(&server).await;
    let message = json!({ "jsonrpc": "2.0", "id": null, "method": "ping" });
    let answer = server.answer(post_to(&address, ALICE, &message)).await;
    assert_eq!((answer.status, answer.error().0), (StatusCode::BAD_REQUEST, -32600));
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping", "params": { "_meta": 5 } });
    let answer = server.answer(post_to(&address, ALICE, &message)).await;
    assert_eq!((answer.status, answer.error()), (StatusCode::BAD_REQUEST, (-32602, json!(1))));
    let message = call(1, "who", &json!({ "a": "b".repeat(200) }));
    let answer = server.answer(post_to(&address, ALICE, &message)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let request = with(post_to(&address, ALICE, &message), "content-type", "text/plain");
    assert_eq!(server.answer(request).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn closing_the_stream_ends_the_session_and_stops_its_calls() {
    let server = Server::new();
    let (address, events) = session(&server).await;
    say(&server, &address, &call(1, "endless", &json!({}))).await;
    server.journal.wait_for("endless began").await;
    drop(events);
    server.journal.wait_for("endless ended").await;
    let answer = server.answer(post_to(&address, ALICE, &call(2, "who", &json!({})))).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn streams_are_bounded_and_a_closed_one_makes_room() {
    let server = Server::with(|settings| settings.sessions.per_caller = 1);
    let events = server.open_sse(ALICE).await;
    let answer = server.answer(get("/mcp/sse", ALICE)).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.header("retry-after"), Some("5"));
    drop(events);
    server.open_sse(ALICE).await;
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_shows_that_it_is_alive() {
    let server = Server::new();
    let (_address, mut events) = session(&server).await;
    let quiet = tokio::time::Instant::now();
    for rounds in 1..=3 {
        assert_eq!(events.next().await.unwrap(), ": keep-alive");
        assert_eq!(quiet.elapsed(), Duration::from_secs(15 * rounds));
    }
}

#[tokio::test]
async fn shutting_down_ends_the_stream() {
    let server = Server::new();
    let (_address, mut events) = session(&server).await;
    server.shut_down();
    assert_eq!(events.next().await, None);
}
