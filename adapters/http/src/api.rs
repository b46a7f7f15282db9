//! The typed routes: registration, token, keys, user information, health, test tokens.

use http::header;
use mcp_oauth_core::domain::client::{
    Client, ClientAuthMethod, ClientCredential, ClientId, GrantType,
};
use mcp_oauth_core::domain::principal::Principal;
use mcp_oauth_core::domain::public_address::{PublicAddress, PublishedEndpoint};
use mcp_oauth_core::domain::resource::ResourceDocument;
use mcp_oauth_core::port::JwkSet;
use mcp_oauth_core::service::UseCases;
use mcp_oauth_core::service::access::AccessError;
use mcp_oauth_core::service::introspect::Introspection;
use mcp_oauth_core::service::manage_registration::ManagementError;
use mcp_oauth_core::service::refusal::Refusal;
use mcp_oauth_core::service::register::Registered;
use mcp_oauth_core::service::token::{TokenRequest, TokenResponse};
use poem::Request;
use poem_openapi::param::Path;
use poem_openapi::payload::PlainText;
use poem_openapi::{ApiResponse, NewType, Object, OpenApi, Tags};
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
    /// Where the client can see, change and end its registration (RFC 7592).
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_client_uri: Option<String>,
    /// What it needs there.
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_access_token: Option<String>,
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
    const MEANING: &'static str = "The client as it is registered.";
}

/// The answer to a registration.
#[derive(NewType, Serialize)]
#[oai(from_parameter = false, from_multipart = false, to_header = false)]
#[serde(transparent)]
struct NewClient(RegisteredClient);

impl Document for NewClient {
    const STATUS: u16 = 201;
    const LIMITED: bool = true;
    const MEANING: &'static str = "The client is registered.";
}

/// Nothing but that it is done.
#[derive(Object, Serialize)]
struct Deleted {}

impl Document for Deleted {
    const STATUS: u16 = 204;
    const MEANING: &'static str = "The registration and every grant of the client have ended.";
}

