//! People log in at the provider.

use std::sync::Arc;

use mcp_oauth_core::domain::provider_login::{
    LoginSecrets, ProviderAnswer, ProviderRequest, code_challenge,
};
use mcp_oauth_core::domain::resource::ResourceUri;
use mcp_oauth_core::domain::secret::{LoginCookie, ProviderState};
use mcp_oauth_core::port::{CameBack, IdentityProvider, ProviderError};
use mcp_oauth_identity::{OidcProvider, ProviderClient, ProviderConfig, ResourceForwarding};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use url::Url;

use crate::fake_provider::{KEYS, Reply, TOKEN};
use crate::signing::TestKey;
use crate::world::{CLIENT, RESOURCE, SECRET, World, changed};

const CALLBACK: &str = "https://mcp.example/callback/work";
const CODE: &str = "the-providers-code";

fn secrets() -> LoginSecrets {
    LoginSecrets::new(LoginCookie::presented("cookie"), ProviderState::presented("our-state"))
}

fn provider(world: &World, config: ProviderConfig) -> OidcProvider {
    OidcProvider::new(world.documents(config)).unwrap()
}

fn id_claims(world: &World, changes: Value) -> Value {
    let nonce = secrets().nonce().expose_secret().to_owned();
    let claims = json!({
        "iss": world.provider.issuer, "sub": "user-1", "aud": CLIENT, "nonce": nonce,
        "iat": world.now(), "exp": world.now() + 300, "name": "Alice", "groups": ["staff"],
        "email": "alice@example.com", "email_verified": true, "updated_at": "2026-01-01T00:00:00.000Z",
    });
    changed(claims, changes)
}

/// The provider redeems the code for this ID token.
fn redeems(world: &World, id_token: &str) {
    world.provider.will(
        TOKEN,
        Reply::Json(
            200,
            json!({
                "access_token": "provider-access-token", "token_type": "Bearer", "expires_in": 60,
                "refresh_token": "provider-refresh-token", "id_token": id_token,
            }),
        ),
    );
}

fn answer(issuer: Option<&str>) -> ProviderAnswer {
    ProviderAnswer {
        code: CODE.into(),
        issuer: issuer.map(str::to_owned),
        redirect_uri: CALLBACK.to_owned(),
        secrets: secrets(),
        login_again: false,
        resource: ResourceUri::parse(RESOURCE).unwrap(),
    }
}

async fn came_back(world: &World) -> Result<CameBack, ProviderError> {
    provider(world, world.config()).who_came_back(&answer(None)).await
}

async fn came_back_with(world: &World, id_token: &str) -> Result<CameBack, ProviderError> {
    redeems(world, id_token);
    came_back(world).await
}

async fn address(world: &World, config: ProviderConfig, login_again: bool) -> Url {
    let resource = ResourceUri::parse(RESOURCE).unwrap();
    let redirect_uri = CALLBACK.to_owned();
    let request = ProviderRequest { redirect_uri, secrets: secrets(), login_again, resource };
    Url::parse(&provider(world, config).login_address(&request).await.unwrap()).unwrap()
}

fn parameter(address: &Url, name: &str) -> Option<String> {
    let mut values = address.query_pairs().filter(|(found, _)| found == name);
    let value = values.next().map(|(_, value)| value.into_owned());
    assert_eq!(values.next(), None, "{name} twice");
    value
}

fn assert_refused(outcome: &Result<CameBack, ProviderError>, why: &str) {
    match outcome {
        Err(ProviderError::Refused(reason)) => assert!(reason.contains(why), "{reason}"),
        other => panic!("{other:?}, expected {why:?}"),
    }
}

