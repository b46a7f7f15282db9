//! Both eras on one path, and sessions that belong to whoever opened them.

use std::time::Duration;

use crate::scenario::*;
use poem::http::{Method, StatusCode};
use serde_json::{Value, json};

fn list() -> Value {
    json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/list" })
}

fn modern_list() -> Value {
    let mut list = list();
    list["params"] = json!({ "_meta": modern_meta() });
    list
}

#[tokio::test]
async fn discovery_names_the_server_its_versions_and_its_tools() {
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": { "_meta": modern_meta() },
    });
    let request = modern(post(ALICE, &message), "server/discover", None);
    let result = &Server::new().answer(request).await.json()["result"];
    let server_info = &result["_meta"]["io.modelcontextprotocol/serverInfo"];
    assert_eq!(server_info, &json!({ "name": "test server", "version": "1.2.3" }));
    assert_eq!(result["capabilities"], json!({ "logging": {}, "tools": {} }));
    let versions = result["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!("2026-07-28")) && versions.contains(&json!("2025-06-18")));
}

#[tokio::test]
async fn the_list_of_2026_07_28_is_private_and_never_fresh() {
    let server = Server::new();
    let request = modern(post(ALICE, &modern_list()), "tools/list", None);
    let result = &server.answer(request).await.json()["result"];
    assert_eq!((&result["ttlMs"], &result["cacheScope"]), (&json!(0), &json!("private")));
    assert_eq!(
        result["tools"][1],
        json!({
            "name": "count",
            "title": "The tool count",
            "description": "Does count.",
            "inputSchema": { "type": "object", "properties": {} },
            "outputSchema": { "type": "object", "properties": { "count": { "type": "integer" } } },
            "annotations": { "readOnlyHint": true },
        })
    );
    let older = &server.answer(post(ALICE, &list())).await.json()["result"];
    assert_eq!((older.get("ttlMs"), older.get("cacheScope")), (None, None));
}

