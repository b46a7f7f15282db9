//! What changes in the catalog is told to whoever is connected, wants to know, and may.

use crate::rich_catalog::RichCatalog;
use crate::scenario::*;
use mcp_oauth_core::domain::catalog_change::CatalogChange;
use serde_json::{Value, json};

const LIST_CHANGES: [(CatalogChange, &str); 3] = [
    (CatalogChange::Tools, "notifications/tools/list_changed"),
    (CatalogChange::Prompts, "notifications/prompts/list_changed"),
    (CatalogChange::Resources, "notifications/resources/list_changed"),
];

fn subscribe(uri: &str) -> Value {
    asking(1, "resources/subscribe", &json!({ "uri": uri }))
}

fn updated(catalog: &RichCatalog, uri: &str) {
    catalog.change(CatalogChange::Resource(uri.to_owned()));
}

async fn listen(server: &Server, notifications: Value) -> Events {
    let params = json!({ "notifications": notifications });
    let request = modern_asking(ALICE, "subscriptions/listen", &params, &json!({}));
    Events::of(server.send(request).await)
}

#[tokio::test]
async fn sessions_of_both_transports_are_told_that_a_list_changed() {
    let (server, catalog) = Server::rich();
    let session = server.open_able_session(ALICE, &json!({})).await;
    let mut stream = Events::of(server.send(in_session(get("/mcp", ALICE), &session)).await);
    let mut sse = server.open_able_sse(ALICE, &json!({})).await;
    // An answer shows that what was said before it has been heard.
    server.answer(post_to(&sse.address, ALICE, &subscribe("test:open"))).await;
    sse.events.message().await;
    server.answer(in_session(post(ALICE, &subscribe("test:open")), &session)).await;
    for (change, method) in LIST_CHANGES {
        catalog.change(change);
        assert_eq!(stream.any_message().await["method"], method);
        assert_eq!(sse.events.message().await["method"], method);
    }
}

#[tokio::test]
async fn a_session_is_told_of_the_resources_it_watches_and_of_no_others() {
    let (server, catalog) = Server::rich();
    let mut sse = server.open_able_sse(ALICE, &json!({})).await;
    server.answer(post_to(&sse.address, ALICE, &subscribe("test:open"))).await;
    assert_eq!(sse.events.message().await["result"], json!({}));
    updated(&catalog, "test:other");
    updated(&catalog, "secret:one");
    updated(&catalog, "test:open");
    let message = sse.events.message().await;
    assert_eq!(message["method"], "notifications/resources/updated");
    assert_eq!(message["params"]["uri"], "test:open");
    let unsubscribe = asking(2, "resources/unsubscribe", &json!({ "uri": "test:open" }));
    server.answer(post_to(&sse.address, ALICE, &unsubscribe)).await;
    assert_eq!(sse.events.message().await["result"], json!({}));
    updated(&catalog, "test:open");
    catalog.change(CatalogChange::Tools);
    assert_eq!(sse.events.message().await["method"], "notifications/tools/list_changed");
}

#[tokio::test]
async fn a_listener_is_told_what_it_asked_for_under_its_subscription() {
    let (server, catalog) = Server::rich();
    let wanted = json!({ "promptsListChanged": true, "resourceSubscriptions": ["test:open"] });
    let mut stream = listen(&server, wanted.clone()).await;
    let acknowledged = stream.any_message().await;
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(acknowledged["params"]["notifications"], wanted);
    server.journal.wait_for("watch test:open").await;
    catalog.change(CatalogChange::Tools);
    updated(&catalog, "test:other");
    catalog.change(CatalogChange::Prompts);
    updated(&catalog, "test:open");
    for method in ["notifications/prompts/list_changed", "notifications/resources/updated"] {
        let message = stream.any_message().await;
        assert_eq!(message["method"], method);
        let subscription = &message["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"];
        assert_eq!(subscription, 7);
    }
}

#[tokio::test]
async fn who_may_not_read_a_resource_any_more_hears_no_more_of_it() {
    let (server, catalog) = Server::rich();
    let mut sse = server.open_able_sse(ALICE, &json!({})).await;
    server.answer(post_to(&sse.address, ALICE, &subscribe("test:open"))).await;
    sse.events.message().await;
    let wanted = json!({ "toolsListChanged": true, "resourceSubscriptions": ["test:open"] });
    let mut stream = listen(&server, wanted).await;
    stream.any_message().await;
    catalog.lock();
    updated(&catalog, "test:open");
    catalog.change(CatalogChange::Tools);
    for message in [stream.any_message().await, sse.events.message().await] {
        assert_eq!(message["method"], "notifications/tools/list_changed");
    }
}

#[tokio::test]
async fn a_change_right_after_the_acknowledgement_is_not_missed() {
    let (server, catalog) = Server::rich();
    let mut stream = listen(&server, json!({ "toolsListChanged": true })).await;
    // Nothing has run since the stream was opened but what acknowledged it.
    catalog.change(CatalogChange::Tools);
    stream.any_message().await;
    assert_eq!(stream.any_message().await["method"], "notifications/tools/list_changed");
}

#[tokio::test]
async fn too_many_resources_at_once_are_invalid_params() {
    let (server, _) = Server::rich();
    let uris: Vec<String> = (0..257).map(|number| format!("test:{number}")).collect();
    let params = json!({ "notifications": { "resourceSubscriptions": uris } });
    let request = modern_asking(ALICE, "subscriptions/listen", &params, &json!({}));
    assert_eq!(server.answer(request).await.error(), (-32602, json!(7)));
    let mut sse = server.open_able_sse(ALICE, &json!({})).await;
    for number in 0..=256 {
        let message = subscribe(&format!("test:{number}"));
        server.answer(post_to(&sse.address, ALICE, &message)).await;
        let answer = sse.events.message().await;
        assert_eq!(answer.get("result").is_some(), number < 256, "{number}: {answer}");
    }
}

#[tokio::test]
async fn a_catalog_that_never_changes_has_nothing_to_subscribe_to() {
    let server = Server::new();
    let session = server.open_able_session(ALICE, &json!({})).await;
    let answer = server.answer(in_session(post(ALICE, &subscribe("test:open")), &session)).await;
    assert_eq!(answer.last_event()["error"]["code"], -32601);
    let params = json!({ "notifications": { "toolsListChanged": true } });
    let request = modern_asking(ALICE, "subscriptions/listen", &params, &json!({}));
    assert_eq!(server.answer(request).await.error(), (-32601, json!(7)));
}
