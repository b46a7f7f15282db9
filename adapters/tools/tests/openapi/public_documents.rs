//! Documents that nobody here wrote, from published packages: each becomes tools, and each tool is
//! called with made-up arguments against a server that knows the document's paths.
//!
//! `OPENAPI_DOCUMENTS` names the folder they are in, which `tests/documents/collect.sh` fills.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use mcp_oauth_core::domain::tool::ToolDescription;
use mcp_oauth_core::port::{ArgumentSchemas, ToolCatalog};
use mcp_oauth_tools::openapi::Source;
use mcp_oauth_tools::{JsonSchemas, OpenApiCatalog, OpenApiConfig};
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;

use super::scenario::{TestClock, call, text};
use super::server::{Reply, Seen, Server};

/// How deep made-up arguments go.
const DEEPEST: usize = 6;

fn documents() -> Vec<PathBuf> {
    let folder = std::env::var_os("OPENAPI_DOCUMENTS").expect("OPENAPI_DOCUMENTS names a folder");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 3, "there are three documents or more in OPENAPI_DOCUMENTS");
    paths
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "wants a folder of documents in OPENAPI_DOCUMENTS"]
async fn public_documents_become_tools_that_can_be_called() {
    for path in documents() {
        check(&path).await;
    }
}

async fn check(path: &Path) {
    let server = Server::answering(|_| Reply::json(&json!({"ok": true}))).await;
    let began = tokio::time::Instant::now();
    let catalog = load(path, server.url("/base")).await;
    let loaded_in = began.elapsed().as_millis();
    let tools = catalog.list().await;
    let (skipped, paths) = (catalog.skipped(), Paths::of(path));
    let longest = tools.iter().map(|tool| json!(tool.input_schema).to_string().len()).max();
    let shown = path.file_name().unwrap().to_string_lossy().into_owned();
    assert!(skipped.len() * 50 <= tools.len(), "{shown}: {skipped:?}");
    let calls = calls(&catalog).await;
    let called = calls.len();
    for (name, arguments) in calls {
        let answer = call(&catalog, &name, Value::Object(arguments)).await;
        assert!(!answer.is_error, "{shown} {name}: {answer:?}");
        let seen = server.last();
        assert!(paths.know(&seen), "{shown} {name}: {seen:?}");
    }
    let report = format!(
        "{shown}: {} tools, {} left out, {called} called, longest schema {longest:?} bytes, \
         loaded in {loaded_in} ms",
        tools.len(),
        skipped.len()
    );
    assert!(called * 10 >= tools.len() * 9, "{report}");
    say(&report);
}

async fn load(path: &Path, base: url::Url) -> OpenApiCatalog {
    let mut config = OpenApiConfig::new("public", Source::File(path.to_owned()));
    config.base_url = Some(base);
    let key = |name: &str, value: &str| (name.to_owned(), SecretString::from(value));
    // What these documents ask for; any will do.
    config.headers = vec![key("Authorization", "Bearer x"), key("project_id", "x")];
    OpenApiCatalog::load(config, Arc::new(TestClock::default())).await.unwrap()
}

/// A call of every tool whose arguments can be made up: what a pattern wants can't always be.
async fn calls(catalog: &OpenApiCatalog) -> Vec<(String, Map<String, Value>)> {
    let schemas = JsonSchemas::default();
    let tools = catalog.list().await;
    let fitting = tools.iter().filter_map(|tool| {
        let arguments = made_up(tool)?;
        schemas.check(tool, &arguments).ok()?;
        Some((tool.name.clone(), arguments))
    });
    fitting.collect()
}

#[expect(clippy::print_stderr, reason = "the numbers are what a person runs this for")]
fn say(report: &str) {
    eprintln!("{report}");
}

/// Prism, a mock server that checks what it is asked against the document.
struct Prism {
    base: url::Url,
    _process: tokio::process::Child,
}

impl Prism {
    async fn of(program: &OsStr, document: &Path) -> Self {
        let free = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut process = tokio::process::Command::new(program)
            .args(["mock", "--host", "127.0.0.1", "--port", &port.to_string()])
            .arg(document)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains("is listening") {
                break;
            }
        }
        // It stops when nobody reads what it says.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let base = format!("http://127.0.0.1:{port}").parse().unwrap();
        Self { base, _process: process }
    }
}

