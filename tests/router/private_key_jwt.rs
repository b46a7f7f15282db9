//! Clients that authenticate with a signature (checklist 9: EX-02; 8: CI-17).

use std::sync::Arc;

use jsonwebtoken::{Algorithm, EncodingKey};
use mcp_oauth_core::domain::client_document_policy::ClientDocumentPolicy;
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::port::SigningKeys;
use mcp_oauth_issuer::RsaKey;
use mcp_oauth_memory::MemoryStore;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::forged_token::{ForgedToken, encoding_key};
use crate::parameters::Parameters;
use crate::scenario::{LOCAL, Scenario, Setup, local_issuer};
use crate::steps::{Client, REDIRECT_URI, redemption, refreshing};
use crate::world::{NOW, SettableClock, other_key, own_key};

const URL: &str = "https://client.example/client.json";
const KEYS: &str = "https://client.example/keys";
const JWT: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The key set of a key's owner.
pub(crate) async fn jwks(key: &RsaKey) -> Value {
    let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(SettableClock::new()));
    let owner = local_issuer(Issuer::new("x"), store, &clock).with_key(key.clone());
    json!(owner.published().await.unwrap())
}

/// A client that registered with its keys.
async fn registered(scenario: &Scenario) -> Client {
    let keys = jwks(other_key()).await;
    let metadata = json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": keys });
    scenario.client_like(metadata).await
}

/// A client whose document says where its keys are.
async fn documented(scenario: &Scenario) -> Client {
    let document = json!({
        "client_id": URL,
        "client_name": "ChatGPT",
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
        "token_endpoint_auth_signing_alg": "RS256",
        "jwks_uri": KEYS,
    });
    scenario.published.publish(URL, document);
    scenario.published.publish(KEYS, jwks(other_key()).await);
    Client {
        id: URL.to_owned(),
        secret: None,
        method: "private_key_jwt".to_owned(),
        redirect_uri: REDIRECT_URI.to_owned(),
    }
}

/// What a client would sign.
fn assertion(client: &Client, token_id: &str) -> ForgedToken {
    ForgedToken::good()
        .header("typ", "JWT")
        .header("kid", other_key().key_id())
        .claim("iss", client.id.as_str())
        .claim("sub", client.id.as_str())
        .claim("aud", LOCAL)
        .claim("exp", NOW + 60)
        .claim("jti", token_id)
}

fn signed(assertion: &ForgedToken) -> String {
    assertion.signed_by(&encoding_key(other_key()), Algorithm::RS256)
}

/// A form with an assertion, and nothing else that names the client.
fn with_assertion(form: Parameters, assertion: &str) -> Parameters {
    form.with("client_assertion_type", JWT).with("client_assertion", assertion)
}

async fn sent(scenario: &Scenario, form: Parameters, assertion: &str) -> Answer {
    scenario.post("/token").form(&with_assertion(form, assertion)).send().await
}

/// Asserts that an assertion is refused and that the code stays good.
async fn assert_refused(scenario: &Scenario, code: &str, assertion: &str) {
    sent(scenario, redemption(code), assertion).await.refused(401, "invalid_client");
}

#[tokio::test]
async fn ex_02_a_registered_client_authenticates_with_its_key() {
    let scenario = Scenario::new();
    let client = registered(&scenario).await;
    let code = scenario.code(&client).await;
    let once = signed(&assertion(&client, "1"));
    let tokens = sent(&scenario, redemption(&code), &once).await.expect(200).tokens();
    scenario.assert_accepted(&tokens.access).await;
    let again = signed(&assertion(&client, "2"));
    sent(&scenario, refreshing(&tokens.refresh), &again).await.expect(200);
}

#[tokio::test]
async fn ex_02_ci_17_a_documented_client_authenticates_with_a_key_it_publishes() {
    let scenario = Scenario::new();
    let client = documented(&scenario).await;
    let code = scenario.code(&client).await;
    let once = signed(&assertion(&client, "1"));
    sent(&scenario, redemption(&code), &once).await.expect(200);
    assert_eq!(scenario.published.asked().last().map(String::as_str), Some(KEYS));
    assert!(!scenario.store.writes().contains(&"touch"));
}

#[tokio::test]
async fn ex_02_an_assertion_counts_once() {
    let scenario = Scenario::new();
    let client = registered(&scenario).await;
    let (code, other_code) = (scenario.code(&client).await, scenario.code(&client).await);
    let once = signed(&assertion(&client, "1"));
    sent(&scenario, redemption(&code), &once).await.expect(200);
    assert_refused(&scenario, &other_code, &once).await;
    let same_id = signed(&assertion(&client, "1").claim("exp", NOW + 61));
    assert_refused(&scenario, &other_code, &same_id).await;
    assert_eq!(scenario.audit.names().last(), Some(&"client_assertion_replayed"));
    let other_id = signed(&assertion(&client, "2"));
    sent(&scenario, redemption(&other_code), &other_id).await.expect(200);
}

