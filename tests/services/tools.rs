//! Listing and calling tools: the catalog is called only for those who may.

use std::collections::BTreeSet;
use std::sync::Arc;

use mcp_oauth_core::domain::access_rule::{AccessRule, AccessRules, Pattern};
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::principal::{CallerKind, Principal};
use mcp_oauth_core::domain::requirement::Requirement;
use mcp_oauth_core::domain::tool::{
    CallError, ToolAnnotations, ToolCall, ToolDescription, ToolOutput,
};
use mcp_oauth_core::service::Round;
use mcp_oauth_core::service::access::AccessError;
use mcp_oauth_core::service::refusal::Refusal;

use crate::samples::{BASE, RESOURCE, alice, at, client, grant, scope};
use crate::world::{World, row};

/// Alice, with a token that allows `scopes`.
pub(crate) fn caller(scopes: &str) -> Principal {
    Principal {
        issuer: Issuer::new(BASE),
        subject: alice().subject,
        client: Some(client().id),
        audiences: vec![RESOURCE.to_owned()],
        scopes: scope(scopes),
        permissions: BTreeSet::new(),
        groups: BTreeSet::new(),
        tenant: None,
        verified_email: None,
        issued_at: Some(at(-10)),
        expires_at: at(100),
        token_id: Some("jti-1".to_owned()),
        grant: None,
        kind: CallerKind::User,
        claims: serde_json::Map::new(),
    }
}

/// Alice, with a token of the grant she gave to the client.
pub(crate) fn caller_of_grant() -> Principal {
    Principal { grant: Some(grant().id), ..caller("mcp:tools") }
}

fn tool(name: &str, required: &str) -> Arc<ToolDescription> {
    Arc::new(ToolDescription {
        name: name.to_owned(),
        title: None,
        description: String::new(),
        input_schema: serde_json::Map::new(),
        output_schema: None,
        annotations: ToolAnnotations::read_only(),
        more: serde_json::Map::new(),
        requirement: Requirement::scope(scope(required)),
    })
}

fn call(name: &str) -> ToolCall {
    ToolCall { name: name.to_owned(), arguments: serde_json::Map::new() }
}

/// A world whose catalog describes `tool` once, and can't be called.
fn describing(tool: Option<Arc<ToolDescription>>) -> World {
    let mut world = World::new();
    world.catalog.expect_describe().times(1).return_once(|_| tool);
    world
}

#[tokio::test]
async fn rs_10_rs_11_a_missing_scope_is_refused_before_the_tool_runs() {
    let stage = describing(Some(tool("drop", "mcp:admin db:write"))).open();
    let refused = stage.use_cases.tools.authorize(&Arc::new(caller("mcp:tools")), "drop").await;
    let error = refused.unwrap_err();
    assert_eq!(row(Refusal::Access(&error)), (403, "insufficient_scope", "insufficient_scope"));
    let AccessError::InsufficientScope { granted, required } = error else { panic!("{error}") };
    assert_eq!(granted, "mcp:tools");
    assert_eq!(required, scope("db:write mcp:admin mcp:tools"));
}

#[tokio::test]
async fn co_05_a_refused_call_is_recorded_with_client_subject_and_token_id() {
    let stage = describing(Some(tool("drop", "mcp:admin"))).open();
    let refused = stage.use_cases.tools.authorize(&Arc::new(caller("mcp:tools")), "drop").await;
    refused.unwrap_err();
    let event = stage.only_event();
    assert_eq!(event.client, Some(client().id));
    assert_eq!(event.subject, Some(alice().subject));
    assert_eq!(event.token.as_deref(), Some("jti-1"));
}

#[tokio::test]
async fn rs_11_rs_13_stepping_up_asks_for_what_is_a_permission_here_and_for_nothing_else() {
    let stage = describing(Some(tool("drop", "mcp:admin"))).open();
    let holder = Arc::new(caller("mcp:tools elsewhere:only offline_access"));
    let error = stage.use_cases.tools.authorize(&holder, "drop").await.unwrap_err();
    let AccessError::InsufficientScope { required, .. } = error else { panic!("{error}") };
    assert_eq!(required, scope("mcp:admin mcp:tools"));
}

#[tokio::test]
async fn rs_12_a_scope_opens_what_it_includes() {
    let stage = describing(Some(tool("read", "mcp:tools"))).open();
    let described = stage.use_cases.tools.authorize(&Arc::new(caller("mcp:admin")), "read").await;
    assert_eq!(described.unwrap().description().unwrap().name, "read");
    assert_eq!(stage.audited(), []);
}

