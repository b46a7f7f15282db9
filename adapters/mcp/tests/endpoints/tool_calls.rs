//! What a call of a tool becomes: answers, errors, and what is contained.

use std::sync::Arc;
use std::time::Duration;

use crate::scenario::*;
use mcp_oauth_core::domain::correlation::{CurrentRequest, RequestId};
use poem::Request;
use poem::http::StatusCode;
use serde_json::{Value, json};

/// The same call in every way a client can make it over Streamable HTTP, and how its answer comes.
async fn every_way(server: &Server, tool: &str) -> Vec<Value> {
    let arguments = json!({});
    let session = server.open_session(ALICE).await;
    let in_session = with(post(ALICE, &call(7, tool, &arguments)), "mcp-session-id", &session);
    vec![
        server.answer(modern_call(ALICE, tool, &arguments)).await.json(),
        server.answer(post(ALICE, &call(7, tool, &arguments))).await.json(),
        server.answer(in_session).await.last_event(),
    ]
}

#[tokio::test]
async fn the_caller_reaches_the_tool_in_both_eras() {
    for message in every_way(&Server::new(), "who").await {
        assert_eq!(message["id"], 7);
        assert_eq!(text_of(&message), "alice with id of alice");
        assert_eq!(message["result"]["isError"], false);
    }
}

#[tokio::test]
async fn co_05_the_request_reaches_the_tool_in_both_eras() {
    let id = RequestId::given("the-request").unwrap();
    let request = Arc::new(CurrentRequest { id, address: None });
    let server = Server::new();
    for message in request.during(every_way(&server, "request")).await {
        assert_eq!(text_of(&message), "the-request");
    }
}

#[tokio::test]
async fn a_later_token_of_the_session_is_the_one_the_tool_sees() {
    let server = Server::new();
    let session = server.open_session(ALICE).await;
    let request = with(post(ALICE_AGAIN, &call(7, "who", &json!({}))), "mcp-session-id", &session);
    let message = server.answer(request).await.last_event();
    assert_eq!(text_of(&message), "alice with id of alice.refreshed");
}

#[tokio::test]
async fn the_result_is_shaped_for_the_revision() {
    let answers = every_way(&Server::new(), "count").await;
    assert_eq!(answers[0]["result"]["resultType"], "complete");
    for older in &answers[1..] {
        assert_eq!(older["result"].get("resultType"), None);
    }
    for message in answers {
        assert_eq!(message["result"]["structuredContent"], json!({ "count": 1 }));
    }
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_a_failure_the_model_can_read() {
    for message in every_way(&Server::new(), "picky").await {
        assert_eq!(message["result"]["isError"], true);
        assert_eq!(text_of(&message), "argument `a`: expected a poem");
    }
}

#[tokio::test]
async fn a_tool_that_fails_says_so_and_no_more() {
    for message in every_way(&Server::new(), "broken").await {
        assert_eq!(message["result"]["isError"], true);
        assert_eq!(text_of(&message), "The tool failed. The reason is in the server's log.");
    }
}

#[tokio::test]
async fn an_unknown_tool_is_invalid_params() {
    for message in every_way(&Server::new(), "nope").await {
        assert_eq!(message["error"]["code"], -32602);
        assert_eq!(message["error"]["message"], "unknown tool \"nope\"");
    }
}

#[tokio::test]
async fn a_panic_is_an_error_of_that_call_alone() {
    let server = Server::new();
    for message in every_way(&server, "panic").await {
        assert_eq!(message["error"], json!({ "code": -32603, "message": "the tool broke" }));
        assert_eq!(message["id"], 7);
    }
    let session = server.open_session(ALICE).await;
    for tool in ["panic", "who"] {
        let request = with(post(ALICE, &call(1, tool, &json!({}))), "mcp-session-id", &session);
        let message = server.answer(request).await.last_event();
        assert_eq!(message.get("result").is_some(), tool == "who");
    }
}

#[tokio::test]
async fn a_catalog_that_panics_before_the_call_is_contained_too() {
    let answer = Server::new().answer(modern_call(ALICE, "undescribable", &json!({}))).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.error().0, -32603);
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_never_ends_is_stopped_at_the_limit() {
    let server = Server::with(|settings| settings.call_time_limit = Duration::from_secs(90));
    let began = tokio::time::Instant::now();
    let message = server.answer(modern_call(ALICE, "endless", &json!({}))).await.json();
    assert_eq!(message["result"]["isError"], true);
    assert_eq!(text_of(&message), "The tool was stopped: it took longer than 90 seconds.");
    let waited = began.elapsed().as_secs();
    assert_eq!(waited, 90);
    assert_eq!(server.journal.events(), ["endless began", "endless ended"]);
}

/// Drops the answer to `request` once its tool runs, as the HTTP layer does when the client goes.
async fn abandon(server: &Server, request: Request) {
    tokio::select! {
        answer = server.answer(request) => panic!("{}", answer.body),
        () = server.journal.wait_for("endless began") => (),
    }
}

#[tokio::test]
async fn a_client_that_goes_away_stops_its_call() {
    for request in
        [modern_call(ALICE, "endless", &json!({})), post(ALICE, &call(7, "endless", &json!({})))]
    {
        let server = Server::new();
        abandon(&server, request).await;
        server.journal.wait_for("endless ended").await;
    }
}

#[tokio::test]
async fn a_cancelled_notification_stops_the_call_of_its_session() {
    let server = Server::new();
    let session = server.open_session(ALICE).await;
    let in_session = |message: &Value| with(post(ALICE, message), "mcp-session-id", &session);
    let response = server.send(in_session(&call(7, "endless", &json!({})))).await;
    assert_eq!(response.status(), StatusCode::OK);
    server.journal.wait_for("endless began").await;
    let cancelled = json!({
        "jsonrpc": "2.0",
        "method": "notifications/cancelled",
        "params": { "requestId": 7, "reason": "never mind" },
    });
    assert_eq!(server.answer(in_session(&cancelled)).await.status, StatusCode::ACCEPTED);
    server.journal.wait_for("endless ended").await;
}

#[tokio::test]
async fn shutting_down_stops_the_calls() {
    let server = Server::new();
    let session = server.open_session(ALICE).await;
    let request = with(post(ALICE, &call(7, "endless", &json!({}))), "mcp-session-id", &session);
    let _response = server.send(request).await;
    server.journal.wait_for("endless began").await;
    server.shut_down();
    server.journal.wait_for("endless ended").await;
}

#[tokio::test]
async fn a_header_that_repeats_an_argument_must_agree_with_it() {
    let server = Server::new();
    let call = || modern_call(ALICE, "region", &json!({ "region": "north" }));
    let answer = server.answer(with(call(), "mcp-param-region", "north")).await;
    assert_eq!(text_of(&answer.json()), r#"{"region":"north"}"#);
    for request in [with(call(), "mcp-param-region", "south"), call()] {
        let answer = server.answer(request).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.error(), (-32020, json!(7)));
    }
}
