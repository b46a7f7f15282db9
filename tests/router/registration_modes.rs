//! Who may register, and how many (checklist 8: RG-08, RG-09; 3: MD-11).

use mcp_oauth_core::domain::client::ClientId;
use mcp_oauth_core::domain::secret::InitialAccessToken;
use mcp_oauth_core::service::policy::{Policy, RegistrationMode};
use poem::http::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::scenario::{LOCAL, Scenario, Setup};
use crate::steps::{basic, client_metadata};

/// The tokens that the operator gave away.
const INVITATIONS: [&str; 2] = ["an-initial-access-token", "another.initial~access+token/=="];

fn deciding(decided: fn(&mut Policy)) -> Scenario {
    Scenario::of(Setup { decided, ..Setup::at(LOCAL) })
}

fn sharing() -> Scenario {
    deciding(|policy| policy.registration.share = true)
}

fn by_invitation() -> Scenario {
    deciding(|policy| {
        let tokens = INVITATIONS.map(|token| InitialAccessToken::presented(token).hash());
        policy.registration.mode = RegistrationMode::InitialAccessToken(tokens.into());
    })
}

fn closed() -> Scenario {
    deciding(|policy| policy.registration.mode = RegistrationMode::Off)
}

/// The usual metadata with one member of another value.
fn with(name: &str, value: Value) -> Value {
    let mut metadata = client_metadata();
    metadata[name] = value;
    metadata
}

async fn both_documents(scenario: &Scenario) -> [Value; 2] {
    let oauth = scenario.get("/.well-known/oauth-authorization-server").send().await.json();
    let openid = scenario.get("/.well-known/openid-configuration").send().await.json();
    [oauth, openid]
}

#[tokio::test]
async fn rg_08_public_clients_that_say_the_same_share_one_registration() {
    let scenario = sharing();
    let first = scenario.register(&client_metadata()).await.expect(201);
    assert_eq!(first.header("cache-control"), Some("no-store"));
    scenario.clock.advance(1000);
    let unheard = with("contacts", json!(["nobody@c.example"]));
    for metadata in [client_metadata(), unheard] {
        let again = scenario.register(&metadata).await.expect(201).json();
        assert_eq!(again, first.json());
    }
    let told = first.json();
    assert!(told["client_id"].as_str().unwrap().starts_with("mcp-"));
    let absent = [
        "registration_access_token",
        "registration_client_uri",
        "client_secret",
        "client_secret_expires_at",
    ];
    for name in absent {
        assert_eq!(told.get(name), None, "{name}");
    }
}

#[tokio::test]
async fn rg_08_public_clients_that_differ_in_anything_do_not_share() {
    let scenario = sharing();
    let mut ids = vec![scenario.client().await.id];
    for (name, value) in [
        ("client_name", json!("Test client ")),
        ("client_name", json!("Another")),
        ("redirect_uris", json!(["http://127.0.0.1:1/callback"])),
        ("grant_types", json!(["authorization_code"])),
        ("scope", json!("mcp:tools")),
        ("application_type", json!("native")),
        ("client_uri", json!("https://c.example")),
        ("software_id", json!("software")),
        ("software_version", json!("1")),
    ] {
        ids.push(scenario.client_like(json!({ name: value })).await.id);
    }
    // A blank that nobody sees is no difference.
    assert_eq!(ids.remove(1), ids[0]);
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[tokio::test]
async fn rg_08_a_client_with_a_secret_shares_nothing() {
    let scenario = sharing();
    let method = json!({ "token_endpoint_auth_method": "client_secret_basic" });
    let one = scenario.client_like(method.clone()).await;
    let other = scenario.client_like(method).await;
    assert_ne!(one.id, other.id);
    assert_ne!(one.secret, other.secret);
    let code = scenario.code(&one).await;
    scenario.redeem(&other, &code).await.refused(400, "invalid_grant");
    scenario.redeem(&one, &code).await.expect(200);
}

#[tokio::test]
async fn rg_08_nobody_changes_or_ends_a_shared_registration() {
    let scenario = sharing();
    let client = scenario.client().await;
    let path = format!("/register/{}", client.id);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let call = scenario.call(method, &path).json(&with("client_id", json!(client.id)));
        call.bearer(&client.id).send().await.refused(401, "invalid_token");
    }
    scenario.tokens(&client).await;
}

#[tokio::test]
async fn rg_08_who_shares_a_registration_shares_no_grant() {
    let scenario = sharing();
    let (mine, yours) = (scenario.client().await, scenario.client().await);
    assert_eq!(mine.id, yours.id);
    let (one, other) = (scenario.tokens(&mine).await, scenario.tokens(&yours).await);
    scenario.revoke(&mine, &one.refresh).await.expect(200);
    scenario.assert_refused(&one.access).await;
    scenario.assert_accepted(&other.access).await;
    scenario.refresh(&yours, &other.refresh).await.expect(200);
}

#[tokio::test]
async fn rg_08_as_many_clients_register_as_the_operator_allows() {
    let scenario = deciding(|policy| policy.registration.most_clients = 2);
    let (first, _) = (scenario.client().await, scenario.client().await);
    let full = scenario.register(&client_metadata()).await;
    full.refused(503, "temporarily_unavailable");
    assert_eq!(full.header("retry-after"), Some("3600"));
    assert_eq!(scenario.audit.names().last(), Some(&"registration_full"));
    let (client, manage) = (ClientId::new(&*first.id), &scenario.use_cases.client_administration);
    manage.delete(&client).await.unwrap();
    scenario.client().await;
}

