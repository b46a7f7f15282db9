//! Arguments in requests: each in its place, and nowhere else.

use mcp_oauth_tools::OpenApiCatalog;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::scenario::{call, call_by, caller, context, refusal, text, tools};
use super::server::{Reply, Server};

async fn server() -> Server {
    Server::answering(|_| Reply::json(&json!({"ok": true}))).await
}

async fn one(server: &Server, method: &str, path: &str, operation: Value) -> OpenApiCatalog {
    let mut operation = operation;
    operation["operationId"] = json!("op");
    tools(server, &json!({ path: { method: operation } }), |_| {}).await
}

#[tokio::test]
async fn every_place_gets_its_parameters() {
    let server = server().await;
    let operation = json!({
        "parameters": [
            {"name": "petId", "in": "path", "required": true, "schema": {"type": "integer"}},
            {"name": "tags", "in": "query", "schema": {"type": "array"}},
            {"name": "ids", "in": "query", "style": "pipeDelimited", "explode": false},
            {"name": "filter", "in": "query", "style": "deepObject", "explode": true},
            {"name": "where", "in": "query", "content": {"application/json": {}}},
            {"name": "X-Trace", "in": "header"},
            {"name": "seen", "in": "cookie"},
        ],
        "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}});
    let catalog = one(&server, "post", "/pets/{petId}/notes", operation).await;
    let arguments = json!({
        "petId": 7, "tags": ["a b", "c&d"], "ids": [1, 2], "filter": {"age": 3, "kind": "cat"},
        "where": {"x": [1]}, "X-Trace": "t-1", "seen": "yes; admin=1", "body": {"note": "ä"}});
    let answer = call(&catalog, "op", arguments).await;
    assert_eq!(answer.structured, Some(json!({"ok": true})));
    let seen = server.only();
    assert_eq!(seen.method, "POST");
    assert_eq!(
        seen.target,
        "/v1/pets/7/notes?filter%5Bage%5D=3&filter%5Bkind%5D=cat&ids=1%7C2&tags=a%20b&tags=c%26d\
         &where=%7B%22x%22%3A%5B1%5D%7D"
    );
    assert_eq!(seen.header("x-trace"), Some("t-1"));
    assert_eq!(seen.header("cookie"), Some("seen=yes%3B%20admin%3D1"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.text(), "{\"note\":\"ä\"}");
}

#[tokio::test]
async fn what_is_not_given_is_not_sent() {
    let server = server().await;
    let operation = json!({
        "parameters": [{"name": "q", "in": "query"}, {"name": "X-A", "in": "header"}],
        "requestBody": {"content": {"application/json": {}}}});
    let catalog = one(&server, "post", "/pets", operation).await;
    call(&catalog, "op", json!({"q": null})).await;
    let seen = server.only();
    assert_eq!((seen.target.as_str(), seen.text().as_str()), ("/v1/pets", ""));
    assert_eq!((seen.header("x-a"), seen.header("content-type")), (None, None));
}

#[tokio::test]
async fn no_argument_leaves_its_segment_of_the_path() {
    let server = server().await;
    let id = json!({"parameters": [{"name": "id", "in": "path", "required": true}]});
    let catalog = one(&server, "get", "/pets/{id}/photo", id).await;
    for (id, target) in [
        ("a/b", "/v1/pets/a%2Fb/photo"),
        ("x?admin=1#y", "/v1/pets/x%3Fadmin%3D1%23y/photo"),
        ("%2f", "/v1/pets/%252f/photo"),
        ("@evil.example/", "/v1/pets/%40evil.example%2F/photo"),
        ("http://evil.example", "/v1/pets/http%3A%2F%2Fevil.example/photo"),
    ] {
        call(&catalog, "op", json!({ "id": id })).await;
        assert_eq!(server.last().target, target);
    }
    let sent = server.seen().len();
    for id in [
        "",
        ".",
        "..",
        "../admin",
        "a/../../admin",
        "..%2fadmin",
        "%2e%2e",
        "..\\admin",
        "%252e%252e/",
        "..;/admin",
        "a\r\nHost: evil",
        "a\0b",
    ] {
        let reason = refusal(&catalog, "op", json!({ "id": id })).await;
        assert!(reason.contains("`id`"), "{id:?}: {reason}");
    }
    assert_eq!(server.seen().len(), sent);
}

#[tokio::test]
async fn no_argument_makes_a_second_header_or_another_parameter() {
    let server = server().await;
    let operation = json!({"parameters": [
        {"name": "X-A", "in": "header"}, {"name": "q", "in": "query", "allowReserved": true}]});
    let catalog = one(&server, "get", "/pets", operation).await;
    for value in ["a\r\nX-Admin: 1", "a\nb", "a\0"] {
        let reason = refusal(&catalog, "op", json!({"X-A": value})).await;
        assert!(reason.contains("`X-A`") && reason.contains("line break"), "{reason}");
    }
    call(&catalog, "op", json!({"q": "a&admin=1#x /y?z"})).await;
    assert_eq!(server.only().target, "/v1/pets?q=a%26admin%3D1%23x%20/y?z");
}

#[tokio::test]
async fn what_the_operator_sets_no_argument_sets() {
    let server = server().await;
    let header = |name: &str| json!({"name": name, "in": "header", "required": true});
    let paths = json!({"/a": {"get": {"operationId": "op", "parameters": [
        header("Authorization"), header("Host"), header("X-Team"), header("X-Caller"),
        header("Cookie"), header("Content-Length")]}}});
    let catalog = tools(&server, &paths, |config| {
        config.headers.push(("X-Team".to_owned(), SecretString::from("blue")));
        config.caller_header = Some("X-Caller".to_owned());
    })
    .await;
    let forged = json!({"Authorization": "Bearer forged", "Host": "evil", "X-Team": "red",
        "X-Caller": "root", "Cookie": "a=b", "Content-Length": "0"});
    let context = mcp_oauth_core::port::CallContext::new(std::sync::Arc::new(caller("Ä, b\r\nc")));
    call_by(&catalog, "op", forged, context).await.unwrap();
    let seen = server.only();
    assert_eq!(seen.header("x-team"), Some("blue"));
    assert_eq!(seen.header("x-caller"), Some("%C3%84%2C%20b%0D%0Ac"));
    assert_eq!(seen.header("authorization"), None);
    assert_eq!(seen.header("cookie"), None);
    assert_eq!(seen.header("host"), Some(server.address.to_string().as_str()));
}

#[tokio::test]
async fn who_is_calling_is_told_only_when_the_operator_says_so() {
    let server = server().await;
    let catalog = one(&server, "get", "/pets", json!({})).await;
    call_by(&catalog, "op", json!({}), context()).await.unwrap();
    let seen = server.only();
    let told = seen.headers.values().any(|value| value.to_str().unwrap().contains("alice"));
    assert!(!told, "{:?}", seen.headers);
}

#[tokio::test]
async fn forms_and_files_arrive() {
    let server = server().await;
    let schema = json!({"type": "object", "properties": {
        "file": {"type": "string", "format": "binary"}, "note": {"type": "string"}}});
    let paths = json!({
        "/form": {"post": {"operationId": "form", "requestBody": {"content": {
            "application/x-www-form-urlencoded": {"schema": {"type": "object"}}}}}},
        "/parts": {"post": {"operationId": "parts", "requestBody": {"content": {
            "multipart/form-data": {"schema": schema}}}}},
        "/text": {"post": {"operationId": "text", "requestBody": {"content": {
            "text/plain; charset=utf-8": {}}}}}});
    let catalog = tools(&server, &paths, |_| {}).await;
    call(&catalog, "form", json!({"body": {"a": "b c&d", "l": [1, 2]}})).await;
    call(&catalog, "parts", json!({"body": {"file": "aGk=", "note": "n\"\r\n--x"}})).await;
    call(&catalog, "text", json!({"body": "plain"})).await;
    let seen = server.seen();
    assert_eq!(seen[0].header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(seen[0].text(), "a=b%20c%26d&l=1&l=2");
    let media_type = seen[1].header("content-type").unwrap();
    let boundary = media_type.strip_prefix("multipart/form-data; boundary=").unwrap();
    let parts = seen[1].text();
    assert_eq!(parts.matches(boundary).count(), 3, "{parts}");
    assert!(parts.contains("name=\"file\"; filename=\"file\"\r\n\r\nhi\r\n"), "{parts}");
    assert!(parts.contains("name=\"note\"\r\n\r\nn\"\r\n--x\r\n"), "{parts}");
    assert_eq!(seen[2].header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(seen[2].text(), "plain");
}

#[tokio::test]
async fn a_document_of_3_1_is_called_like_one_of_3_0() {
    let server = server().await;
    let yaml = "
openapi: 3.1.0
info: { title: T, version: '1' }
paths:
  /pets/{id}:
    parameters:
      - $ref: '#/components/parameters/Id'
    put:
      operationId: replace
      requestBody: { $ref: '#/components/requestBodies/Pet' }
components:
  parameters:
    Id: { name: id, in: path, required: true, schema: { type: [integer, string] } }
  requestBodies:
    Pet:
      required: true
      content:
        application/json:
          schema: { $ref: '#/components/schemas/Pet' }
  schemas:
    Pet:
      type: object
      required: [name]
      properties:
        name: { type: [string, 'null'] }
        kids: { type: array, items: { $ref: '#/components/schemas/Pet' } }
";
    let catalog = super::scenario::try_tools(&server, yaml, |_| {}).await.unwrap();
    let answer = call(&catalog, "replace", json!({"id": 3, "body": {"name": null}})).await;
    assert_eq!(text(&answer), "{\"ok\":true}");
    let seen = server.only();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("PUT", "/v1/pets/3"));
    assert_eq!(seen.text(), "{\"name\":null}");
}
