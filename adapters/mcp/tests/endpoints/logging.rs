//! Progress and log messages of a call: who gets which.

use crate::scenario::*;
use serde_json::{Value, json};

fn methods(messages: &[Value]) -> Vec<&str> {
    messages.iter().filter_map(|message| message["method"].as_str()).collect()
}

fn logged(messages: &[Value]) -> Vec<&str> {
    let logs = messages.iter().filter(|message| message["method"] == "notifications/message");
    logs.map(|message| message["params"]["level"].as_str().unwrap()).collect()
}

/// Everything the old transport says until the call is answered.
async fn until_answered(sse: &mut OpenSse) -> Vec<Value> {
    let mut messages = Vec::new();
    loop {
        let message = sse.events.message().await;
        if message["id"] == 7 {
            return messages;
        }
        messages.push(message);
    }
}

fn report(meta: &Value) -> Value {
    asking(7, "tools/call", &json!({ "name": "report", "_meta": meta }))
}

#[tokio::test]
async fn progress_comes_only_to_who_gave_a_token() {
    let (server, _) = Server::rich();
    let session = server.open_able_session(ALICE, &json!({})).await;
    let mut sse = server.open_able_sse(ALICE, &json!({})).await;
    let params = |meta: Value| json!({ "name": "report", "_meta": meta });
    for (meta, expected) in [(json!({}), 0), (json!({ "progressToken": "p" }), 2)] {
        let in_session = in_session(post(ALICE, &report(&meta)), &session);
        let modern = modern_asking(ALICE, "tools/call", &params(meta.clone()), &json!({}));
        server.answer(post_to(&sse.address, ALICE, &report(&meta))).await;
        for messages in [
            server.answer(in_session).await.messages(),
            server.answer(modern).await.messages(),
            until_answered(&mut sse).await,
        ] {
            let told = messages.iter().filter(|it| it["method"] == "notifications/progress");
            let told: Vec<_> = told.map(|message| message["params"].clone()).collect();
            assert_eq!(told.len(), expected, "{messages:?}");
            let second = json!({
                "progressToken": "p", "progress": 2.0, "total": 2.0, "message": "step 2",
            });
            assert!(expected == 0 || told[1] == second, "{told:?}");
        }
    }
}

#[tokio::test]
async fn a_session_gets_info_and_graver_until_it_says_otherwise() {
    let (server, _) = Server::rich();
    let mut sse = server.open_able_sse(ALICE, &json!({})).await;
    for (level, expected) in [
        (None, ["info", "error"].as_slice()),
        (Some("error"), &["error"]),
        (Some("debug"), &["debug", "info", "error"]),
        (Some("emergency"), &[]),
    ] {
        if let Some(level) = level {
            let set = asking(1, "logging/setLevel", &json!({ "level": level }));
            server.answer(post_to(&sse.address, ALICE, &set)).await;
            assert_eq!(sse.events.message().await["result"], json!({}));
        }
        server.answer(post_to(&sse.address, ALICE, &report(&json!({})))).await;
        assert_eq!(logged(&until_answered(&mut sse).await), expected, "{level:?}");
    }
}

#[tokio::test]
async fn the_level_is_that_of_one_session() {
    let (server, _) = Server::rich();
    let quiet = server.open_able_session(ALICE, &json!({})).await;
    let other = server.open_able_session(ALICE, &json!({})).await;
    let set = asking(1, "logging/setLevel", &json!({ "level": "emergency" }));
    let answer = server.answer(in_session(post(ALICE, &set), &quiet)).await;
    assert_eq!(answer.last_event()["result"], json!({}));
    for (session, expected) in [(&quiet, [].as_slice()), (&other, &["info", "error"])] {
        let mut stream = Events::of(server.send(in_session(get("/mcp", ALICE), session)).await);
        server.answer(in_session(post(ALICE, &report(&json!({}))), session)).await;
        let mut messages = Vec::new();
        while messages.len() < expected.len() {
            messages.push(stream.any_message().await);
        }
        assert_eq!(logged(&messages), expected);
    }
}

#[tokio::test]
async fn a_request_of_2026_07_28_gets_the_level_it_asks_for_and_none_unasked() {
    let (server, _) = Server::rich();
    for (meta, expected) in [
        (json!({}), [].as_slice()),
        (json!({ "io.modelcontextprotocol/logLevel": "error" }), &["error"]),
        (json!({ "io.modelcontextprotocol/logLevel": "debug" }), &["debug", "info", "error"]),
        (json!({ "io.modelcontextprotocol/logLevel": "loud" }), &[]),
    ] {
        let params = json!({ "name": "report", "_meta": meta });
        let request = modern_asking(ALICE, "tools/call", &params, &json!({}));
        let messages = server.answer(request).await.messages();
        assert_eq!(logged(&messages), expected);
        assert_eq!(methods(&messages).len(), expected.len());
    }
}

#[tokio::test]
async fn a_level_that_is_none_is_invalid_params() {
    let (server, _) = Server::rich();
    let session = server.open_able_session(ALICE, &json!({})).await;
    let set = asking(1, "logging/setLevel", &json!({ "level": "loud" }));
    let message = server.answer(in_session(post(ALICE, &set), &session)).await.last_event();
    assert_eq!((&message["error"]["code"], &message["id"]), (&json!(-32602), &json!(1)));
}
