//! Clients that act for themselves (checklist 9: EX-01; 6: TK-23).

use std::collections::BTreeSet;

use mcp_oauth_core::domain::client::{ClientCredential, GrantType};
use serde_json::json;

use crate::forged_token::decoded;
use crate::parameters::Parameters;
use crate::scenario::Scenario;
use crate::steps::{REDIRECT_URI, client_metadata};

fn asking(more: &[(&str, &str)]) -> Parameters {
    let form = Parameters::new(&[("grant_type", "client_credentials")]);
    more.iter().fold(form, |form, (name, value)| form.and(name, value))
}

#[tokio::test]
async fn ex_01_a_machine_gets_an_access_token_and_no_refresh_token() {
    let scenario = Scenario::new();
    let machine = scenario.machine("mcp:tools offline_access").await;
    let answer = scenario.token(&machine, &asking(&[])).await.expect(200);
    let document = answer.json();
    let members: BTreeSet<_> = document.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, BTreeSet::from(["access_token", "expires_in", "scope", "token_type"]));
    assert_eq!(document["scope"], "mcp:tools");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    scenario.assert_accepted(&answer.access_token()).await;
}

#[tokio::test]
async fn tk_23_a_tool_can_tell_a_machine_from_a_person() {
    let scenario = Scenario::new();
    let (client, machine) = (scenario.client().await, scenario.machine("admin").await);
    let request = client.request().with("scope", "admin");
    let of_person = scenario.tokens_for(&client, &request).await.access;
    let of_machine = scenario.token(&machine, &asking(&[])).await.expect(200).access_token();
    let claims = decoded(&of_machine).1;
    assert_eq!(claims["sub"], format!("client:{}", machine.id));
    assert_eq!(claims["client_id"], machine.id);
    assert_eq!((claims.get("name"), claims.get("email")), (None, None));
    for (token, kind) in [(of_person, "kind: User"), (of_machine, "kind: Machine")] {
        let answer = scenario.call_tool(&token, "move_files", json!({})).await.expect(200);
        assert!(answer.tool_text().contains(kind), "{}", answer.tool_text());
    }
}

#[tokio::test]
async fn ex_01_who_registers_itself_does_not_get_the_grant() {
    let scenario = Scenario::new();
    let metadata = json!({
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code", "client_credentials"],
    });
    let client = scenario.client_like(metadata.clone()).await;
    let mut asked = client_metadata();
    asked["grant_types"] = metadata["grant_types"].clone();
    let registered = scenario.register(&asked).await.expect(201).json();
    assert_eq!(registered["grant_types"], json!(["authorization_code"]));
    scenario.token(&client, &asking(&[])).await.refused(400, "unauthorized_client");
    assert!(!scenario.store.writes().contains(&"begin_without_code"));
}

#[tokio::test]
async fn ex_01_a_public_client_gets_nothing_even_if_the_operator_says_so() {
    let scenario = Scenario::new();
    let machine = scenario.machine("mcp:tools").await;
    scenario
        .changed_by_operator(&machine, |stored| stored.credential = ClientCredential::Public)
        .await;
    let form = asking(&[("client_id", &machine.id)]);
    scenario.post("/token").form(&form).send().await.refused(400, "unauthorized_client");
    assert!(!scenario.store.writes().contains(&"begin_without_code"));
}

#[tokio::test]
async fn ex_01_a_machine_has_to_prove_who_it_is() {
    let scenario = Scenario::new();
    let machine = scenario.machine("mcp:tools").await;
    let form = asking(&[("client_id", &machine.id)]);
    scenario.post("/token").form(&form).send().await.refused(401, "invalid_client");
    let wrong = form.with("client_secret", "wrong");
    scenario.post("/token").form(&wrong).send().await.refused(401, "invalid_client");
    assert!(!scenario.store.writes().contains(&"begin_without_code"));
}

#[tokio::test]
async fn ex_01_a_machine_gets_no_more_than_it_was_given() {
    let scenario = Scenario::new();
    let machine = scenario.machine("mcp:tools files:read").await;
    for scope in ["admin", "mcp:tools files:write", "offline_access", "\"", "bogus"] {
        let answer = scenario.token(&machine, &asking(&[("scope", scope)])).await;
        answer.refused(400, "invalid_scope");
    }
    let elsewhere = asking(&[("resource", "https://other.example/mcp")]);
    scenario.token(&machine, &elsewhere).await.refused(400, "invalid_target");
    assert!(!scenario.store.writes().contains(&"begin_without_code"));
    let less = asking(&[("scope", "files:read"), ("resource", "http://localhost:8000/mcp")]);
    let answer = scenario.token(&machine, &less).await.expect(200);
    assert_eq!(answer.json()["scope"], "files:read");
    scenario.hello(&answer.access_token()).await.refused(403, "insufficient_scope");
}

#[tokio::test]
async fn ex_01_a_machine_has_no_other_grant() {
    let scenario = Scenario::new();
    let machine = scenario.machine("mcp:tools").await;
    for grant in [GrantType::AuthorizationCode, GrantType::RefreshToken] {
        let form = Parameters::new(&[("grant_type", grant.as_str())]);
        scenario.token(&machine, &form).await.refused(400, "unauthorized_client");
    }
    let request = machine.request().with("redirect_uri", REDIRECT_URI);
    scenario.authorize(&request).await.refused_on_a_page(400);
}

#[tokio::test]
async fn ex_01_a_machine_is_told_where_it_returns_to_that_it_gets_no_code() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let for_itself_only = |stored: &mut mcp_oauth_core::domain::client::Client| {
        stored.metadata.grant_types = vec![GrantType::ClientCredentials];
    };
    scenario.changed_by_operator(&client, for_itself_only).await;
    let back = scenario.authorize(&client.request()).await.location();
    assert_eq!(back.address, client.redirect_uri);
    assert_eq!(back.query.get("error"), Some("unauthorized_client"));
    assert_eq!(scenario.audit.names().last(), Some(&"authorization_grant_type"));
}

#[tokio::test]
async fn rv_01_a_machine_ends_one_of_its_tokens_alone() {
    let scenario = Scenario::new();
    let machine = scenario.machine("mcp:tools").await;
    let first = scenario.token(&machine, &asking(&[])).await.expect(200).access_token();
    let second = scenario.token(&machine, &asking(&[])).await.expect(200).access_token();
    scenario.revoke(&machine, &first).await.expect(200);
    scenario.assert_refused(&first).await;
    scenario.assert_accepted(&second).await;
}

#[tokio::test]
async fn md_09_a_way_for_machines_to_prove_themselves_is_announced() {
    let scenario = Scenario::new();
    for path in ["oauth-authorization-server", "openid-configuration"] {
        let document = scenario.get(&format!("/.well-known/{path}")).send().await.json();
        let names = |member: &str| document[member].as_array().cloned().unwrap_or_default();
        assert!(names("grant_types_supported").contains(&json!("client_credentials")));
        let methods = names("token_endpoint_auth_methods_supported");
        assert!(methods.contains(&json!("client_secret_basic")));
        let signs = methods.contains(&json!("private_key_jwt"));
        let algorithms = names("token_endpoint_auth_signing_alg_values_supported");
        assert_eq!(signs, !algorithms.is_empty());
    }
}
