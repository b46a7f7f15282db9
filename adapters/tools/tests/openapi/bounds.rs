//! Bounds: of time, of size and of how many at once.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mcp_oauth_tools::OpenApiConfig;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{Barrier, Notify};

use super::scenario::{call, failure, text, tools};
use super::server::{Reply, Seen, Server};

fn soon(config: &mut OpenApiConfig) {
    config.limits.timeout = Duration::from_millis(300);
}

#[tokio::test]
async fn an_answer_that_never_comes_is_given_up() {
    let server = Server::handling(|_| Box::pin(pending())).await;
    let paths = json!({"/a": {"get": {"operationId": "read"}, "post": {"operationId": "write"}}});
    let catalog = tools(&server, &paths, soon).await;
    let read = call(&catalog, "read", json!({})).await;
    assert!(failure(&read).starts_with("pets did not answer"), "{read:?}");
    assert!(!failure(&read).contains("look before you repeat"));
    let write = call(&catalog, "write", json!({})).await;
    assert!(failure(&write).contains("look before you repeat"), "{write:?}");
}

#[tokio::test]
async fn a_call_that_never_gets_its_turn_is_given_up_unasked() {
    let server = Server::handling(|_| Box::pin(pending())).await;
    let paths = json!({"/a": {"get": {"operationId": "a"}}});
    let catalog = tools(&server, &paths, |config| {
        config.limits.max_concurrent_calls = 1;
        config.limits.timeout = Duration::from_millis(500);
    })
    .await;
    let calls = [call(&catalog, "a", json!({})), call(&catalog, "a", json!({}))];
    let [first, second] = calls;
    let (first, second) = tokio::join!(first, second);
    assert!(failure(&first).contains("did not answer"), "{first:?}");
    assert!(failure(&second).contains("too much to do"), "{second:?}");
    assert_eq!(server.seen().len(), 1);
}

/// Never answers at one address, and tells when it was asked there.
async fn slow_or_fast(seen: Seen, begun: Arc<Notify>) -> Reply {
    if seen.target == "/v1/slow" {
        begun.notify_one();
        pending::<()>().await;
    }
    Reply::json(&json!({}))
}

#[tokio::test]
async fn a_call_that_is_dropped_gives_back_its_turn() {
    let asked = Arc::new(Notify::new());
    let begun = Arc::clone(&asked);
    let server =
        Server::handling(move |seen| Box::pin(slow_or_fast(seen, Arc::clone(&begun)))).await;
    let paths = json!({"/slow": {"get": {"operationId": "slow"}},
        "/fast": {"get": {"operationId": "fast"}}});
    let catalog = tools(&server, &paths, |config| config.limits.max_concurrent_calls = 1).await;
    // It has its turn, and is dropped while the server has its request.
    tokio::select! {
        answer = call(&catalog, "slow", json!({})) => panic!("{answer:?}"),
        () = asked.notified() => {}
    }
    assert!(!call(&catalog, "fast", json!({})).await.is_error);
}

#[tokio::test]
async fn an_answer_that_is_too_long_fails_and_says_how_to_ask_for_less() {
    let server = Server::answering(|seen| {
        let length = if seen.target.ends_with("limit=1") { 1_000 } else { 1_001 };
        Reply::new(200, "text/plain", "x".repeat(length))
    })
    .await;
    let paths = json!({"/a": {"get": {"operationId": "a", "parameters": [
        {"name": "limit", "in": "query"}, {"name": "id", "in": "query"}]}}});
    let catalog = tools(&server, &paths, |config| config.limits.max_response_bytes = 1_000).await;
    let answer = call(&catalog, "a", json!({})).await;
    let told = failure(&answer);
    assert!(told.contains("longer than 1000 bytes. Ask for less, with `limit`;"), "{told}");
    assert_eq!(text(&call(&catalog, "a", json!({"limit": 1})).await).len(), 1_000);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_without_its_address() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let server = Server::answering(|_| Reply::json(&json!({}))).await;
    let paths = json!({"/a": {"get": {"operationId": "a"}}});
    for scheme in ["http", "https"] {
        // Nobody listens at the first; at the second somebody who speaks no TLS.
        let port = if scheme == "http" { port } else { server.address.port() };
        let catalog = tools(&server, &paths, |config| {
            config.base_url = format!("{scheme}://127.0.0.1:{port}/inside").parse().ok();
        })
        .await;
        let answer = call(&catalog, "a", json!({})).await;
        assert_eq!(failure(&answer), "pets can't be reached at the moment.");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_at_once_are_answered_a_hundred_at_a_time() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let full = Arc::new(Barrier::new(100));
    let (counted, highest) = (Arc::clone(&now), Arc::clone(&most));
    let server = Server::handling(move |seen| {
        let (now, most, full) = (Arc::clone(&counted), Arc::clone(&highest), Arc::clone(&full));
        Box::pin(async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // Nobody is answered before a hundred are here.
            full.wait().await;
            now.fetch_sub(1, Ordering::SeqCst);
            Reply::json(&json!({ "target": seen.target }))
        })
    })
    .await;
    let paths = json!({"/a/{id}": {"get": {"operationId": "a", "parameters": [
        {"name": "id", "in": "path", "required": true}]}}});
    let catalog = Arc::new(tools(&server, &paths, |_| {}).await);
    let calls = (0..1_000).map(|id| {
        let catalog = Arc::clone(&catalog);
        tokio::spawn(async move { (id, call(&catalog, "a", json!({ "id": id })).await) })
    });
    for answered in calls.collect::<Vec<_>>() {
        let (id, answer) = answered.await.unwrap();
        assert_eq!(answer.structured, Some(json!({"target": format!("/v1/a/{id}")})));
    }
    assert_eq!((server.seen().len(), most.load(Ordering::SeqCst)), (1_000, 100));
}
