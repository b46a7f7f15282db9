//! Prompts, resources and completion, and who may have them.

use crate::scenario::*;
use poem::http::StatusCode;
use serde_json::{Value, json};

/// The same request in every way a client can make it; the last is over HTTP+SSE.
async fn every_way(server: &Server, method: &str, params: &Value) -> Vec<Value> {
    let session = server.open_able_session(ALICE, &json!({})).await;
    let message = asking(7, method, params);
    let mut answers = vec![
        server.answer(modern_asking(ALICE, method, params, &json!({}))).await.json(),
        server.answer(post(ALICE, &message)).await.json(),
        server.answer(in_session(post(ALICE, &message), &session)).await.last_event(),
    ];
    let mut sse = server.open_able_sse(ALICE, &json!({})).await;
    let answer = server.answer(post_to(&sse.address, ALICE, &message)).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    answers.push(sse.events.message().await);
    answers
}

async fn every_result(server: &Server, method: &str, params: Value) -> Vec<Value> {
    let answers = every_way(server, method, &params).await;
    answers.into_iter().map(|mut answer| answer["result"].take()).collect()
}

#[tokio::test]
async fn the_capabilities_are_those_of_the_catalog() {
    let (server, _) = Server::rich();
    let answer = server.answer(post(ALICE, &initialize("2025-11-25"))).await;
    let expected = json!({
        "completions": {}, "logging": {}, "prompts": { "listChanged": true },
        "resources": { "listChanged": true, "subscribe": true }, "tools": { "listChanged": true },
    });
    assert_eq!(answer.last_event()["result"]["capabilities"], expected);
    let answer = Server::new().answer(post(ALICE, &initialize("2025-11-25"))).await;
    let expected = json!({ "logging": {}, "tools": {} });
    assert_eq!(answer.last_event()["result"]["capabilities"], expected);
}

