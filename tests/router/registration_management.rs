//! How a client looks after its own registration (RFC 7592, checklist RG-11).

use poem::http::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::private_key_jwt::jwks;
use crate::scenario::Scenario;
use crate::steps::client_metadata;
use crate::world::other_key;

/// A client that has just registered, and where it looks after that.
struct Registration {
    scenario: Scenario,
    told: Value,
}

impl Registration {
    async fn new() -> Self {
        let scenario = Scenario::new();
        let told = scenario.register(&client_metadata()).await.expect(201).json();
        Self { scenario, told }
    }

    fn token(&self) -> &str {
        self.told["registration_access_token"].as_str().unwrap()
    }

    fn path(&self) -> String {
        format!("/register/{}", self.told["client_id"].as_str().unwrap())
    }

    async fn read(&self) -> Answer {
        self.scenario.get(&self.path()).bearer(self.token()).send().await
    }

    async fn replace(&self, document: &Value) -> Answer {
        let call = self.scenario.call(Method::PUT, &self.path());
        call.bearer(self.token()).json(document).send().await
    }

    /// A whole document with one member of another value.
    fn with(&self, name: &str, value: Value) -> Value {
        let mut document = client_metadata();
        document["client_id"] = self.told["client_id"].clone();
        document[name] = value;
        document
    }
}

#[tokio::test]
async fn rg_11_a_client_sees_its_registration_and_not_its_secret() {
    let registration = Registration::new().await;
    let read = registration.read().await.expect(200);
    assert_eq!(read.header("cache-control"), Some("no-store"));
    let read = read.json();
    assert_eq!(read["client_id"], registration.told["client_id"]);
    assert_eq!(read["redirect_uris"], registration.told["redirect_uris"]);
    assert_eq!(read["client_secret"], Value::Null);
}

#[tokio::test]
async fn rg_11_another_token_or_none_is_401_also_for_a_client_that_is_gone() {
    let registration = Registration::new().await;
    for path in [registration.path(), "/register/gone".to_owned()] {
        let missing = registration.scenario.get(&path).send().await;
        assert_eq!(missing.status, 401);
        let wrong = registration.scenario.get(&path).bearer("wrong").send().await;
        assert!(wrong.header("www-authenticate").unwrap().contains("invalid_token"));
        wrong.refused(401, "invalid_token");
    }
}

#[tokio::test]
async fn rg_11_a_whole_document_takes_the_place_of_the_registration() {
    let registration = Registration::new().await;
    let renamed = registration.with("client_name", json!("Renamed"));
    registration.replace(&renamed).await.expect(200);
    assert_eq!(registration.read().await.json()["client_name"], "Renamed");
    let unnamed = registration.with("client_name", Value::Null);
    registration.replace(&unnamed).await.expect(200);
    assert_eq!(registration.read().await.json()["client_name"], Value::Null);
}

#[tokio::test]
async fn rg_11_a_document_that_is_not_the_clients_changes_nothing() {
    let registration = Registration::new().await;
    let before = registration.read().await.json();
    for (name, value) in [
        ("client_id", json!("another")),
        ("client_id", Value::Null),
        ("client_secret", json!("another")),
        ("registration_access_token", json!("x")),
        ("client_id_issued_at", json!(1)),
    ] {
        let document = registration.with(name, value);
        registration.replace(&document).await.refused(400, "invalid_request");
    }
    let bad = registration.with("redirect_uris", json!(["http://evil.example/cb"]));
    registration.replace(&bad).await.refused(400, "invalid_redirect_uri");
    assert_eq!(registration.read().await.json(), before);
}

#[tokio::test]
async fn rg_11_ex_02_a_client_changes_between_keys_and_a_secret() {
    let registration = Registration::new().await;
    let keys = jwks(other_key()).await;
    let method = |method: &str, jwks: &Value| {
        let mut document = registration.with("token_endpoint_auth_method", json!(method));
        document["jwks"] = jwks.clone();
        document
    };
    let replaced = registration.replace(&method("private_key_jwt", &keys)).await.expect(200).json();
    assert_eq!((&replaced["jwks"], &replaced["client_secret"]), (&keys, &Value::Null));
    assert_eq!(registration.read().await.json()["jwks"], keys);
    let mut leaked = keys.clone();
    leaked["keys"][0]["d"] = json!("AQAB");
    for bad in [Value::Null, leaked] {
        let answer = registration.replace(&method("private_key_jwt", &bad)).await;
        answer.refused(400, "invalid_client_metadata");
    }
    assert_eq!(registration.read().await.json()["jwks"], keys);
    let back = registration.replace(&method("client_secret_post", &keys)).await.expect(200).json();
    assert!(back["client_secret"].is_string(), "{back}");
    assert_eq!(back.get("jwks"), None);
}

#[tokio::test]
async fn rg_11_a_deleted_registration_is_gone() {
    let registration = Registration::new().await;
    let call = registration.scenario.call(Method::DELETE, &registration.path());
    let deleted = call.bearer(registration.token()).send().await;
    assert_eq!((deleted.status.as_u16(), deleted.body.as_str()), (204, ""));
    registration.read().await.refused(401, "invalid_token");
}
