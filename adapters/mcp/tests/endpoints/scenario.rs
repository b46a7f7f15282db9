//! The scenario of the MCP tests: the endpoints over mocked ports, called in process.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use mcp_oauth_core::domain::access_token::VerifyError;
use mcp_oauth_core::domain::client::ClientId;
use mcp_oauth_core::domain::client_address::TrustedProxies;
use mcp_oauth_core::domain::client_document_policy::ClientDocumentPolicy;
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::person::Subject;
use mcp_oauth_core::domain::principal::{CallerKind, Principal};
use mcp_oauth_core::domain::public_address::PublicAddress;
use mcp_oauth_core::domain::refresh::RefreshPolicy;
use mcp_oauth_core::domain::scope::{Scope, ScopeDescription, ScopeHierarchy, ScopeSet};
use mcp_oauth_core::domain::secret::sha256;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{
    LoginMethods, MockArgumentSchemas, MockAssertionSignatures, MockAuditLog, MockClientDocuments,
    MockClientRegistry, MockClock, MockConsentMemory, MockGrantDirectory, MockGrantStore,
    MockLoginSessions, MockPasswordLogin, MockPendingLogins, MockRandom, MockRequestLimits,
    MockSigningKeys, MockSpentTokenIds, MockTokenRevocations, MockTokenVerifier, NoProviders,
    SealingFailed, StateSealer, ToolCatalog,
};
use mcp_oauth_core::service::policy::{
    AuthorizationServer, CatalogPolicy, Policy, RegistrationMode, RegistrationPolicy, ScopePolicy,
};
use mcp_oauth_core::service::{Ports, UseCases};
use mcp_oauth_mcp::{McpSettings, endpoints};
use poem::endpoint::BoxEndpoint;
use poem::http::{HeaderMap, Method, StatusCode, Uri};
use poem::{Endpoint, Request, Response};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::rich_catalog::RichCatalog;
use crate::session_store::SessionStore;
use crate::test_catalog::{Journal, TestCatalog};

/// When every server begins.
const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

/// How often something random was drawn.
static DRAWN: AtomicU64 = AtomicU64::new(0);

/// The token of Alice, who may use the tools.
pub(crate) const ALICE: &str = "alice";
/// A second token of the same person at the same client.
pub(crate) const ALICE_AGAIN: &str = "alice.refreshed";
/// The token of Bob, who may use the tools.
pub(crate) const BOB: &str = "bob";
/// A token of Alice that allows nothing.
pub(crate) const POWERLESS: &str = "powerless";
/// A token whose issuer is out of reach.
pub(crate) const UNVERIFIABLE: &str = "unverifiable";

/// Everything around the endpoints under test.
pub(crate) struct Server {
    endpoints: Vec<(&'static str, BoxEndpoint<'static, Response>)>,
    /// What happened in the tools.
    pub(crate) journal: Journal,
    /// How often a token was verified.
    pub(crate) verified: Arc<Mutex<usize>>,
    settings: McpSettings,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Server {
    /// A server with the defaults.
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    /// A server with other settings.
    pub(crate) fn with(change: impl FnOnce(&mut McpSettings)) -> Self {
        Self::at("http://localhost:8000", change)
    }

    /// A server of another public address.
    pub(crate) fn at(base_url: &str, change: impl FnOnce(&mut McpSettings)) -> Self {
        Self::over(base_url, change, |journal| Arc::new(TestCatalog::new(journal)))
    }

    /// A server whose catalog has everything, and that catalog.
    pub(crate) fn rich() -> (Self, RichCatalog) {
        let mut catalog = None;
        let server = Self::over(
            "http://localhost:8000",
            |_| (),
            |journal| Arc::new(catalog.insert(RichCatalog::new(journal)).clone()),
        );
        (server, catalog.unwrap())
    }

    fn over(
        base_url: &str,
        change: impl FnOnce(&mut McpSettings),
        catalog: impl FnOnce(&Journal) -> Arc<dyn ToolCatalog>,
    ) -> Self {
        let mut settings = McpSettings::new("test server", "1.2.3");
        change(&mut settings);
        let (journal, verified) = (Journal::default(), Arc::default());
        let ports = ports(catalog(&journal), &verified);
        let address = PublicAddress::new(base_url).unwrap();
        let use_cases = UseCases::new(&ports, address, policy(), None);
        let endpoints = endpoints(&use_cases, settings.clone());
        Self { endpoints, journal, verified, settings }
    }

    /// The paths that are served.
    pub(crate) fn paths(&self) -> Vec<&'static str> {
        self.endpoints.iter().map(|(path, _)| *path).collect()
    }

