//! A call that never stops sending is ended, and nothing else is.

use crate::scenario::*;
use serde_json::json;

#[tokio::test]
async fn a_call_that_floods_its_client_is_stopped_and_answered() {
    let (server, _) = Server::rich();
    let meta = json!({
        "progressToken": 1, "io.modelcontextprotocol/logLevel": "debug",
    });
    let params = json!({ "name": "flood", "_meta": meta });
    let request = modern_asking(ALICE, "tools/call", &params, &json!({}));
    let messages = server.answer(request).await.messages();
    let (last, before) = messages.split_last().unwrap();
    assert_eq!(before.len(), 10_000);
    assert_eq!((&last["id"], &last["result"]["isError"]), (&json!(7), &json!(true)));
}

#[tokio::test]
async fn a_session_survives_a_flood() {
    let (server, _) = Server::rich();
    let mut sse = server.open_able_sse(ALICE, &json!({})).await;
    server.answer(post_to(&sse.address, ALICE, &call(7, "flood", &json!({})))).await;
    let mut sent = 0;
    let answer = loop {
        let message = sse.events.message().await;
        if message["id"] == 7 {
            break message;
        }
        sent += 1;
    };
    assert_eq!((sent, &answer["result"]["isError"]), (10_000, &json!(true)));
    server.answer(post_to(&sse.address, ALICE, &call(8, "pieces", &json!({})))).await;
    assert_eq!(sse.events.message().await["id"], 8);
}
