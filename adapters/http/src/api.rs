//! The typed routes: registration, token, keys, user information, health, test tokens.

use http::header;
use mcp_oauth_core::domain::client::{Client, ClientAuthMethod, ClientCredential, GrantType};
use mcp_oauth_core::domain::principal::Principal;
use mcp_oauth_core::domain::resource::ResourceDocument;
use mcp_oauth_core::port::JwkSet;
use mcp_oauth_core::service::UseCases;
use mcp_oauth_core::service::access::AccessError;
use mcp_oauth_core::service::refusal::Refusal;
use mcp_oauth_core::service::register::Registered;
use mcp_oauth_core::service::token::{TokenRequest, TokenResponse};
use poem::Request;
use poem_openapi::payload::PlainText;
use poem_openapi::{ApiResponse, Object, OpenApi, Tags};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::api_answer::{Answer, Document, Keep};
use crate::api_body::{FormBody, JsonBody, query_parameters};

/// Handlers that parse, call one use case and render.
pub(crate) struct Api {
    pub(crate) use_cases: UseCases,
}

#[derive(Tags)]
enum Topic {
    /// What clients do to get tokens.
    OAuth,
    /// Whether the server is well.
    Health,
    /// For trying things out on one machine.
    Development,
}

/// Client metadata (RFC 7591 §2); unknown members are ignored.
#[derive(Object)]
#[oai(rename = "ClientMetadata")]
struct RegistrationRequest {
    /// Where people are sent back to: 1 to 10 addresses.
    redirect_uris: Vec<String>,
    /// Shown to people on the consent page.
    client_name: Option<String>,
    /// The client's home page.
    client_uri: Option<String>,
    /// `none`, `client_secret_basic` (when left out), `client_secret_post` or `private_key_jwt`.
    token_endpoint_auth_method: Option<String>,
    /// With `private_key_jwt`: the one algorithm the client signs with; any of ours when left out.
    token_endpoint_auth_signing_alg: Option<String>,
    /// With `private_key_jwt`: the public keys of the client (RFC 7517), or else `jwks_uri`.
    jwks: Option<Value>,
    /// With `private_key_jwt`: where the client publishes its keys.
    jwks_uri: Option<String>,
    /// `authorization_code` (when left out) and `refresh_token`.
    grant_types: Option<Vec<String>>,
    /// Only `code`.
    response_types: Option<Vec<String>>,
    /// Space-delimited.
    scope: Option<String>,
    /// `native` or `web`.
    application_type: Option<String>,
    /// Names the software across registrations.
    software_id: Option<String>,
    /// Its version.
    software_version: Option<String>,
}

/// A registered client (RFC 7591 §3.2.1): its identifier and everything in effect.
#[derive(Object, Serialize)]
struct RegisteredClient {
    client_id: String,
    /// Seconds since 1970.
    client_id_issued_at: i64,
    /// Only now, only for clients that authenticate.
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    /// Present with a secret; 0 means never.
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<i64>,
    redirect_uris: Vec<String>,
    token_endpoint_auth_method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint_auth_signing_alg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<String>,
    grant_types: Vec<String>,
    response_types: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    application_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    software_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    software_version: Option<String>,
}

impl Document for RegisteredClient {
    const STATUS: u16 = 201;
    const MEANING: &'static str = "The client is registered.";
}

impl From<Registered> for RegisteredClient {
    fn from(Registered { client, secret }: Registered) -> Self {
        let Client { id, credential, metadata, registered_at, .. } = client;
        let method: ClientAuthMethod = credential.method();
        let mut keys = match credential {
            ClientCredential::Keys(keys) => keys.to_metadata(),
            ClientCredential::Public | ClientCredential::Secret { .. } => Map::new(),
        };
        let text = |value: Value| value.as_str().map(str::to_owned);
        Self {
            token_endpoint_auth_signing_alg: keys
                .remove("token_endpoint_auth_signing_alg")
                .and_then(text),
            jwks: keys.remove("jwks"),
            jwks_uri: keys.remove("jwks_uri").and_then(text),
            client_id: id.as_str().to_owned(),
            client_id_issued_at: registered_at.as_unix(),
            client_secret_expires_at: secret.as_ref().map(|_| 0),
            client_secret: secret.map(|secret| secret.expose().to_owned()),
            redirect_uris: metadata.redirect_uris.into_iter().map(String::from).collect(),
            token_endpoint_auth_method: method.as_str().to_owned(),
            grant_types: names(&metadata.grant_types),
            response_types: vec!["code".to_owned()],
            client_name: metadata.client_name,
            client_uri: metadata.client_uri,
            scope: metadata.scope.map(String::from),
            application_type: metadata.application_type,
            software_id: metadata.software_id,
            software_version: metadata.software_version,
        }
    }
}

fn names(grants: &[GrantType]) -> Vec<String> {
    grants.iter().map(|grant| grant.as_str().to_owned()).collect()
}

