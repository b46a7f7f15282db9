//! Test tokens, and where there are none (checklist 10: CO-06).

use serde_json::json;

use crate::forged_token::decoded;
use crate::parameters::Parameters;
use crate::scenario::Scenario;
use crate::world::NOW;

#[tokio::test]
async fn co_06_a_public_server_makes_no_test_tokens_and_does_not_mention_them() {
    let public = Scenario::at("https://mcp.example.com");
    public.get("/dev/token").send().await.refused(404, "not_found");
    public.post("/dev/token").form(&Parameters::default()).send().await.refused(404, "not_found");
    for path in ["/openapi.json", "/docs", "/"] {
        let body = public.get(path).send().await.expect(200).body;
        assert!(!body.contains("dev/token"), "{path}");
    }
    assert_eq!(public.audit.names(), [""; 0]);
    let local = Scenario::new();
    let document = local.get("/openapi.json").send().await.json();
    assert!(document["paths"]["/dev/token"]["get"].is_object());
}

#[tokio::test]
async fn co_06_the_token_of_another_key_or_issuer_is_not_accepted_here() {
    let local = Scenario::new();
    let token = local.dev_token(&[("audience", "https://mcp.example.com/mcp")]).await;
    let public = Scenario::at("https://mcp.example.com");
    public.assert_refused(&token).await;
}

#[tokio::test]
async fn co_06_a_page_elsewhere_gets_no_test_token() {
    let scenario = Scenario::new();
    for origin in ["https://evil.example", "null"] {
        let got = scenario.get("/dev/token").header("origin", origin).send().await;
        got.refused(403, "invalid_request");
        let posted = scenario.post("/dev/token").form(&Parameters::default());
        posted.header("origin", origin).send().await.refused(403, "invalid_request");
    }
    assert_eq!(scenario.audit.names(), [""; 0]);
}

#[tokio::test]
async fn a_test_token_without_wishes_is_the_first_dev_users_for_an_hour() {
    let scenario = Scenario::new();
    let answer = scenario.get("/dev/token").send().await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.json()["token_type"], "Bearer");
    assert_eq!(answer.json().get("refresh_token"), None);
    let claims = decoded(&answer.access_token()).1;
    assert_eq!((&claims["sub"], &claims["scope"]), (&json!("alice"), &json!("mcp:tools")));
    assert_eq!(claims["aud"], "http://localhost:8000/mcp");
    assert_eq!(claims["exp"], NOW + 3600);
    scenario.assert_accepted(&answer.access_token()).await;
}

#[tokio::test]
async fn a_test_token_is_as_wished_in_query_and_form() {
    let scenario = Scenario::new();
    let wishes = Parameters::new(&[
        ("sub", "bob"),
        ("scope", "files:read admin"),
        ("expires_in", "60"),
        ("audience", "http://localhost:8000"),
    ]);
    let got = scenario.get(&format!("/dev/token?{}", wishes.encoded())).send().await;
    let posted = scenario.post("/dev/token").form(&wishes).send().await;
    for answer in [got.expect(200), posted.expect(200)] {
        let claims = decoded(&answer.access_token()).1;
        assert_eq!((&claims["sub"], &claims["scope"]), (&json!("bob"), &json!("admin files:read")));
        assert_eq!(
            (&claims["exp"], answer.json()["expires_in"].as_i64()),
            (&json!(NOW + 60), Some(60))
        );
        assert_eq!(claims.get("email"), None);
        scenario.assert_accepted(&answer.access_token()).await;
    }
}

#[tokio::test]
async fn a_wish_nobody_can_fulfil_is_refused() {
    let scenario = Scenario::new();
    for seconds in ["0", "-1", "x", "1.5", "2592001", "99999999999999999999"] {
        let answer = scenario.get(&format!("/dev/token?expires_in={seconds}")).send().await;
        answer.refused(400, "invalid_request");
    }
    scenario.get("/dev/token?scope=%22").send().await.refused(400, "invalid_scope");
    scenario.get("/dev/token?sub=a&sub=b").send().await.refused(400, "invalid_request");
}

#[tokio::test]
async fn userinfo_tells_who_the_token_is_about() {
    let scenario = Scenario::new();
    let alice = scenario.get("/userinfo").bearer(&scenario.dev_token(&[]).await).send().await;
    let told = json!({
        "sub": "alice",
        "name": "Alice Example",
        "email": "alice@example.com",
        "email_verified": true,
    });
    assert_eq!(alice.expect(200).json(), told);
    let bob = scenario.dev_token(&[("sub", "bob")]).await;
    let bob = scenario.get("/userinfo").bearer(&bob).send().await.expect(200);
    assert_eq!(bob.json(), json!({ "sub": "bob" }));
    assert_eq!(bob.header("cache-control"), Some("no-store"));
}
