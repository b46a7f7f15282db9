//! What a resource server is told about a token (checklist 7: IN-01 to IN-03).

use serde_json::json;

use crate::forged_token::{ForgedToken, decoded};
use crate::parameters::Parameters;
use crate::scenario::Scenario;
use crate::steps::basic;
use crate::world::NOW;

/// All that is told of a token that is not good, to the byte.
const INACTIVE: &str = r#"{"active":false}"#;

#[tokio::test]
async fn in_01_who_asks_has_to_authenticate() {
    let scenario = Scenario::new();
    let (public, server) = (scenario.client().await, scenario.resource_server().await);
    let token = scenario.tokens(&public).await.access;
    let form = Parameters::new(&[("token", &token)]);
    let anonymous = scenario.post("/introspect").form(&form).send().await;
    anonymous.refused(401, "invalid_client");
    assert!(anonymous.header("www-authenticate").unwrap().starts_with("Basic "));
    scenario.introspect(&public, &token).await.refused(401, "invalid_client");
    let unproven = form.clone().with("client_id", &server.id);
    scenario.post("/introspect").form(&unproven).send().await.refused(401, "invalid_client");
    let wrong = scenario.post("/introspect").form(&form);
    let wrong = wrong.header("authorization", &basic(&server.id, "wrong")).send().await;
    wrong.refused(401, "invalid_client");
    let with_token = scenario.post("/introspect").form(&form).bearer(&token).send().await;
    with_token.refused(401, "invalid_client");
}

#[tokio::test]
async fn in_02_of_a_token_that_is_not_good_nothing_else_is_told() {
    let scenario = Scenario::new();
    let (client, server) = (scenario.client().await, scenario.resource_server().await);
    let code = scenario.code(&client).await;
    let (ended, alone) = (scenario.tokens(&client).await, scenario.tokens(&client).await);
    scenario.revoke(&client, &ended.refresh).await.expect(200);
    scenario.revoke(&client, &alone.access).await.expect(200);
    let elsewhere = scenario.dev_token(&[("audience", "https://other.example")]).await;
    let expired = ForgedToken::good().claim("exp", NOW - 100).signed();
    let grantless = ForgedToken::good().claim("grant_id", "nobody-gave-this").signed();
    let bad = [
        "garbage",
        "a.b.c",
        &code,
        &ended.refresh,
        &ended.access,
        &alone.access,
        &alone.refresh,
        &elsewhere,
        &expired,
        &grantless,
    ];
    for token in bad {
        let answer = scenario.introspect(&server, token).await.expect(200);
        assert_eq!(answer.body, INACTIVE, "{token}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn in_02_a_token_that_expires_becomes_inactive() {
    let scenario = Scenario::new();
    let (client, server) = (scenario.client().await, scenario.resource_server().await);
    let token = scenario.tokens(&client).await.access;
    assert_eq!(scenario.introspect(&server, &token).await.json()["active"], true);
    scenario.clock.advance(3660);
    assert_eq!(scenario.introspect(&server, &token).await.body, INACTIVE);
}

#[tokio::test]
async fn in_02_a_client_learns_of_its_own_tokens_only() {
    let scenario = Scenario::new();
    let method = json!({ "token_endpoint_auth_method": "client_secret_basic" });
    let (one, other) =
        (scenario.client_like(method.clone()).await, scenario.client_like(method).await);
    let token = scenario.tokens(&one).await.access;
    assert_eq!(scenario.introspect(&one, &token).await.json()["client_id"], one.id);
    assert_eq!(scenario.introspect(&other, &token).await.body, INACTIVE);
}

#[tokio::test]
async fn in_03_a_resource_server_learns_what_the_token_says() {
    let scenario = Scenario::new();
    let (client, server) = (scenario.client().await, scenario.resource_server().await);
    let request = client.request().with("scope", "mcp:tools files:read offline_access");
    let token = scenario.tokens_for(&client, &request).await.access;
    let writes = scenario.store.writes();
    let answer = scenario.introspect(&server, &token).await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let expected = json!({
        "active": true,
        "token_type": "Bearer",
        "scope": "files:read mcp:tools",
        "client_id": client.id,
        "sub": "alice",
        "aud": ["http://localhost:8000/mcp"],
        "iss": "http://localhost:8000",
        "exp": NOW + 3600,
        "iat": NOW,
        "jti": decoded(&token).1["jti"],
    });
    assert_eq!(answer.json(), expected);
    assert_eq!(scenario.store.writes(), writes);
}

#[tokio::test]
async fn in_03_a_wrong_hint_does_no_harm() {
    let scenario = Scenario::new();
    let (client, server) = (scenario.client().await, scenario.resource_server().await);
    let token = scenario.tokens(&client).await.access;
    for hint in ["access_token", "refresh_token", "bogus"] {
        let form = Parameters::new(&[("token", &token), ("token_type_hint", hint)]);
        let answer = scenario.introspect_with(&server, &form).await.expect(200);
        assert_eq!(answer.json()["active"], true, "{hint}");
    }
}

#[tokio::test]
async fn in_01_a_request_without_one_token_is_refused() {
    let scenario = Scenario::new();
    let (client, server) = (scenario.client().await, scenario.resource_server().await);
    let token = scenario.tokens(&client).await.access;
    let twice = Parameters::new(&[("token", &token), ("token", &token)]);
    for form in [Parameters::default(), twice] {
        scenario.introspect_with(&server, &form).await.refused(400, "invalid_request");
    }
}
