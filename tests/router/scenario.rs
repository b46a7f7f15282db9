//! One server, one browser, and requests to the server.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcp_oauth_core::domain::client_address::TrustedProxies;
use mcp_oauth_core::domain::client_document_policy::ClientDocumentPolicy;
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::key_rotation::KeyRotation;
use mcp_oauth_core::domain::limit::LimitPolicy;
use mcp_oauth_core::domain::public_address::PublicAddress;
use mcp_oauth_core::domain::refresh::RefreshPolicy;
use mcp_oauth_core::domain::scope::{Scope, ScopeDescription, ScopeHierarchy, ScopeSet};
use mcp_oauth_core::domain::web_origin::OriginPolicy;
use mcp_oauth_core::port::{
    Clock, KeyStore, LoginMethods, LoginProvider, NoProviders, Random, RequestLimits, StateSealer,
};
use mcp_oauth_core::service::policy::{
    AuthorizationServer, CatalogPolicy, Policy, RegistrationMode, RegistrationPolicy, ScopePolicy,
};
use mcp_oauth_core::service::{Ports, TokenKeeping, UseCases};
use mcp_oauth_http::{HttpSettings, router};
use mcp_oauth_issuer::{CallStateSealer, ClientSignatures, LocalIssuer, ProviderTokenSealer};
use mcp_oauth_mcp::{McpSettings, endpoints};
use mcp_oauth_memory::{MemoryStore, RefreshesUnderWay, RequestCounts, Unlimited};
use mcp_oauth_tools::{BuiltinCatalog, JsonSchemas};
use poem::endpoint::BoxEndpoint;
use poem::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use poem::http::uri::Scheme;
use poem::http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Addr, Endpoint, EndpointExt, Request, RequestParts, Response};
use serde_json::Value;

use crate::answer::Answer;
use crate::foreign_provider::ForeignProvider;
use crate::parameters::Parameters;
use crate::people::{People, alice};
use crate::providers::PROVIDER_TOKEN;
use crate::publications::Publications;
use crate::recording_store::RecordingStore;
use crate::world::{AskProvider, CountedRandom, MoveFiles, RecordedAudit, SettableClock, own_key};

/// The base URL of a scenario that does not care.
pub(crate) const LOCAL: &str = "http://localhost:8000";

/// The address of the reverse proxy that every server trusts.
pub(crate) const PROXY: &str = "10.0.0.1";

/// A page elsewhere that may use the MCP endpoints.
pub(crate) const ALLOWED_ORIGIN: &str = "https://app.example.com";

/// A server and the one browser in the room.
pub(crate) struct Scenario {
    server: BoxEndpoint<'static, Response>,
    /// Without trailing slash.
    pub(crate) base_url: String,
    pub(crate) clock: Arc<SettableClock>,
    pub(crate) audit: Arc<RecordedAudit>,
    pub(crate) store: Arc<RecordingStore>,
    pub(crate) published: Arc<Publications>,
    pub(crate) people: Arc<People>,
    /// The operator's hand.
    pub(crate) use_cases: UseCases,
    cookies: Mutex<BTreeMap<String, String>>,
    /// The other end of every connection; none in process.
    peer: Mutex<Option<SocketAddr>>,
}

/// What differs between servers.
pub(crate) struct Setup {
    pub(crate) base_url: &'static str,
    /// As the operator spells it.
    pub(crate) issuer: Option<&'static str>,
    /// Who issues the tokens instead of this server.
    pub(crate) provider: Option<Arc<ForeignProvider>>,
    /// Where the signing keys come from, instead of the one key of all tests.
    pub(crate) keys: Option<Arc<dyn KeyStore>>,
    /// How often things may be done; as often as the test likes when left out.
    pub(crate) limits: Option<LimitPolicy>,
    /// Whose documents are read.
    pub(crate) documents: ClientDocumentPolicy,
    /// What the operator decided otherwise than most.
    pub(crate) decided: fn(&mut Policy),
    /// Where people log in; by a password when there are none.
    pub(crate) providers: Vec<LoginProvider>,
    /// That of a server which ran before.
    pub(crate) store: Arc<RecordingStore>,
}

impl Setup {
    /// A server at `base_url` that is like all others.
    pub(crate) fn at(base_url: &'static str) -> Self {
        Self {
            base_url,
            issuer: None,
            provider: None,
            keys: None,
            limits: None,
            documents: ClientDocumentPolicy::Open,
            decided: |_| (),
            providers: Vec::new(),
            store: Arc::default(),
        }
    }
}

