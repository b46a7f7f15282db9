//! How a client looks after its own registration (RFC 7592, checklist RG-11).

use mcp_oauth_core::domain::audit::Decision;
use mcp_oauth_core::domain::client::{self, ClientId};
use mcp_oauth_core::domain::secret::RegistrationToken;
use mcp_oauth_core::port::ClientRegistry;
use poem::http::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::parameters::Parameters;
use crate::private_key_jwt::jwks;
use crate::scenario::Scenario;
use crate::steps::{Client, REDIRECT_URI, client_metadata, redemption};
use crate::world::other_key;

/// A client that has just registered, and where it looks after that.
struct Registration {
    scenario: Scenario,
    told: Value,
}

impl Registration {
    async fn new() -> Self {
        Self::of(&client_metadata()).await
    }

    async fn of(metadata: &Value) -> Self {
        let scenario = Scenario::new();
        let told = scenario.register(metadata).await.expect(201).json();
        Self { scenario, told }
    }

    fn id(&self) -> &str {
        self.told["client_id"].as_str().unwrap()
    }

    /// The client, authenticated in some way.
    fn client(&self, method: &str, secret: Option<&str>) -> Client {
        Client {
            id: self.id().to_owned(),
            secret: secret.map(str::to_owned),
            method: method.to_owned(),
            redirect_uri: REDIRECT_URI.to_owned(),
        }
    }

    async fn stored(&self) -> Option<client::Client> {
        ClientRegistry::find(&*self.scenario.store, &ClientId::new(self.id())).await.unwrap()
    }

    async fn delete(&self, token: &str) -> Answer {
        self.scenario.call(Method::DELETE, &self.path()).bearer(token).send().await
    }

    fn token(&self) -> &str {
        self.told["registration_access_token"].as_str().unwrap()
    }

    fn path(&self) -> String {
        format!("/register/{}", self.id())
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
    let deleted = registration.delete(registration.token()).await;
    assert_eq!((deleted.status.as_u16(), deleted.body.as_str()), (204, ""));
    registration.read().await.refused(401, "invalid_token");
}

#[tokio::test]
async fn rg_11_the_token_of_one_client_is_none_of_another() {
    let registration = Registration::new().await;
    let scenario = &registration.scenario;
    let other = scenario.register(&client_metadata()).await.expect(201).json();
    let token = other["registration_access_token"].as_str().unwrap();
    assert_ne!(token, registration.token());
    let document = registration.with("client_name", json!("Renamed"));
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let call = scenario.call(method.clone(), &registration.path()).json(&document);
        call.send().await.expect(401);
        for wrong in [token, registration.id(), &registration.token()[1..]] {
            let call = scenario.call(method.clone(), &registration.path()).json(&document);
            call.bearer(wrong).send().await.refused(401, "invalid_token");
        }
        let twice = scenario.call(method, &registration.path()).json(&document);
        let twice = twice.bearer(registration.token()).bearer(registration.token());
        twice.send().await.refused(400, "invalid_request");
    }
    assert_eq!(registration.stored().await.unwrap().metadata.client_name.unwrap(), "Test client");
    assert_eq!(scenario.store.writes(), ["register", "register"]);
}

#[tokio::test]
async fn rg_11_the_token_is_kept_as_a_hash() {
    let registration = Registration::new().await;
    let stored = registration.stored().await.unwrap();
    let token = RegistrationToken::presented(registration.token());
    assert_eq!(stored.registration_token, Some(token.hash()));
    assert!(!format!("{stored:?}").contains(registration.token()));
}

#[tokio::test]
async fn rg_11_a_client_that_the_operator_made_is_nobodys_to_change() {
    let registration = Registration::new().await;
    let client = registration.client("none", None);
    let taken = |stored: &mut client::Client| stored.registration_token = None;
    registration.scenario.changed_by_operator(&client, taken).await;
    registration.read().await.refused(401, "invalid_token");
    registration.delete(registration.token()).await.refused(401, "invalid_token");
}

