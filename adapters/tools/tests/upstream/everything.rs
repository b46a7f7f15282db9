//! The reference server `@modelcontextprotocol/server-everything`, which nobody here wrote.
//!
//! `SERVER_EVERYTHING` is the path of its `dist/index.js`:
//!
//! ```text
//! npm install --prefix /tmp/everything @modelcontextprotocol/server-everything
//! SERVER_EVERYTHING=/tmp/everything/node_modules/@modelcontextprotocol/server-everything/dist/index.js \
//!   cargo test -p mcp-oauth-tools --test upstream everything -- --ignored --nocapture
//! ```

use std::process::Stdio;

use mcp_oauth_core::domain::catalog_change::CatalogChange;
use mcp_oauth_core::domain::input_required::{ClientAbility, Question};
use mcp_oauth_core::domain::prompt::{Completable, CompletionCall, PromptCall};
use mcp_oauth_core::domain::tool::{CallError, Reply, ToolOutput};
use mcp_oauth_core::port::{CatalogChanges, ToolCatalog};
use mcp_oauth_tools::{Address, HttpTransport, Program, Reach, UpstreamCatalog, UpstreamConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::scenario::{Caller, PATIENCE, asked, config_of, only_text, per_caller, started};

const ALL: [ClientAbility; 5] = [
    ClientAbility::Elicitation,
    ClientAbility::ElicitationUrl,
    ClientAbility::Sampling,
    ClientAbility::SamplingTools,
    ClientAbility::Roots,
];

fn path() -> String {
    std::env::var("SERVER_EVERYTHING").expect("the path of dist/index.js")
}

fn over_stdio() -> Reach {
    Reach::Command(Program {
        program: "node".to_owned(),
        arguments: vec![path(), "stdio".to_owned()],
        environment: Default::default(),
        directory: None,
    })
}

/// The server on a port of its own, which it says when it listens.
async fn over_http(mode: &str, port: u16, path_of: &str) -> (Child, Reach) {
    let mut server = Command::new("node")
        .args([path().as_str(), mode])
        .env("PORT", port.to_string())
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = BufReader::new(server.stderr.take().unwrap()).lines();
    while let Some(line) = said.next_line().await.unwrap() {
        if line.contains("port") {
            break;
        }
    }
    tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
    let address = Address {
        url: format!("http://127.0.0.1:{port}/{path_of}").parse().unwrap(),
        transport: HttpTransport::Auto,
        headers: Default::default(),
    };
    (server, Reach::Url(address))
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
#[ignore = "needs the server from npm"]
async fn everything_over_stdio() {
    everything(over_stdio()).await;
}

#[tokio::test]
#[ignore = "needs the server from npm"]
async fn everything_over_streamable_http() {
    let (_server, reach) = over_http("streamableHttp", free_port(), "mcp").await;
    everything(reach).await;
}

#[tokio::test]
#[ignore = "needs the server from npm"]
async fn everything_over_http_with_sse() {
    let (_server, reach) = over_http("sse", free_port(), "sse").await;
    everything(reach).await;
}

async fn everything(reach: Reach) {
    let shared = started(config_of(reach.clone())).await;
    assert_eq!(shared.list().await.len(), 13);
    let bob = Caller::named("bob");
    let calls = (0..1000).map(|n| bob.text(&shared, "echo", json!({ "message": n.to_string() })));
    let answers = futures_util::future::join_all(calls).await;
    let expected: Vec<String> = (0..1000).map(|n| format!("Echo: {n}")).collect();
    assert_eq!(answers, expected);
    let catalog = started(UpstreamConfig { reach, ..per_caller() }).await;
    // Those that ask, too.
    assert_eq!(catalog.list().await.len(), 17);
    let ann = Caller::named("ann").with_abilities(&ALL);
    plain_tools(&catalog, &ann).await;
    prompts(&catalog, &ann).await;
    resources(&catalog, &ann).await;
    progress(&catalog, &ann).await;
    questions(&catalog, &ann).await;
    shared.shut_down().await;
    catalog.shut_down().await;
}

/// Calls a tool, and tells the roots when asked for them: this server asks for them some time after it
/// was connected, which falls into whatever call is under way.
async fn call(
    catalog: &UpstreamCatalog,
    ann: &Caller,
    tool: &str,
    arguments: Value,
) -> Result<Reply<ToolOutput>, CallError> {
    let mut reply = ann.call(catalog, tool, arguments.clone()).await;
    while let Ok(Reply::InputRequired(asked)) = &reply {
        if !asked.questions.values().any(|question| *question == Question::Roots) {
            break;
        }
        let roots = json!({ "roots": [{ "uri": "file:///somewhere" }] });
        reply = ann.answer(catalog, tool, asked, roots).await;
    }
    reply
}

async fn plain_tools(catalog: &UpstreamCatalog, ann: &Caller) {
    assert_eq!(ann.text(catalog, "echo", json!({ "message": "hi" })).await, "Echo: hi");
    let sum = ann.text(catalog, "get-sum", json!({ "a": 2, "b": 3 })).await;
    assert!(sum.contains('5'), "{sum}");
    for (tool, arguments, expected) in [
        ("get-tiny-image", json!({}), "image/png"),
        (
            "get-annotated-message",
            json!({ "messageType": "error", "includeImage": true }),
            r#""priority": Number(1.0)"#,
        ),
        ("get-resource-links", json!({ "count": 2 }), "ResourceLink"),
        (
            "get-resource-reference",
            json!({ "resourceType": "Text", "resourceId": 1 }),
            "demo://resource/dynamic/text/1",
        ),
        (
            "get-structured-content",
            json!({ "location": "New York" }),
            r#"structured: Some(Object {"conditions": String("Cloudy")"#,
        ),
        ("get-sum", json!({ "a": "x" }), "is_error: true"),
        ("get-env", json!({}), "PATH"),
        ("simulate-research-query", json!({ "topic": "x" }), "requires task augmentation"),
    ] {
        let reply = call(catalog, ann, tool, arguments).await;
        let shown = format!("{reply:?}");
        assert!(shown.contains(expected), "{tool}: {shown}");
    }
}

async fn prompts(catalog: &UpstreamCatalog, ann: &Caller) {
    let prompts = catalog.prompts().unwrap();
    assert_eq!(prompts.list().await.len(), 4);
    let call = PromptCall {
        name: "args-prompt".to_owned(),
        arguments: [("city".to_owned(), "Rome".to_owned())].into(),
    };
    let reply = prompts.fill_in(call, ann.context()).await.unwrap();
    assert!(format!("{reply:?}").contains("Rome"));
    let call = CompletionCall {
        of: Completable::Prompt("completable-prompt".to_owned()),
        argument: "department".to_owned(),
        value: "E".to_owned(),
        filled_in: Default::default(),
    };
    let completed = catalog.completions().unwrap().complete(call, ann.context()).await.unwrap();
    assert_eq!(completed.values, ["Engineering"]);
}

async fn resources(catalog: &UpstreamCatalog, ann: &Caller) {
    let resources = catalog.resources().unwrap();
    let listed = resources.list().await;
    let templates = resources.templates().await;
    assert!(!listed.is_empty() && !templates.is_empty());
    let read = resources.read(&listed[0].uri, ann.context()).await.unwrap();
    assert!(matches!(read, Reply::Done(_)));
    let read = resources.read("demo://resource/dynamic/text/7", ann.context()).await.unwrap();
    assert!(format!("{read:?}").contains("demo://resource/dynamic/text/7"));
    let unknown = resources.read("other://x", ann.context()).await;
    assert!(matches!(unknown, Err(CallError::Unknown(_))));
    resources.watch(&listed[0].uri).await.unwrap();
}

async fn progress(catalog: &UpstreamCatalog, ann: &Caller) {
    let arguments = json!({ "duration": 1, "steps": 4 });
    call(catalog, ann, "trigger-long-running-operation", arguments).await.unwrap();
    assert_eq!(*ann.heard.progress.lock().unwrap(), [1.0, 2.0, 3.0, 4.0]);
}

async fn questions(catalog: &UpstreamCatalog, ann: &Caller) {
    let sampling = json!({ "prompt": "hello", "maxTokens": 5 });
    let question = asked(call(catalog, ann, "trigger-sampling-request", sampling).await);
    assert!(matches!(question.questions.values().next(), Some(Question::Sampling(_))));
    let answer = json!({
        "role": "assistant", "model": "m", "content": { "type": "text", "text": "hello back" },
    });
    let reply = ann.answer(catalog, "trigger-sampling-request", &question, answer).await.unwrap();
    assert!(only_text(reply).contains("hello back"));

    let question = asked(call(catalog, ann, "trigger-elicitation-request", json!({})).await);
    let answer = json!({ "action": "decline" });
    let reply = ann.answer(catalog, "trigger-elicitation-request", &question, answer).await;
    assert!(matches!(reply, Ok(Reply::Done(_))));

    let roots = call(catalog, ann, "get-roots-list", json!({})).await.unwrap();
    assert!(only_text(roots).contains("file:///somewhere"));
    let url = json!({ "url": "https://x.test/" });
    let question = asked(call(catalog, ann, "trigger-url-elicitation", url).await);
    let needs: Vec<_> = question.questions.values().map(Question::needs).collect();
    assert_eq!(needs, [ClientAbility::ElicitationUrl]);
}

#[tokio::test]
#[ignore = "needs the server from npm"]
async fn everything_tells_of_changes() {
    let catalog = started(config_of(over_stdio())).await;
    let mut changes: Box<dyn CatalogChanges> = catalog.changes().unwrap();
    let resources = catalog.resources().unwrap();
    let uri = "demo://resource/dynamic/text/1";
    let _watch = resources.watch(uri).await.unwrap();
    let ann = Caller::named("ann");
    ann.text(&catalog, "toggle-subscriber-updates", json!({})).await;
    let change = tokio::time::timeout(PATIENCE, changes.next()).await.unwrap();
    assert_eq!(change, Some(CatalogChange::Resource(uri.to_owned())));
    ann.text(&catalog, "toggle-simulated-logging", json!({})).await;
}