async fn register_with(scenario: &Scenario, authorization: &str) -> Answer {
    let call = scenario.post("/register").json(&client_metadata());
    call.header("authorization", authorization).send().await
}

#[tokio::test]
async fn rg_09_without_a_token_of_the_operator_nobody_registers() {
    let scenario = by_invitation();
    for missing in [None, Some(basic("id", INVITATIONS[0])), Some(INVITATIONS[0].to_owned())] {
        let call = scenario.post("/register").json(&client_metadata());
        let call = missing.iter().fold(call, |call, header| call.header("authorization", header));
        let answer = call.send().await.expect(401);
        let challenge = answer.header("www-authenticate").unwrap();
        assert_eq!(challenge, "Bearer realm=\"registration\"");
        assert_eq!(answer.json().get("error"), None);
    }
    let in_body = with("initial_access_token", json!(INVITATIONS[0]));
    let path = format!("/register?access_token={}", INVITATIONS[0]);
    scenario.post(&path).json(&in_body).send().await.expect(401);
    assert_eq!(scenario.store.writes(), [""; 0]);
}

#[tokio::test]
async fn rg_09_a_wrong_token_is_401_whatever_is_to_be_registered() {
    let scenario = by_invitation();
    let registered = scenario.post("/register").json(&client_metadata()).bearer(INVITATIONS[0]);
    let registered = registered.send().await.expect(201).json();
    let writes = scenario.store.writes();
    let wrong = [
        "wrong",
        &INVITATIONS[0][1..],
        &INVITATIONS[0].to_uppercase(),
        &format!("{}x", INVITATIONS[0]),
        registered["registration_access_token"].as_str().unwrap(),
        &scenario.dev_token(&[]).await,
    ];
    for token in wrong {
        for metadata in [client_metadata(), json!({}), json!(7)] {
            let answer = scenario.post("/register").json(&metadata).bearer(token).send().await;
            answer.refused(401, "invalid_token");
            let challenge = answer.header("www-authenticate").unwrap();
            assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
        }
    }
    let twice = scenario.post("/register").json(&client_metadata()).bearer(INVITATIONS[0]);
    twice.bearer(INVITATIONS[0]).send().await.refused(400, "invalid_request");
    register_with(&scenario, "Bearer").await.refused(400, "invalid_request");
    assert_eq!(scenario.store.writes(), writes);
}

#[tokio::test]
async fn rg_09_with_a_token_of_the_operator_any_number_of_clients_register() {
    let scenario = by_invitation();
    for token in INVITATIONS {
        for scheme in ["Bearer", "bearer"] {
            register_with(&scenario, &format!("{scheme} {token}")).await.expect(201);
        }
        let bad = scenario.post("/register").json(&json!({})).bearer(token).send().await;
        bad.refused(400, "invalid_redirect_uri");
    }
    assert_eq!(scenario.store.writes(), ["register"; 4]);
    let log = format!("{:?}", scenario.audit.events());
    assert!(INVITATIONS.iter().all(|token| !log.contains(token)));
    for document in both_documents(&scenario).await {
        assert_eq!(document["registration_endpoint"], "http://localhost:8000/register");
    }
}

#[tokio::test]
async fn rg_09_a_token_of_the_operator_opens_nothing_else() {
    let scenario = by_invitation();
    let told = register_with(&scenario, &format!("Bearer {}", INVITATIONS[0])).await.json();
    let path = format!("/register/{}", told["client_id"].as_str().unwrap());
    scenario.get(&path).bearer(INVITATIONS[0]).send().await.refused(401, "invalid_token");
    scenario.hello(INVITATIONS[0]).await.refused(401, "invalid_token");
    let own = told["registration_access_token"].as_str().unwrap();
    scenario.get(&path).bearer(own).send().await.expect(200);
}

#[tokio::test]
async fn rg_09_switched_off_nobody_registers() {
    let scenario = closed();
    for metadata in [client_metadata(), json!({})] {
        let call = || scenario.post("/register").json(&metadata);
        call().send().await.refused(403, "access_denied");
        call().bearer(INVITATIONS[0]).send().await.refused(403, "access_denied");
    }
    assert_eq!(scenario.store.writes(), [""; 0]);
    assert_eq!(scenario.audit.names(), ["registration_off"; 4]);
}

#[tokio::test]
async fn md_11_switched_off_registration_is_not_announced() {
    let scenario = closed();
    for document in both_documents(&scenario).await {
        assert_eq!(document.get("registration_endpoint"), None);
        assert_eq!(document["token_endpoint"], "http://localhost:8000/token");
    }
    for document in both_documents(&Scenario::new()).await {
        assert_eq!(document["registration_endpoint"], "http://localhost:8000/register");
    }
}

#[tokio::test]
async fn md_13_switched_off_registration_is_not_documented() {
    let scenario = closed();
    for path in ["/openapi.json", "/docs"] {
        let body = scenario.get(path).send().await.expect(200).body;
        assert!(!body.contains("\"/register\""), "{path}");
    }
    let page = scenario.get("/").send().await.expect(200);
    assert!(!page.page().contains("it registers itself"));
}
