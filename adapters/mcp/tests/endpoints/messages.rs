//! What a POST must look like before the engine sees it.

use crate::scenario::*;
use poem::http::{Method, StatusCode};
use poem::{Body, Request};
use serde_json::{Value, json};

fn raw(body: impl Into<Body>) -> Request {
    let mut request = post(ALICE, &Value::Null);
    request.set_body(body);
    request
}

#[tokio::test]
async fn malformed_json_is_a_parse_error_with_a_null_id() {
    let server = Server::new();
    for body in ["", "{", "nonsense", "{\"jsonrpc\":\"2.0\",}"] {
        let answer = server.answer(raw(body)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.error(), (-32700, Value::Null), "{body}");
    }
}

#[tokio::test]
async fn what_is_no_message_is_an_invalid_request_that_echoes_a_legible_id() {
    let server = Server::new();
    for (body, id) in [
        (json!([{ "jsonrpc": "2.0", "id": 1, "method": "ping" }]), Value::Null),
        (json!(["2.0", 1, "tools/call", { "name": "who" }]), Value::Null),
        (json!({ "id": 1, "method": "ping" }), json!(1)),
        (json!({ "jsonrpc": "2.0", "id": "a" }), json!("a")),
        (json!({ "jsonrpc": "2.0", "id": null, "method": "ping" }), Value::Null),
        (json!({ "jsonrpc": "2.0", "id": 1.5, "method": "ping" }), Value::Null),
        (json!({ "jsonrpc": "2.0", "id": 1, "method": 7 }), json!(1)),
    ] {
        let answer = server.answer(post(ALICE, &body)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.error(), (-32600, id), "{body}");
    }
}

#[tokio::test]
async fn params_that_do_not_fit_are_invalid_params() {
    let server = Server::new();
    let request = |method: &str, params: Value| json!({ "jsonrpc": "2.0", "id": 4, "method": method, "params": params });
    for body in [
        request("ping", json!([])),
        request("tools/call", json!({})),
        request("tools/call", json!({ "name": 7 })),
        request("tools/call", json!({ "name": "who", "arguments": "none" })),
        request("tools/call", json!({ "name": "who", "_meta": 5 })),
        request("initialize", json!({ "protocolVersion": 5 })),
    ] {
        let answer = server.answer(post(ALICE, &body)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.error(), (-32602, json!(4)), "{body}");
    }
    assert_eq!(server.journal.events(), [""; 0]);
}

#[tokio::test]
async fn a_body_that_is_not_json_by_type_is_415() {
    let server = Server::new();
    for content_type in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let message = initialize("2025-11-25");
        let answer = server.answer(with(post(ALICE, &message), "content-type", content_type)).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{content_type}");
        assert_eq!(answer.error(), (-32600, Value::Null));
    }
    let charset = "Application/JSON; charset=utf-8";
    let request = with(post(ALICE, &initialize("2025-11-25")), "content-type", charset);
    assert_eq!(server.answer(request).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_413_announced_or_not() {
    let server = Server::with(|settings| settings.max_body_bytes = 300);
    let long =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "ping", "params": { "a": "b".repeat(300) } });
    let answer = server.answer(post(ALICE, &long)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.error(), (-32600, Value::Null));
    let announced = with(raw("{"), "content-length", "301");
    assert_eq!(server.answer(announced).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let within = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    assert_eq!(server.answer(post(ALICE, &within)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_client_that_takes_neither_json_nor_a_stream_is_406() {
    let server = Server::new();
    for accept in ["text/html", "image/*", "application/json;q=0, text/event-stream;q=0"] {
        let answer =
            server.answer(with(post(ALICE, &initialize("2025-11-25")), "accept", accept)).await;
        assert_eq!(answer.status, StatusCode::NOT_ACCEPTABLE, "{accept}");
        assert_eq!(answer.error().0, -32600);
    }
    for path in ["/mcp", "/mcp/sse"] {
        let request = with(get(path, ALICE), "accept", "application/json");
        assert_eq!(server.answer(request).await.status, StatusCode::NOT_ACCEPTABLE, "{path}");
    }
}

#[tokio::test]
async fn a_client_that_takes_anything_json_or_does_not_say_is_served() {
    let server = Server::new();
    for accept in ["*/*", "application/*", "application/json", "text/event-stream"] {
        let request = with(modern_call(ALICE, "who", &json!({})), "accept", accept);
        assert_eq!(text_of(&server.answer(request).await.json()), "alice with id of alice");
    }
    let mut request = modern_call(ALICE, "who", &json!({}));
    request.headers_mut().remove("accept");
    assert_eq!(server.answer(request).await.status, StatusCode::OK);
}

#[tokio::test]
async fn other_methods_are_405() {
    let server = Server::new();
    for (path, method) in
        [("/mcp", Method::PUT), ("/mcp/sse", Method::POST), ("/mcp/messages", Method::GET)]
    {
        let mut request = get(path, ALICE);
        request.set_method(method);
        let answer = server.answer(request).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert!(answer.header("allow").is_some());
        assert_eq!(answer.error().0, -32600);
    }
}

#[tokio::test]
async fn only_the_transports_that_are_on_are_served() {
    let paths = Server::with(|settings| settings.transports.sse = false).paths();
    assert_eq!(paths, ["/mcp", "/mcp/"]);
    let paths = Server::with(|settings| settings.transports.streamable_http = false).paths();
    assert_eq!(paths, ["/mcp/sse", "/mcp/sse/", "/mcp/messages"]);
}