/// A request under construction.
pub(crate) struct Call<'a> {
    scenario: &'a Scenario,
    request: Request,
    in_browser: bool,
}

impl Scenario {
    pub(crate) fn new() -> Self {
        Self::at(LOCAL)
    }

    pub(crate) fn at(base_url: &'static str) -> Self {
        Self::of(Setup::at(base_url))
    }

    pub(crate) fn of(setup: Setup) -> Self {
        let clock = Arc::new(SettableClock::new());
        let audit = Arc::new(RecordedAudit::default());
        let store = Arc::clone(&setup.store);
        let published = Arc::new(Publications::default());
        let people = Arc::new(People::default());
        let address = public_address(&setup);
        let issuer = address.issuer().clone();
        let issuer = Arc::new(own_issuer(issuer, setup.keys, &clock));
        // A server that runs after another one does not draw the same again.
        let random: Arc<dyn Random> = Arc::new(CountedRandom::after(store.writes().len()));
        let catalog = catalog(&setup.providers);
        let ports = Ports {
            verifier: match &setup.provider {
                Some(provider) => Arc::clone(provider) as _,
                None => Arc::clone(&issuer) as _,
            },
            provider_metadata: match &setup.provider {
                Some(provider) => Arc::clone(provider) as _,
                None => Arc::new(NoProviders),
            },
            revocations: Arc::clone(&store) as _,
            keys: issuer,
            clients: Arc::clone(&store) as _,
            documents: Arc::clone(&published) as _,
            assertions: Arc::new(ClientSignatures),
            spent: Arc::clone(&store) as _,
            grants: Arc::clone(&store) as _,
            directory: Arc::clone(&store) as _,
            consents: Arc::clone(&store) as _,
            sessions: Arc::clone(&store) as _,
            mcp_sessions: Arc::clone(&store) as _,
            pending: Arc::clone(&store) as _,
            login_methods: login_methods(setup.providers, &people),
            token_keeping: Some(token_keeping(&store, &random)),
            catalog: Arc::new(catalog),
            schemas: Arc::new(JsonSchemas::default()),
            state_sealer: state_sealer(),
            clock: Arc::clone(&clock) as _,
            random,
            audit: Arc::clone(&audit) as _,
            limits: request_limits(setup.limits, &(Arc::clone(&clock) as _)),
        };
        let mut policy = Policy { client_documents: setup.documents, ..policy() };
        if setup.provider.is_some() {
            policy.authorization_server = ForeignProvider::as_authorization_server();
        }
        (setup.decided)(&mut policy);
        let use_cases = UseCases::new(&ports, address, policy, Some(alice()));
        Self {
            server: whole_server(&use_cases),
            base_url: use_cases.address.base_url().to_owned(),
            clock,
            audit,
            store,
            published,
            people,
            use_cases,
            cookies: Mutex::default(),
            peer: Mutex::default(),
        }
    }

    /// A request of a program.
    pub(crate) fn call(&self, method: Method, path: &str) -> Call<'_> {
        let uri: Uri = path.parse().unwrap();
        let (_, authority) = self.base_url.split_once("://").unwrap();
        let host = authority.split('/').next().unwrap();
        let request = Request::builder().method(method).uri(uri).header(HOST, host).finish();
        Call { scenario: self, request, in_browser: false }
    }

    pub(crate) fn get(&self, path: &str) -> Call<'_> {
        self.call(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Call<'_> {
        self.call(Method::POST, path)
    }

    /// A request of a program at an address this server published.
    pub(crate) fn get_at(&self, url: &str) -> Call<'_> {
        let origin = self.base_url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        let path = url.strip_prefix(&origin).unwrap_or_else(|| panic!("{url} is not here"));
        self.get(path)
    }

    /// From now on every request comes over a connection from this address.
    pub(crate) fn come_from(&self, peer: &str) {
        *self.peer.lock().unwrap() = Some(SocketAddr::new(peer.parse().unwrap(), 40_000));
    }

    /// Leaves the browser without any cookie, as if it were another.
    pub(crate) fn another_browser(&self) {
        self.cookies.lock().unwrap().clear();
    }

    /// The same browser meets another server at the same address.
    pub(crate) fn take_cookies_of(&self, other: &Self) {
        self.cookies.lock().unwrap().clone_from(&other.cookies.lock().unwrap());
    }

    /// The values of the browser's cookies.
    pub(crate) fn cookie_values(&self) -> Vec<String> {
        self.cookies.lock().unwrap().values().cloned().collect()
    }

    fn cookie_header(&self) -> Option<HeaderValue> {
        let cookies = self.cookies.lock().unwrap();
        let pairs: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; ").parse().unwrap())
    }

    fn keep_cookies(&self, answer: &Answer) {
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            match cookie.to_str().unwrap().contains("Max-Age=0") {
                true => cookies.remove(name),
                false => cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
    }
}

