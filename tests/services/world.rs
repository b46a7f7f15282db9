//! The stage of every scenario: announce what the ports will be asked, then open it.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use mcp_oauth_core::domain::access_token::VerifyError;
use mcp_oauth_core::domain::audit::{AuditEvent, Decision};
use mcp_oauth_core::domain::authorization::AuthorizationQuery;
use mcp_oauth_core::domain::client::Client;
use mcp_oauth_core::domain::grant::{CodeRecord, Grant};
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::login::LoginSession;
use mcp_oauth_core::domain::parameters::Parameters;
use mcp_oauth_core::domain::principal::Principal;
use mcp_oauth_core::domain::public_address::PublicAddress;
use mcp_oauth_core::domain::refresh::RefreshRecord;
use mcp_oauth_core::domain::secret::SECRET_BYTES;
use mcp_oauth_core::domain::tool::{CallError, ToolOutput};
use mcp_oauth_core::port::{
    LoginMethods, LoginProvider, MockArgumentSchemas, MockAssertionSignatures, MockAuditLog,
    MockClientDocuments, MockClientRegistry, MockClock, MockConsentMemory, MockGrantDirectory,
    MockGrantStore, MockLoginSessions, MockMcpSessions, MockPasswordLogin, MockPendingLogins,
    MockProviderMetadata, MockRandom, MockRequestLimits, MockSigningKeys, MockSpentTokenIds,
    MockStateSealer, MockTokenRevocations, MockTokenVerifier, MockToolCatalog, StoreUnavailable,
};
use mcp_oauth_core::service::login::Login;
use mcp_oauth_core::service::policy::{AuthorizationServer, Policy};
use mcp_oauth_core::service::provider_login::ProviderLogin;
use mcp_oauth_core::service::refusal::{Refusal, Row};
use mcp_oauth_core::service::token::{TokenError, TokenRequest, TokenResponse};
use mcp_oauth_core::service::tools::AuthorizedTool;
use mcp_oauth_core::service::{ClientSide, Round};
use mcp_oauth_core::service::{Ports, TokenKeeping, UseCases};
use serde_json::Map;

use crate::samples::{
    BASE, CALLBACK, CHALLENGE, PROVIDER, RESOURCE, SECRETS, SIGNED, alice, at, client, code,
    issued_token, policy, refresh, session,
};