#[tokio::test]
async fn every_kind_of_content_and_all_members_of_a_tool_reach_the_client() {
    let (server, _) = Server::rich();
    for result in every_result(&server, "tools/call", json!({ "name": "pieces" })).await {
        let content = result["content"].as_array().unwrap();
        let kinds: Vec<_> = content.iter().map(|piece| piece["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["text", "image", "audio", "resource", "resource_link"]);
        assert_eq!(content[0]["annotations"], json!({ "priority": 0.5 }));
        assert_eq!(content[1]["mimeType"], "image/png");
        assert_eq!(content[3]["resource"]["text"], "inside");
        assert_eq!(content[4]["size"], 6);
    }
    for result in every_result(&server, "tools/list", json!({})).await {
        let tool = &result["tools"][0];
        assert_eq!(tool["icons"], json!([{ "src": "https://example.com/icon.png" }]));
        assert_eq!(tool["_meta"], json!({ "a/b": 7 }));
        assert_eq!(tool["annotations"], json!({ "idempotentHint": true }));
    }
}

#[tokio::test]
async fn prompts_are_listed_and_filled_in() {
    let (server, _) = Server::rich();
    for result in every_result(&server, "prompts/list", json!({})).await {
        let expected = json!({
            "name": "greet", "description": "A prompt.",
            "arguments": [{ "name": "whom", "required": true }],
        });
        assert_eq!(result["prompts"], json!([expected]));
    }
    let params = json!({ "name": "greet", "arguments": { "whom": "Bob" } });
    for result in every_result(&server, "prompts/get", params).await {
        let content = json!({ "type": "text", "text": "Greet Bob." });
        assert_eq!(result["messages"], json!([{ "role": "user", "content": content }]));
    }
}

#[tokio::test]
async fn a_prompt_that_is_unknown_or_lacks_an_argument_is_invalid_params() {
    let (server, _) = Server::rich();
    for params in [
        json!({ "name": "nothing" }),
        json!({ "name": "greet" }),
        json!({ "name": "greet", "arguments": { "whom": 7 } }),
    ] {
        for message in every_way(&server, "prompts/get", &params).await {
            assert_eq!((&message["error"]["code"], &message["id"]), (&json!(-32602), &json!(7)));
        }
    }
    assert_eq!(server.journal.events(), [""; 0]);
}

#[tokio::test]
async fn resources_are_listed_and_read() {
    let (server, _) = Server::rich();
    for result in every_result(&server, "resources/list", json!({})).await {
        let expected = json!({ "uri": "test:open", "name": "test:open", "mimeType": "text/plain" });
        assert_eq!(result["resources"], json!([expected]));
    }
    for result in every_result(&server, "resources/templates/list", json!({})).await {
        let expected = json!({ "uriTemplate": "test:{id}", "name": "test:{id}" });
        assert_eq!(result["resourceTemplates"], json!([expected]));
    }
    for result in every_result(&server, "resources/read", json!({ "uri": "test:open" })).await {
        let expected = json!({ "uri": "test:open", "mimeType": "text/plain", "text": "inside" });
        assert_eq!(result["contents"], json!([expected]));
    }
}

#[tokio::test]
async fn an_unknown_resource_is_named_in_the_error_of_the_revision() {
    let (server, _) = Server::rich();
    let messages = every_way(&server, "resources/read", &json!({ "uri": "test:missing" })).await;
    for (message, code) in messages.iter().zip([-32602, -32002, -32002, -32002]) {
        assert_eq!(message["error"]["code"], code);
        assert_eq!(message["error"]["data"], json!({ "uri": "test:missing" }));
    }
}

#[tokio::test]
async fn an_argument_is_completed() {
    let (server, _) = Server::rich();
    for of in [
        json!({ "type": "ref/prompt", "name": "greet" }),
        json!({ "type": "ref/resource", "uri": "test:{id}" }),
    ] {
        let params = json!({ "ref": of, "argument": { "name": "whom", "value": "B" } });
        for result in every_result(&server, "completion/complete", params).await {
            let expected = json!({ "values": ["whom:B!"], "total": 1, "hasMore": false });
            assert_eq!(result["completion"], expected);
        }
    }
}

/// A catalog with a connection for each caller would complete on another one than it is called on.
#[tokio::test]
async fn completion_knows_the_client_as_calls_do() {
    let (server, _) = Server::rich();
    let of = json!({ "type": "ref/prompt", "name": "greet" });
    let params = json!({ "ref": of, "argument": { "name": "whom", "value": "B" } });
    let able = json!({ "elicitation": {} });
    server.answer(modern_asking(ALICE, "completion/complete", &params, &able)).await;
    let session = server.open_able_session(ALICE, &able).await;
    let message = asking(7, "completion/complete", &params);
    server.answer(in_session(post(ALICE, &message), &session)).await;
    server.answer(modern_asking(ALICE, "completion/complete", &params, &json!({}))).await;
    let known = "completion for a client that shows forms";
    let events = server.journal.events();
    assert_eq!(events.iter().filter(|event| *event == known).count(), 2, "{events:?}");
}

#[tokio::test]
async fn an_error_of_whoever_is_behind_the_catalog_is_passed_on() {
    let (server, _) = Server::rich();
    for message in every_way(&server, "tools/call", &json!({ "name": "refused" })).await {
        let expected = json!({ "code": -32099, "message": "no", "data": { "why": "not" } });
        assert_eq!(message["error"], expected);
    }
}

#[tokio::test]
async fn what_the_catalog_never_has_is_no_method_of_the_server() {
    let server = Server::new();
    for (method, params) in [
        ("prompts/list", json!({})),
        ("prompts/get", json!({ "name": "greet" })),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("resources/read", json!({ "uri": "test:open" })),
        (
            "completion/complete",
            json!({
                "ref": { "type": "ref/prompt", "name": "greet" },
                "argument": { "name": "whom", "value": "" },
            }),
        ),
    ] {
        for message in every_way(&server, method, &params).await {
            assert_eq!(message["error"]["code"], -32601, "{method}: {message}");
        }
        let answer = server.answer(modern_asking(ALICE, method, &params, &json!({}))).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method}");
    }
}

#[tokio::test]
async fn a_page_that_nobody_was_sent_to_is_invalid_params() {
    let (server, _) = Server::rich();
    for method in ["tools/list", "prompts/list", "resources/list", "resources/templates/list"] {
        for message in every_way(&server, method, &json!({ "cursor": "x" })).await {
            assert_eq!(message["error"]["code"], -32602, "{method}");
        }
    }
}

#[tokio::test]
async fn rs_10_rs_11_everything_beyond_the_token_is_403_before_it_is_touched() {
    let (server, _) = Server::rich();
    let session = server.open_able_session(ALICE, &json!({})).await;
    let sse = server.open_able_sse(ALICE, &json!({})).await;
    let completing = |of: Value| json!({ "ref": of, "argument": { "name": "a", "value": "" } });
    for (method, params) in [
        ("tools/call", json!({ "name": "secret_tool" })),
        ("prompts/get", json!({ "name": "secret", "arguments": { "whom": "a" } })),
        ("resources/read", json!({ "uri": "secret:one" })),
        ("resources/subscribe", json!({ "uri": "secret:one" })),
        (
            "subscriptions/listen",
            json!({
                "notifications": { "resourceSubscriptions": ["test:open", "secret:one"] },
            }),
        ),
        ("completion/complete", completing(json!({ "type": "ref/prompt", "name": "secret" }))),
        (
            "completion/complete",
            completing(json!({ "type": "ref/resource", "uri": "secret:{id}" })),
        ),
    ] {
        let message = asking(7, method, &params);
        let mut requests = vec![
            post(ALICE, &message),
            in_session(post(ALICE, &message), &session),
            post_to(&sse.address, ALICE, &message),
        ];
        // 2026-07-28 has no such method, which is said first.
        if method != "resources/subscribe" {
            requests.push(modern_asking(ALICE, method, &params, &json!({})));
        }
        for request in requests {
            let answer = server.answer(request).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method}: {}", answer.body);
            let challenges: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
            assert_eq!(challenges.len(), 1, "{challenges:?}");
            let challenge = challenges[0].to_str().unwrap();
            assert!(challenge.contains("scope=\"files:read mcp:tools\""), "{challenge}");
        }
    }
    assert_eq!(server.journal.events(), [""; 0]);
}