#[tokio::test]
async fn ex_02_an_assertion_that_says_anything_else_is_refused() {
    let scenario = Scenario::new();
    let client = registered(&scenario).await;
    let code = scenario.code(&client).await;
    let good = || assertion(&client, "1");
    for wrong in [
        good().claim("iss", "somebody"),
        good().claim("sub", "somebody"),
        good().claim("iss", "unknown").claim("sub", "unknown"),
        good().claim("aud", format!("{LOCAL}/token")),
        good().claim("aud", json!([LOCAL, "https://other.example"])),
        good().claim("aud", "https://other.example"),
        good().without_claim("aud"),
        good().without_claim("exp"),
        good().without_claim("jti"),
        good().claim("exp", NOW - 30),
        good().claim("exp", NOW + 631),
        good().claim("nbf", NOW + 31),
        good().claim("iat", NOW + 31),
        good().header("kid", "unknown"),
        good().header("kid", own_key().key_id()),
        good().header("alg", "PS256"),
        good().header("alg", "HS256"),
        good().header("crit", json!(["x"])),
    ] {
        assert_refused(&scenario, &code, &signed(&wrong)).await;
    }
    let unsigned = good().header("alg", "none").unsigned();
    let foreign = good().signed_by(&encoding_key(own_key()), Algorithm::RS256);
    let shared = EncodingKey::from_secret(b"secret");
    let shared = good().header("alg", "HS256").signed_by(&shared, Algorithm::HS256);
    for wrong in [unsigned, foreign, shared, "x".to_owned(), "a.b.c".to_owned()] {
        assert_refused(&scenario, &code, &wrong).await;
    }
    sent(&scenario, redemption(&code), &signed(&good())).await.expect(200);
}

#[tokio::test]
async fn ex_02_what_clients_do_differently_is_accepted() {
    let scenario = Scenario::new();
    let client = registered(&scenario).await;
    let good = |token_id: &str| assertion(&client, token_id);
    for (index, fine) in [
        good("1").claim("aud", format!("{LOCAL}/")),
        good("2").claim("aud", json!([LOCAL])),
        good("3").without_header("typ").without_header("kid"),
        good("4").header("typ", "client-authentication+jwt").without_claim("iat"),
        good("5").claim("nbf", NOW).claim("exp", NOW + 600),
    ]
    .iter()
    .enumerate()
    {
        let code = scenario.code(&client).await;
        let answer = sent(&scenario, redemption(&code), &signed(fine)).await;
        assert_eq!(answer.status.as_u16(), 200, "{index} {}", answer.body);
    }
}

#[tokio::test]
async fn tk_13_an_assertion_is_the_only_method_of_its_request() {
    let scenario = Scenario::new();
    let client = registered(&scenario).await;
    let code = scenario.code(&client).await;
    let once = signed(&assertion(&client, "1"));
    let form = with_assertion(redemption(&code), &once);
    let posted = form.clone().with("client_id", &client.id).with("client_secret", "x");
    scenario.post("/token").form(&posted).send().await.refused(400, "invalid_request");
    let basic = crate::steps::basic(&client.id, "x");
    let both = scenario.post("/token").form(&form).header("authorization", &basic);
    both.send().await.refused(400, "invalid_request");
    let query = Parameters::new(&[("client_assertion", &*once)]).encoded();
    let in_uri = scenario.post(&format!("/token?{query}")).form(&form);
    in_uri.send().await.refused(400, "invalid_request");
    for half in ["client_assertion", "client_assertion_type"] {
        let form = form.clone().without(half);
        scenario.post("/token").form(&form).send().await.refused(400, "invalid_request");
    }
    let other_type = form.clone().with("client_assertion_type", "urn:ietf:params:oauth:x");
    scenario.post("/token").form(&other_type).send().await.refused(401, "invalid_client");
    let other_client = form.clone().with("client_id", "somebody");
    scenario.post("/token").form(&other_client).send().await.refused(401, "invalid_client");
    let named = form.with("client_id", &client.id);
    scenario.post("/token").form(&named).send().await.expect(200);
}

#[tokio::test]
async fn ex_02_a_client_authenticates_as_it_said_it_would() {
    let scenario = Scenario::new();
    for client in [registered(&scenario).await, documented(&scenario).await] {
        let form = redemption("x").with("client_id", &client.id);
        for secret in [None, Some("x")] {
            let form =
                secret.map_or(form.clone(), |secret| form.clone().with("client_secret", secret));
            scenario.post("/token").form(&form).send().await.refused(401, "invalid_client");
        }
    }
    for method in ["none", "client_secret_basic", "client_secret_post"] {
        let metadata =
            json!({ "token_endpoint_auth_method": method, "jwks": jwks(other_key()).await });
        let client = scenario.client_like(metadata).await;
        assert_refused(&scenario, "x", &signed(&assertion(&client, "1"))).await;
    }
}

