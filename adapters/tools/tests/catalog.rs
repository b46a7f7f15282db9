//! What the built-in catalog offers, accepts and refuses.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a call that goes wrong fails its test")]

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use mcp_oauth_core::domain::content::Content;
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::person::Subject;
use mcp_oauth_core::domain::principal::{CallerKind, Principal};
use mcp_oauth_core::domain::requirement::Requirement;
use mcp_oauth_core::domain::scope::ScopeSet;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::domain::tool::{CallError, Reply, ToolCall, ToolOutput};
use mcp_oauth_core::port::{CallContext, ToolCatalog};
use mcp_oauth_tools::{BuiltinCatalog, Hello, Tool, ToolText, UnusableTool};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

fn scope(text: &str) -> ScopeSet {
    ScopeSet::parse(text).unwrap()
}

fn demo() -> BuiltinCatalog {
    BuiltinCatalog::demo(scope("mcp:tools")).unwrap()
}

fn context() -> CallContext {
    CallContext::new(Arc::new(Principal {
        issuer: Issuer::new("https://issuer.example"),
        subject: Subject::new("alice"),
        client: None,
        audiences: vec![],
        scopes: scope("mcp:tools"),
        permissions: BTreeSet::new(),
        groups: BTreeSet::from(["staff".to_owned()]),
        tenant: None,
        verified_email: Some("alice@example.com".to_owned()),
        issued_at: None,
        expires_at: Timestamp::from_unix(2_000_000_000),
        token_id: None,
        grant: None,
        kind: CallerKind::User,
        claims: serde_json::Map::new(),
    }))
}

async fn call(
    catalog: &BuiltinCatalog,
    name: &str,
    arguments: Value,
) -> Result<ToolOutput, CallError> {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    match catalog.call(ToolCall { name: name.to_owned(), arguments }, context()).await? {
        Reply::Done(output) => Ok(output),
        Reply::InputRequired(required) => panic!("nothing is asked here: {required:?}"),
    }
}

async fn refusal(name: &str, arguments: Value) -> String {
    match call(&demo(), name, arguments).await {
        Err(CallError::InvalidArguments(reason)) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn hello_greets() {
    let answer = call(&demo(), "hello", json!({ "name": "Ada" })).await;
    assert_eq!(answer, Ok(ToolOutput::text("Hello, Ada! This is a protected endpoint.")));
}

#[tokio::test]
async fn add_numbers_answers_in_text_and_structured() {
    for (a, b, sum) in [(json!(2), json!(3), 5), (json!(2.0), json!(-3), -1)] {
        let answer = call(&demo(), "add_numbers", json!({ "a": a, "b": b })).await.unwrap();
        assert_eq!(answer.content, [Content::text(sum.to_string())]);
        assert_eq!(answer.structured, Some(json!({ "result": sum })));
    }
}

#[tokio::test]
async fn an_argument_that_is_no_integer_is_named_with_what_was_expected() {
    for value in [json!(2.5), json!("2"), json!(null), json!(true), json!(u64::MAX), json!(1e300)] {
        let reason = refusal("add_numbers", json!({ "a": 1, "b": value })).await;
        assert!(reason.starts_with("argument `b`: "), "{reason}");
        assert!(reason.ends_with("expected an integer of at most 64 bits"), "{reason}");
    }
}

#[tokio::test]
async fn a_sum_beyond_64_bits_is_refused_not_wrapped() {
    let reason = refusal("add_numbers", json!({ "a": i64::MAX, "b": 1 })).await;
    assert_eq!(reason, "the sum of a = 9223372036854775807 and b = 1 exceeds 64 bits");
}

#[tokio::test]
async fn a_missing_argument_is_named() {
    assert_eq!(refusal("add_numbers", json!({ "a": 1 })).await, "missing argument `b`");
    assert_eq!(refusal("hello", json!({})).await, "missing argument `name`");
    let reason = refusal("hello", json!({ "name": 5 })).await;
    assert_eq!(reason, "argument `name`: invalid type: integer `5`, expected a string");
}

#[tokio::test]
async fn an_argument_that_does_not_exist_is_refused_with_those_that_do() {
    let reason = refusal("add_numbers", json!({ "a": 1, "b": 2, "c": 3 })).await;
    assert_eq!(reason, "unknown argument `c`, expected `a` or `b`");
    let reason = refusal("hello", json!({ "name": "Ada", "names": "Bob" })).await;
    assert_eq!(reason, "unknown argument `names`, expected `name`");
}

#[tokio::test]
async fn an_unknown_tool_is_no_panic() {
    let answer = call(&demo(), "nope", json!({})).await;
    assert_eq!(answer, Err(CallError::Unknown("nope".to_owned())));
    assert_eq!(demo().describe("nope").await, None);
}

#[tokio::test]
async fn the_list_is_in_order_and_says_what_each_tool_takes_gives_and_requires() {
    let tools = demo().list().await;
    let names: Vec<_> = tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["hello", "add_numbers"]);
    for tool in &tools {
        assert_eq!(demo().describe(&tool.name).await.as_ref(), Some(tool));
        assert_eq!(tool.requirement.scope, scope("mcp:tools"));
        assert_eq!(tool.annotations.read_only_hint, Some(true));
    }
    let integer = |description: &str| json!({ "description": description, "type": "integer", "format": "int64" });
    assert_eq!(
        Value::Object(tools[1].input_schema.clone()),
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": { "a": integer("The first number."), "b": integer("The second number.") },
            "required": ["a", "b"],
            "additionalProperties": false,
        })
    );
    let output = Value::Object(tools[1].output_schema.clone().unwrap());
    assert_eq!(output["properties"]["result"]["type"], "integer");
    assert_eq!(output["required"], json!(["result"]));
}

