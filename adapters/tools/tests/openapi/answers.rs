//! Answers: readable by models, useful to programs, true to what was promised.

use mcp_oauth_core::domain::content::{Content, ResourceBody};
use mcp_oauth_core::port::ToolCatalog;
use mcp_oauth_tools::OpenApiCatalog;
use serde_json::{Value, json};

use super::scenario::{call, failure, text, tools};
use super::server::{Reply, Server};

async fn answered(reply: Reply) -> mcp_oauth_core::domain::tool::ToolOutput {
    let server = Server::answering(move |_| reply.clone()).await;
    let catalog = one(&server, false).await;
    call(&catalog, "op", json!({})).await
}

async fn one(server: &Server, output_schemas: bool) -> OpenApiCatalog {
    let schema = json!({"type": "object", "required": ["id"], "properties": {
        "id": {"type": "integer"}, "secret": {"type": "string", "writeOnly": true}}});
    let paths = json!({"/a": {"get": {"operationId": "op", "responses": {
        "200": {"description": "", "content": {"application/json": {"schema": schema}}},
        "404": {"description": ""}}}}});
    tools(server, &paths, |config| config.output_schemas = output_schemas).await
}

#[tokio::test]
async fn json_is_a_text_and_an_object_structured_too() {
    let answer = answered(Reply::json(&json!({"a": [1]}))).await;
    assert_eq!((text(&answer), &answer.structured), ("{\"a\":[1]}", &Some(json!({"a": [1]}))));
    let answer = answered(Reply::json(&json!([1]))).await;
    assert_eq!((text(&answer), &answer.structured), ("[1]", &None));
    let answer = answered(Reply::new(200, "application/problem+json", "{broken")).await;
    assert_eq!((text(&answer), &answer.structured, answer.is_error), ("{broken", &None, false));
}

#[tokio::test]
async fn pictures_sounds_texts_and_bytes_are_what_they_are() {
    for (media_type, expected) in [
        ("image/png", Content::image(b"\x89", "image/png")),
        ("audio/wav", Content::audio(b"\x89", "audio/wav")),
    ] {
        assert_eq!(answered(Reply::new(200, media_type, *b"\x89")).await.content, [expected]);
    }
    let answer = answered(Reply::new(200, "text/html; charset=utf-8", "<p>ä")).await;
    assert_eq!(text(&answer), "<p>ä");
    let answer = answered(Reply::new(200, "application/zip", *b"PK\xff\0")).await;
    let [Content::Resource { resource, .. }] = &answer.content[..] else { panic!("{answer:?}") };
    assert_eq!(resource.body, ResourceBody::Blob("UEv/AA==".to_owned()));
    assert_eq!(resource.uri, "openapi:pets/op");
    let answer = answered(Reply::new(201, "", "").with("location", "/pets/7")).await;
    assert!(text(&answer).contains("201 Created") && text(&answer).contains("/pets/7"));
}

#[tokio::test]
async fn a_failure_says_status_reason_and_the_beginning_of_its_body() {
    let body = json!({"error": "no such pet", "more": "x".repeat(100_000)}).to_string();
    let answer = answered(Reply::new(404, "application/json", body)).await;
    let told = failure(&answer);
    assert!(told.starts_with("pets answered 404 Not Found. It says:\n{\"error\":\"no such pet\""));
    assert!(told.chars().count() < 2_100, "{}", told.len());
    assert_eq!(answer.structured, None);
    let answer = answered(Reply::new(429, "text/plain", "slow").with("retry-after", "7")).await;
    assert!(failure(&answer).contains("asked too often. Try again after: 7."));
    let answer = answered(Reply::new(500, "application/octet-stream", *b"\0\x01")).await;
    assert_eq!(failure(&answer), "pets answered 500 Internal Server Error.");
}

#[tokio::test]
async fn a_redirect_is_followed_nowhere() {
    let other = Server::answering(|_| Reply::json(&json!({}))).await;
    let target = other.url("/stolen").to_string();
    for status in [301, 302, 303, 307, 308] {
        let to = target.clone();
        let answer = answered(Reply::new(status, "text/plain", "").with("location", to)).await;
        assert!(failure(&answer).contains("redirects are not followed"), "{answer:?}");
        assert!(!failure(&answer).contains(&target));
    }
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn what_is_promised_is_kept_or_called_a_failure() {
    let good = Server::answering(|_| Reply::json(&json!({"id": 1, "new": true}))).await;
    let catalog = one(&good, true).await;
    let schema = catalog.describe("op").await.unwrap().output_schema.clone().unwrap();
    assert_eq!(
        Value::Object(schema),
        json!({"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}})
    );
    let answer = call(&catalog, "op", json!({})).await;
    assert_eq!((answer.is_error, answer.structured), (false, Some(json!({"id": 1, "new": true}))));
    for reply in
        [Reply::json(&json!({"id": "1"})), Reply::json(&json!([])), Reply::new(200, "", "")]
    {
        let bad = Server::answering(move |_| reply.clone()).await;
        let answer = call(&one(&bad, true).await, "op", json!({})).await;
        assert!(answer.is_error && answer.structured.is_none(), "{answer:?}");
        let Content::Text { text, .. } = &answer.content[0] else { panic!("{answer:?}") };
        assert!(text.contains("did not answer what its document promises"), "{text}");
    }
    assert_eq!(one(&good, false).await.describe("op").await.unwrap().output_schema, None);
}
