//! What is listed, and how it changes.

use std::time::Duration;

use mcp_oauth_core::domain::catalog_change::CatalogChange;
use mcp_oauth_core::domain::prompt::{Completable, CompletionCall, PromptCall};
use mcp_oauth_core::domain::tool::{CallError, Reply};
use mcp_oauth_core::port::{CatalogChanges, ToolCatalog};
use mcp_oauth_tools::{Reach, UpstreamCatalog, UpstreamConfig};
use serde_json::json;

use crate::scenario::{Caller, PATIENCE, config, config_of, program, started, within};

async fn next(changes: &mut Box<dyn CatalogChanges>) -> CatalogChange {
    tokio::time::timeout(PATIENCE, changes.next()).await.expect("a change").expect("no end")
}

#[tokio::test]
async fn every_page_is_listed_under_the_prefix_and_what_has_no_name_is_left_out() {
    let catalog = started(UpstreamConfig { prefix: "fix_".to_owned(), ..config() }).await;
    let names: Vec<String> = catalog.list().await.iter().map(|tool| tool.name.clone()).collect();
    assert_eq!(names.len(), 14, "{names:?}");
    assert!(names.iter().all(|name| name.starts_with("fix_")), "{names:?}");

    let tool = catalog.describe("fix_echo").await.unwrap();
    assert_eq!(tool.requirement, config().requirement);
    assert_eq!(tool.annotations.read_only_hint, Some(true));
    assert_eq!(tool.more["_meta"], json!({ "org.test/k": "v" }));
    assert_eq!(tool.more["icons"], json!([{ "src": "https://icons.test/a.png" }]));
    assert_eq!(tool.input_schema["properties"]["n"]["x-mcp-header"], "N");
    assert_eq!(catalog.describe("echo").await, None);

    let ann = Caller::named("ann");
    assert_eq!(ann.text(&catalog, "fix_echo", json!({ "a": 1 })).await, r#"{"a":1}"#);
    let unknown = ann.call(&catalog, "echo", json!({})).await;
    assert_eq!(unknown, Err(CallError::Unknown("echo".to_owned())));
}

#[tokio::test]
async fn a_new_tool_is_listed_and_told_in_both_eras() {
    for era in ["legacy", "modern"] {
        let catalog = started(config_of(Reach::Command(program(era)))).await;
        let mut changes = catalog.changes().unwrap();
        Caller::named("ann").text(&catalog, "grow", json!({})).await;
        assert_eq!(next(&mut changes).await, CatalogChange::Tools, "{era}");
        assert!(catalog.describe("added_0").await.is_some(), "{era}");
    }
}

#[tokio::test]
async fn a_resource_is_watched_once_for_all_and_not_for_longer_than_somebody_does() {
    let catalog = started(config()).await;
    let ann = Caller::named("ann");
    let resources = catalog.resources().unwrap();
    let mut changes = catalog.changes().unwrap();
    let watches = (resources.watch("note:///one").await, resources.watch("note:///one").await);
    let subscribed = || async { ann.text(&catalog, "state", json!({})).await };
    assert!(subscribed().await.contains(r#""subscribed":1"#));

    ann.text(&catalog, "touch", json!({})).await;
    assert_eq!(next(&mut changes).await, CatalogChange::Resource("note:///one".to_owned()));

    drop(watches.0);
    ann.text(&catalog, "touch", json!({})).await;
    assert_eq!(next(&mut changes).await, CatalogChange::Resource("note:///one".to_owned()));

    drop(watches.1);
    within(async {
        while !subscribed().await.contains(r#""subscribed":0"#) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    ann.text(&catalog, "touch", json!({})).await;
    ann.text(&catalog, "grow", json!({})).await;
    assert_eq!(next(&mut changes).await, CatalogChange::Tools, "the resource is not watched");
}

#[tokio::test]
async fn a_watched_resource_is_told_of_in_the_newest_revision() {
    let catalog = started(config_of(Reach::Command(program("modern")))).await;
    let mut changes = catalog.changes().unwrap();
    let _watch = catalog.resources().unwrap().watch("note:///one").await.unwrap();
    Caller::named("ann").text(&catalog, "touch", json!({})).await;
    assert_eq!(next(&mut changes).await, CatalogChange::Resource("note:///one".to_owned()));
}

#[tokio::test]
async fn prompts_are_filled_in_and_completed_under_their_prefix() {
    let catalog = started(UpstreamConfig { prefix: "fix_".to_owned(), ..config() }).await;
    let context = || Caller::named("ann").context();
    let prompts = catalog.prompts().unwrap();
    let prompt = prompts.describe("fix_greet").await.unwrap();
    assert_eq!(prompt.more["title"], "Greet");

    let arguments = [("who".to_owned(), "Bob".to_owned())].into();
    let call = PromptCall { name: "fix_greet".to_owned(), arguments };
    let Reply::Done(filled_in) = prompts.fill_in(call, context()).await.unwrap() else { panic!() };
    let text = serde_json::to_value(filled_in).unwrap();
    assert_eq!(text["messages"][0]["content"]["text"], "Greet Bob");

    let completion = |of| CompletionCall {
        of,
        argument: "who".to_owned(),
        value: "Lin".to_owned(),
        filled_in: Default::default(),
    };
    let completions = catalog.completions().unwrap();
    let of = Completable::Prompt("fix_greet".to_owned());
    let completed = completions.complete(completion(of), context()).await.unwrap();
    assert_eq!(completed.values, ["Linda"]);
    let of = Completable::Prompt("greet".to_owned());
    let unknown = completions.complete(completion(of), context()).await;
    assert_eq!(unknown, Err(CallError::Unknown("greet".to_owned())));
}

#[tokio::test]
async fn resources_are_read_when_the_server_may_have_them() {
    let catalog = started(config()).await;
    let context = || Caller::named("ann").context();
    let resources = catalog.resources().unwrap();
    assert!(resources.requirement("note:///any").await.is_some(), "a template matches");
    assert!(resources.requirement("file:///etc/passwd").await.is_none());

    let Reply::Done(read) = resources.read("note:///one", context()).await.unwrap() else {
        panic!()
    };
    let read = serde_json::to_value(&read[0]).unwrap();
    let expected = json!({
        "uri": "note:///one", "mimeType": "text/plain", "text": "abc", "_meta": { "k": 1 },
    });
    assert_eq!(read, expected);
    for uri in ["note:///missing", "file:///etc/passwd"] {
        let unknown = resources.read(uri, context()).await;
        assert_eq!(unknown, Err(CallError::Unknown(uri.to_owned())));
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_can_t_be_started_is_no_error_but_trouble_tried_again_later_each_time() {
    let mut nothing = program("legacy");
    nothing.program = "/nonexistent/server".to_owned();
    let mut config = config_of(Reach::Command(nothing));
    config.limits.first_delay = Duration::from_secs(1);
    config.limits.longest_delay = Duration::from_secs(8);
    config.limits.patience = Duration::from_secs(2);
    let random = std::sync::Arc::new(crate::scenario::Counter::default());
    let catalog = UpstreamCatalog::start(config, random).unwrap();
    assert!(!catalog.ready(Duration::from_secs(100)).await);
    assert_eq!(catalog.list().await, []);
    let trouble = catalog.trouble().unwrap();
    assert!(trouble.contains("/nonexistent/server"), "{trouble}");
}