impl RegisteredClient {
    fn new(registered: Registered, address: &PublicAddress) -> Self {
        let Registered { client, secret, registration_token } = registered;
        let Client { id, credential, metadata, registered_at, .. } = client;
        let method: ClientAuthMethod = credential.method();
        let mut keys = match credential {
            ClientCredential::Keys(keys) => keys.to_metadata(),
            ClientCredential::Public | ClientCredential::Secret { .. } => Map::new(),
        };
        let text = |value: Value| value.as_str().map(str::to_owned);
        Self {
            registration_client_uri: registration_token
                .as_ref()
                .map(|_| format!("{}/{id}", address.endpoint(PublishedEndpoint::Registration))),
            registration_access_token: registration_token.map(|token| token.expose().to_owned()),
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
    /// `authorization_code`, `refresh_token` or `client_credentials`.
    grant_type: String,
    /// With `authorization_code`.
    code: Option<String>,
    /// With `authorization_code`: the answer to the `code_challenge`.
    code_verifier: Option<String>,
    /// With `authorization_code`, may be left out.
    redirect_uri: Option<String>,
    /// With `refresh_token`.
    refresh_token: Option<String>,
    /// With `refresh_token`: less than was granted. With `client_credentials`: what is asked for.
    scope: Option<String>,
    /// The resource that was consented to (RFC 8707).
    resource: Option<String>,
    /// Unless the client authenticates with HTTP Basic or by signing.
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
    const LIMITED: bool = true;
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

/// A token to be revoked (RFC 7009 §2.1) or asked about (RFC 7662 §2.1).
#[derive(Object)]
#[oai(rename = "TokenReference")]
struct TokenReferenceForm {
    /// The token.
    token: String,
    /// `access_token` or `refresh_token`; a wrong hint does no harm.
    token_type_hint: Option<String>,
    /// Unless the client authenticates with HTTP Basic or by signing.
    client_id: Option<String>,
    /// For `client_secret_post`.
    client_secret: Option<String>,
    /// For `private_key_jwt`: a JWT signed by the client, with a `jti` of its own.
    client_assertion: Option<String>,
    /// With it: `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    client_assertion_type: Option<String>,
}

/// Nothing but that it is done.
#[derive(Object, Serialize)]
struct Revoked {}

impl Document for Revoked {
    const MEANING: &'static str = "The token is worth nothing any more, if it ever was.";
}

/// What there is to say of a token (RFC 7662 §2.2); everything but `active` only if it is.
#[derive(Object, Serialize)]
#[oai(rename = "Introspection")]
struct IntrospectionDocument {
    active: bool,
    #[serde(flatten)]
    #[oai(flatten)]
    token: IntrospectedTokenMembers,
}

/// What an access token says that is good.
#[derive(Object, Serialize, Default)]
struct IntrospectedTokenMembers {
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<String>,
    /// Space-delimited.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
}

impl Document for IntrospectionDocument {
    const MEANING: &'static str = "Whether the token is good, and what it says if it is.";
}

impl From<Introspection> for IntrospectionDocument {
    fn from(Introspection { active, token }: Introspection) -> Self {
        let Some(token) = token else { return Self { active, token: Default::default() } };
        Self {
            active,
            token: IntrospectedTokenMembers {
                token_type: Some(token.token_type.to_owned()),
                scope: Some(token.scope),
                client_id: token.client_id,
                sub: Some(token.sub),
                aud: Some(token.aud),
                iss: Some(token.iss),
                exp: Some(token.exp),
                iat: token.iat,
                jti: token.jti,
            },
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
    async fn register(
        &self,
        request: &Request,
        body: JsonBody<RegistrationRequest>,
    ) -> Answer<NewClient> {
        let register = &self.use_cases.register;
        match register.register(&bearer_headers(request), &body.body.0).await {
            Ok(registered) => Answer::Document(NewClient(self.registered(registered)), Keep::Never),
            Err(error) => Answer::refused(Refusal::Registration(&error)),
        }
    }

    /// See a registration
    ///
    /// With the registration access token, RFC 7592.
    #[oai(
        path = "/register/:client_id",
        method = "get",
        tag = "Topic::OAuth",
        operation_id = "readClient"
    )]
    async fn read_client(
        &self,
        request: &Request,
        client_id: Path<String>,
    ) -> Answer<RegisteredClient> {
        let manage = &self.use_cases.manage_registration;
        let read = manage.read(&ClientId::new(client_id.0), &bearer_headers(request)).await;
        self.managed(read)
    }

    /// Change a registration
    ///
    /// The body takes the place of everything that was registered, RFC 7592.
    #[oai(
        path = "/register/:client_id",
        method = "put",
        tag = "Topic::OAuth",
        operation_id = "replaceClient"
    )]
    async fn replace_client(
        &self,
        request: &Request,
        client_id: Path<String>,
        body: JsonBody<RegistrationRequest>,
    ) -> Answer<RegisteredClient> {
        let manage = &self.use_cases.manage_registration;
        let id = ClientId::new(client_id.0);
        self.managed(manage.replace(&id, &bearer_headers(request), &body.body.0).await)
    }

    /// End a registration
    ///
    /// And every grant of the client with it, RFC 7592.
    #[oai(
        path = "/register/:client_id",
        method = "delete",
        tag = "Topic::OAuth",
        operation_id = "deleteClient"
    )]
    async fn delete_client(&self, request: &Request, client_id: Path<String>) -> Answer<Deleted> {
        let manage = &self.use_cases.manage_registration;
        match manage.delete(&ClientId::new(client_id.0), &bearer_headers(request)).await {
            Ok(()) => Answer::Document(Deleted {}, Keep::Never),
            Err(error) => Answer::refused(Refusal::Management(&error)),
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
        let request =
            TokenRequest { authorization: authorization(request), query: &query, form: &form.body };
        Ok(match self.use_cases.token.answer(request).await {
            Ok(response) => Answer::Document(response.into(), Keep::Never),
            Err(error) => Answer::refused(Refusal::Token(&error)),
        })
    }

    /// Revoke a token
    ///
    /// A refresh token ends with everything it led to, an access token alone, RFC 7009.
    #[oai(path = "/revoke", method = "post", tag = "Topic::OAuth", operation_id = "revoke")]
    async fn revoke(
        &self,
        request: &Request,
        form: FormBody<TokenReferenceForm>,
    ) -> Answer<Revoked> {
        match self.use_cases.revoke.revoke(&authorization(request), &form.body).await {
            Ok(()) => Answer::Document(Revoked {}, Keep::Never),
            Err(error) => Answer::refused(Refusal::Revocation(&error)),
        }
    }

    /// Ask about a token
    ///
    /// For resource servers the operator added, RFC 7662.
    #[oai(path = "/introspect", method = "post", tag = "Topic::OAuth", operation_id = "introspect")]
    async fn introspect(
        &self,
        request: &Request,
        form: FormBody<TokenReferenceForm>,
    ) -> Answer<IntrospectionDocument> {
        let introspect = &self.use_cases.introspect;
        match introspect.introspect(&authorization(request), &form.body).await {
            Ok(answer) => Answer::Document(answer.into(), Keep::Never),
            Err(error) => Answer::refused(Refusal::Introspection(&error)),
        }
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
        match self.use_cases.access.authenticate(&bearer_headers(request)).await {
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
        self.issue_dev_token(&form.body).await
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
    /// Whether everything that requests depend on is within reach.
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

/// The values of every Authorization header. One that is not text can't be Basic; the core refuses
/// it as malformed.
fn authorization(request: &Request) -> Vec<&str> {
    let headers = request.headers().get_all(header::AUTHORIZATION);
    headers.iter().map(|value| value.to_str().unwrap_or_default()).collect()
}

/// The values of every Authorization header, as bytes.
fn bearer_headers(request: &Request) -> Vec<&[u8]> {
    let headers = request.headers().get_all(header::AUTHORIZATION);
    headers.iter().map(|value| value.as_bytes()).collect()
}

impl Api {
    fn registered(&self, registered: Registered) -> RegisteredClient {
        RegisteredClient::new(registered, &self.use_cases.address)
    }

    fn managed(&self, managed: Result<Registered, ManagementError>) -> Answer<RegisteredClient> {
        match managed {
            Ok(registered) => Answer::Document(self.registered(registered), Keep::Never),
            Err(error) => Answer::refused(Refusal::Management(&error)),
        }
    }

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
