//! Asking the client before a call is answered: within the call in the older revisions, between two
//! calls in 2026-07-28.

use std::time::Duration;

use crate::scenario::*;
use poem::Request;
use poem::http::StatusCode;
use serde_json::{Value, json};

fn able() -> Value {
    json!({ "elicitation": {} })
}

fn answer_to(question: &Value) -> Value {
    let result = json!({ "action": "accept", "content": { "name": "Ada" } });
    json!({ "jsonrpc": "2.0", "id": question["id"], "result": result })
}

fn modern_tool(token: &str, tool: &str, more: &Value) -> Request {
    let mut params = json!({ "name": tool });
    for (name, value) in more.as_object().unwrap() {
        params[name] = value.clone();
    }
    modern_asking(token, "tools/call", &params, &able())
}

/// The state of a first round.
async fn state(server: &Server, token: &str, tool: &str) -> String {
    let answer = server.answer(modern_tool(token, tool, &json!({}))).await.json();
    assert_eq!(answer["result"]["resultType"], "input_required", "{answer}");
    answer["result"]["requestState"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_session_is_asked_on_the_stream_of_the_call() {
    let (server, _) = Server::rich();
    let session = server.open_able_session(ALICE, &able()).await;
    let call = in_session(post(ALICE, &call(7, "ask", &json!({}))), &session);
    let mut stream = Events::of(server.send(call).await);
    let question = stream.any_message().await;
    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(question["params"]["message"], "Your name?");
    let answer = in_session(post(ALICE, &answer_to(&question)), &session);
    assert_eq!(server.answer(answer).await.status, StatusCode::ACCEPTED);
    assert_eq!(text_of(&stream.any_message().await), "Hello, Ada!");
}

#[tokio::test]
async fn a_session_of_the_old_transport_is_asked_too() {
    let (server, _) = Server::rich();
    let mut sse = server.open_able_sse(ALICE, &able()).await;
    server.answer(post_to(&sse.address, ALICE, &call(7, "ask", &json!({})))).await;
    let question = sse.events.message().await;
    assert_eq!(question["method"], "elicitation/create");
    server.answer(post_to(&sse.address, ALICE, &answer_to(&question))).await;
    assert_eq!(text_of(&sse.events.message().await), "Hello, Ada!");
}

#[tokio::test]
async fn the_answer_of_another_caller_answers_nothing() {
    let (server, _) = Server::rich();
    let session = server.open_able_session(ALICE, &able()).await;
    let call = in_session(post(ALICE, &call(7, "ask", &json!({}))), &session);
    let mut stream = Events::of(server.send(call).await);
    let question = stream.any_message().await;
    let mut forged = answer_to(&question);
    forged["result"]["content"]["name"] = json!("Mallory");
    let answer = server.answer(in_session(post(BOB, &forged), &session)).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    server.answer(in_session(post(ALICE, &answer_to(&question)), &session)).await;
    assert_eq!(text_of(&stream.any_message().await), "Hello, Ada!");
}

#[tokio::test]
async fn a_question_that_the_client_refuses_is_the_error_of_the_call() {
    let (server, _) = Server::rich();
    let mut sse = server.open_able_sse(ALICE, &able()).await;
    server.answer(post_to(&sse.address, ALICE, &call(7, "ask", &json!({})))).await;
    let id = sse.events.message().await["id"].clone();
    let error = json!({ "code": -1, "message": "nobody is here" });
    let refusal = json!({ "jsonrpc": "2.0", "id": id, "error": error });
    server.answer(post_to(&sse.address, ALICE, &refusal)).await;
    let message = sse.events.message().await;
    assert_eq!((&message["id"], &message["error"]["code"]), (&json!(7), &json!(-1)));
}

#[tokio::test(start_paused = true)]
async fn the_time_of_the_call_does_not_run_while_somebody_thinks() {
    let (server, _) = Server::rich();
    let mut sse = server.open_able_sse(ALICE, &able()).await;
    server.answer(post_to(&sse.address, ALICE, &call(7, "ask", &json!({})))).await;
    let question = sse.events.message().await;
    tokio::time::advance(Duration::from_secs(300)).await;
    server.answer(post_to(&sse.address, ALICE, &answer_to(&question))).await;
    let message = loop {
        let event = sse.events.next().await.unwrap();
        if let Some(data) = event.strip_prefix("event: message\ndata: ") {
            break serde_json::from_str::<Value>(data).unwrap();
        }
    };
    assert_eq!(text_of(&message), "Hello, Ada!");
}

#[tokio::test]
async fn a_question_that_is_not_needed_any_more_is_taken_back() {
    let (server, _) = Server::rich();
    let mut sse = server.open_able_sse(ALICE, &able()).await;
    server.answer(post_to(&sse.address, ALICE, &call(7, "ask", &json!({})))).await;
    let question = sse.events.message().await;
    let cancelled = json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 7 },
    });
    server.answer(post_to(&sse.address, ALICE, &cancelled)).await;
    let message = sse.events.message().await;
    assert_eq!(message["method"], "notifications/cancelled");
    assert_eq!(message["params"]["requestId"], question["id"]);
}

