//! Credentials: the operator's, a token of this server, a token of each caller.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use mcp_oauth_core::domain::kept_tokens::ProviderAccessToken;
use mcp_oauth_core::domain::provider::ProviderName;
use mcp_oauth_core::port::{CallContext, CallerTokens, ProviderTokenError, TokenOutcome};
use mcp_oauth_tools::openapi::{ClientAuthentication, Credentials, Source, TokenGrant};
use mcp_oauth_tools::{OpenApiCatalog, OpenApiConfig};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::scenario::{
    TestClock, call, call_by, caller, context, document, failure, file, refusal, tools,
};
use super::server::{Reply, Seen, Server};

/// An operation, and a token endpoint that gives `token-1`, `token-2` and so on.
async fn server(refused: &'static [&'static str]) -> Server {
    let issued = AtomicUsize::new(0);
    Server::answering(move |seen| match seen.target.as_str() {
        "/token" => {
            let token = format!("token-{}", issued.fetch_add(1, Ordering::SeqCst) + 1);
            Reply::json(&json!({"access_token": token, "token_type": "bearer", "expires_in": 600}))
        }
        _ if refused.iter().any(|token| seen.header("authorization") == Some(token)) => {
            Reply::new(401, "text/plain", "expired")
        }
        _ => Reply::json(&json!({"with": seen.header("authorization")})),
    })
    .await
}

fn grant(server: &Server) -> TokenGrant {
    TokenGrant {
        token_url: server.url("/token"),
        client_id: "the client".to_owned(),
        client_secret: Some(SecretString::from("s3cr:t")),
        client_authentication: ClientAuthentication::Basic,
        scope: Some("pets:read".to_owned()),
        audience: Some("https://pets.example".to_owned()),
        resource: None,
    }
}

async fn with(server: &Server, credentials: Credentials) -> (OpenApiCatalog, Arc<TestClock>) {
    let paths = json!({"/a": {"get": {"operationId": "a"}}});
    let file = file(&document(&paths).to_string());
    let mut config = OpenApiConfig::new("pets", Source::File(file.path().to_owned()));
    config.base_url = Some(server.url(""));
    config.credentials = credentials;
    let clock = Arc::new(TestClock::default());
    let told = Arc::clone(&clock);
    (OpenApiCatalog::load(config, told).await.unwrap(), clock)
}

fn asked(server: &Server, target: &str) -> Vec<Seen> {
    server.seen().into_iter().filter(|seen| seen.target == target).collect()
}

fn bearer(token: &str) -> Option<Value> {
    Some(json!({"with": format!("Bearer {token}")}))
}

/// The tokens of one caller.
struct Kept(TokenOutcome);

#[async_trait]
impl CallerTokens for Kept {
    async fn provider_token(&self) -> TokenOutcome {
        self.0.clone()
    }
}

fn by(subject: &str, token: &str) -> CallContext {
    let token = ProviderAccessToken {
        provider: ProviderName::parse("corp").unwrap(),
        access_token: SecretString::from(token),
        expires_at: None,
    };
    CallContext::new(Arc::new(caller(subject)))
        .with_provider_tokens(Arc::new(Kept(Ok(Some(token)))))
}

/// What the operation of these credentials gets of arguments that would be credentials.
async fn forged(server: &Server, credentials: Credentials) -> Seen {
    let parameters = json!([{"name": "X-Api-Key", "in": "header"}, {"name": "key", "in": "query"}]);
    let paths = json!({"/a": {"get": {"operationId": "a", "parameters": parameters}}});
    let catalog = tools(server, &paths, |config| config.credentials = credentials).await;
    call(&catalog, "a", json!({"X-Api-Key": "forged", "key": "forged"})).await;
    server.last()
}

#[tokio::test]
async fn fixed_credentials_are_in_every_request_and_no_argument_replaces_them() {
    let server = server(&[]).await;
    let value = SecretString::from("k&y");
    let seen = forged(&server, Credentials::None).await;
    assert_eq!((&*seen.target, seen.header("x-api-key")), ("/v1/a?key=forged", Some("forged")));
    let header = Credentials::Header { name: "X-Api-Key".into(), value: value.clone() };
    let seen = forged(&server, header).await;
    assert_eq!((&*seen.target, seen.header("x-api-key")), ("/v1/a?key=forged", Some("k&y")));
    let query = Credentials::Query { name: "key".into(), value };
    let seen = forged(&server, query).await;
    assert_eq!((&*seen.target, seen.header("x-api-key")), ("/v1/a?key=k%26y", Some("forged")));
    let basic = Credentials::Basic { username: "us".into(), password: "pä".into() };
    let seen = forged(&server, basic).await;
    assert_eq!(seen.header("authorization"), Some("Basic dXM6cMOk"));
}