#[tokio::test]
async fn only_tools_the_caller_may_call_are_listed() {
    let mut world = World::new();
    let all = vec![tool("read", "mcp:tools"), tool("drop", "mcp:admin"), tool("free", "")];
    world.catalog.expect_list().times(1).return_once(|| all);
    let listed = world.open().use_cases.tools.list(&caller("mcp:tools")).await;
    let names: Vec<_> = listed.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["read", "free"]);
}

#[tokio::test]
async fn a_tool_that_does_not_exist_is_unknown_when_it_is_called() {
    let stage = describing(None).open();
    let caller = Arc::new(caller("mcp:tools"));
    let authorized = stage.use_cases.tools.authorize(&caller, "nope").await.unwrap();
    assert!(authorized.description().is_none());
    let answer = stage.call(authorized).await;
    assert_eq!(answer, Err(CallError::Unknown("nope".to_owned())));
}

#[tokio::test]
async fn a_tool_gets_the_call_as_it_came_and_knows_who_calls() {
    let mut world = describing(Some(tool("read", "mcp:tools")));
    let called =
        world.catalog.expect_call().times(1).withf(|asked, context| {
            *asked == call("read") && *context.caller == caller("mcp:tools")
        });
    called.return_once(|_, _| Ok(ToolOutput::text("done").into()));
    let stage = world.open();
    let answer = stage.authorize_and_call(caller("mcp:tools"), "read").await;
    assert_eq!(answer, Ok(Round::Done(ToolOutput::text("done"))));
}

#[tokio::test]
async fn arguments_that_do_not_fit_the_schema_are_refused_before_the_tool_runs() {
    let mut world = describing(Some(tool("read", "mcp:tools")));
    let check = world.schemas.expect_check().times(1);
    check.returning(|tool, _| Err(format!("not for {}", tool.name)));
    let answer = world.open().authorize_and_call(caller("mcp:tools"), "read").await;
    assert_eq!(answer, Err(CallError::InvalidArguments("not for read".to_owned())));
}

/// A world whose operator demands this of whoever calls `drop`.
fn demanding(requirement: Requirement) -> World {
    let mut world = describing(Some(tool("drop", "mcp:tools")));
    let tools = vec![Pattern::new("dr*")];
    let rule = AccessRule { tools, requirement, ..AccessRule::default() };
    world.policy.catalog.rules = AccessRules(vec![rule]);
    world
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[tokio::test]
async fn rs_10_a_rule_of_the_operator_adds_to_what_the_tool_demands() {
    let stage = demanding(Requirement::scope(scope("mcp:admin"))).open();
    let holder = Arc::new(caller("mcp:tools"));
    let error = stage.use_cases.tools.authorize(&holder, "drop").await.unwrap_err();
    let AccessError::InsufficientScope { required, .. } = error else { panic!("{error}") };
    assert_eq!(required, scope("mcp:admin mcp:tools"));
}

#[tokio::test]
async fn rs_10_what_no_new_token_would_change_is_refused_without_a_demand_for_one() {
    let groups = vec![names(&["ops", "admins"])];
    for (requirement, holder, lack) in [
        (
            Requirement { groups: groups.clone(), ..Requirement::default() },
            caller("mcp:tools"),
            "one of the groups or roles admins, ops",
        ),
        (
            Requirement { permissions: names(&["drop", "see"]), ..Requirement::default() },
            Principal { permissions: names(&["see"]), ..caller("") },
            "the permissions drop",
        ),
    ] {
        let stage = demanding(requirement).open();
        let refused = stage.use_cases.tools.authorize(&Arc::new(holder), "drop").await;
        let error = refused.unwrap_err();
        assert_eq!(row(Refusal::Access(&error)), (403, "access_denied", "not_permitted"));
        assert!(error.to_string().contains(lack), "{error}");
        assert_eq!(stage.only_event().subject, Some(alice().subject));
    }
    let stage = demanding(Requirement { groups, ..Requirement::default() }).open();
    let holder = Principal { groups: names(&["ops"]), ..caller("mcp:tools") };
    stage.use_cases.tools.authorize(&Arc::new(holder), "drop").await.unwrap();
}

#[tokio::test]
async fn everything_is_listed_where_the_operator_says_so() {
    let mut world = World::new();
    world.policy.catalog.list_everything = true;
    world.catalog.expect_list().times(1).return_once(|| vec![tool("drop", "mcp:admin")]);
    let listed = world.open().use_cases.tools.list(&caller("mcp:tools")).await;
    assert_eq!(listed.len(), 1);
}
