//! Tokens that end before their time (checklist 7: RV-01, RV-02).

use mcp_oauth_core::domain::audit::Decision;
use serde_json::json;

use crate::forged_token::decoded;
use crate::parameters::Parameters;
use crate::scenario::Scenario;

#[tokio::test]
async fn rv_01_a_revoked_refresh_token_ends_every_token_of_its_grant() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let (tokens, other) = (scenario.tokens(&client).await, scenario.tokens(&client).await);
    let refreshed = scenario.refresh(&client, &tokens.refresh).await.expect(200).tokens();
    let answer = scenario.revoke(&client, &refreshed.refresh).await.expect(200);
    assert_eq!(answer.json(), json!({}));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    for access in [&tokens.access, &refreshed.access] {
        assert!(scenario.assert_refused(access).await.contains("revoked"));
    }
    scenario.refresh(&client, &refreshed.refresh).await.refused(400, "invalid_grant");
    scenario.assert_accepted(&other.access).await;
    scenario.refresh(&client, &other.refresh).await.expect(200);
}

#[tokio::test]
async fn rv_01_a_refresh_token_that_was_rotated_ends_its_family_too() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let first = scenario.tokens(&client).await;
    let second = scenario.refresh(&client, &first.refresh).await.expect(200).tokens();
    scenario.clock.advance(31);
    scenario.revoke(&client, &first.refresh).await.expect(200);
    scenario.refresh(&client, &second.refresh).await.refused(400, "invalid_grant");
    scenario.assert_refused(&second.access).await;
    assert!(!scenario.audit.names().contains(&"grant_replayed"));
}

#[tokio::test]
async fn rv_01_a_revoked_access_token_ends_alone() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let (tokens, other) = (scenario.tokens(&client).await, scenario.tokens(&client).await);
    scenario.revoke(&client, &tokens.access).await.expect(200);
    scenario.assert_refused(&tokens.access).await;
    scenario.assert_accepted(&other.access).await;
    let refreshed = scenario.refresh(&client, &tokens.refresh).await.expect(200).tokens();
    scenario.assert_accepted(&refreshed.access).await;
    scenario.assert_refused(&tokens.access).await;
}

#[tokio::test]
async fn rv_01_a_revoked_token_opens_nothing_any_more() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let tokens = scenario.tokens(&client).await;
    let session = scenario.open_session(&tokens.access).await;
    let in_session = || {
        let call = scenario.session_call(&session, "hello", &json!({ "name": "x" }));
        call.bearer(&tokens.access).send()
    };
    in_session().await.expect(200);
    scenario.get("/userinfo").bearer(&tokens.access).send().await.expect(200);
    scenario.revoke(&client, &tokens.access).await.expect(200);
    in_session().await.expect(401);
    scenario.get("/userinfo").bearer(&tokens.access).send().await.expect(401);
    let refused = scenario.mcp(&json!({})).bearer(&tokens.access).send().await.expect(401);
    assert_eq!(refused.challenge()["error"], "invalid_token");
}

#[tokio::test]
async fn rv_01_only_the_client_that_holds_a_token_ends_it() {
    let scenario = Scenario::new();
    let (client, thief) = (scenario.client().await, scenario.client().await);
    let tokens = scenario.tokens(&client).await;
    for token in [&tokens.refresh, &tokens.access] {
        scenario.revoke(&thief, token).await.refused(400, "invalid_grant");
    }
    let writes = scenario.store.writes();
    assert!(!writes.contains(&"revoke") && !writes.contains(&"revoke_token"), "{writes:?}");
    scenario.assert_accepted(&tokens.access).await;
    scenario.refresh(&client, &tokens.refresh).await.expect(200);
}

#[tokio::test]
async fn rv_01_a_client_with_a_secret_has_to_send_it() {
    let scenario = Scenario::new();
    let method = json!({ "token_endpoint_auth_method": "client_secret_post" });
    let client = scenario.client_like(method).await;
    let tokens = scenario.tokens(&client).await;
    let form = Parameters::new(&[("token", &tokens.refresh), ("client_id", &client.id)]);
    for wrong in [form.clone(), form.clone().with("client_secret", "wrong")] {
        scenario.post("/revoke").form(&wrong).send().await.refused(401, "invalid_client");
    }
    let unknown = form.clone().with("client_id", "unknown");
    scenario.post("/revoke").form(&unknown).send().await.refused(401, "invalid_client");
    let nobody = form.without("client_id");
    scenario.post("/revoke").form(&nobody).send().await.refused(400, "invalid_request");
    scenario.assert_accepted(&tokens.access).await;
    scenario.revoke(&client, &tokens.refresh).await.expect(200);
    scenario.assert_refused(&tokens.access).await;
}