#[tokio::test]
async fn up_01_people_are_sent_with_state_nonce_and_challenge_of_ours() {
    let world = World::new().await;
    let address = address(&world, world.config(), false).await;
    assert!(address.as_str().starts_with(&format!("{}/authorize?", world.provider.issuer)));
    let challenge = code_challenge(secrets().code_verifier().expose_secret());
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", CALLBACK),
        ("scope", "openid profile email"),
        ("state", "our-state"),
        ("nonce", secrets().nonce().expose_secret()),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(parameter(&address, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(parameter(&address, "prompt"), None);
}

#[tokio::test]
async fn up_06_the_resource_is_not_sent_on_unless_told() {
    let world = World::new().await;
    let sent = async |resource_forwarding| {
        let config = ProviderConfig { resource_forwarding, ..world.config() };
        let address = address(&world, config, false).await;
        (parameter(&address, "resource"), parameter(&address, "audience"))
    };
    let resource = || Some(RESOURCE.to_owned());
    assert_eq!(sent(ResourceForwarding::None).await, (None, None));
    assert_eq!(sent(ResourceForwarding::Resource).await, (resource(), None));
    assert_eq!(sent(ResourceForwarding::Audience).await, (None, resource()));
}

#[tokio::test]
async fn a_person_can_be_made_to_log_in_anew_and_parameters_added() {
    let world = World::new().await;
    let authorize_parameters = vec![("hd".to_owned(), "example.com".to_owned())];
    let config = ProviderConfig { authorize_parameters, ..world.config() };
    let address = address(&world, config, true).await;
    assert_eq!(parameter(&address, "prompt").as_deref(), Some("login"));
    assert_eq!(parameter(&address, "max_age").as_deref(), Some("0"));
    assert_eq!(parameter(&address, "hd").as_deref(), Some("example.com"));
}

#[tokio::test]
async fn up_01_a_parameter_of_ours_takes_the_place_of_the_operators() {
    let world = World::new().await;
    let set = |name: &str| (name.to_owned(), "set".to_owned());
    let config = |resource_forwarding| ProviderConfig {
        authorize_parameters: ["prompt", "max_age", "resource", "audience"].map(set).to_vec(),
        resource_forwarding,
        ..world.config()
    };
    let anew = address(&world, config(ResourceForwarding::Resource), true).await;
    for (name, value) in
        [("prompt", "login"), ("max_age", "0"), ("resource", RESOURCE), ("audience", "set")]
    {
        assert_eq!(parameter(&anew, name).as_deref(), Some(value), "{name}");
    }
    let usual = address(&world, config(ResourceForwarding::Audience), false).await;
    for (name, value) in
        [("prompt", "set"), ("max_age", "set"), ("resource", "set"), ("audience", RESOURCE)]
    {
        assert_eq!(parameter(&usual, name).as_deref(), Some(value), "{name}");
    }
}

#[tokio::test]
async fn who_logged_in_is_told_by_the_id_token() {
    let world = World::new().await;
    let id_token = world.key.id_token(&id_claims(&world, json!({ "org": "x" })));
    let CameBack { identity, tokens } = came_back_with(&world, &id_token).await.unwrap();
    assert_eq!(identity.subject.as_str(), "user-1");
    assert_eq!(identity.issuer.as_str(), world.provider.issuer);
    assert_eq!(identity.name.as_deref(), Some("Alice"));
    assert_eq!(identity.verified_email.as_deref(), Some("alice@example.com"));
    assert!(identity.groups.contains("staff"));
    assert_eq!(identity.claims["org"], "x");
    assert_eq!(tokens.access_token.expose_secret(), "provider-access-token");
    assert_eq!(tokens.expires_at.unwrap().as_unix(), world.now() + 60);
    let [request] = <[_; 1]>::try_from(world.provider.requests(TOKEN)).unwrap();
    assert_eq!(request.form["code"], CODE);
    assert_eq!(request.form["redirect_uri"], CALLBACK);
    assert_eq!(request.form["code_verifier"], secrets().code_verifier().expose_secret());
    assert!(request.head.contains("authorization: Basic b3VyLWNsaWVudDp0aGUtY2xpZW50LXNlY3JldA=="));
    assert!(!request.form.contains_key("resource"));
}

#[tokio::test]
async fn the_client_authenticates_as_the_provider_wants() {
    let world = World::new().await;
    redeems(&world, &world.key.id_token(&id_claims(&world, json!({}))));
    let methods = json!(["client_secret_post"]);
    world.provider.publishes(json!({ "token_endpoint_auth_methods_supported": methods }));
    came_back(&world).await.unwrap();
    let client = ProviderClient { client_id: CLIENT.to_owned(), client_secret: None };
    let public = ProviderConfig { client: Some(client), ..world.config() };
    provider(&world, public).who_came_back(&answer(None)).await.unwrap();
    let [posted, public] = <[_; 2]>::try_from(world.provider.requests(TOKEN)).unwrap();
    assert_eq!((&*posted.form["client_id"], &*posted.form["client_secret"]), (CLIENT, SECRET));
    assert_eq!(public.form["client_id"], CLIENT);
    assert!(!public.form.contains_key("client_secret"));
    for request in [posted, public] {
        assert!(!request.head.contains("authorization:"), "{}", request.head);
    }
}

#[tokio::test]
async fn up_02_an_id_token_that_breaks_a_rule_names_nobody() {
    let world = World::new().await;
    for (changes, why) in [
        (json!({ "nonce": "another" }), "nonce"),
        (json!({ "nonce": null }), "nonce"),
        (json!({ "iss": format!("{}/", world.provider.issuer) }), "issuer"),
        (json!({ "aud": "another-client" }), "another client"),
        (json!({ "aud": [CLIENT, "another"] }), "azp"),
        (json!({ "aud": [CLIENT, "another"], "azp": "another" }), "azp"),
        (json!({ "azp": "another" }), "azp"),
        (json!({ "exp": world.now() - 30 }), "expired"),
        (json!({ "iat": world.now() + 3600 }), "valid from"),
        (json!({ "sub": "" }), "sub"),
    ] {
        let id_token = world.key.id_token(&id_claims(&world, changes));
        assert_refused(&came_back_with(&world, &id_token).await, why);
    }
    let several = json!({ "aud": [CLIENT, "another"], "azp": CLIENT });
    let id_token = world.key.id_token(&id_claims(&world, several));
    came_back_with(&world, &id_token).await.unwrap();
}

#[tokio::test]
async fn up_02_an_id_token_counts_only_with_a_published_key_and_an_algorithm_of_the_policy() {
    let world = World::new().await;
    let claims = id_claims(&world, json!({}));
    for alg in ["none", "HS256"] {
        let id_token = world.key.token(json!({ "alg": alg }), &claims);
        assert_refused(&came_back_with(&world, &id_token).await, "algorithm");
    }
    assert_eq!(world.provider.count(KEYS), 0);
    let forged = TestKey::p256("one").id_token(&claims);
    assert_refused(&came_back_with(&world, &forged).await, "signature");
    let unknown = TestKey::p256("unknown").id_token(&claims);
    assert_refused(&came_back_with(&world, &unknown).await, "not published");
}

#[tokio::test]
async fn up_02_an_rsa_signature_counts_too() {
    let world = World::new().await;
    let key = TestKey::rsa("rsa");
    world.provider.has_keys(&[key.jwk()]);
    came_back_with(&world, &key.id_token(&id_claims(&world, json!({})))).await.unwrap();
}

#[tokio::test]
async fn up_03_the_code_of_another_issuers_answer_is_sent_to_nobody() {
    let world = World::new().await;
    redeems(&world, &world.key.id_token(&id_claims(&world, json!({}))));
    let come = async |issuer: Option<&str>| {
        provider(&world, world.config()).who_came_back(&answer(issuer)).await
    };
    assert_refused(&come(Some("https://other.example")).await, "iss parameter");
    assert_refused(&come(Some(&format!("{}/", world.provider.issuer))).await, "iss parameter");
    let promise = json!({ "authorization_response_iss_parameter_supported": true });
    world.provider.publishes(promise);
    assert_refused(&come(None).await, "missing although");
    assert_eq!(world.provider.count(TOKEN), 0);
    come(Some(&world.provider.issuer)).await.unwrap();
}

#[tokio::test]
async fn up_09_an_address_nobody_verified_is_not_told() {
    let world = World::new().await;
    for unverified in [json!(false), json!(null), json!("true")] {
        let claims = id_claims(&world, json!({ "email_verified": unverified }));
        let came_back = came_back_with(&world, &world.key.id_token(&claims)).await.unwrap();
        assert_eq!(came_back.identity.verified_email, None);
    }
}

#[tokio::test]
async fn up_02_who_had_to_log_in_anew_is_refused_with_an_old_login() {
    let world = World::new().await;
    let come = async |login_again: bool, auth_time: Value| {
        redeems(&world, &world.key.id_token(&id_claims(&world, json!({ "auth_time": auth_time }))));
        let answer = ProviderAnswer { login_again, ..answer(None) };
        provider(&world, world.config()).who_came_back(&answer).await
    };
    let old = json!(world.now() - 3600);
    assert_refused(&come(true, old.clone()).await, "logged in at");
    come(false, old).await.unwrap();
    come(true, json!(world.now() - 60)).await.unwrap();
    come(true, Value::Null).await.unwrap();
}

#[tokio::test]
async fn a_token_endpoint_that_refuses_is_told_from_one_that_does_not_answer() {
    let world = World::new().await;
    let error =
        json!({ "error": "invalid_grant", "error_description": format!("{CODE} {SECRET}") });
    world.provider.will(TOKEN, Reply::Json(400, error));
    assert_refused(&came_back(&world).await, "says invalid_grant");
    world.provider.will(TOKEN, Reply::Json(400, json!({ "error": SECRET })));
    assert_refused(&came_back(&world).await, "without a plain code");
    let html = Reply::Text("200", "content-type: text/html\r\n", SECRET.to_owned());
    let garbage = json!({ "access_token": [SECRET], "token_type": CODE });
    for reply in [
        html,
        Reply::Json(200, garbage),
        Reply::Json(502, json!({ "error": "invalid_grant" })),
        Reply::Json(429, json!({})),
        Reply::Hangup,
    ] {
        world.provider.will(TOKEN, reply);
        let outcome = came_back(&world).await;
        assert!(matches!(outcome, Err(ProviderError::Unavailable { .. })), "{outcome:?}");
    }
    redeems(&world, "no.id.token");
    assert_refused(&came_back(&world).await, "can't be read");
}

#[tokio::test]
async fn jv_18_no_failure_repeats_a_secret() {
    let world = World::new().await;
    let said = format!("{CODE} {SECRET} {}", secrets().nonce().expose_secret());
    for reply in [
        Reply::Json(400, json!({ "error": said })),
        Reply::Json(
            200,
            json!({ "access_token": "a", "token_type": "Bearer", "expires_in": said }),
        ),
        Reply::Json(200, json!({ "access_token": "a", "token_type": "Bearer" })),
        Reply::Text("200", "content-type: application/json\r\n", said),
    ] {
        world.provider.will(TOKEN, reply);
        let told = format!("{:?}", came_back(&world).await.unwrap_err());
        for secret in [CODE, SECRET, secrets().nonce().expose_secret()] {
            assert!(!told.contains(secret), "{told}");
        }
    }
    assert!(!format!("{:?}", world.config()).contains(SECRET));
}

#[tokio::test]
async fn tokens_are_refreshed_or_refused() {
    let world = World::new().await;
    let provider = Arc::new(provider(&world, world.config()));
    redeems(&world, &world.key.id_token(&id_claims(&world, json!({}))));
    let tokens = provider.refresh(&"old-refresh-token".into()).await.unwrap();
    assert_eq!(tokens.refresh_token.unwrap().expose_secret(), "provider-refresh-token");
    let [request] = <[_; 1]>::try_from(world.provider.requests(TOKEN)).unwrap();
    assert_eq!(request.form["grant_type"], "refresh_token");
    assert_eq!(request.form["refresh_token"], "old-refresh-token");
    world.provider.will(TOKEN, Reply::Json(400, json!({ "error": "invalid_grant" })));
    let refused = provider.refresh(&"old-refresh-token".into()).await;
    assert!(matches!(refused, Err(ProviderError::Refused(_))), "{refused:?}");
}