#[tokio::test]
async fn ci_17_a_key_that_was_published_since_is_fetched_once() {
    let scenario = Scenario::new();
    let client = documented(&scenario).await;
    let code = scenario.code(&client).await;
    scenario.published.publish(KEYS, jwks(own_key()).await);
    let fetches = || scenario.published.asked().iter().filter(|it| *it == KEYS).count();
    assert_refused(&scenario, &code, &signed(&assertion(&client, "1"))).await;
    assert_eq!(fetches(), 2);
    let rotated = assertion(&client, "2").header("kid", own_key().key_id());
    let rotated = rotated.signed_by(&encoding_key(own_key()), Algorithm::RS256);
    sent(&scenario, redemption(&code), &rotated).await.expect(200);
    assert_eq!(fetches(), 3);
    let wrong = assertion(&client, "3").header("kid", own_key().key_id());
    assert_refused(&scenario, &code, &signed(&wrong)).await;
    assert_eq!(fetches(), 4, "the key is known: nothing newer is asked for");
}

#[tokio::test]
async fn ci_18_keys_that_can_not_be_fetched_are_an_unknown_client() {
    let scenario = Scenario::new();
    let client = documented(&scenario).await;
    let code = scenario.code(&client).await;
    scenario.published.withdraw(KEYS);
    let once = signed(&assertion(&client, "1"));
    assert_refused(&scenario, &code, &once).await;
    assert_eq!(scenario.audit.names().last(), Some(&"client_document_unusable"));
    scenario.published.publish(KEYS, jwks(other_key()).await);
    sent(&scenario, redemption(&code), &once).await.expect(200);
}

#[tokio::test]
async fn ci_13_keys_are_fetched_from_nowhere_when_documents_are_off() {
    let documents = ClientDocumentPolicy::Off;
    let scenario = Scenario::of(Setup { documents, ..Setup::at(LOCAL) });
    let metadata = json!({
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": KEYS,
    });
    scenario.register(&metadata).await.refused(400, "invalid_client_metadata");
    registered(&scenario).await;
}

#[tokio::test]
async fn rg_03_keys_that_are_no_good_can_not_be_registered() {
    let scenario = Scenario::new();
    let mut leaked = jwks(other_key()).await;
    leaked["keys"][0]["d"] = json!("AQAB");
    let keys = jwks(other_key()).await;
    for members in [
        json!({}),
        json!({ "jwks": leaked }),
        json!({ "jwks": { "keys": [] } }),
        json!({ "jwks": keys, "jwks_uri": KEYS }),
        json!({ "jwks_uri": "http://client.example/keys" }),
        json!({ "jwks": keys, "token_endpoint_auth_signing_alg": "HS256" }),
    ] {
        let mut metadata = members.clone();
        metadata["redirect_uris"] = json!([REDIRECT_URI]);
        metadata["token_endpoint_auth_method"] = json!("private_key_jwt");
        let answer = scenario.register(&metadata).await;
        answer.refused(400, "invalid_client_metadata");
    }
}

#[tokio::test]
async fn rg_03_a_registration_repeats_the_keys_and_gives_no_secret() {
    let scenario = Scenario::new();
    let metadata = json!({
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "RS256",
        "jwks": jwks(other_key()).await,
    });
    let registered = scenario.register(&metadata).await.expect(201).json();
    for member in ["token_endpoint_auth_method", "token_endpoint_auth_signing_alg", "jwks"] {
        assert_eq!(registered[member], metadata[member], "{member}");
    }
    assert_eq!(registered.get("client_secret"), None);
    assert_eq!(registered.get("jwks_uri"), None);
}

#[tokio::test]
async fn md_08_rv_01_in_01_a_signature_counts_wherever_clients_authenticate() {
    let scenario = Scenario::new();
    for client in [registered(&scenario).await, documented(&scenario).await] {
        let code = scenario.code(&client).await;
        let once = signed(&assertion(&client, "1"));
        let token = sent(&scenario, redemption(&code), &once).await.expect(200).access_token();
        let about = Parameters::new(&[("token", &*token)]);
        let signed_form =
            |token_id| with_assertion(about.clone(), &signed(&assertion(&client, token_id)));
        let asked = scenario.post("/introspect").form(&signed_form("2")).send().await;
        assert_eq!(asked.expect(200).json()["active"], true);
        for path in ["/introspect", "/revoke"] {
            // Used up, wherever that was.
            let again = scenario.post(path).form(&signed_form("1")).send().await;
            again.refused(401, "invalid_client");
            let named = about.clone().with("client_id", &client.id);
            scenario.post(path).form(&named).send().await.refused(401, "invalid_client");
        }
        scenario.post("/revoke").form(&signed_form("3")).send().await.expect(200);
        scenario.assert_refused(&token).await;
    }
}

#[tokio::test]
async fn ex_02_only_the_algorithm_the_client_named_counts() {
    let scenario = Scenario::new();
    let mut keys = jwks(other_key()).await;
    keys["keys"][0].as_object_mut().unwrap().remove("alg");
    let metadata = json!({
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "PS256",
        "jwks": keys,
    });
    let client = scenario.client_like(metadata).await;
    let code = scenario.code(&client).await;
    assert_refused(&scenario, &code, &signed(&assertion(&client, "1"))).await;
    let pss = assertion(&client, "1").header("alg", "PS256");
    let pss = pss.signed_by(&encoding_key(other_key()), Algorithm::PS256);
    sent(&scenario, redemption(&code), &pss).await.expect(200);
}