/// A token request (OAuth 2.1 §3.2.2).
#[derive(Object)]
#[oai(rename = "TokenRequest")]
struct TokenForm {
    /// `authorization_code` or `refresh_token`.
    grant_type: String,
    /// With `authorization_code`.
    code: Option<String>,
    /// With `authorization_code`: the answer to the `code_challenge`.
    code_verifier: Option<String>,
    /// With `authorization_code`, may be left out.
    redirect_uri: Option<String>,
    /// With `refresh_token`.
    refresh_token: Option<String>,
    /// With `refresh_token`: less than was granted.
    scope: Option<String>,
    /// The resource that was consented to (RFC 8707).
    resource: Option<String>,
    /// Unless the client authenticates with HTTP Basic.
    client_id: Option<String>,
    /// For `client_secret_post`.
    client_secret: Option<String>,
    /// For `private_key_jwt`: a JWT signed by the client, with a `jti` of its own.
    client_assertion: Option<String>,
    /// With it: `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    client_assertion_type: Option<String>,
}

/// An access token and what goes with it (OAuth 2.1 §3.2.3).
#[derive(Object, Serialize)]
struct TokenDocument {
    access_token: String,
    /// Always `Bearer`.
    token_type: String,
    /// Seconds.
    expires_in: u64,
    /// Space-delimited.
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

impl Document for TokenDocument {
    const MEANING: &'static str = "A token.";
}

impl From<TokenResponse> for TokenDocument {
    fn from(TokenResponse { access_token, refresh_token }: TokenResponse) -> Self {
        Self {
            access_token: access_token.expose().to_owned(),
            token_type: "Bearer".to_owned(),
            expires_in: access_token.expires_in.as_secs(),
            scope: access_token.scope.to_string(),
            refresh_token: refresh_token.map(|token| token.expose().to_owned()),
        }
    }
}

/// A test token, each parameter optional.
#[derive(Object)]
#[oai(rename = "DevTokenRequest")]
struct DevTokenForm {
    /// The `aud` claim; this server's MCP address when left out.
    audience: Option<String>,
    /// Space-delimited; the default scopes when left out.
    scope: Option<String>,
    /// Seconds, at most 30 days.
    expires_in: Option<String>,
    /// The `sub` claim; the first dev user when left out.
    sub: Option<String>,
}

/// Public signing keys (RFC 7517 §5).
#[derive(Object, Serialize)]
#[oai(rename = "JwkSet")]
struct JwksDocument {
    keys: Vec<Jwk>,
}

/// A public RSA key (RFC 7518 §6.3.1).
#[derive(Object, Serialize)]
struct Jwk {
    kty: String,
    #[oai(rename = "use")]
    #[serde(rename = "use")]
    usage: String,
    alg: String,
    kid: String,
    n: String,
    e: String,
}

impl Document for JwksDocument {
    const MEANING: &'static str = "The keys that access tokens are signed with.";
}

impl From<JwkSet> for JwksDocument {
    fn from(set: JwkSet) -> Self {
        let keys = set.keys.into_iter().map(|key| Jwk {
            kty: key.kty.to_owned(),
            usage: key.usage.to_owned(),
            alg: key.alg.to_owned(),
            kid: key.kid,
            n: key.n,
            e: key.e,
        });
        Self { keys: keys.collect() }
    }
}

/// Who the token is about (OpenID Connect Core §5.3.2).
#[derive(Object, Serialize)]
struct UserInfo {
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
}

impl Document for UserInfo {
    const MEANING: &'static str = "Who the token is about.";
}

impl From<Principal> for UserInfo {
    fn from(principal: Principal) -> Self {
        let name = principal.claims.get("name").and_then(serde_json::Value::as_str);
        Self {
            sub: principal.subject.as_str().to_owned(),
            name: name.map(str::to_owned),
            email_verified: principal.verified_email.as_ref().map(|_| true),
            email: principal.verified_email,
        }
    }
}

/// Whether the server can do its work.
#[derive(ApiResponse)]
enum Readiness {
    /// It can.
    #[oai(status = 200)]
    Ready(PlainText<String>),
    /// It can't; the log says what is out of reach.
    #[oai(status = 503)]
    NotReady(PlainText<String>),
}

#[OpenApi]
impl Api {
    /// Register a client
    ///
    /// Dynamic client registration, RFC 7591.
    #[oai(path = "/register", method = "post", tag = "Topic::OAuth", operation_id = "register")]
    async fn register(&self, body: JsonBody<RegistrationRequest>) -> Answer<RegisteredClient> {
        match self.use_cases.register.register(&body.bytes).await {
            Ok(registered) => Answer::Document(registered.into(), Keep::Never),
            Err(error) => Answer::refused(Refusal::Registration(&error)),
        }
    }