/// Ports nobody may call yet, except for the time and for random bytes.
pub(crate) struct World {
    pub(crate) verifier: MockTokenVerifier,
    pub(crate) provider_metadata: MockProviderMetadata,
    pub(crate) revocations: MockTokenRevocations,
    pub(crate) keys: MockSigningKeys,
    pub(crate) clients: MockClientRegistry,
    pub(crate) documents: MockClientDocuments,
    pub(crate) assertions: MockAssertionSignatures,
    pub(crate) spent: MockSpentTokenIds,
    pub(crate) grants: MockGrantStore,
    pub(crate) directory: MockGrantDirectory,
    pub(crate) consents: MockConsentMemory,
    pub(crate) sessions: MockLoginSessions,
    pub(crate) identity: MockPasswordLogin,
    pub(crate) mcp_sessions: MockMcpSessions,
    pub(crate) pending: MockPendingLogins,
    /// Where people log in, instead of by a password.
    pub(crate) providers: Vec<LoginProvider>,
    /// What keeps their tokens.
    pub(crate) token_keeping: Option<TokenKeeping>,
    pub(crate) catalog: MockToolCatalog,
    /// Whatever is not announced fits its schema.
    pub(crate) schemas: MockArgumentSchemas,
    pub(crate) state_sealer: MockStateSealer,
    /// Whatever is not announced is within its limit.
    pub(crate) limits: MockRequestLimits,
    pub(crate) base_url: &'static str,
    pub(crate) policy: Policy,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            verifier: MockTokenVerifier::new(),
            provider_metadata: MockProviderMetadata::new(),
            revocations: MockTokenRevocations::new(),
            keys: MockSigningKeys::new(),
            clients: MockClientRegistry::new(),
            documents: MockClientDocuments::new(),
            assertions: MockAssertionSignatures::new(),
            spent: MockSpentTokenIds::new(),
            grants: MockGrantStore::new(),
            directory: MockGrantDirectory::new(),
            consents: MockConsentMemory::new(),
            sessions: MockLoginSessions::new(),
            identity: MockPasswordLogin::new(),
            mcp_sessions: MockMcpSessions::new(),
            pending: MockPendingLogins::new(),
            providers: Vec::new(),
            token_keeping: None,
            catalog: MockToolCatalog::new(),
            schemas: MockArgumentSchemas::new(),
            state_sealer: MockStateSealer::new(),
            limits: MockRequestLimits::new(),
            base_url: BASE,
            policy: policy(),
        }
    }

    /// The client is looked up, once.
    pub(crate) fn with_client(mut self, client: Client) -> Self {
        let id = client.id.clone();
        let find = self.clients.expect_find().times(1).withf(move |asked| *asked == id);
        find.return_once(|_| Ok(Some(client)));
        self
    }

    /// The code is looked up, once.
    pub(crate) fn with_code(mut self, record: CodeRecord, grant: Grant) -> Self {
        let find = self.grants.expect_find_code().times(1).withf(|asked| *asked == code().hash);
        find.return_once(|_| Ok(Some((record, grant))));
        self
    }

    /// The refresh token is looked up, once.
    pub(crate) fn with_refresh(mut self, record: RefreshRecord, grant: Grant) -> Self {
        let find = self.grants.expect_find_refresh();
        let find = find.times(1).withf(|asked| *asked == refresh().hash);
        find.return_once(|_| Ok(Some((record, grant))));
        self
    }

    /// The session cookie is looked up, once.
    pub(crate) fn with_session(mut self, found: Option<LoginSession>) -> Self {
        let find = self.sessions.expect_find().times(1).withf(|asked| *asked == session().hash);
        find.return_once(|_| Ok(found));
        self
    }

    /// The access token [`SIGNED`] is verified, once.
    pub(crate) fn with_verified(mut self, verified: Result<Principal, VerifyError>) -> Self {
        let verify = self.verifier.expect_verify().times(1).withf(|token, expected| {
            let resource = expected.resource.canonical().as_str();
            token.expose() == SIGNED && resource == RESOURCE && expected.now == at(0)
        });
        verify.return_once(|_, _| verified);
        self
    }

    /// Somebody asks whether the token `jti-1` of the grant was ended, once.
    pub(crate) fn with_revocation(mut self, revoked: Result<bool, StoreUnavailable>) -> Self {
        let asked = self.revocations.expect_is_revoked().times(1);
        asked.withf(|token| *token == issued_token()).return_once(|_| revoked);
        self
    }

    /// Tokens are signed, `times` times.
    pub(crate) fn with_signing(mut self, times: usize) -> Self {
        self.keys.expect_sign().times(times).returning(|_| Ok(SIGNED.to_owned()));
        self
    }

    /// The use of the client is remembered, once.
    pub(crate) fn with_touch(mut self) -> Self {
        let touch = self.clients.expect_touch().times(1);
        touch
            .withf(|id, used_at| *id == client().id && *used_at == at(0))
            .return_once(|_, _| Ok(()));
        self
    }

    /// Clients get their tokens from two providers.
    pub(crate) fn of_providers(mut self) -> Self {
        let issuers = [PROVIDER, "https://other.example/"].map(Issuer::new);
        self.policy.authorization_server = AuthorizationServer::Providers(issuers.into());
        self
    }

    pub(crate) fn open(mut self) -> Stage {
        // Unless the scenario has announced otherwise.
        self.identity.expect_still_admits().returning(|_| Ok(true));
        self.schemas.expect_check().returning(|_, _| Ok(()));
        self.limits.expect_check().returning(|_| Ok(()));
        self.limits.expect_count().returning(|_| Ok(()));
        let audited = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&audited);
        let mut audit = MockAuditLog::new();
        audit.expect_record().returning(move |event| record.lock().unwrap().push(event));
        let mut clock = MockClock::new();
        clock.expect_now().returning(|| at(0));
        let mut random = MockRandom::new();
        let drawn = AtomicU8::new(1);
        random
            .expect_entropy()
            .returning(move || [drawn.fetch_add(1, Ordering::Relaxed); SECRET_BYTES]);
        let ports = Ports {
            verifier: Arc::new(self.verifier),
            provider_metadata: Arc::new(self.provider_metadata),
            revocations: Arc::new(self.revocations),
            keys: Arc::new(self.keys),
            clients: Arc::new(self.clients),
            documents: Arc::new(self.documents),
            assertions: Arc::new(self.assertions),
            spent: Arc::new(self.spent),
            grants: Arc::new(self.grants),
            directory: Arc::new(self.directory),
            consents: Arc::new(self.consents),
            sessions: Arc::new(self.sessions),
            mcp_sessions: Arc::new(self.mcp_sessions),
            pending: Arc::new(self.pending),
            login_methods: match self.providers.is_empty() {
                true => LoginMethods::Password(Arc::new(self.identity)),
                false => LoginMethods::Providers(self.providers),
            },
            token_keeping: self.token_keeping,
            catalog: Arc::new(self.catalog),
            schemas: Arc::new(self.schemas),
            state_sealer: Arc::new(self.state_sealer),
            limits: Arc::new(self.limits),
            clock: Arc::new(clock),
            random: Arc::new(random),
            audit: Arc::new(audit),
        };
        let address = PublicAddress::new(self.base_url).unwrap();
        Stage { use_cases: UseCases::new(&ports, address, self.policy, Some(alice())), audited }
    }
}

