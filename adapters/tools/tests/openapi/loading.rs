//! Documents: good ones, bad ones, and what becomes of their operations.

use std::sync::Arc;

use mcp_oauth_core::domain::access_rule::Pattern;
use mcp_oauth_core::domain::requirement::Requirement;
use mcp_oauth_core::domain::scope::ScopeSet;
use mcp_oauth_core::port::ToolCatalog;
use mcp_oauth_tools::openapi::Source;
use mcp_oauth_tools::{OpenApiCatalog, OpenApiConfig, OpenApiProblem};
use serde_json::{Value, json};

use super::scenario::{TestClock, call, document, tools, try_tools};
use super::server::{Reply, Server};

async fn server() -> Server {
    Server::answering(|_| Reply::json(&json!({}))).await
}

async fn names(catalog: &OpenApiCatalog) -> Vec<String> {
    catalog.list().await.iter().map(|tool| tool.name.clone()).collect()
}

fn pets() -> Value {
    json!({
        "/pets": {
            "get": {"operationId": "listPets", "tags": ["read"]},
            "post": {"operationId": "createPet"}},
        "/pets/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": true,
                            "description": "Which pet.", "schema": {"type": "integer"}}],
            "get": {"summary": "One pet", "description": "All about it.", "tags": ["read"]},
            "delete": {"operationId": "pets/delete", "deprecated": true}}})
}

#[tokio::test]
async fn an_operation_presents_itself_as_the_document_describes_it() {
    let server = server().await;
    let scope = ScopeSet::parse("pets").unwrap();
    let catalog = tools(&server, &pets(), |config| {
        config.prefix = "p_".to_owned();
        config.requirement = Requirement::scope(scope.clone());
    })
    .await;
    assert_eq!(
        names(&catalog).await,
        ["p_GET_pets_id", "p_createPet", "p_listPets", "p_pets_delete"]
    );
    let tool = catalog.describe("p_GET_pets_id").await.unwrap();
    assert_eq!(tool.title.as_deref(), Some("One pet"));
    assert_eq!(tool.description, "One pet\n\nAll about it.");
    assert_eq!(tool.requirement.scope, scope);
    assert_eq!(
        Value::Object(tool.input_schema.clone()),
        json!({
        "type": "object", "additionalProperties": false, "required": ["id"],
        "properties": {"id": {"type": "integer", "description": "Which pet."}}})
    );
    assert_eq!(tool.annotations.read_only_hint, Some(true));
    let tool = catalog.describe("p_pets_delete").await.unwrap();
    assert_eq!(tool.description, "Deprecated. DELETE /pets/{id}");
    let annotations = &tool.annotations;
    assert_eq!(
        (annotations.read_only_hint, annotations.destructive_hint),
        (Some(false), Some(true))
    );
    assert_eq!(catalog.describe("listPets").await, None);
}

#[tokio::test]
async fn patterns_select_by_operation_name_path_and_tag() {
    let server = server().await;
    for (include, exclude, expected) in [
        (vec!["*Pet*"], vec![], vec!["createPet", "listPets"]),
        (vec!["GET *"], vec![], vec!["GET_pets_id", "listPets"]),
        (vec!["tag:read"], vec!["* /pets"], vec!["GET_pets_id"]),
        (vec![], vec!["DELETE *", "POST *"], vec!["GET_pets_id", "listPets"]),
        (vec!["pets/delete"], vec![], vec!["pets_delete"]),
    ] {
        let patterns = |texts: Vec<&str>| texts.into_iter().map(Pattern::new).collect();
        let catalog = tools(&server, &pets(), |config| {
            config.selection.include = patterns(include);
            config.selection.exclude = patterns(exclude);
        })
        .await;
        assert_eq!(names(&catalog).await, expected);
    }
}

#[tokio::test]
async fn a_bad_operation_is_named_and_takes_no_other_with_it() {
    let server = server().await;
    let mut paths = pets();
    paths["/bad/{missing}"] = json!({"get": {}});
    paths["/in"] = json!({"get": {"parameters": [{"name": "a", "in": "nowhere"}]}});
    paths["/ref"] = json!({"get": {"parameters": [{"$ref": "#/components/parameters/No"}]}});
    paths["/other"] = json!({"get": {"parameters": [{"name": "a", "in": "query",
        "schema": {"$ref": "other.yaml#/A"}}]}});
    paths["/id"] = json!({"get": {"operationId": 7}});
    let catalog = tools(&server, &paths, |_| {}).await;
    assert_eq!(names(&catalog).await.len(), 4);
    let skipped: Vec<(&str, &str)> =
        catalog.skipped().iter().map(|it| (it.operation.as_str(), it.reason.as_str())).collect();
    let reason = |operation| skipped.iter().find(|it| it.0 == operation).unwrap().1;
    assert_eq!(skipped.len(), 5, "{skipped:?}");
    assert!(reason("GET /bad/{missing}").contains("{missing}"));
    assert!(reason("GET /in").contains("`in` of a parameter, \"a\""));
    assert!(reason("GET /ref").contains("#/components/parameters/No"));
    assert!(reason("GET /other").contains("other.yaml"));
    assert!(reason("GET /id").contains("`operationId`"), "{skipped:?}");
}

#[tokio::test]
async fn a_pattern_that_is_no_regular_expression_is_left_out_and_the_rest_checked() {
    let server = server().await;
    let schema = json!({"type": "string", "pattern": "(?<bad", "maxLength": 3});
    let paths = json!({"/a": {"get": {"operationId": "a", "parameters": [
        {"name": "pattern", "in": "query", "schema": schema}]}}});
    let catalog = tools(&server, &paths, |_| {}).await;
    let schema = &catalog.describe("a").await.unwrap().input_schema;
    assert_eq!(schema["properties"]["pattern"], json!({"type": "string", "maxLength": 3}));
}