    /// Begins the shutdown.
    pub(crate) fn shut_down(&self) {
        self.settings.shutdown.cancel();
    }

    /// Sends a request and returns the response with its body unread.
    pub(crate) async fn send(&self, request: Request) -> Response {
        let path = request.uri().path().to_owned();
        let (_, endpoint) = self.endpoints.iter().find(|(known, _)| *known == path).unwrap();
        endpoint.get_response(request).await
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn answer(&self, request: Request) -> Answer {
        let mut response = self.send(request).await;
        let body = response.take_body().into_string().await.unwrap();
        Answer { status: response.status(), headers: response.headers().clone(), body }
    }

    /// Opens a session of Streamable HTTP and returns its id.
    pub(crate) async fn open_session(&self, token: &str) -> String {
        let answer = self.answer(post(token, &initialize("2025-11-25"))).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.header("mcp-session-id").unwrap().to_owned()
    }

    /// Opens a session of a client that can do these things, and says that it is ready.
    pub(crate) async fn open_able_session(&self, token: &str, capabilities: &Value) -> String {
        let mut opening = initialize("2025-11-25");
        opening["params"]["capabilities"] = capabilities.clone();
        let answer = self.answer(post(token, &opening)).await;
        let session = answer.header("mcp-session-id").unwrap().to_owned();
        self.answer(in_session(post(token, &initialized()), &session)).await;
        session
    }

    /// Opens a session of the old transport of a client that can do these things.
    pub(crate) async fn open_able_sse(&self, token: &str, capabilities: &Value) -> OpenSse {
        let mut events = self.open_sse(token).await;
        let address = events.messages_address().await;
        let mut opening = initialize("2025-06-18");
        opening["params"]["capabilities"] = capabilities.clone();
        self.answer(post_to(&address, token, &opening)).await;
        events.message().await;
        self.answer(post_to(&address, token, &initialized())).await;
        OpenSse { address, events }
    }

    /// Opens a stream of the old transport.
    pub(crate) async fn open_sse(&self, token: &str) -> Events {
        let response = self.send(get("/mcp/sse", token)).await;
        assert_eq!(response.status(), StatusCode::OK);
        Events::of(response)
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body, which is JSON.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }

    /// Every message of the body, which is JSON or an event stream.
    pub(crate) fn messages(&self) -> Vec<Value> {
        let data = self.body.lines().filter_map(|line| line.strip_prefix("data:"));
        let messages: Vec<Value> =
            data.filter_map(|data| serde_json::from_str(data.trim()).ok()).collect();
        if messages.is_empty() { vec![self.json()] } else { messages }
    }

    /// The last message of the body, which is an event stream.
    pub(crate) fn last_event(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("text/event-stream"), "{}", self.body);
        let mut data = self.body.lines().filter_map(|line| line.strip_prefix("data:"));
        serde_json::from_str(data.next_back().unwrap().trim()).unwrap()
    }

    /// The JSON-RPC error of the body: code and id.
    pub(crate) fn error(&self) -> (i64, Value) {
        let body = self.json();
        assert_eq!(body["jsonrpc"], "2.0");
        (body["error"]["code"].as_i64().unwrap(), body["id"].clone())
    }
}

/// A session of the old transport after its handshake.
pub(crate) struct OpenSse {
    /// Where it takes messages.
    pub(crate) address: String,
    pub(crate) events: Events,
}

/// The events of a stream, one after another.
pub(crate) struct Events {
    chunks: Pin<Box<dyn Stream<Item = Bytes> + Send>>,
    unread: String,
}

impl Events {
    pub(crate) fn of(response: Response) -> Self {
        let chunks = response.into_body().into_bytes_stream().map(Result::unwrap);
        Self { chunks: Box::pin(chunks), unread: String::new() }
    }

