//! Calls: progress, cancellation, errors, many at once, and what a process may see.

use std::sync::Arc;

use mcp_oauth_core::domain::input_required::ClientAbility;
use mcp_oauth_core::domain::log_message::LogLevel;
use mcp_oauth_core::domain::tool::CallError;
use mcp_oauth_tools::{Reach, UpstreamConfig};
use serde_json::{Value, json};

use crate::scenario::{Caller, config, config_of, per_caller, program, started, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn progress_comes_in_order_in_full_and_to_the_caller_of_the_call_alone() {
    let catalog = Arc::new(started(config()).await);
    let calls = (1..=40_u32).map(|n| {
        let catalog = Arc::clone(&catalog);
        tokio::spawn(async move {
            let caller = Caller::named(&format!("caller {n}"));
            caller.text(&catalog, "count", json!({ "n": n })).await;
            let heard = caller.heard.progress.lock().unwrap().clone();
            assert_eq!(heard, (1..=n).map(f64::from).collect::<Vec<_>>());
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_calls_at_once_each_get_their_own_answer() {
    let catalog = Arc::new(started(config()).await);
    let calls = (0..1000).map(|n| {
        let catalog = Arc::clone(&catalog);
        tokio::spawn(async move {
            let answer = Caller::named("ann").text(&catalog, "echo", json!({ "n": n })).await;
            assert_eq!(answer, json!({ "n": n }).to_string());
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_is_cancelled_at_the_server() {
    let catalog = started(config()).await;
    let ann = Caller::named("ann");
    let mut hanging = Box::pin(ann.call(&catalog, "hang", json!({})));
    tokio::select! {
        biased;
        _ = &mut hanging => panic!("it hangs"),
        // The server takes one message after another: the hanging call was taken before this one.
        answer = ann.text(&catalog, "echo", json!({})) => assert_eq!(answer, "{}"),
    }
    assert_eq!(ann.text(&catalog, "cancelled", json!({})).await, "0");
    drop(hanging);
    within(async {
        while ann.text(&catalog, "cancelled", json!({})).await == "0" {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_error_of_the_server_is_passed_on() {
    let catalog = started(config()).await;
    let refused = Caller::named("ann").call(&catalog, "refuse", json!({})).await;
    let expected = CallError::Refused {
        code: -32050,
        message: "not on Sundays".to_owned(),
        data: Some(json!({ "d": 1 })),
    };
    assert_eq!(refused, Err(expected));
}

#[tokio::test]
async fn a_process_sees_what_is_configured_and_nothing_secret_of_ours() {
    let mut program = program("legacy");
    program.environment.insert("GIVEN".to_owned(), "given".into());
    let catalog = started(config_of(Reach::Command(program))).await;
    let seen = Caller::named("ann").text(&catalog, "env", json!({})).await;
    let seen: Value = serde_json::from_str(&seen).unwrap();
    assert_eq!(seen["GIVEN"], "given");
    assert!(seen.get("PATH").is_some());
    // Cargo sets these for the tests, as an operator would set CLIENT_SECRET for us.
    for ours in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME"] {
        assert!(std::env::var_os(ours).is_some(), "{ours}");
        assert_eq!(seen.get(ours), None, "{ours}");
    }
    let allowed = ["HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TERM"];
    let allowed =
        [&allowed[..], &["TMPDIR", "TZ", "USER", "XDG_CACHE_HOME"], &["GIVEN", "UPSTREAM"]];
    // What a process sets for itself in starting is no secret of ours.
    let own = ["RUST_TEST_THREADS", "__LLVM_PROFILE_RT_INIT_ONCE"];
    for name in seen.as_object().unwrap().keys() {
        let known = allowed.concat().contains(&name.as_str()) || own.contains(&name.as_str());
        assert!(known, "the process sees {name}");
    }
}

#[tokio::test]
async fn log_messages_reach_the_caller_when_the_connection_is_theirs() {
    let catalog = started(per_caller()).await;
    let (ann, bob) = (Caller::named("ann"), Caller::named("bob"));
    bob.text(&catalog, "echo", json!({})).await;
    ann.text(&catalog, "say", json!({ "text": "psst" })).await;
    let heard = ann.heard.log.lock().unwrap().clone();
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert_eq!((heard[0].level, &heard[0].data), (LogLevel::Warning, &json!("psst")));
    assert!(bob.heard.log.lock().unwrap().is_empty());
    let state = ann.text(&catalog, "state", json!({})).await;
    assert!(state.contains(r#""level":"notice""#), "{state}");
}

#[tokio::test]
async fn log_messages_reach_nobody_when_the_connection_is_everybody_s() {
    let catalog = started(config()).await;
    let ann = Caller::named("ann");
    ann.text(&catalog, "say", json!({ "text": "psst" })).await;
    assert!(ann.heard.log.lock().unwrap().is_empty());
}

#[tokio::test]
async fn callers_have_processes_of_their_own_and_no_more_than_allowed() {
    let sharing =
        mcp_oauth_tools::Sharing::PerCaller { most: 2, idle: std::time::Duration::from_secs(600) };
    let catalog = started(UpstreamConfig { sharing, ..config() }).await;
    let callers = ["ann", "bob", "eve"].map(Caller::named);
    let mut processes = Vec::new();
    for caller in callers.iter().chain(&callers[2..]) {
        let state: Value =
            serde_json::from_str(&caller.text(&catalog, "state", json!({})).await).unwrap();
        processes.push(state["pid"].clone());
    }
    assert_eq!(processes[2], processes[3], "the same caller comes back to the same process");
    assert_ne!(processes[0], processes[1]);
    assert_ne!(processes[1], processes[2]);
    let ann: Value =
        serde_json::from_str(&callers[0].text(&catalog, "state", json!({})).await).unwrap();
    assert_ne!(ann["pid"], processes[0], "the one unused for longest was ended");
}

#[tokio::test]
async fn nobody_takes_the_connections_of_all() {
    let sharing =
        mcp_oauth_tools::Sharing::PerCaller { most: 8, idle: std::time::Duration::from_secs(600) };
    let catalog = started(UpstreamConfig { sharing, ..config() }).await;
    let ann = [&[][..], &[ClientAbility::Elicitation], &[ClientAbility::Roots]];
    let [one, two, three] = ann.map(|abilities| Caller::named("ann").with_abilities(abilities));
    let others = async {
        let refused = three.call(&catalog, "state", json!({})).await;
        assert!(matches!(refused, Err(CallError::Unavailable(_))), "{refused:?}");
        assert_eq!(Caller::named("bob").text(&catalog, "cancelled", json!({})).await, "0");
    };
    within(async {
        tokio::select! {
            biased;
            ended = one.call(&catalog, "hang", json!({})) => panic!("{ended:?}"),
            ended = two.call(&catalog, "hang", json!({})) => panic!("{ended:?}"),
            () = others => {}
        }
    })
    .await;
}