#[tokio::test]
async fn rv_01_a_token_nobody_knows_or_that_ended_is_no_error() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let (ended, expired) = (scenario.tokens(&client).await, scenario.tokens(&client).await);
    scenario.revoke(&client, &ended.refresh).await.expect(200);
    scenario.clock.advance(2 * 3600);
    let before = (scenario.store.writes(), scenario.audit.names());
    let (forged, _) = expired.access.rsplit_once('.').unwrap();
    for token in ["unknown", "a.b.c", "\u{0}ü", forged, &ended.refresh, &expired.access] {
        assert_eq!(scenario.revoke(&client, token).await.expect(200).json(), json!({}));
    }
    assert_eq!((scenario.store.writes(), scenario.audit.names()), before);
    scenario.refresh(&client, &expired.refresh).await.expect(200);
}

#[tokio::test]
async fn rv_01_a_second_revocation_of_an_access_token_changes_nothing() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let tokens = scenario.tokens(&client).await;
    for _ in 0..2 {
        scenario.revoke(&client, &tokens.access).await.expect(200);
    }
    let count = |names: Vec<&str>, name| names.into_iter().filter(|known| *known == name).count();
    assert_eq!(count(scenario.store.writes(), "revoke_token"), 1);
    assert_eq!(count(scenario.audit.names(), "token_revoked"), 1);
    scenario.refresh(&client, &tokens.refresh).await.expect(200);
}

#[tokio::test]
async fn rv_02_a_wrong_hint_does_no_harm() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let tokens = scenario.tokens(&client).await;
    let hinted = [
        (&tokens.access, "refresh_token"),
        (&tokens.access, "bogus"),
        (&tokens.refresh, "access_token"),
    ];
    for (token, hint) in hinted {
        let form = Parameters::new(&[("token", token), ("token_type_hint", hint)]);
        scenario.revoke_with(&client, &form).await.expect(200);
        scenario.assert_refused(&tokens.access).await;
    }
    scenario.refresh(&client, &tokens.refresh).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn rv_01_a_request_without_one_token_is_refused() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let token = scenario.tokens(&client).await.refresh;
    let once = Parameters::new(&[("token", &token)]);
    for form in [once.clone().without("token"), once.clone().and("token", &token)] {
        scenario.revoke_with(&client, &form).await.refused(400, "invalid_request");
    }
    let in_uri = scenario.post(&format!("/revoke?{}", once.encoded()));
    let form = Parameters::new(&[("client_id", &client.id)]);
    in_uri.form(&form).send().await.refused(400, "invalid_request");
    scenario.refresh(&client, &token).await.expect(200);
}

#[tokio::test]
async fn co_05_what_was_revoked_is_remembered_with_whose_and_by_whom() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let tokens = scenario.tokens(&client).await;
    scenario.revoke(&client, &tokens.access).await.expect(200);
    scenario.revoke(&client, &tokens.refresh).await.expect(200);
    let claims = decoded(&tokens.access).1;
    let [token, grant] = &scenario.audit.events()[4..] else { panic!("two more events") };
    assert_eq!(
        (&token.decision, &grant.decision),
        (&Decision::TokenRevoked, &Decision::GrantRevoked)
    );
    assert_eq!(token.token.as_deref(), claims["jti"].as_str());
    for event in [token, grant] {
        assert_eq!(event.grant.as_ref().map(|id| id.as_str()), claims["grant_id"].as_str());
        assert_eq!(event.client.as_ref().map(|id| id.as_str()), Some(&*client.id));
        assert_eq!(event.subject.as_ref().map(|subject| subject.as_str()), Some("alice"));
    }
}

#[tokio::test]
async fn tk_11_a_secret_in_the_address_proves_nothing_where_tokens_are_revoked_and_asked_about() {
    let scenario = Scenario::new();
    let method = json!({ "token_endpoint_auth_method": "client_secret_post" });
    let client = scenario.client_like(method).await;
    let tokens = scenario.tokens(&client).await;
    let secret = Parameters::new(&[("client_secret", client.secret.as_deref().unwrap())]);
    let form = Parameters::new(&[("token", &tokens.access), ("client_id", &client.id)]);
    for path in ["/revoke", "/introspect"] {
        let call = scenario.post(&format!("{path}?{}", secret.encoded())).form(&form);
        call.send().await.refused(401, "invalid_client");
    }
    scenario.assert_accepted(&tokens.access).await;
}

#[tokio::test]
async fn tk_13_two_ways_of_proof_are_one_too_many_where_tokens_are_revoked_and_asked_about() {
    let scenario = Scenario::new();
    let method = json!({ "token_endpoint_auth_method": "client_secret_basic" });
    let client = scenario.client_like(method).await;
    let tokens = scenario.tokens(&client).await;
    let secret = client.secret.as_deref().unwrap();
    let form = Parameters::new(&[("token", &tokens.access), ("client_secret", secret)]);
    for path in ["/revoke", "/introspect"] {
        let call = scenario.post(path).form(&form);
        let call = call.header("authorization", &crate::steps::basic(&client.id, secret));
        call.send().await.refused(400, "invalid_request");
    }
    scenario.assert_accepted(&tokens.access).await;
}
