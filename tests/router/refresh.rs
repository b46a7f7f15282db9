//! Getting a new access token (checklist 7: RF-01, 03, 05 to 09).

use serde_json::json;

use crate::forged_token::decoded;
use crate::parameters::Parameters;
use crate::scenario::Scenario;
use crate::steps::{basic, refreshing};

const DAY: i64 = 24 * 3600;

#[tokio::test]
async fn rf_01_every_refresh_gives_another_token_of_each_kind() {
    let scenario = Scenario::new();
    let public = scenario.client().await;
    let method = json!({ "token_endpoint_auth_method": "client_secret_basic" });
    let confidential = scenario.client_like(method).await;
    for client in [public, confidential] {
        let first = scenario.tokens(&client).await;
        let second = scenario.refresh(&client, &first.refresh).await.expect(200).tokens();
        let third = scenario.refresh(&client, &second.refresh).await.expect(200).tokens();
        assert_ne!(first.refresh, second.refresh);
        assert_ne!(second.refresh, third.refresh);
        scenario.assert_accepted(&third.access).await;
    }
}

#[tokio::test]
async fn rf_01_a_refreshed_token_says_the_same_of_the_same_person() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let first = scenario.tokens(&client).await;
    scenario.clock.advance(1000);
    let second = scenario.refresh(&client, &first.refresh).await.expect(200).tokens();
    let (before, after) = (decoded(&first.access).1, decoded(&second.access).1);
    for claim in ["iss", "sub", "aud", "client_id", "scope"] {
        assert_eq!(before[claim], after[claim], "{claim}");
    }
    assert_eq!(after["iat"].as_i64().unwrap() - before["iat"].as_i64().unwrap(), 1000);
    assert_ne!(before["jti"], after["jti"]);
}

#[tokio::test]
async fn rf_05_a_refresh_token_of_another_client_is_worthless() {
    let scenario = Scenario::new();
    let (client, thief) = (scenario.client().await, scenario.client().await);
    let tokens = scenario.tokens(&client).await;
    scenario.refresh(&thief, &tokens.refresh).await.refused(400, "invalid_grant");
    scenario.refresh(&client, "unknown").await.refused(400, "invalid_grant");
    scenario.refresh(&client, &tokens.access).await.refused(400, "invalid_grant");
    scenario.refresh(&client, &tokens.refresh).await.expect(200);
}

#[tokio::test]
async fn rf_06_no_refresh_gives_more_than_was_consented_to() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let request = client.request().with("scope", "mcp:tools files:read");
    let tokens = scenario.tokens_for(&client, &request).await;
    for scope in ["admin", "mcp:tools files:write", "bogus", "offline_access", "\"", "é"] {
        let form = refreshing(&tokens.refresh).with("scope", scope);
        scenario.token(&client, &form).await.refused(400, "invalid_scope");
    }
    for resource in ["https://other.example/mcp", "http://localhost:8000/mcp/sse", "mcp"] {
        let form = refreshing(&tokens.refresh).with("resource", resource);
        scenario.token(&client, &form).await.refused(400, "invalid_target");
    }
    assert!(!scenario.store.writes().contains(&"rotate"));
    scenario.refresh(&client, &tokens.refresh).await.expect(200);
}

#[tokio::test]
async fn rf_06_a_refresh_may_ask_for_less_and_the_next_for_all_again() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let request = client.request().with("scope", "mcp:tools files:read offline_access");
    let tokens = scenario.tokens_for(&client, &request).await;
    let less = refreshing(&tokens.refresh).with("scope", "files:read");
    let less = scenario.token(&client, &less).await.expect(200);
    assert_eq!(less.json()["scope"], "files:read");
    let all = scenario.refresh(&client, &less.tokens().refresh).await.expect(200);
    assert_eq!(all.json()["scope"], "files:read mcp:tools");
}

