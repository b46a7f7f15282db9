//! What the tests have in common: a caller, a clock, a document and its tools.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use mcp_oauth_core::domain::content::Content;
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::person::Subject;
use mcp_oauth_core::domain::principal::{CallerKind, Principal};
use mcp_oauth_core::domain::scope::ScopeSet;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::domain::tool::{CallError, Reply, ToolCall, ToolOutput};
use mcp_oauth_core::port::{CallContext, Clock, ToolCatalog};
use mcp_oauth_tools::openapi::Source;
use mcp_oauth_tools::{OpenApiCatalog, OpenApiConfig, OpenApiProblem};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::server::Server;

/// A clock that goes when it is told.
#[derive(Default)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(1_800_000_000 + self.0.load(Ordering::SeqCst))
    }
}

pub(crate) fn caller(subject: &str) -> Principal {
    Principal {
        issuer: Issuer::new("https://issuer.example"),
        subject: Subject::new(subject),
        client: None,
        audiences: vec![],
        scopes: ScopeSet::parse("mcp:tools").unwrap(),
        permissions: BTreeSet::new(),
        groups: BTreeSet::new(),
        tenant: None,
        verified_email: None,
        issued_at: None,
        expires_at: Timestamp::from_unix(2_000_000_000),
        token_id: None,
        grant: None,
        kind: CallerKind::User,
        claims: serde_json::Map::new(),
    }
}

pub(crate) fn context() -> CallContext {
    CallContext::new(Arc::new(caller("alice")))
}

/// A document of these paths, in a file that lives as long as this value.
pub(crate) fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

pub(crate) fn document(paths: &Value) -> Value {
    json!({"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "paths": paths})
}

/// The tools of these paths at that server, with what the test changes.
pub(crate) async fn tools(
    server: &Server,
    paths: &Value,
    change: impl FnOnce(&mut OpenApiConfig),
) -> OpenApiCatalog {
    try_tools(server, &document(paths).to_string(), change).await.unwrap()
}

pub(crate) async fn try_tools(
    server: &Server,
    document: &str,
    change: impl FnOnce(&mut OpenApiConfig),
) -> Result<OpenApiCatalog, OpenApiProblem> {
    let file = file(document);
    let mut config = OpenApiConfig::new("pets", Source::File(file.path().to_owned()));
    config.base_url = Some(server.url("/v1"));
    change(&mut config);
    OpenApiCatalog::load(config, Arc::new(TestClock::default())).await
}

pub(crate) async fn call_by(
    catalog: &OpenApiCatalog,
    name: &str,
    arguments: Value,
    context: CallContext,
) -> Result<ToolOutput, CallError> {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    match catalog.call(ToolCall { name: name.to_owned(), arguments }, context).await? {
        Reply::Done(output) => Ok(output),
        Reply::InputRequired(questions) => panic!("{questions:?}"),
    }
}

pub(crate) async fn call(catalog: &OpenApiCatalog, name: &str, arguments: Value) -> ToolOutput {
    call_by(catalog, name, arguments, context()).await.unwrap()
}

pub(crate) async fn refusal(catalog: &OpenApiCatalog, name: &str, arguments: Value) -> String {
    match call_by(catalog, name, arguments, context()).await {
        Err(CallError::InvalidArguments(reason)) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

/// The text of an answer of one text.
pub(crate) fn text(output: &ToolOutput) -> &str {
    match &output.content[..] {
        [Content::Text { text, .. }] => text,
        other => panic!("no text: {other:?}"),
    }
}

/// The text of a failure.
pub(crate) fn failure(output: &ToolOutput) -> &str {
    assert!(output.is_error, "{output:?}");
    text(output)
}