    /// The next event or comment, verbatim; `None` when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((event, rest)) = self.unread.split_once("\n\n") {
                let event = event.to_owned();
                self.unread = rest.to_owned();
                return Some(event);
            }
            self.unread.push_str(std::str::from_utf8(&self.chunks.next().await?).unwrap());
        }
    }

    /// The next message.
    pub(crate) async fn message(&mut self) -> Value {
        let event = self.next().await.unwrap();
        let data = event.strip_prefix("event: message\ndata: ");
        serde_json::from_str(data.unwrap_or_else(|| panic!("no message: {event}"))).unwrap()
    }

    /// The next message of any stream, whatever else its events say.
    pub(crate) async fn any_message(&mut self) -> Value {
        loop {
            let event = self.next().await.unwrap();
            let data = event.lines().filter_map(|line| line.strip_prefix("data:"));
            let data: Vec<&str> = data.map(str::trim).filter(|data| !data.is_empty()).collect();
            if let [data] = data.as_slice() {
                return serde_json::from_str(data).unwrap();
            }
        }
    }

    /// The address for messages, which is the first event of the old transport.
    pub(crate) async fn messages_address(&mut self) -> String {
        let event = self.next().await.unwrap();
        event.strip_prefix("event: endpoint\ndata: ").unwrap().to_owned()
    }
}

/// The text of a tool's answer.
pub(crate) fn text_of(message: &Value) -> &str {
    message["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{message}"))
}

/// A GET of an event stream.
pub(crate) fn get(path: &str, token: &str) -> Request {
    request(Method::GET, path)
        .header("authorization", format!("Bearer {token}"))
        .header("accept", "text/event-stream")
        .finish()
}

/// A POST of a message to `/mcp`, as most clients send it.
pub(crate) fn post(token: &str, message: &Value) -> Request {
    post_to("/mcp", token, message)
}

/// A POST of a message.
pub(crate) fn post_to(path: &str, token: &str, message: &Value) -> Request {
    request(Method::POST, path)
        .header("authorization", format!("Bearer {token}"))
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .body(message.to_string())
}

/// A request without credentials.
pub(crate) fn request(method: Method, path: &str) -> poem::RequestBuilder {
    let uri: Uri = path.parse().unwrap();
    Request::builder().method(method).uri(uri).header("host", "localhost:8000")
}

