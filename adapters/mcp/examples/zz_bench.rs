//! temporary
#![allow(warnings, clippy::all)]
#[path = "../tests/endpoints/scenario.rs"] mod scenario;
#[path = "../tests/endpoints/test_catalog.rs"] mod test_catalog;
use scenario::*;
use serde_json::json;
use std::time::Instant;
fn main() {
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    rt.block_on(async { tokio::spawn(async {
        let server = Server::new();
        let session = server.open_session(ALICE).await;
        for round in 0..3 {
            let n = 20000u32;
            let t = Instant::now();
            for _ in 0..n { let r = modern_call(ALICE, "who", &json!({"name":"caller"})); std::hint::black_box(r); }
            let build = t.elapsed() / n;
            let t = Instant::now();
            for _ in 0..n { let a = server.answer(modern_call(ALICE, "who", &json!({"name":"caller"}))).await; assert!(a.status.is_success()); }
            let modern = t.elapsed() / n;
            let t = Instant::now();
            for _ in 0..n { let a = server.answer(with(post(ALICE, &call(7, "who", &json!({"name":"caller"}))), "mcp-session-id", &session)).await; assert!(a.status.is_success()); }
            let legacy = t.elapsed() / n;
            let t = Instant::now();
            for _ in 0..n { let a = server.answer(post("forged", &call(7, "who", &json!({})))).await; }
            let refused = t.elapsed() / n;
            println!("build {build:?} modern {modern:?} legacy {legacy:?} refused {refused:?}");
        }
    }).await.unwrap() });
}