#[tokio::test]
async fn a_document_that_can_not_be_used_says_where_and_what_helps() {
    let server = server().await;
    let message = async |text: &str| {
        try_tools(&server, text, |_| {}).await.err().map(|it| it.to_string()).unwrap_or_default()
    };
    for (text, part) in [
        ("{\"openapi\": \"3.0.0\",\n  oops}", "line 2"),
        ("{\"swagger\": \"2.0\"}", "swagger2openapi"),
        ("{\"paths\": {}}", "`openapi`"),
        ("{\"openapi\": \"3.0.0\", \"paths\": {}}", "there is none in it"),
        ("just text", "`openapi`"),
    ] {
        let message = message(text).await;
        assert!(message.contains(part) && message.contains("[tools.pets]"), "{message}");
    }
    let text = document(&pets()).to_string();
    let all_out = try_tools(&server, &text, |config| {
        config.selection.include = vec![Pattern::new("nothing")];
    });
    let problem = all_out.await.err().unwrap();
    assert!(problem.to_string().contains("all 4 of them are left out"), "{problem}");
    let relative = try_tools(&server, &text, |config| {
        config.base_url = None;
    });
    let problem = relative.await.err().unwrap().to_string();
    assert!(problem.contains("set `base_url` of [tools.pets]"), "{problem}");
}

#[tokio::test]
async fn settings_that_make_no_sense_are_named() {
    let server = server().await;
    let with = async |change: fn(&mut OpenApiConfig)| match try_tools(
        &server,
        &document(&pets()).to_string(),
        change,
    )
    .await
    {
        Err(OpenApiProblem::Setting { setting, .. }) => setting,
        other => panic!("{other:?}"),
    };
    assert_eq!(with(|config| config.prefix = "a b".to_owned()).await, "prefix");
    assert_eq!(
        with(|config| config.caller_header = Some("Host".to_owned())).await,
        "caller_header"
    );
    assert_eq!(with(|config| config.headers.push(("X".into(), "a\nb".into()))).await, "headers");
}

#[tokio::test]
async fn a_document_on_the_web_is_read_without_credentials_and_says_where_its_server_is() {
    let text = document(&pets()).to_string();
    let server = Server::answering(move |seen| match seen.target.as_str() {
        "/docs/openapi.json" => Reply::new(200, "application/json", text.clone()),
        "/moved" => Reply::new(302, "text/plain", "").with("location", "/docs/openapi.json"),
        _ => Reply::json(&json!({})),
    })
    .await;
    let load = async |path: &str, change: fn(&mut OpenApiConfig)| {
        let mut config = OpenApiConfig::new("pets", Source::Url(server.url(path)));
        config.headers.push(("X-Key".into(), "k3y".into()));
        change(&mut config);
        OpenApiCatalog::load(config, Arc::new(TestClock::default())).await
    };
    let catalog = load("/docs/openapi.json", |_| {}).await.unwrap();
    assert_eq!(server.only().header("x-key"), None);
    call(&catalog, "listPets", json!({})).await;
    let asked = server.last();
    assert_eq!((asked.target.as_str(), asked.header("x-key")), ("/pets", Some("k3y")));
    let moved = load("/moved", |_| {}).await.err().unwrap().to_string();
    assert!(moved.contains("redirects are not followed"), "{moved}");
    let long = load("/docs/openapi.json", |config| config.limits.max_document_bytes = 10).await;
    assert!(long.err().unwrap().to_string().contains("longer than 10 bytes"));
}

#[tokio::test]
async fn a_file_that_is_not_there_or_too_long_is_named() {
    let load = async |path: &std::path::Path, most: usize| {
        let mut config = OpenApiConfig::new("pets", Source::File(path.to_owned()));
        config.limits.max_document_bytes = most;
        let loaded = OpenApiCatalog::load(config, Arc::new(TestClock::default())).await;
        loaded.err().unwrap().to_string()
    };
    let missing = load(std::path::Path::new("/nowhere/pets.yaml"), 1_000).await;
    assert!(missing.contains("/nowhere/pets.yaml") && missing.contains("[tools.pets]"));
    let file = super::scenario::file(&" ".repeat(2_000));
    assert!(load(file.path(), 1_000).await.contains("longer than 1000 bytes"));
}

#[tokio::test]
async fn a_schema_that_would_fill_a_context_says_less() {
    let server = server().await;
    let wide = |text: &str| -> Value {
        let properties =
            (0..1_000).map(|it| (format!("p{it}"), json!({"type": "string", "description": text})));
        json!({"type": "object", "properties": Value::Object(properties.collect())})
    };
    let body = |schema: Value| json!({"content": {"application/json": {"schema": schema}}});
    let paths = json!({
        "/a": {"post": {"operationId": "described", "requestBody": body(wide(&"d".repeat(500)))}},
        "/b": {"post": {"operationId": "endless",
            "parameters": [{"name": "q", "in": "query", "schema": {"type": "integer"}}],
            "requestBody": body(json!({"allOf": vec![wide(""); 10]}))}}});
    let catalog = tools(&server, &paths, |_| {}).await;
    let schema = async |name| json!(catalog.describe(name).await.unwrap().input_schema);
    let described = schema("described").await;
    assert_eq!(described["properties"]["body"]["properties"]["p7"], json!({"type": "string"}));
    let endless = schema("endless").await;
    assert!(endless.to_string().len() < 1_000, "{endless}");
    assert_eq!(endless["properties"]["q"]["type"], "integer");
}