/// Every use case over the announced ports, and what they recorded.
pub(crate) struct Stage {
    pub(crate) use_cases: UseCases,
    audited: Arc<Mutex<Vec<AuditEvent>>>,
}

impl Stage {
    /// Everything recorded so far.
    pub(crate) fn audited(&self) -> Vec<AuditEvent> {
        self.audited.lock().unwrap().clone()
    }

    /// The one event recorded so far.
    pub(crate) fn only_event(&self) -> AuditEvent {
        let [event] = <[AuditEvent; 1]>::try_from(self.audited()).expect("one event");
        event
    }

    /// The names of what was recorded so far; of a refusal, its code.
    pub(crate) fn decisions(&self) -> Vec<&'static str> {
        let name = |event: AuditEvent| match event.decision {
            Decision::Refused { code, .. } => code,
            other => other.name(),
        };
        self.audited().into_iter().map(name).collect()
    }

    /// Calls a tool without arguments, by a client that can do nothing.
    pub(crate) async fn call(&self, tool: AuthorizedTool) -> Result<Round<ToolOutput>, CallError> {
        self.use_cases.tools.call(tool, Map::new(), ClientSide::default()).await
    }

    /// The same, of a tool that the caller may call.
    pub(crate) async fn authorize_and_call(
        &self,
        caller: Principal,
        tool: &str,
    ) -> Result<Round<ToolOutput>, CallError> {
        let tool = self.use_cases.tools.authorize(&Arc::new(caller), tool).await.unwrap();
        self.call(tool).await
    }

    /// Logging in by a password.
    pub(crate) fn login(&self) -> &Login {
        self.use_cases.login.as_ref().expect("people with passwords")
    }

    /// Logging in at a provider.
    pub(crate) fn provider_login(&self) -> &ProviderLogin {
        self.use_cases.provider_login.as_ref().expect("people of a provider")
    }

    /// A token request with the fields of `form`, by nobody in particular unless they say so.
    pub(crate) async fn token(&self, form: &str) -> Result<TokenResponse, TokenError> {
        self.token_with(&[], "", form).await
    }

    /// A token request with Authorization headers and a query.
    pub(crate) async fn token_with(
        &self,
        authorization: &[&str],
        query: &str,
        form: &str,
    ) -> Result<TokenResponse, TokenError> {
        let query = Parameters::parse(query.as_bytes()).unwrap();
        let form = Parameters::parse(form.as_bytes()).unwrap();
        self.use_cases
            .token
            .answer(TokenRequest {
                authorization: authorization.to_vec(),
                query: &query,
                form: &form,
            })
            .await
    }
}

/// Whatever a scenario is about: no event it recorded has a secret in it (checklist JV-18).
impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let recorded = format!("{:?}", self.audited());
        for secret in SECRETS {
            assert!(!recorded.contains(secret), "the audit log has {secret:?}: {recorded}");
        }
    }
}

/// The parameters of a form.
pub(crate) fn form(encoded: &str) -> Parameters {
    Parameters::parse(encoded.as_bytes()).unwrap()
}

/// An authorization request that is fine, apart from `changes`: a value for a name, or nothing at
/// all for it.
pub(crate) fn authorization(changes: &[(&str, Option<&str>)]) -> AuthorizationQuery {
    let usual = [
        ("response_type", "code"),
        ("client_id", "client-1"),
        ("redirect_uri", CALLBACK),
        ("state", "the-state"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let changed = |name: &str| changes.iter().any(|(change, _)| *change == name);
    let kept = usual.into_iter().filter(|(name, _)| !changed(name));
    let new = changes.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    AuthorizationQuery::new(query.extend_pairs(kept.chain(new)).finish())
}

/// The status, the OAuth code and the audit code of a refusal.
pub(crate) fn row(refusal: Refusal<'_>) -> (u16, &'static str, &'static str) {
    let Row { status, code, audit, .. } = refusal.row();
    (status, code, audit)
}

/// The row of a token request that had to be refused.
pub(crate) fn refused(
    answer: Result<TokenResponse, TokenError>,
) -> (u16, &'static str, &'static str) {
    row(Refusal::Token(&answer.expect_err("a refusal")))
}