#[tokio::test]
async fn what_2026_07_28_dropped_or_requires_is_refused_in_its_terms() {
    let server = Server::new();
    let ping = json!({
        "jsonrpc": "2.0", "id": 1, "method": "ping", "params": { "_meta": modern_meta() },
    });
    let answer = server.answer(modern(post(ALICE, &ping), "ping", None)).await;
    assert_eq!((answer.status, answer.error()), (StatusCode::NOT_FOUND, (-32601, json!(1))));
    let without_meta = modern(post(ALICE, &list()), "tools/list", None);
    let answer = server.answer(without_meta).await;
    assert_eq!((answer.status, answer.error()), (StatusCode::BAD_REQUEST, (-32602, json!(3))));
    let other_header = modern(post(ALICE, &modern_list()), "tools/call", None);
    let answer = server.answer(other_header).await;
    assert_eq!((answer.status, answer.error()), (StatusCode::BAD_REQUEST, (-32020, json!(3))));
    let stream = with(get("/mcp", ALICE), "mcp-protocol-version", "2026-07-28");
    assert_eq!(server.answer(stream).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn an_unknown_revision_is_refused_with_those_there_are() {
    let mut message = modern_list();
    message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2099-01-01");
    let request = modern(post(ALICE, &message), "tools/list", None);
    let request = with(request, "mcp-protocol-version", "2099-01-01");
    let answer = Server::new().answer(request).await;
    assert_eq!((answer.status, answer.error()), (StatusCode::BAD_REQUEST, (-32022, json!(3))));
    assert_eq!(answer.json()["error"]["data"]["requested"], "2099-01-01");
    let other = with(post(ALICE, &list()), "mcp-protocol-version", "1999-01-01");
    let answer = Server::new().answer(other).await;
    assert_eq!((answer.status, answer.error()), (StatusCode::BAD_REQUEST, (-32600, json!(3))));
}

#[tokio::test]
async fn a_session_of_each_older_revision_works_from_start_to_end() {
    let server = Server::new();
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let answer = server.answer(post(ALICE, &initialize(version))).await;
        let result = &answer.last_event()["result"];
        assert_eq!(result["protocolVersion"], version);
        assert_eq!(result["serverInfo"], json!({ "name": "test server", "version": "1.2.3" }));
        let session = answer.header("mcp-session-id").unwrap();
        let say = |message: &Value| {
            with(in_session(post(ALICE, message), session), "mcp-protocol-version", version)
        };
        assert_eq!(server.answer(say(&initialized())).await.status, StatusCode::ACCEPTED);
        let tools = server.answer(say(&list())).await.last_event();
        assert_eq!(tools["result"]["tools"].as_array().unwrap().len(), 7);
        let mut end = in_session(get("/mcp", ALICE), session);
        end.set_method(Method::DELETE);
        assert_eq!(server.answer(end).await.status, StatusCode::ACCEPTED);
        let answer = server.answer(say(&list())).await;
        assert_eq!((answer.status, answer.error().0), (StatusCode::NOT_FOUND, -32600));
    }
}

#[tokio::test]
async fn an_empty_event_is_sent_only_to_clients_that_understand_it() {
    let server = Server::new();
    for (version, primed) in [("2025-06-18", false), ("2025-11-25", true)] {
        let opening = server.answer(post(ALICE, &initialize(version))).await;
        let session = opening.header("mcp-session-id").unwrap().to_owned();
        let listing =
            with(in_session(post(ALICE, &list()), &session), "mcp-protocol-version", version);
        let listing = server.answer(listing).await;
        for answer in [opening, listing] {
            assert_eq!(answer.body.contains("retry:"), primed, "{version}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn the_stream_of_a_session_answers_at_once() {
    let server = Server::new();
    let session = server.open_session(ALICE).await;
    let response = server.send(in_session(get("/mcp", ALICE), &session)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.header("content-type"), Some("text/event-stream"));
}

#[tokio::test]
async fn a_message_of_an_older_revision_can_stand_alone() {
    let server = Server::new();
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    assert_eq!(server.answer(post(ALICE, &ping)).await.json()["result"], json!({}));
    let answer = server.answer(post_to("/mcp/", ALICE, &list())).await;
    assert_eq!(answer.json()["result"]["tools"].as_array().unwrap().len(), 7);
    assert_eq!(server.answer(post(ALICE, &initialized())).await.status, StatusCode::ACCEPTED);
    let unknown = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/paint" });
    assert_eq!(server.answer(post(ALICE, &unknown)).await.error(), (-32601, json!(1)));
}

#[tokio::test]
async fn the_session_of_another_caller_does_not_exist() {
    let server = Server::new();
    let session = server.open_session(ALICE).await;
    for method in [Method::POST, Method::GET, Method::DELETE] {
        let as_bob = |session: &str| {
            let mut request = in_session(post(BOB, &call(1, "who", &json!({}))), session);
            request.set_method(method.clone());
            request
        };
        let theirs = server.answer(as_bob(&session)).await;
        let unknown = server.answer(as_bob(&"A".repeat(43))).await;
        assert_eq!(theirs.status, StatusCode::NOT_FOUND, "{method}");
        assert_eq!((unknown.status, &unknown.body), (theirs.status, &theirs.body), "{method}");
    }
    let resume = with(in_session(get("/mcp", BOB), &session), "last-event-id", "0/0");
    assert_eq!(server.answer(resume).await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.journal.events(), [""; 0]);
    let owner = in_session(post(ALICE_AGAIN, &list()), &session);
    assert_eq!(server.answer(owner).await.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn one_session_too_many_ends_the_least_recently_used_of_the_caller() {
    let server = Server::with(|settings| settings.sessions.per_caller = 2);
    let status = async |token, session: &str| {
        server.answer(in_session(post(token, &list()), session)).await.status
    };
    let bobs = server.open_session(BOB).await;
    let first = server.open_session(ALICE).await;
    let second = server.open_session(ALICE).await;
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(status(ALICE, &first).await, StatusCode::OK);
    let third = server.open_session(ALICE).await;
    assert_eq!(status(ALICE, &second).await, StatusCode::NOT_FOUND);
    for (token, session) in [(ALICE, &first), (ALICE, &third), (BOB, &bobs)] {
        assert_eq!(status(token, session).await, StatusCode::OK);
    }
}

#[tokio::test]
async fn sessions_are_bounded_in_total_and_a_seat_comes_back() {
    let server = Server::with(|settings| settings.sessions.total = 1);
    let session = server.open_session(ALICE).await;
    let answer = server.answer(post(BOB, &initialize("2025-11-25"))).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), Some("5"));
    assert_eq!(answer.error().0, -32600);
    let answer = server.answer(get("/mcp/sse", BOB)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let mut end = in_session(get("/mcp", ALICE), &session);
    end.set_method(Method::DELETE);
    server.answer(end).await;
    server.open_session(BOB).await;
}

#[tokio::test]
async fn an_opening_that_fails_keeps_no_seat() {
    let server = Server::with(|settings| settings.sessions.total = 1);
    let mismatch =
        with(post(ALICE, &initialize("2025-11-25")), "mcp-protocol-version", "2025-06-18");
    assert_eq!(server.answer(mismatch).await.status, StatusCode::BAD_REQUEST);
    server.open_session(BOB).await;
}

#[tokio::test]
async fn a_client_may_begin_anew_naming_the_session_it_lost() {
    let server = Server::new();
    let answer = server.answer(in_session(post(ALICE, &initialize("2025-06-18")), "lost")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_ne!(answer.header("mcp-session-id"), Some("lost"));
}

#[tokio::test(start_paused = true)]
async fn an_idle_session_ends_and_gives_its_seat_back() {
    let server = Server::with(|settings| {
        settings.sessions.idle = Duration::from_secs(600);
        settings.sessions.total = 1;
    });
    let session = server.open_session(ALICE).await;
    let status = async || server.answer(in_session(post(ALICE, &list()), &session)).await.status;
    tokio::time::advance(Duration::from_secs(599)).await;
    assert_eq!(status().await, StatusCode::OK);
    tokio::time::advance(Duration::from_secs(599)).await;
    assert_eq!(status().await, StatusCode::OK);
    // The store may have learnt of the last use a minute late, and the engine winds the session up in
    // the background.
    tokio::time::advance(Duration::from_secs(601)).await;
    let ended = async {
        while server.answer(post(BOB, &initialize("2025-11-25"))).await.status != StatusCode::OK {
            tokio::time::advance(Duration::from_secs(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(90), ended).await.unwrap();
    assert_eq!(status().await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn shutting_down_ends_the_streams() {
    let server = Server::new();
    let session = server.open_session(ALICE).await;
    let mut stream = Events::of(server.send(in_session(get("/mcp", ALICE), &session)).await);
    server.shut_down();
    while stream.next().await.is_some() {}
}