/// A tool of the tests: what the token says about its caller, with a scope of its own.
struct WhoAmI;

#[derive(Deserialize, JsonSchema)]
struct Nothing {}

#[async_trait]
impl Tool for WhoAmI {
    type Arguments = Nothing;

    fn text(&self) -> ToolText {
        ToolText::new("who_am_i", "Who am I", "What the server knows about you.")
    }

    fn requirement(&self) -> Option<Requirement> {
        Some(Requirement::scope(scope("profile")))
    }

    async fn call(
        &self,
        _: Nothing,
        context: &CallContext,
    ) -> Result<Reply<ToolOutput>, CallError> {
        let caller = &context.caller;
        let email = caller.verified_email.as_deref().unwrap_or("nobody");
        Ok(ToolOutput::text(format!("{} {email} {:?}", caller.subject, caller.groups)).into())
    }
}

#[tokio::test]
async fn what_the_token_says_about_the_caller_reaches_the_tool() {
    let catalog = demo().with(WhoAmI).unwrap();
    let answer = call(&catalog, "who_am_i", json!({})).await;
    assert_eq!(answer, Ok(ToolOutput::text(r#"alice alice@example.com {"staff"}"#)));
    let description = catalog.describe("who_am_i").await.unwrap();
    assert_eq!(description.requirement.scope, scope("profile"));
    assert_eq!(description.annotations.read_only_hint, None);
}

#[test]
fn two_tools_of_one_name_are_refused() {
    assert_eq!(demo().with(Hello).err(), Some(UnusableTool::Duplicate("hello".to_owned())));
}

/// A tool of the tests whose name and arguments can't be.
struct Odd<A>(&'static str, std::marker::PhantomData<fn() -> A>);

#[async_trait]
impl<A: serde::de::DeserializeOwned + JsonSchema + Send + 'static> Tool for Odd<A> {
    type Arguments = A;

    fn text(&self) -> ToolText {
        ToolText::new(self.0, "Odd", "Odd.")
    }

    async fn call(&self, _: A, _: &CallContext) -> Result<Reply<ToolOutput>, CallError> {
        Ok(ToolOutput::text("odd").into())
    }
}

#[test]
fn a_malformed_name_and_arguments_that_are_no_object_are_refused() {
    for name in ["", "a b", "ä", "a/b"] {
        let odd = Odd::<Nothing>(name, std::marker::PhantomData);
        assert_eq!(demo().with(odd).err(), Some(UnusableTool::InvalidName(name.to_owned())));
    }
    let odd = Odd::<String>("odd", std::marker::PhantomData);
    assert_eq!(demo().with(odd).err(), Some(UnusableTool::NotAnObject("odd".to_owned())));
}
