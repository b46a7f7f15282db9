//! A server that ends in the middle of calls.

use mcp_oauth_core::domain::tool::CallError;
use std::time::Duration;

use mcp_oauth_tools::{Reach, Sharing, UpstreamCatalog, UpstreamConfig};
use serde_json::{Value, json};

use crate::scenario::{
    Caller, Counter, PATIENCE, config, config_of, per_caller, program, started, within,
};

fn is_ended(error: &CallError) -> bool {
    matches!(error, CallError::Unavailable(text) if text.contains("ended during the call"))
}

#[tokio::test]
async fn killed_a_hundred_times_in_a_call_it_is_there_again_for_the_next() {
    let catalog = started(config()).await;
    let ann = Caller::named("ann");
    for round in 0..100 {
        let (hanging, killed) = tokio::join!(
            ann.call(&catalog, "hang", json!({})),
            ann.call(&catalog, "exit", json!({})),
        );
        for outcome in [hanging, killed] {
            let error = outcome.expect_err("the server is gone");
            assert!(is_ended(&error), "round {round}: {error:?}");
        }
        let answer = ann.text(&catalog, "echo", json!({ "round": round })).await;
        assert_eq!(answer, json!({ "round": round }).to_string());
    }
    assert_eq!(catalog.trouble(), None);
}

#[tokio::test]
async fn the_process_of_one_caller_ends_alone() {
    let catalog = started(per_caller()).await;
    let (ann, bob) = (Caller::named("ann"), Caller::named("bob"));
    let before = bob.text(&catalog, "state", json!({})).await;
    let error = ann.call(&catalog, "exit", json!({})).await.unwrap_err();
    assert!(is_ended(&error), "{error:?}");
    ann.text(&catalog, "echo", json!({})).await;
    assert_eq!(bob.text(&catalog, "state", json!({})).await, before);
}

#[tokio::test]
async fn a_process_that_nobody_uses_for_a_while_ends() {
    let sharing = Sharing::PerCaller { most: 10, idle: Duration::from_millis(1) };
    let catalog = started(UpstreamConfig { sharing, ..config() }).await;
    let ann = Caller::named("ann");
    let state: Value = serde_json::from_str(&ann.text(&catalog, "state", json!({})).await).unwrap();
    let process = std::path::PathBuf::from(format!("/proc/{}", state["pid"]));
    within(async {
        while process.exists() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    ann.text(&catalog, "echo", json!({})).await;
}

#[tokio::test]
async fn a_server_is_there_as_soon_as_it_can_be_started() {
    let directory = tempfile::tempdir().unwrap();
    let mut late = program("legacy");
    let path = directory.path().join("server");
    let ours = std::mem::replace(&mut late.program, path.to_str().unwrap().to_owned());
    let catalog = UpstreamCatalog::start(
        config_of(Reach::Command(late)),
        std::sync::Arc::new(Counter::default()),
    );
    let catalog = catalog.unwrap();
    within(async {
        while !catalog.trouble().is_some_and(|trouble| trouble.contains("can't be started")) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    std::os::unix::fs::symlink(ours, path).unwrap();
    assert!(catalog.ready(PATIENCE).await, "{:?}", catalog.trouble());
    Caller::named("ann").text(&catalog, "echo", json!({})).await;
}

#[tokio::test]
async fn a_watched_resource_is_watched_again_after_a_restart() {
    let catalog = started(config()).await;
    let ann = Caller::named("ann");
    let resources = mcp_oauth_core::port::ToolCatalog::resources(&catalog).unwrap();
    let _watch = resources.watch("note:///one").await.unwrap();
    ann.call(&catalog, "exit", json!({})).await.unwrap_err();
    within(async {
        while !ann.text(&catalog, "state", json!({})).await.contains(r#""subscribed":1"#) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn shut_down_it_leaves_no_process_and_takes_no_call() {
    let catalog = started(per_caller()).await;
    let ann = Caller::named("ann");
    let state: Value = serde_json::from_str(&ann.text(&catalog, "state", json!({})).await).unwrap();
    let process = std::path::PathBuf::from(format!("/proc/{}", state["pid"]));
    assert!(process.exists() || !cfg!(target_os = "linux"));
    catalog.shut_down().await;
    assert!(!process.exists());
    assert!(catalog.trouble().is_some());
}

#[cfg(target_os = "linux")]
/// Whether a process is there and not yet dead.
fn runs(process: &str) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{process}/stat"));
    state.is_ok_and(|it| !it.rsplit(')').next().is_some_and(|it| it.trim_start().starts_with('Z')))
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_a_process_started_ends_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let ours = program("legacy");
    let mut shell = ours.clone();
    shell.program = "sh".to_owned();
    let script = r#"sleep 1000 & echo $! > "$1"; shift; exec "$@""#;
    let started_by_it = directory.path().join("pid");
    let path = started_by_it.to_str().unwrap();
    let fixed = ["-c", script, "sh", path, &ours.program];
    shell.arguments = fixed.into_iter().map(str::to_owned).chain(ours.arguments).collect();
    let catalog = started(config_of(Reach::Command(shell.clone()))).await;
    let process = std::fs::read_to_string(&started_by_it).unwrap();
    assert!(runs(process.trim()));
    catalog.shut_down().await;
    within(async {
        while runs(process.trim()) {
            tokio::task::yield_now().await;
        }
    })
    .await;

    // Also when it ends by itself.
    let catalog = started(config_of(Reach::Command(shell))).await;
    let process = std::fs::read_to_string(&started_by_it).unwrap();
    Caller::named("ann").call(&catalog, "exit", json!({})).await.unwrap_err();
    within(async {
        while runs(process.trim()) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
