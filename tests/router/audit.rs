//! What is remembered of every decision (checklist 10: CO-05).

use mcp_oauth_core::domain::audit::{AuditEvent, Decision};
use serde_json::json;

use crate::scenario::Scenario;
use crate::steps::redemption;

fn subject(event: &AuditEvent) -> Option<&str> {
    event.subject.as_ref().map(|subject| subject.as_str())
}

fn client(event: &AuditEvent) -> Option<&str> {
    event.client.as_ref().map(|client| client.as_str())
}

#[tokio::test]
async fn co_05_every_step_to_a_token_is_remembered_with_who_and_for_whom() {
    let scenario = Scenario::new();
    let known = scenario.client().await;
    let code = scenario.code(&known).await;
    let tokens = scenario.redeem(&known, &code).await.expect(200).tokens();
    scenario.refresh(&known, &tokens.refresh).await.expect(200);
    let steps =
        ["client_registered", "logged_in", "consent_given", "token_issued", "token_refreshed"];
    assert_eq!(scenario.audit.names(), steps);
    let events = scenario.audit.events();
    assert!(events.iter().all(|event| client(event) == Some(&known.id)));
    assert!(events[1..].iter().all(|event| subject(event) == Some("alice")));
    assert!(events[2..].iter().all(|event| event.grant == events[2].grant));
    assert!(events[2].grant.is_some() && events[3].token.is_some());
}

#[tokio::test]
async fn co_05_the_token_is_named_by_its_id() {
    let scenario = Scenario::new();
    let known = scenario.client().await;
    let token = scenario.tokens(&known).await.access;
    let claims = crate::forged_token::decoded(&token).1;
    let issued = scenario.audit.events().pop().unwrap();
    assert_eq!(issued.token.as_deref(), claims["jti"].as_str());
    scenario.call_tool(&token, "move_files", json!({})).await.expect(403);
    let refused = scenario.audit.events().pop().unwrap();
    assert_eq!(refused.token.as_deref(), claims["jti"].as_str());
    assert_eq!((subject(&refused), client(&refused)), (Some("alice"), Some(&*known.id)));
}

#[tokio::test]
async fn co_05_a_denial_is_remembered() {
    let scenario = Scenario::new();
    let known = scenario.client().await;
    scenario.deny(&scenario.ask(&known.request()).await).await.location();
    let event = scenario.audit.events().pop().unwrap();
    assert_eq!(event.decision, Decision::ConsentDenied);
    assert_eq!((subject(&event), client(&event)), (Some("alice"), Some(&*known.id)));
}

#[tokio::test]
async fn co_05_a_replay_is_remembered_with_its_grant() {
    let scenario = Scenario::new();
    let known = scenario.client().await;
    let code = scenario.code(&known).await;
    scenario.redeem(&known, &code).await.expect(200);
    scenario.redeem(&known, &code).await.expect(400);
    let events = scenario.audit.events();
    let replayed = events.iter().find(|event| event.decision == Decision::GrantReplayed).unwrap();
    assert_eq!(client(replayed), Some(&*known.id));
    assert_eq!(replayed.grant, events[2].grant);
    assert_eq!(scenario.audit.names().last(), Some(&"code_replayed"));
}

#[tokio::test]
async fn co_05_every_refusal_is_remembered_once_with_its_reason() {
    let scenario = Scenario::new();
    let known = scenario.client().await;
    let request = known.request();
    scenario.get("/mcp").send().await;
    scenario.hello("no.good.token").await;
    scenario.register(&json!({})).await;
    scenario.authorize(&request.clone().with("client_id", "x")).await;
    scenario.authorize(&request.clone().with("scope", "bogus")).await;
    scenario.authorize(&request.clone().with("prompt", "none")).await;
    let login = scenario.authorize(&request).await;
    scenario.submit(&login, &[("username", "alice"), ("password", "wrong")]).await;
    scenario.submit(&login, &[("form_token", "x")]).await;
    scenario.post("/consent").send().await;
    scenario.redeem(&known, "x").await;
    scenario.token(&known, &redemption("x").without("code")).await;
    scenario.get("/dev/token?expires_in=x").send().await;
    let refusals = [
        "no_credentials",
        "invalid_token",
        "registration_redirect_uri",
        "authorization_unknown_client",
        "authorization_scope",
        "login_required",
        "login_wrong_credentials",
        "login_foreign_form",
        "consent_foreign_form",
        "code_unknown",
        "token_parameters",
        "dev_token_lifetime",
    ];
    assert_eq!(scenario.audit.names()[1..], refusals);
}

#[tokio::test]
async fn co_05_a_refusal_says_what_was_expected_and_what_came() {
    let scenario = Scenario::new();
    let token = scenario.dev_token(&[("audience", "https://other.example")]).await;
    scenario.hello(&token).await.expect(401);
    let Decision::Refused { reason, .. } = scenario.audit.events().pop().unwrap().decision else {
        panic!("not a refusal")
    };
    assert!(reason.contains("https://other.example"), "{reason}");
    assert!(reason.contains("http://localhost:8000/mcp"), "{reason}");
}

#[tokio::test]
async fn jv_18_no_secret_is_in_the_audit_log() {
    let scenario = Scenario::new();
    let method = json!({ "token_endpoint_auth_method": "client_secret_post" });
    let (known, thief) = (scenario.client_like(method).await, scenario.client().await);
    let login = scenario.authorize(&known.request()).await;
    let consent = scenario.log_in(&login).await;
    let code = scenario.approve(&consent).await.location().query.get("code").unwrap().to_owned();
    let tokens = scenario.redeem(&known, &code).await.expect(200).tokens();
    let refreshed = scenario.refresh(&known, &tokens.refresh).await.expect(200).tokens();
    scenario.call_tool(&tokens.access, "move_files", json!({})).await.expect(403);
    scenario.introspect(&known, &tokens.access).await.expect(200);
    scenario.revoke(&known, &tokens.access).await.expect(200);
    scenario.redeem(&known, &code).await.expect(400);
    scenario.refresh(&known, &refreshed.refresh).await.expect(400);
    scenario.call_tool(&refreshed.access, "move_files", json!({})).await.expect(401);
    scenario.revoke(&thief, &refreshed.refresh).await.expect(400);
    scenario.introspect(&thief, &refreshed.access).await.expect(401);
    let ended = scenario.tokens(&known).await;
    scenario.revoke(&known, &ended.refresh).await.expect(200);
    let log = format!("{:?}", scenario.audit.events());
    let form_tokens =
        [login, consent].map(|page| page.form().fields.get("form_token").unwrap().to_owned());
    let secrets = [
        known.secret.unwrap(),
        code,
        tokens.access,
        tokens.refresh,
        refreshed.access,
        refreshed.refresh,
        ended.access,
        ended.refresh,
        "password".to_owned(),
    ];
    for secret in secrets.iter().chain(&form_tokens).chain(&scenario.cookie_values()) {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}