/// The tools; one asks the provider of its caller, if there may be something to ask with.
fn catalog(providers: &[LoginProvider]) -> BuiltinCatalog {
    let catalog = BuiltinCatalog::demo(scopes("mcp:tools")).unwrap().with(MoveFiles).unwrap();
    match providers.iter().any(|provider| provider.keeps_tokens) {
        true => catalog.with(AskProvider).unwrap(),
        false => catalog,
    }
}

fn public_address(setup: &Setup) -> PublicAddress {
    let address = PublicAddress::new(setup.base_url).unwrap();
    match setup.issuer {
        Some(issuer) => address.with_issuer(issuer).unwrap(),
        None => address,
    }
}

fn state_sealer() -> Arc<dyn StateSealer> {
    let random = Arc::new(CountedRandom::after(0));
    Arc::new(CallStateSealer::of_this_process(random).unwrap())
}

fn token_keeping(store: &Arc<RecordingStore>, random: &Arc<dyn Random>) -> TokenKeeping {
    let secret = "an encryption secret of 32 letters".into();
    let sealer = ProviderTokenSealer::new(&secret, None, Arc::clone(random)).unwrap();
    let refreshes = Arc::new(RefreshesUnderWay::default());
    TokenKeeping { store: Arc::clone(store) as _, sealer: Arc::new(sealer), refreshes }
}

fn login_methods(providers: Vec<LoginProvider>, people: &Arc<People>) -> LoginMethods {
    match providers.is_empty() {
        true => LoginMethods::Password(Arc::clone(people) as _),
        false => LoginMethods::Providers(providers),
    }
}

/// The issuer of a server; with the one key of all tests unless its own come from somewhere.
fn own_issuer(
    issuer: Issuer,
    keys: Option<Arc<dyn KeyStore>>,
    clock: &Arc<SettableClock>,
) -> LocalIssuer {
    match keys {
        Some(keys) => local_issuer(issuer, keys, clock),
        None => {
            local_issuer(issuer, Arc::new(MemoryStore::new()), clock).with_key(own_key().clone())
        }
    }
}

/// An issuer whose keys are rotated by nobody but the test.
pub(crate) fn local_issuer(
    issuer: Issuer,
    keys: Arc<dyn KeyStore>,
    clock: &Arc<SettableClock>,
) -> LocalIssuer {
    let rotation = KeyRotation { max_age: None, overlap: Duration::from_secs(3600) };
    let random = Arc::new(CountedRandom::default());
    LocalIssuer::new(issuer, keys, Arc::clone(clock) as _, random, rotation)
}

impl Call<'_> {
    /// One more header, beside those of the same name.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        let (name, value) = (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        self.request.headers_mut().append(name, value);
        self
    }

    /// Another Host header.
    pub(crate) fn host(mut self, host: &str) -> Self {
        self.request.headers_mut().insert(HOST, host.parse().unwrap());
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With a header that can't be text.
    pub(crate) fn illegible_authorization(mut self) -> Self {
        let value = HeaderValue::from_bytes(b"Basic \xFF").unwrap();
        self.request.headers_mut().insert(AUTHORIZATION, value);
        self
    }

    pub(crate) fn form(self, form: &Parameters) -> Self {
        self.body("application/x-www-form-urlencoded", form.encoded())
    }

    pub(crate) fn json(self, document: &Value) -> Self {
        self.body("application/json", document.to_string())
    }

    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.request.headers_mut().insert(CONTENT_TYPE, content_type.parse().unwrap());
        self.request.set_body(body.into());
        self
    }

    /// With the cookies of the browser, which keeps the new ones.
    pub(crate) fn in_browser(mut self) -> Self {
        self.in_browser = true;
        self
    }

    /// Sends the request and leaves when the answer begins.
    pub(crate) async fn head(self) -> StatusCode {
        self.scenario.server.get_response(self.request).await.status()
    }

    /// Sends the request; whatever it was, the server does not break on it.
    pub(crate) async fn send(mut self) -> Answer {
        if let Some(cookies) = self.scenario.cookie_header().filter(|_| self.in_browser) {
            self.request.headers_mut().insert(COOKIE, cookies);
        }
        if let Some(peer) = *self.scenario.peer.lock().unwrap() {
            self.request = over_connection(self.request, peer);
        }
        let asked = format!("{} {}", self.request.method(), self.request.uri());
        let mut response = self.scenario.server.get_response(self.request).await;
        let body = response.take_body().into_string().await.unwrap();
        let answer =
            Answer { status: response.status(), headers: response.headers().clone(), body };
        assert_ne!(answer.status.as_u16(), 500, "{asked}: {}", answer.body);
        // Whatever a client asks, it never sees this (checklist UP-07).
        let told = format!("{:?} {}", answer.headers, answer.body);
        assert!(!told.contains(PROVIDER_TOKEN), "{asked}: {told}");
        if self.in_browser {
            self.scenario.keep_cookies(&answer);
        }
        answer
    }
}