#[tokio::test]
async fn rg_11_a_change_gives_nobody_what_only_the_operator_gives() {
    let registration = Registration::new().await;
    let mut document = registration
        .with("grant_types", json!(["authorization_code", "refresh_token", "client_credentials"]));
    document["may_introspect"] = json!(true);
    let told = registration.replace(&document).await.expect(200).json();
    assert_eq!(told["grant_types"], json!(["authorization_code", "refresh_token"]));
    let stored = registration.stored().await.unwrap();
    assert_eq!(stored.origin, client::ClientOrigin::Registered);
    assert!(!stored.may_introspect);
    let form = Parameters::new(&[("grant_type", "client_credentials")]);
    let client = registration.client("none", None);
    registration.scenario.token(&client, &form).await.refused(400, "unauthorized_client");
}

#[tokio::test]
async fn rg_11_a_client_that_gets_a_secret_has_to_send_it() {
    let registration = Registration::new().await;
    let scenario = &registration.scenario;
    let method = registration.with("token_endpoint_auth_method", json!("client_secret_post"));
    let told = registration.replace(&method).await.expect(200).json();
    assert_eq!(told["client_secret_expires_at"], 0);
    let secret = told["client_secret"].as_str().unwrap();
    let code = scenario.code(&registration.client("client_secret_post", Some(secret))).await;
    let public = registration.client("none", None);
    scenario.token(&public, &redemption(&code)).await.refused(401, "invalid_client");
    let basic = registration.with("token_endpoint_auth_method", json!("client_secret_basic"));
    let again = registration.replace(&basic).await.expect(200).json();
    assert_eq!(again.get("client_secret"), None, "it is still the same");
    let client = registration.client("client_secret_basic", Some(secret));
    scenario.redeem(&client, &code).await.expect(200);
}

#[tokio::test]
async fn rg_11_with_a_registration_everything_that_was_granted_ends() {
    let registration = Registration::new().await;
    let scenario = &registration.scenario;
    let (client, other) = (registration.client("none", None), scenario.client().await);
    let (tokens, others) = (scenario.tokens(&client).await, scenario.tokens(&other).await);
    let code = scenario.code(&client).await;
    let consent = scenario.ask(&client.request()).await;
    registration.delete(registration.token()).await.expect(204);
    scenario.assert_refused(&tokens.access).await;
    scenario.refresh(&client, &tokens.refresh).await.refused(401, "invalid_client");
    scenario.redeem(&client, &code).await.refused(401, "invalid_client");
    scenario.approve(&consent).await.refused_on_a_page(400);
    registration.delete(registration.token()).await.refused(401, "invalid_token");
    scenario.assert_accepted(&others.access).await;
    scenario.refresh(&other, &others.refresh).await.expect(200);
}

#[tokio::test]
async fn co_05_what_became_of_a_registration_is_recorded() {
    let registration = Registration::new().await;
    registration.replace(&registration.with("client_name", json!("x"))).await.expect(200);
    registration.delete("wrong").await.expect(401);
    registration.delete(registration.token()).await.expect(204);
    let events = registration.scenario.audit.events();
    let is_this = |event: &mcp_oauth_core::domain::audit::AuditEvent| {
        event.client.as_ref().map(ClientId::as_str) == Some(registration.id())
    };
    assert!(events.iter().all(is_this));
    let [_, changed, _, deleted] = &events[..] else { panic!("{events:?}") };
    assert_eq!(changed.decision, Decision::ClientChanged);
    assert_eq!(deleted.decision, Decision::ClientDeleted);
    assert_eq!(registration.scenario.audit.names()[2], "management_wrong_token");
    assert!(!format!("{events:?}").contains(registration.token()));
}

#[tokio::test]
async fn rg_11_a_secret_may_be_repeated_and_not_replaced() {
    let mut metadata = client_metadata();
    metadata["token_endpoint_auth_method"] = json!("client_secret_post");
    let registration = Registration::of(&metadata).await;
    let mut document = registration.with("client_name", json!("Renamed"));
    document["token_endpoint_auth_method"] = json!("client_secret_post");
    for wrong in ["chosen", registration.token()] {
        document["client_secret"] = json!(wrong);
        registration.replace(&document).await.refused(400, "invalid_request");
    }
    assert_eq!(registration.read().await.json()["client_name"], "Test client");
    document["client_secret"] = registration.told["client_secret"].clone();
    registration.replace(&document).await.expect(200);
    let secret = registration.told["client_secret"].as_str();
    registration.scenario.tokens(&registration.client("client_secret_post", secret)).await;
}