#[tokio::test]
async fn rf_06_the_resource_of_a_refresh_may_be_named() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let tokens = scenario.tokens(&client).await;
    let form = refreshing(&tokens.refresh).with("resource", "HTTP://LOCALHOST:8000/mcp");
    let refreshed = scenario.token(&client, &form).await.expect(200).tokens();
    assert_eq!(decoded(&refreshed.access).1["aud"], "http://localhost:8000/mcp");
}

#[tokio::test]
async fn rf_07_the_refresh_token_of_a_client_that_is_gone_is_worthless() {
    use mcp_oauth_core::domain::client::ClientId;
    use mcp_oauth_core::port::ClientRegistry;
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let tokens = scenario.tokens(&client).await;
    assert!(scenario.store.delete(&ClientId::new(&client.id)).await.unwrap());
    scenario.refresh(&client, &tokens.refresh).await.refused(401, "invalid_client");
}

#[tokio::test]
async fn rf_08_a_refresh_token_unused_for_a_month_is_dead() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let (used, unused) = (scenario.tokens(&client).await, scenario.tokens(&client).await);
    scenario.clock.advance(30 * DAY - 1);
    scenario.refresh(&client, &used.refresh).await.expect(200);
    scenario.clock.advance(1);
    scenario.refresh(&client, &unused.refresh).await.refused(400, "invalid_grant");
    assert!(!scenario.audit.names().contains(&"grant_replayed"));
}

#[tokio::test]
async fn rf_08_no_refresh_outlives_the_consent_by_more_than_three_months() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let mut token = scenario.tokens(&client).await.refresh;
    for _ in 0..4 {
        scenario.clock.advance(22 * DAY);
        token = scenario.refresh(&client, &token).await.expect(200).tokens().refresh;
    }
    scenario.clock.advance(2 * DAY - 1);
    token = scenario.refresh(&client, &token).await.expect(200).tokens().refresh;
    scenario.clock.advance(1);
    scenario.refresh(&client, &token).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn rf_09_a_client_with_a_secret_refreshes_with_it() {
    let scenario = Scenario::new();
    let method = json!({ "token_endpoint_auth_method": "client_secret_basic" });
    let client = scenario.client_like(method).await;
    let tokens = scenario.tokens(&client).await;
    let form = refreshing(&tokens.refresh);
    let unproven = scenario.post("/token").form(&form.clone().with("client_id", &client.id));
    unproven.send().await.refused(401, "invalid_client");
    let wrong =
        scenario.post("/token").form(&form).header("authorization", &basic(&client.id, "x"));
    wrong.send().await.refused(401, "invalid_client");
    let anonymous = scenario.post("/token").form(&form);
    anonymous.send().await.refused(400, "invalid_request");
    scenario.refresh(&client, &tokens.refresh).await.expect(200);
}

#[tokio::test]
async fn rf_09_a_refresh_without_a_refresh_token_is_an_invalid_request() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let form = Parameters::new(&[("grant_type", "refresh_token")]);
    scenario.token(&client, &form).await.refused(400, "invalid_request");
}

#[tokio::test]
async fn rg_10_the_last_use_of_a_client_is_that_of_its_last_token() {
    use mcp_oauth_core::domain::client::ClientId;
    use mcp_oauth_core::port::ClientRegistry;
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let last_use = || async {
        let found = ClientRegistry::find(&*scenario.store, &ClientId::new(&*client.id)).await;
        found.unwrap().unwrap().last_used_at.map(|used| used.as_unix())
    };
    let code = scenario.code(&client).await;
    assert_eq!(last_use().await, None);
    let tokens = scenario.redeem(&client, &code).await.expect(200).tokens();
    assert_eq!(last_use().await, Some(scenario.clock.seconds()));
    scenario.clock.advance(DAY);
    scenario.refresh(&client, "unknown").await.refused(400, "invalid_grant");
    assert_eq!(last_use().await, Some(scenario.clock.seconds() - DAY));
    scenario.refresh(&client, &tokens.refresh).await.expect(200);
    assert_eq!(last_use().await, Some(scenario.clock.seconds()));
}
