//! Every request is authenticated before anything else of it is looked at.

use crate::scenario::*;
use poem::http::{Method, StatusCode};
use serde_json::{Value, json};

/// A body that is refused whatever the token, were it looked at.
const NOT_JSON: &str = "{";

#[tokio::test]
async fn rs_05_no_token_is_401_on_every_path_and_method() {
    let server = Server::new();
    for path in server.paths() {
        for method in [Method::GET, Method::POST, Method::DELETE, Method::PUT] {
            let answer = server.answer(request(method.clone(), path).body(NOT_JSON)).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
    }
    assert_eq!(*server.verified.lock().unwrap(), 0);
}

#[tokio::test]
async fn rs_06_rs_07_rs_08_the_challenge_names_metadata_and_scope_and_no_error() {
    let server = Server::new();
    for (path, document) in
        [("/mcp", "/mcp"), ("/mcp/sse", "/mcp/sse"), ("/mcp/messages", "/mcp/sse")]
    {
        let answer = server.answer(request(Method::POST, path).finish()).await;
        let metadata = "http://localhost:8000/.well-known/oauth-protected-resource";
        assert_eq!(
            answer.header("www-authenticate").unwrap(),
            format!("Bearer scope=\"mcp:tools\", resource_metadata=\"{metadata}{document}\"")
        );
        assert_eq!(answer.json(), json!({ "error_description": "no access token was sent" }));
    }
}

#[tokio::test]
async fn rs_09_a_bad_token_is_an_invalid_token() {
    let answer = Server::new().answer(post("forged", &initialize("2025-11-25"))).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(
        answer.header("www-authenticate").unwrap().starts_with("Bearer error=\"invalid_token\"")
    );
    assert_eq!(answer.json()["error"], "invalid_token");
}

#[tokio::test]
async fn rs_14_two_tokens_are_an_invalid_request() {
    let mut request = post(ALICE, &json!({}));
    request.headers_mut().append("authorization", "Bearer bob".parse().unwrap());
    let answer = Server::new().answer(request).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.header("www-authenticate").unwrap().contains("error=\"invalid_request\""));
    assert_eq!(answer.json()["error"], "invalid_request");
}