    /// Get a token
    ///
    /// Exchanges an authorization code or a refresh token, OAuth 2.1 §3.2.
    #[oai(path = "/token", method = "post", tag = "Topic::OAuth", operation_id = "token")]
    async fn token(
        &self,
        request: &Request,
        form: FormBody<TokenForm>,
    ) -> poem::Result<Answer<TokenDocument>> {
        let query = query_parameters(request)?;
        let headers = request.headers().get_all(header::AUTHORIZATION);
        let request = TokenRequest {
            // A header that is not text can't be Basic; the core refuses it as malformed.
            authorization: headers.iter().map(|value| value.to_str().unwrap_or_default()).collect(),
            query: &query,
            form: &form.parameters,
        };
        Ok(match self.use_cases.token.answer(request).await {
            Ok(response) => Answer::Document(response.into(), Keep::Never),
            Err(error) => Answer::refused(Refusal::Token(&error)),
        })
    }

    /// Signing keys
    ///
    /// The public half of every key that access tokens are signed with, RFC 7517.
    #[oai(
        path = "/.well-known/jwks.json",
        method = "get",
        tag = "Topic::OAuth",
        operation_id = "jwks"
    )]
    async fn jwks(&self) -> Answer<JwksDocument> {
        match self.use_cases.keys.published().await {
            Ok(keys) => Answer::Document(keys.into(), Keep::Minutes),
            Err(error) => Answer::refused(Refusal::Keys(&error)),
        }
    }

    /// Who am I
    ///
    /// What the access token says about the person behind it.
    #[oai(path = "/userinfo", method = "get", tag = "Topic::OAuth", operation_id = "userinfo")]
    async fn userinfo(&self, request: &Request) -> Answer<UserInfo> {
        let headers = request.headers();
        let authorization: Vec<&[u8]> =
            headers.get_all(header::AUTHORIZATION).iter().map(|value| value.as_bytes()).collect();
        match self.use_cases.access.authenticate(&authorization).await {
            Ok(principal) => Answer::Document(principal.into(), Keep::Never),
            Err(error) => self.challenged(request, &error),
        }
    }

    /// Get a test token
    ///
    /// Without a login, for scripts. Only with the dev provider on a loopback address.
    #[oai(
        path = "/dev/token",
        method = "get",
        tag = "Topic::Development",
        operation_id = "devToken"
    )]
    async fn dev_token(&self, request: &Request) -> poem::Result<Answer<TokenDocument>> {
        self.issue_dev_token(&query_parameters(request)?).await
    }

    /// Get a test token
    ///
    /// The same with the parameters in a form.
    #[oai(
        path = "/dev/token",
        method = "post",
        tag = "Topic::Development",
        operation_id = "postDevToken"
    )]
    async fn post_dev_token(
        &self,
        form: FormBody<DevTokenForm>,
    ) -> poem::Result<Answer<TokenDocument>> {
        self.issue_dev_token(&form.parameters).await
    }

    /// Alive
    #[oai(path = "/mcp/health", method = "get", tag = "Topic::Health", operation_id = "mcpHealth")]
    async fn mcp_health(&self) -> PlainText<&'static str> {
        PlainText("OK")
    }

    /// Alive
    #[oai(path = "/health/live", method = "get", tag = "Topic::Health", operation_id = "live")]
    async fn live(&self) -> PlainText<&'static str> {
        PlainText("OK")
    }

    /// Ready
    ///
    /// Whether the store and the signing keys are within reach.
    #[oai(path = "/health/ready", method = "get", tag = "Topic::Health", operation_id = "ready")]
    async fn ready(&self) -> Readiness {
        match self.use_cases.readiness.check().await {
            Ok(()) => Readiness::Ready(PlainText("OK".to_owned())),
            Err(error) => {
                tracing::warn!(%error, "not ready");
                Readiness::NotReady(PlainText("not ready".to_owned()))
            }
        }
    }
}

impl Api {
    async fn issue_dev_token(
        &self,
        parameters: &mcp_oauth_core::domain::parameters::Parameters,
    ) -> poem::Result<Answer<TokenDocument>> {
        let dev_token = self.use_cases.dev_token.as_ref().ok_or(poem::error::NotFoundError)?;
        Ok(match dev_token.issue(parameters).await {
            Ok(access_token) => {
                let response = TokenResponse { access_token, refresh_token: None };
                Answer::Document(response.into(), Keep::Never)
            }
            Err(error) => Answer::refused(Refusal::DevToken(&error)),
        })
    }

    fn challenged<T>(&self, request: &Request, error: &AccessError) -> Answer<T> {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let address = self.use_cases.address.as_asked(host);
        let answer = Answer::refused(Refusal::Access(error));
        let access = &self.use_cases.access;
        match access.challenge(error, &address, ResourceDocument::Base) {
            Some(challenge) => {
                answer.with_header(header::WWW_AUTHENTICATE, &challenge.header_value())
            }
            None => answer,
        }
    }
}