/// The same request with one more header.
pub(crate) fn with(mut request: Request, name: &'static str, value: &str) -> Request {
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

/// The same request in a session.
pub(crate) fn in_session(request: Request, session: &str) -> Request {
    with(request, "mcp-session-id", session)
}

/// A request of JSON-RPC.
pub(crate) fn asking(id: i64, method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

/// A request at 2026-07-28 by a client that can do these things, with the headers it needs.
pub(crate) fn modern_asking(
    token: &str,
    method: &str,
    params: &Value,
    capabilities: &Value,
) -> Request {
    let mut message = asking(7, method, params);
    let meta = message["params"]["_meta"].take();
    message["params"]["_meta"] = modern_meta();
    message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities.clone();
    for (name, value) in meta.as_object().into_iter().flatten() {
        message["params"]["_meta"][name] = value.clone();
    }
    let name = params.get("name").or(params.get("uri")).and_then(Value::as_str);
    modern(post(token, &message), method, name)
}

/// A call of a tool at 2026-07-28, with the headers it needs.
pub(crate) fn modern_call(token: &str, tool: &str, arguments: &Value) -> Request {
    let mut message = call(7, tool, arguments);
    message["params"]["_meta"] = modern_meta();
    modern(post(token, &message), "tools/call", Some(tool))
}

/// A POST with the headers of 2026-07-28.
pub(crate) fn modern(request: Request, method: &str, name: Option<&str>) -> Request {
    let request = with(request, "mcp-protocol-version", "2026-07-28");
    let request = with(request, "mcp-method", method);
    match name {
        Some(name) => with(request, "mcp-name", name),
        None => request,
    }
}

pub(crate) fn modern_meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

pub(crate) fn call(id: i64, tool: &str, arguments: &Value) -> Value {
    let params = json!({ "name": tool, "arguments": arguments });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
}

pub(crate) fn initialize(version: &str) -> Value {
    json!({
        "jsonrpc": "2.0",
        "id": 0,
        "method": "initialize",
        "params": {
            "protocolVersion": version,
            "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        },
    })
}

pub(crate) fn initialized() -> Value {
    json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })
}

fn ports(catalog: Arc<dyn ToolCatalog>, verified: &Arc<Mutex<usize>>) -> Ports {
    let mut verifier = MockTokenVerifier::new();
    let count = Arc::clone(verified);
    verifier.expect_verify().returning(move |token, expected| {
        *count.lock().unwrap() += 1;
        assert_eq!(expected.resource.canonical().as_str().rsplit('/').next(), Some("mcp"));
        principal(token.expose())
    });
    let mut clock = MockClock::new();
    // It goes with the runtime's, which a test may hold and advance.
    let start = Instant::now();
    clock.expect_now().returning(move || NOW.after(start.elapsed()));
    let mut random = MockRandom::new();
    random
        .expect_entropy()
        .returning(|| sha256(&[&DRAWN.fetch_add(1, Ordering::Relaxed).to_be_bytes()]));
    let mut audit = MockAuditLog::new();
    audit.expect_record().return_const(());
    Ports {
        revocations: Arc::new(MockTokenRevocations::new()),
        directory: Arc::new(MockGrantDirectory::new()),
        consents: Arc::new(MockConsentMemory::new()),
        verifier: Arc::new(verifier),
        provider_metadata: Arc::new(NoProviders),
        keys: Arc::new(MockSigningKeys::new()),
        clients: Arc::new(MockClientRegistry::new()),
        documents: Arc::new(MockClientDocuments::new()),
        assertions: Arc::new(MockAssertionSignatures::new()),
        spent: Arc::new(MockSpentTokenIds::new()),
        grants: Arc::new(MockGrantStore::new()),
        sessions: Arc::new(MockLoginSessions::new()),
        mcp_sessions: Arc::new(SessionStore::default()),
        pending: Arc::new(MockPendingLogins::new()),
        login_methods: LoginMethods::Password(Arc::new(MockPasswordLogin::new())),
        token_keeping: None,
        catalog,
        schemas: Arc::new(schemas()),
        state_sealer: Arc::new(PlainStates),
        clock: Arc::new(clock),
        random: Arc::new(random),
        audit: Arc::new(audit),
        limits: Arc::new(MockRequestLimits::new()),
    }
}

/// What fits is tested elsewhere.
fn schemas() -> MockArgumentSchemas {
    let mut schemas = MockArgumentSchemas::new();
    schemas.expect_check().returning(|_, _| Ok(()));
    schemas
}

/// States as they are, behind what they are about: enough to see whose they are.
struct PlainStates;

impl StateSealer for PlainStates {
    fn seal(&self, about: &[u8], state: &[u8]) -> Result<Vec<u8>, SealingFailed> {
        Ok([about, state].concat())
    }

    fn open(&self, about: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        sealed.strip_prefix(about).map(<[u8]>::to_vec)
    }
}

fn principal(token: &str) -> Result<Principal, VerifyError> {
    let (subject, scopes) = match token {
        ALICE | ALICE_AGAIN => ("alice", "mcp:tools"),
        BOB => ("bob", "mcp:tools"),
        POWERLESS => ("alice", ""),
        UNVERIFIABLE => {
            let reason = "the issuer at 10.0.0.7 does not answer".to_owned();
            return Err(VerifyError::Unavailable { reason, retry_after: Duration::from_secs(9) });
        }
        _ => return Err(VerifyError::BadSignature),
    };
    Ok(Principal {
        issuer: Issuer::new("https://issuer.example"),
        subject: Subject::new(subject),
        client: Some(ClientId::new("client")),
        audiences: vec!["http://localhost:8000/mcp".to_owned()],
        scopes: ScopeSet::parse(scopes).unwrap(),
        permissions: BTreeSet::new(),
        groups: BTreeSet::new(),
        tenant: None,
        verified_email: None,
        issued_at: None,
        expires_at: Timestamp::from_unix(2_000_000_000),
        token_id: Some(format!("id of {token}")),
        grant: None,
        kind: CallerKind::User,
        claims: serde_json::Map::new(),
    })
}

fn policy() -> Policy {
    let described = |scope: &str| ScopeDescription {
        scope: Scope::parse(scope).unwrap(),
        meaning: "for tests".to_owned(),
    };
    Policy {
        server_name: "test server".to_owned(),
        authorization_server: AuthorizationServer::Local,
        scopes: ScopePolicy {
            supported: ["mcp:tools", "files:read", "files:write"].map(described).into(),
            default: ScopeSet::parse("mcp:tools").unwrap(),
            hierarchy: ScopeHierarchy::default(),
        },
        code_lifetime: Duration::from_secs(60),
        access_token_lifetime: Duration::from_secs(3600),
        registration: RegistrationPolicy {
            mode: RegistrationMode::Open,
            most_clients: 1000,
            share: false,
        },
        consent_lifetime: Duration::ZERO,
        session_lifetime: Duration::from_secs(3600),
        catalog: CatalogPolicy::default(),
        client_documents: ClientDocumentPolicy::Off,
        refresh: RefreshPolicy {
            idle: Duration::from_secs(3600),
            absolute: Duration::from_secs(3600),
            grace: Duration::from_secs(30),
            grace_uses: 3,
        },
        trusted_proxies: TrustedProxies::default(),
    }
}