#[tokio::test]
async fn rs_15_a_token_in_the_query_is_ignored() {
    let server = Server::new();
    for path in ["/mcp", "/mcp/sse", "/mcp/messages"] {
        let path = format!("{path}?access_token={ALICE}");
        let answer = server.answer(request(Method::GET, &path).finish()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(*server.verified.lock().unwrap(), 0);
}

#[tokio::test]
async fn rs_16_the_scheme_is_case_insensitive() {
    let request = with(modern_call("-", "who", &json!({})), "authorization", "bearer alice");
    let answer = Server::new().answer(request).await;
    assert_eq!(text_of(&answer.json()), "alice with id of alice");
}

#[tokio::test]
async fn rs_17_the_second_request_of_a_session_needs_a_token_too() {
    let server = Server::new();
    let session = server.open_session(ALICE).await;
    for method in [Method::POST, Method::GET, Method::DELETE] {
        let request = with(request(method, "/mcp").finish(), "mcp-session-id", &session);
        assert_eq!(server.answer(request).await.status, StatusCode::UNAUTHORIZED);
    }
    let mut events = server.open_sse(ALICE).await;
    let address = events.messages_address().await;
    let answer = server.answer(request(Method::POST, &address).body(NOT_JSON)).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let answer = server.answer(post_to(&address, "forged", &initialize("2024-11-05"))).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn rs_23_a_bad_token_with_a_bad_body_is_401() {
    let server = Server::new();
    for path in ["/mcp", "/mcp/messages"] {
        let mut request = post_to(path, "forged", &Value::Null);
        request.set_body(NOT_JSON);
        request.headers_mut().insert("content-type", "text/plain".parse().unwrap());
        request.headers_mut().insert("accept", "image/png".parse().unwrap());
        assert_eq!(server.answer(request).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[tokio::test]
async fn rs_25_only_a_loopback_host_changes_the_spelling_of_the_metadata_address() {
    let server = Server::new();
    for (host, named) in [("127.0.0.1:8000", "127.0.0.1:8000"), ("evil.example", "localhost:8000")]
    {
        let answer = server.answer(with(request(Method::GET, "/mcp").finish(), "host", host)).await;
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.contains(&format!("=\"http://{named}/.well-known/")), "{challenge}");
    }
}

#[tokio::test]
async fn an_issuer_out_of_reach_is_503_without_challenge_or_detail() {
    let answer = Server::new().answer(post(UNVERIFIABLE, &json!({}))).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), Some("9"));
    assert_eq!(answer.header("www-authenticate"), None);
    assert_eq!(answer.json()["error"], "temporarily_unavailable");
    assert!(!answer.body.contains("10.0.0.7"));
}

#[tokio::test]
async fn rs_10_rs_11_a_call_without_its_scopes_is_403_naming_all_of_them() {
    let server = Server::new();
    let session = server.open_session(ALICE).await;
    let in_session =
        with(post(ALICE, &call(2, "delete_files", &json!({}))), "mcp-session-id", &session);
    let alone = post(ALICE, &call(2, "delete_files", &json!({})));
    let modern = modern_call(ALICE, "delete_files", &json!({}));
    let mut events = server.open_sse(ALICE).await;
    let address = events.messages_address().await;
    let sse = post_to(&address, ALICE, &call(2, "delete_files", &json!({})));
    for (request, document) in
        [(in_session, "mcp"), (alone, "mcp"), (modern, "mcp"), (sse, "mcp/sse")]
    {
        let answer = server.answer(request).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        let challenges: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
        assert_eq!(challenges.len(), 1);
        let challenge = challenges[0].to_str().unwrap();
        assert!(challenge.starts_with("Bearer error=\"insufficient_scope\", "), "{challenge}");
        // What the token allows is asked for again, so that stepping up loses nothing.
        assert!(challenge.contains("scope=\"files:read files:write mcp:tools\""), "{challenge}");
        let metadata = format!("/.well-known/oauth-protected-resource/{document}\"");
        assert!(challenge.ends_with(&metadata), "{challenge}");
        assert_eq!(answer.json()["error"], "insufficient_scope");
    }
    assert_eq!(server.journal.events(), [""; 0]);
}

#[tokio::test]
async fn rs_10_what_no_new_token_would_change_is_403_with_the_reason_for_whoever_reads_answers() {
    let server = Server::new();
    for request in
        [post(ALICE, &call(2, "vault", &json!({}))), modern_call(ALICE, "vault", &json!({}))]
    {
        let answer = server.answer(request).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer error=\"access_denied\", "), "{challenge}");
        let error = &answer.json()["error"];
        assert_eq!(error["code"], -32600);
        assert!(error["message"].as_str().unwrap().contains("groups or roles ops"), "{error}");
        assert!(answer.json()["id"].is_number());
    }
    assert_eq!(server.journal.events(), [""; 0]);
}

#[tokio::test]
async fn an_escaped_name_is_authorized_as_what_it_means() {
    let server = Server::new();
    let mut request = post(POWERLESS, &Value::Null);
    request.set_body(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools\/call","params":{"n\u0061me":"wh\u006f"}}"#,
    );
    assert_eq!(server.answer(request).await.status, StatusCode::FORBIDDEN);
    let mut request = post(POWERLESS, &Value::Null);
    request.set_body(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","name":"who"}}"#,
    );
    assert_eq!(server.answer(request).await.error(), (-32602, json!(1)));
    assert_eq!(server.journal.events(), [""; 0]);
}

#[tokio::test]
async fn the_list_shows_what_the_token_allows() {
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let server = Server::new();
    let tools = async |token| {
        let answer = server.answer(post(token, &list)).await;
        answer.json()["result"]["tools"].as_array().unwrap().len()
    };
    assert_eq!(tools(ALICE).await, 7);
    assert_eq!(tools(POWERLESS).await, 0);
}