#[tokio::test]
async fn no_member_of_an_object_replaces_credentials_in_the_query() {
    let server = server(&[]).await;
    let operation = json!({"operationId": "a", "parameters": [
        {"name": "filter", "in": "query", "schema": {"type": "object"}}]});
    let query = Credentials::Query { name: "api_key".into(), value: "own".into() };
    let paths = json!({"/a": {"get": operation}});
    let catalog = tools(&server, &paths, |config| config.credentials = query).await;
    call(&catalog, "a", json!({"filter": {"kind": "cat"}})).await;
    assert_eq!(server.last().target, "/v1/a?kind=cat&api_key=own");
    let before = server.seen().len();
    let told = refusal(&catalog, "a", json!({"filter": {"api_key": "forged"}})).await;
    assert!(told.contains("api_key") && server.seen().len() == before, "{told}");
}

#[tokio::test]
async fn a_token_is_asked_for_once_kept_and_asked_for_again_before_its_end() {
    let server = server(&[]).await;
    let (catalog, clock) = with(&server, Credentials::ClientCredentials(grant(&server))).await;
    let catalog = Arc::new(catalog);
    let calls = (0..50).map(|_| {
        let catalog = Arc::clone(&catalog);
        tokio::spawn(async move { call(&catalog, "a", json!({})).await })
    });
    for answered in calls.collect::<Vec<_>>() {
        assert_eq!(answered.await.unwrap().structured, bearer("token-1"));
    }
    let request = &asked(&server, "/token")[..];
    let [request] = request else { panic!("{request:?}") };
    assert_eq!(
        request.text(),
        "grant_type=client_credentials&scope=pets%3Aread&audience=https%3A%2F%2Fpets.example"
    );
    assert_eq!(request.header("authorization"), Some("Basic dGhlK2NsaWVudDpzM2NyJTNBdA=="));
    clock.advance(569);
    assert_eq!(call(&catalog, "a", json!({})).await.structured, bearer("token-1"));
    clock.advance(1);
    assert_eq!(call(&catalog, "a", json!({})).await.structured, bearer("token-2"));
}

