//! Pages of other origins (checklist 10: CO-01, CO-02).

use poem::http::Method;
use serde_json::json;

use crate::answer::Answer;
use crate::scenario::{ALLOWED_ORIGIN, Scenario, words};

/// Where the MCP Inspector's page comes from.
const INSPECTOR: &str = "http://localhost:6274";

const PUBLIC: [(Method, &str); 10] = [
    (Method::GET, "/.well-known/oauth-protected-resource"),
    (Method::GET, "/.well-known/oauth-protected-resource/mcp"),
    (Method::GET, "/.well-known/oauth-authorization-server"),
    (Method::GET, "/.well-known/openid-configuration"),
    (Method::GET, "/.well-known/jwks.json"),
    (Method::GET, "/userinfo"),
    (Method::GET, "/openapi.json"),
    (Method::POST, "/register"),
    (Method::POST, "/token"),
    (Method::POST, "/revoke"),
];

async fn preflight(scenario: &Scenario, origin: &str, method: &str, path: &str) -> Answer {
    scenario
        .call(Method::OPTIONS, path)
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", "authorization,content-type,mcp-protocol-version")
        .send()
        .await
}

fn allowed_origin(answer: &Answer) -> Option<&str> {
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    answer.header("access-control-allow-origin")
}

/// The names in a header, in lower case.
fn names(answer: &Answer, header: &str) -> String {
    answer.header(header).unwrap().to_ascii_lowercase().replace(", ", " ").replace(',', " ")
}

#[tokio::test]
async fn co_01_any_page_may_read_what_is_public_and_get_tokens() {
    let scenario = Scenario::at("https://mcp.example.com");
    for (method, path) in PUBLIC {
        for origin in [INSPECTOR, "https://any.example", "null"] {
            let answer = scenario.call(method.clone(), path).header("origin", origin).send().await;
            assert_ne!(answer.status.as_u16(), 403, "{path}");
            assert_eq!(allowed_origin(&answer), Some("*"), "{path}");
        }
    }
}

#[tokio::test]
async fn co_01_a_preflight_is_answered_with_204() {
    let scenario = Scenario::at("https://mcp.example.com");
    for (method, path) in PUBLIC {
        let answer = preflight(&scenario, "https://any.example", method.as_str(), path).await;
        let answer = answer.expect(204);
        assert_eq!(allowed_origin(&answer), Some("*"), "{path}");
        assert!(answer.header("access-control-allow-methods").unwrap().contains(method.as_str()));
        let allowed = names(&answer, "access-control-allow-headers");
        assert!(
            words(&allowed).is_superset(&words("authorization content-type mcp-protocol-version"))
        );
        assert_eq!(answer.body, "");
    }
}

#[tokio::test]
async fn co_01_a_preflight_changes_nothing() {
    let scenario = Scenario::new();
    for (method, path) in PUBLIC {
        preflight(&scenario, INSPECTOR, method.as_str(), path).await.expect(204);
    }
    assert_eq!(scenario.store.writes(), [""; 0]);
    assert_eq!(scenario.audit.names(), [""; 0]);
}

#[tokio::test]
async fn co_01_no_page_elsewhere_reads_what_is_told_to_resource_servers() {
    let scenario = Scenario::at("https://mcp.example.com");
    for origin in [INSPECTOR, ALLOWED_ORIGIN, "https://any.example", "null"] {
        let asked = scenario.post("/introspect").header("origin", origin).send().await;
        assert_eq!(allowed_origin(&asked), None, "{origin}");
        let answer = preflight(&scenario, origin, "POST", "/introspect").await;
        assert_eq!(allowed_origin(&answer), None, "{origin}");
    }
}

#[tokio::test]
async fn co_02_an_allowed_page_may_use_the_mcp_endpoints() {
    let scenario = Scenario::at("https://mcp.example.com");
    for origin in [INSPECTOR, ALLOWED_ORIGIN, "https://mcp.example.com", "http://127.0.0.1:1"] {
        for path in ["/mcp", "/mcp/", "/mcp/sse", "/mcp/messages"] {
            let answer = preflight(&scenario, origin, "POST", path).await.expect(204);
            assert_eq!(allowed_origin(&answer), Some(origin), "{path}");
            assert_eq!(answer.header("vary"), Some("Origin"));
        }
    }
}

#[tokio::test]
async fn co_02_an_allowed_page_can_read_the_challenge() {
    let scenario = Scenario::new();
    let answer = scenario.post("/mcp").header("origin", INSPECTOR).send().await.expect(401);
    assert_eq!(allowed_origin(&answer), Some(INSPECTOR));
    let exposed = names(&answer, "access-control-expose-headers");
    assert!(words(&exposed).is_superset(&words("www-authenticate retry-after mcp-session-id")));
    let token = scenario.dev_token(&[]).await;
    let call = scenario.tool_call("hello", json!({ "name": "x" })).bearer(&token);
    let answer = call.header("origin", ALLOWED_ORIGIN).send().await.expect(200);
    assert_eq!(allowed_origin(&answer), Some(ALLOWED_ORIGIN));
}

#[tokio::test]
async fn co_02_a_page_that_is_not_allowed_is_refused_before_anything_else() {
    let scenario = Scenario::at("https://mcp.example.com");
    let foreign = [
        "https://evil.example",
        "null",
        "http://localhost.evil.example",
        "http://mcp.example.com",
        "https://mcp.example.com:444",
        "https://app.example.com.evil.example",
        "file://",
        "x",
    ];
    for origin in foreign {
        for path in ["/mcp", "/mcp/", "/mcp/sse", "/mcp/messages"] {
            let answer = scenario.post(path).header("origin", origin).send().await;
            answer.refused(403, "invalid_request");
            assert_eq!(allowed_origin(&answer), None, "{path} {origin}");
            let answer = preflight(&scenario, origin, "POST", path).await.expect(403);
            assert_eq!(allowed_origin(&answer), None, "{path} {origin}");
        }
    }
    assert_eq!(scenario.audit.names(), [""; 0]);
}

#[tokio::test]
async fn co_01_a_page_may_look_after_the_registration_of_its_client() {
    let scenario = Scenario::at("https://mcp.example.com");
    for method in ["GET", "PUT", "DELETE"] {
        let path = "/register/a-client";
        let answer = preflight(&scenario, INSPECTOR, method, path).await.expect(204);
        assert_eq!(allowed_origin(&answer), Some("*"), "{method}");
        assert!(names(&answer, "access-control-allow-methods").contains(&method.to_lowercase()));
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = scenario.call(method, path).header("origin", INSPECTOR).json(&json!({}));
        let answer = answer.send().await.expect(401);
        assert_eq!(allowed_origin(&answer), Some("*"));
        assert!(names(&answer, "access-control-expose-headers").contains("www-authenticate"));
    }
}
