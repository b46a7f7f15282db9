//! What a code is good for (checklist 6: TK-05, 06, 09, 10, 18, 19).

use serde_json::json;

use crate::forged_token::decoded;
use crate::scenario::Scenario;
use crate::steps::{VERIFIER, redemption};

#[tokio::test]
async fn tk_05_a_code_lives_for_a_minute() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let (in_time, too_late) = (scenario.code(&client).await, scenario.code(&client).await);
    scenario.clock.advance(59);
    scenario.redeem(&client, &in_time).await.expect(200);
    scenario.clock.advance(1);
    scenario.redeem(&client, &too_late).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn tk_05_a_token_has_the_resource_and_scope_of_its_code() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let request = client.request().with("scope", "files:read");
    let request = request.with("resource", "http://localhost:8000/mcp/sse");
    let code = scenario.code_for(&request).await;
    let form = redemption(&code).and("scope", "admin");
    let claims = decoded(&scenario.token(&client, &form).await.access_token()).1;
    assert_eq!(claims["aud"], "http://localhost:8000/mcp/sse");
    assert_eq!(claims["scope"], "files:read");
}

#[tokio::test]
async fn tk_06_only_the_verifier_behind_the_challenge_redeems() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let code = scenario.code(&client).await;
    let wrong = [
        "another-code-verifier-of-more-than-43-characters",
        &VERIFIER.to_uppercase(),
        &format!("{VERIFIER}x"),
        &VERIFIER[..42],
        &"a".repeat(129),
        &crate::steps::challenge(),
        "é",
    ];
    for verifier in wrong {
        let form = redemption(&code).with("code_verifier", verifier);
        scenario.token(&client, &form).await.refused(400, "invalid_grant");
    }
    let without = redemption(&code).without("code_verifier");
    scenario.token(&client, &without).await.refused(400, "invalid_request");
    assert!(!scenario.store.writes().contains(&"redeem"));
    scenario.redeem(&client, &code).await.expect(200);
}

#[tokio::test]
async fn tk_06_a_client_with_a_secret_needs_the_verifier_too() {
    let scenario = Scenario::new();
    let method = json!({ "token_endpoint_auth_method": "client_secret_post" });
    let client = scenario.client_like(method).await;
    let code = scenario.code(&client).await;
    let without = redemption(&code).without("code_verifier");
    scenario.token(&client, &without).await.refused(400, "invalid_request");
    scenario.redeem(&client, &code).await.expect(200);
}

#[tokio::test]
async fn tk_09_the_redirect_address_may_be_left_out_and_may_not_be_another() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let code = scenario.code(&client).await;
    for other in ["http://127.0.0.1:1/callback", "https://evil.example", "x"] {
        let form = redemption(&code).with("redirect_uri", other);
        scenario.token(&client, &form).await.refused(400, "invalid_grant");
    }
    let same = redemption(&code).with("redirect_uri", &client.redirect_uri);
    scenario.token(&client, &same).await.expect(200);
    let code = scenario.code(&client).await;
    scenario.token(&client, &redemption(&code)).await.expect(200);
}

#[tokio::test]
async fn tk_09_the_redirect_address_is_the_one_of_the_request_with_its_port() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let asked = client.request().with("redirect_uri", "http://127.0.0.1:50123/callback");
    let code = scenario.code_for(&asked).await;
    let registered = redemption(&code).with("redirect_uri", &client.redirect_uri);
    scenario.token(&client, &registered).await.refused(400, "invalid_grant");
    let same = redemption(&code).with("redirect_uri", "http://127.0.0.1:50123/callback");
    scenario.token(&client, &same).await.expect(200);
}

#[tokio::test]
async fn tk_10_a_code_of_another_client_is_worthless() {
    let scenario = Scenario::new();
    let (client, thief) = (scenario.client().await, scenario.client().await);
    let code = scenario.code(&client).await;
    scenario.redeem(&thief, &code).await.refused(400, "invalid_grant");
    scenario.redeem(&client, &code).await.expect(200);
}

#[tokio::test]
async fn tk_10_a_code_nobody_issued_is_worthless() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let code = scenario.code(&client).await;
    for other in ["unknown", &code[1..], &format!("{code}x"), &code.to_lowercase()] {
        scenario.redeem(&client, other).await.refused(400, "invalid_grant");
    }
}

#[tokio::test]
async fn tk_18_a_wrong_resource_is_refused_and_the_code_stays_good() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let code = scenario.code(&client).await;
    for resource in ["https://other.example/mcp", "http://localhost:8000/other", "mcp", "\""] {
        let form = redemption(&code).with("resource", resource);
        scenario.token(&client, &form).await.refused(400, "invalid_target");
    }
    assert!(!scenario.store.writes().contains(&"redeem"));
    let form = redemption(&code).with("resource", "http://localhost:8000/mcp");
    scenario.token(&client, &form).await.expect(200);
}

#[tokio::test]
async fn tk_19_what_was_consented_to_for_one_address_is_no_token_for_another() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let request = client.request().with("resource", "http://localhost:8000/mcp");
    let code = scenario.code_for(&request).await;
    for other in ["http://localhost:8000/mcp/sse", "http://localhost:8000"] {
        let form = redemption(&code).with("resource", other);
        scenario.token(&client, &form).await.refused(400, "invalid_target");
    }
    let form = redemption(&code).with("resource", "http://localhost:8000/mcp");
    let token = scenario.token(&client, &form).await.expect(200).access_token();
    assert_eq!(decoded(&token).1["aud"], "http://localhost:8000/mcp");
}

#[tokio::test]
async fn tk_07_there_is_no_code_without_a_challenge_to_answer() {
    use mcp_oauth_core::domain::authorization::AuthorizationQuery;
    use mcp_oauth_core::domain::form_token::{FormToken, ProtectedForm};
    use mcp_oauth_core::domain::secret::SessionToken;
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let page = scenario.ask(&client.request()).await;
    let session = SessionToken::presented(scenario.cookie_values().last().unwrap()).hash();
    for name in ["code_challenge", "code_challenge_method"] {
        let query = client.request().without(name).encoded();
        let form = ProtectedForm::Consent(&session, &AuthorizationQuery::new(&*query));
        let token = FormToken::new(form).as_str().to_owned();
        let typed = [("decision", "approve"), ("authorization", &*query), ("form_token", &*token)];
        let back = scenario.submit(&page, &typed).await.location();
        assert_eq!(
            (back.query.get("error"), back.query.get("code")),
            (Some("invalid_request"), None)
        );
        let shown = scenario.get(&format!("/consent?{query}")).in_browser().send().await;
        assert_eq!(shown.location().query.get("error"), Some("invalid_request"));
    }
    assert!(!scenario.store.writes().contains(&"begin"));
}