/// `OPENAPI_PRISM` names the program of `@stoplight/prism-cli`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "wants documents in OPENAPI_DOCUMENTS and prism in OPENAPI_PRISM"]
async fn prism_takes_the_requests_for_what_the_documents_say() {
    let program = std::env::var_os("OPENAPI_PRISM").expect("OPENAPI_PRISM names a program");
    for path in documents() {
        let prism = Prism::of(&program, &path).await;
        let catalog = load(&path, prism.base.clone()).await;
        let shown = path.file_name().unwrap().to_string_lossy().into_owned();
        let calls = calls(&catalog).await;
        say(&format!("{shown}: {} called at prism", calls.len()));
        for (name, arguments) in calls {
            let answer = call(&catalog, &name, Value::Object(arguments)).await;
            let is_fine = !answer.is_error || is_no_fault(text(&answer));
            assert!(is_fine, "{shown} {name}: {answer:?}");
        }
    }
}

/// What an example of a redirect or of missing rights looks like; and of a value that is a number,
/// prism can't tell whether it is one of "integer or string".
fn is_no_fault(told: &str) -> bool {
    ["answered 302", "answered 401", "must match exactly one schema in oneOf"]
        .iter()
        .any(|known| told.contains(known))
}

/// The operations of a document, read without the code under test.
struct Paths(Vec<(String, Vec<String>)>);

impl Paths {
    fn of(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let text = text.trim_start_matches('\u{feff}');
        let root: Value = match text.starts_with('{') {
            true => serde_json::from_str(text).unwrap(),
            false => serde_saphyr::from_str(text).unwrap(),
        };
        let items = root["paths"].as_object().unwrap().iter();
        let operations = items.flat_map(|(path, item)| {
            let steps: Vec<String> = path.split('/').map(str::to_owned).collect();
            let methods = item.as_object().unwrap().keys();
            methods.map(move |method| (method.to_uppercase(), steps.clone())).collect::<Vec<_>>()
        });
        Self(operations.collect())
    }

    /// Whether a request is one of these operations, with as many steps in its path.
    fn know(&self, seen: &Seen) -> bool {
        let Some(target) = seen.target.strip_prefix("/base") else { return false };
        let steps: Vec<&str> = target.split('?').next().unwrap().split('/').collect();
        let fits = |(known, seen): (&String, &&str)| match known.split_once('{') {
            Some((before, _)) => seen.starts_with(before) && seen.len() > before.len(),
            None => known == seen,
        };
        self.0.iter().any(|(method, known)| {
            *method == seen.method
                && known.len() == steps.len()
                && known.iter().zip(&steps).all(fits)
        })
    }
}

/// Arguments for everything a tool requires; `None` when they can't be made up.
fn made_up(tool: &ToolDescription) -> Option<Map<String, Value>> {
    let root = Value::Object(tool.input_schema.clone());
    match value(&root, &root, 0)? {
        Value::Object(arguments) => Some(arguments),
        _ => None,
    }
}

fn value(schema: &Value, root: &Value, depth: usize) -> Option<Value> {
    if depth > DEEPEST {
        return None;
    }
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return value(root.pointer(reference.trim_start_matches('#'))?, root, depth + 1);
    }
    if let Some(given) = schema.get("const").or_else(|| schema.get("enum")?.get(0)) {
        return Some(given.clone());
    }
    for combined in ["oneOf", "anyOf", "allOf"] {
        if let Some(first) = schema.get(combined).and_then(|it| it.get(0)) {
            return value(first, root, depth + 1);
        }
    }
    let kind = schema.get("type").and_then(|kind| match kind {
        Value::Array(kinds) => kinds.first()?.as_str(),
        other => other.as_str(),
    });
    Some(match kind {
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(true),
        Some("array") => match schema.get("items") {
            Some(items) => {
                let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1).max(1);
                json!(vec![value(items, root, depth + 1)?; usize::try_from(least).ok()?])
            }
            None => json!(["x"]),
        },
        Some("object") => object(schema, root, depth)?,
        Some("null") => Value::Null,
        _ if schema.get("contentEncoding").is_some() => json!("aGk="),
        _ if schema.get("format").is_some_and(|it| of_format(it).is_some()) => {
            json!(of_format(schema.get("format")?)?)
        }
        _ => {
            let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(1).max(1);
            json!("x".repeat(usize::try_from(least).ok()?))
        }
    })
}

fn of_format(format: &Value) -> Option<&'static str> {
    Some(match format.as_str()? {
        "binary" => "aGk=",
        "date" => "2026-01-02",
        "date-time" => "2026-01-02T03:04:05Z",
        "email" => "a@example.com",
        "uri" => "https://example.com/",
        "uuid" => "2f1b1c3e-6a4f-4a8e-9d51-0f6a1c1e2b3d",
        _ => return None,
    })
}

fn object(schema: &Value, root: &Value, depth: usize) -> Option<Value> {
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let mut members = Map::new();
    for name in required.filter_map(Value::as_str) {
        let any = json!({});
        let property = schema.get("properties").and_then(|it| it.get(name)).unwrap_or(&any);
        members.insert(name.to_owned(), value(property, root, depth + 1)?);
    }
    Some(Value::Object(members))
}