fn over_connection(request: Request, peer: SocketAddr) -> Request {
    let (sent, body) = request.into_parts();
    let mut parts = poem::http::Request::new(()).into_parts().0;
    (parts.method, parts.uri, parts.headers) = (sent.method, sent.uri, sent.headers);
    let remote = RemoteAddr(Addr::SocketAddr(peer));
    let parts = (parts, LocalAddr::default(), remote, Scheme::HTTP);
    Request::from_parts(RequestParts::from(parts), body)
}

fn request_limits(policy: Option<LimitPolicy>, clock: &Arc<dyn Clock>) -> Arc<dyn RequestLimits> {
    match policy {
        Some(policy) => Arc::new(RequestCounts::new(&policy, clock)),
        None => Arc::new(Unlimited),
    }
}

fn whole_server(use_cases: &UseCases) -> BoxEndpoint<'static, Response> {
    let settings = HttpSettings {
        origins: OriginPolicy::new(&use_cases.address, vec![ALLOWED_ORIGIN.to_owned()]),
        streamable_http: true,
        sse: true,
        dev_username: Some("alice".to_owned()),
        default_password: true,
    };
    let mounts = endpoints(use_cases, McpSettings::new("Test server", "1.2.3"));
    router(use_cases, settings, mounts).map_to_response().boxed()
}

fn policy() -> Policy {
    let described = |(name, meaning): (&str, &str)| ScopeDescription {
        scope: Scope::parse(name).unwrap(),
        meaning: meaning.to_owned(),
    };
    let supported = [
        ("mcp:tools", "Use the tools of this server on your behalf"),
        ("files:read", "Read your files"),
        ("files:write", "Change your files"),
        ("admin", "Everything"),
    ];
    let everything = (Scope::parse("admin").unwrap(), scopes("mcp:tools files:read files:write"));
    Policy {
        server_name: "Test server".to_owned(),
        authorization_server: AuthorizationServer::Local,
        scopes: ScopePolicy {
            supported: supported.map(described).into(),
            default: scopes("mcp:tools"),
            hierarchy: ScopeHierarchy::new([everything].into()),
        },
        code_lifetime: Duration::from_secs(60),
        access_token_lifetime: Duration::from_secs(3600),
        registration: RegistrationPolicy {
            mode: RegistrationMode::Open,
            most_clients: 1000,
            share: false,
        },
        consent_lifetime: Duration::ZERO,
        session_lifetime: Duration::from_secs(8 * 3600),
        catalog: CatalogPolicy::default(),
        client_documents: ClientDocumentPolicy::Open,
        refresh: RefreshPolicy {
            idle: Duration::from_secs(30 * 24 * 3600),
            absolute: Duration::from_secs(90 * 24 * 3600),
            grace: Duration::from_secs(30),
            grace_uses: 3,
        },
        trusted_proxies: TrustedProxies::default().with(PROXY).unwrap(),
    }
}

/// Scopes, space-delimited.
pub(crate) fn scopes(text: &str) -> ScopeSet {
    ScopeSet::parse(text).unwrap()
}

/// The words of a space-delimited list.
pub(crate) fn words(text: &str) -> BTreeSet<&str> {
    text.split(' ').collect()
}