#[tokio::test]
async fn a_client_that_can_not_answer_is_told_what_it_lacks() {
    let (server, _) = Server::rich();
    let request = modern_asking(ALICE, "tools/call", &json!({ "name": "ask" }), &json!({}));
    let answer = server.answer(request).await;
    assert_eq!((answer.status, answer.error()), (StatusCode::BAD_REQUEST, (-32021, json!(7))));
    let data = answer.json()["error"]["data"].clone();
    assert_eq!(data, json!({ "requiredCapabilities": { "elicitation": {} } }));
    // Whoever stands alone in an older revision can't answer, whatever it could.
    let answer = server.answer(post(ALICE, &call(7, "ask", &json!({})))).await;
    assert_eq!(answer.error(), (-32021, json!(7)));
    let session = server.open_able_session(ALICE, &json!({ "roots": {} })).await;
    let request = in_session(post(ALICE, &call(7, "ask", &json!({}))), &session);
    assert_eq!(server.answer(request).await.last_event()["error"]["code"], -32021);
}

#[tokio::test]
async fn a_call_of_2026_07_28_is_repeated_with_the_answers() {
    let (server, _) = Server::rich();
    let answer = server.answer(modern_tool(ALICE, "ask", &json!({}))).await.json();
    let question = &answer["result"]["inputRequests"]["name"];
    assert_eq!(question["method"], "elicitation/create");
    let responses = json!({ "name": { "action": "accept", "content": { "name": "Ada" } } });
    let again = modern_tool(ALICE, "ask", &json!({ "inputResponses": responses }));
    assert_eq!(text_of(&server.answer(again).await.json()), "Hello, Ada!");
}

#[tokio::test]
async fn what_a_call_remembers_comes_back_to_it() {
    let (server, _) = Server::rich();
    let state = state(&server, ALICE, "remember").await;
    // Another token of the same person at the same client.
    for token in [ALICE, ALICE_AGAIN] {
        let again = modern_tool(token, "remember", &json!({ "requestState": state }));
        assert_eq!(text_of(&server.answer(again).await.json()), r#"{"step":1}"#);
    }
}

#[tokio::test]
async fn a_state_of_somebody_or_something_else_is_refused() {
    let (server, _) = Server::rich();
    let of_alice = state(&server, ALICE, "remember").await;
    let with_state = |token: &str, tool: &str, state: &str| {
        modern_tool(token, tool, &json!({ "requestState": state }))
    };
    let mut other_arguments = json!({ "arguments": { "a": 1 } });
    other_arguments["requestState"] = json!(of_alice);
    for request in [
        with_state(BOB, "remember", &of_alice),
        with_state(ALICE, "remember_too", &of_alice),
        with_state(ALICE, "remember", &format!("{of_alice}-TAMPERED")),
        with_state(ALICE, "remember", &of_alice[..of_alice.len() - 4]),
        with_state(ALICE, "remember", "x"),
        with_state(ALICE, "remember", ""),
        modern_tool(ALICE, "remember", &other_arguments),
    ] {
        let answer = server.answer(request).await;
        assert_eq!(answer.error(), (-32602, json!(7)), "{}", answer.body);
    }
    // One call asked each time a state was handed out, and none ran for a forged one.
    assert_eq!(server.journal.events(), ["remember began"]);
}

#[tokio::test(start_paused = true)]
async fn a_state_grows_old() {
    let (server, _) = Server::rich();
    let state = state(&server, ALICE, "remember").await;
    let again = || modern_tool(ALICE, "remember", &json!({ "requestState": state }));
    tokio::time::advance(Duration::from_secs(3599)).await;
    assert_eq!(text_of(&server.answer(again()).await.json()), r#"{"step":1}"#);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(server.answer(again()).await.error(), (-32602, json!(7)));
}