#[tokio::test]
async fn a_secret_can_be_posted_instead() {
    let server = server(&[]).await;
    let grant = TokenGrant {
        client_authentication: ClientAuthentication::Post,
        scope: None,
        audience: None,
        resource: "https://pets.example/a".parse().ok(),
        ..grant(&server)
    };
    let (catalog, _) = with(&server, Credentials::ClientCredentials(grant)).await;
    call(&catalog, "a", json!({})).await;
    let request = &asked(&server, "/token")[0];
    assert_eq!(request.header("authorization"), None);
    assert_eq!(
        request.text(),
        "grant_type=client_credentials&resource=https%3A%2F%2Fpets.example%2Fa\
        &client_id=the+client&client_secret=s3cr%3At"
    );
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once() {
    let first = server(&["Bearer token-1"]).await;
    let (catalog, _) = with(&first, Credentials::ClientCredentials(grant(&first))).await;
    assert_eq!(call(&catalog, "a", json!({})).await.structured, bearer("token-2"));
    let both = server(&["Bearer token-1", "Bearer token-2"]).await;
    let (catalog, _) = with(&both, Credentials::ClientCredentials(grant(&both))).await;
    let answer = call(&catalog, "a", json!({})).await;
    assert!(failure(&answer).contains("401 Unauthorized"), "{answer:?}");
    assert_eq!((asked(&both, "/token").len(), asked(&both, "/a").len()), (2, 2));
}

#[tokio::test]
async fn fixed_credentials_that_are_refused_are_not_tried_twice() {
    let server = server(&["Bearer x"]).await;
    let value = SecretString::from("Bearer x");
    let credentials = Credentials::Header { name: "Authorization".into(), value };
    let (catalog, _) = with(&server, credentials).await;
    let answer = call(&catalog, "a", json!({})).await;
    assert!(failure(&answer).contains("its operator has to look"));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn each_caller_gets_a_token_in_exchange_for_their_own() {
    let server = server(&[]).await;
    let (catalog, _) = with(&server, Credentials::TokenExchange(grant(&server))).await;
    for (subject, token, expected) in [
        ("alice", "provider-a", "token-1"),
        ("bob", "provider-b", "token-2"),
        ("alice", "provider-a", "token-1"),
        // Another login of the same person.
        ("alice", "provider-a2", "token-3"),
        // Somebody who came by the token of another is somebody else.
        ("carol", "provider-a", "token-4"),
    ] {
        let answer = call_by(&catalog, "a", json!({}), by(subject, token)).await.unwrap();
        assert_eq!(answer.structured, bearer(expected), "{subject} {token}");
    }
    let request = asked(&server, "/token")[0].text();
    assert!(request.starts_with(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
         &subject_token=provider-a\
         &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token&scope="
    ));
    for seen in asked(&server, "/a") {
        assert!(!format!("{seen:?}").contains("provider-"), "{seen:?}");
    }
}

#[tokio::test]
async fn without_a_kept_token_nothing_is_called_and_the_caller_is_told_what_to_do() {
    let server = server(&[]).await;
    let (catalog, _) = with(&server, Credentials::TokenExchange(grant(&server))).await;
    let answer = call_by(&catalog, "a", json!({}), context()).await.unwrap();
    let told = failure(&answer);
    assert!(told.contains("log in again") && told.contains("`keep_tokens`"), "{told}");
    let ended = ProviderTokenError::LogInAgain { provider: ProviderName::parse("corp").unwrap() };
    let context = CallContext::new(Arc::new(caller("alice")))
        .with_provider_tokens(Arc::new(Kept(Err(ended))));
    let answer = call_by(&catalog, "a", json!({}), context).await.unwrap();
    assert!(failure(&answer).contains("corp gives no more access"), "{answer:?}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_token_endpoint_that_refuses_or_breaks_is_told_without_secrets_and_asked_once() {
    for (status, body, exchange, part) in [
        (
            401,
            json!({"error": "invalid_client", "error_description": "s3cr:t"}),
            false,
            "(invalid_client); its operator",
        ),
        (
            400,
            json!({"error": "invalid_grant"}),
            true,
            "(invalid_grant): disconnect, and log in again",
        ),
        (500, json!({}), false, "can't be asked at the moment"),
        (
            200,
            json!({"access_token": "x", "token_type": "mac"}),
            false,
            "can't be asked at the moment",
        ),
        (200, json!({"access_token": "x\ny"}), false, "can't be asked at the moment"),
        (302, json!({}), false, "can't be asked at the moment"),
    ] {
        let server =
            Server::answering(move |_| Reply::new(status, "application/json", body.to_string()))
                .await;
        let credentials = match exchange {
            true => Credentials::TokenExchange(grant(&server)),
            false => Credentials::ClientCredentials(grant(&server)),
        };
        let (catalog, clock) = with(&server, credentials).await;
        for _ in 0..3 {
            let answer =
                call_by(&catalog, "a", json!({}), by("alice", "provider-a")).await.unwrap();
            let told = failure(&answer);
            assert!(told.contains(part), "{told}");
            assert!(!told.contains("s3cr:t") && !told.contains("provider-a"), "{told}");
        }
        assert_eq!(server.seen().len(), 1);
        clock.advance(1);
        call_by(&catalog, "a", json!({}), by("alice", "provider-a")).await.unwrap();
        assert_eq!(server.seen().len(), 2);
    }
}

#[tokio::test]
async fn nothing_secret_can_be_printed() {
    let server = server(&[]).await;
    for credentials in [
        Credentials::Header { name: "X".into(), value: "s3cr:t".into() },
        Credentials::Query { name: "k".into(), value: "s3cr:t".into() },
        Credentials::Basic { username: "u".into(), password: "s3cr:t".into() },
        Credentials::ClientCredentials(grant(&server)),
        Credentials::TokenExchange(grant(&server)),
    ] {
        let mut config =
            OpenApiConfig::new("pets", Source::parse("https://u:s3cr:t@a.example/x?s3cr:t"));
        config.headers.push(("Y".into(), "s3cr:t".into()));
        config.credentials = credentials;
        let told = format!("{:?} {}", config.credentials, config.document);
        assert!(!told.contains("s3cr:t"), "{told}");
    }
}
