//! Every use case over one set of ports.

use std::sync::Arc;

use super::access::Access;
use super::authorize::Authorize;
use super::changes::Changes;
use super::client_administration::ClientAdministration;
use super::client_authentication::ClientAuthentication;
use super::client_directory::ClientDirectory;
use super::consent::Consent;
use super::dev_token::DevToken;
use super::end_client::EndClient;
use super::grant_administration::GrantAdministration;
use super::introspect::Introspect;
use super::issue_code::IssueCode;
use super::keys::Keys;
use super::log_out::LogOut;
use super::login::Login;
use super::manage_registration::ManageRegistration;
use super::mcp_sessions::KeptSessions;
use super::metadata::Metadata;
use super::mint::Mint;
use super::people::People;
use super::permission::Permission;
use super::policy::{CurrentCatalogPolicy, Policy, ScopePolicy};
use super::private_key_jwt::PrivateKeyJwt;
use super::prompts::Prompts;
use super::provider_login::ProviderLogin;
use super::provider_tokens::{TokenKeeping, TokensForTools};
use super::readiness::Readiness;
use super::reception::Reception;
use super::register::Register;
use super::resources::Resources;
use super::revoke::Revoke;
use super::rounds::Rounds;
use super::throttle::Throttle;
use super::token::TokenEndpoint;
use super::tools::Tools;
use crate::domain::person::Person;
use crate::domain::public_address::PublicAddress;
use crate::port::{
    ArgumentSchemas, AssertionSignatures, AuditLog, ClientDocuments, ClientRegistry, Clock,
    ConsentMemory, GrantDirectory, GrantStore, LoginMethods, LoginProvider, LoginSessions,
    McpSessions, PasswordLogin, PendingLogins, ProviderMetadata, Random, RequestLimits,
    SigningKeys, SpentTokenIds, StateSealer, TokenRevocations, TokenVerifier, ToolCatalog,
};

/// What the core needs from the world.
#[derive(Clone)]
pub struct Ports {
    /// Verifies access tokens.
    pub verifier: Arc<dyn TokenVerifier>,
    /// What is known of the providers that issue them; asked only where the policy says that they do.
    pub provider_metadata: Arc<dyn ProviderMetadata>,
    /// Tells which of them were ended before their time.
    pub revocations: Arc<dyn TokenRevocations>,
    /// Signs them.
    pub keys: Arc<dyn SigningKeys>,
    /// Keeps clients.
    pub clients: Arc<dyn ClientRegistry>,
    /// Fetches what clients publish of themselves.
    pub documents: Arc<dyn ClientDocuments>,
    /// Checks what clients sign.
    pub assertions: Arc<dyn AssertionSignatures>,
    /// Keeps ids that count once.
    pub spent: Arc<dyn SpentTokenIds>,
    /// Keeps codes, grants and refresh tokens.
    pub grants: Arc<dyn GrantStore>,
    /// Keeps every grant within reach of who looks after them.
    pub directory: Arc<dyn GrantDirectory>,
    /// Keeps what people allowed before.
    pub consents: Arc<dyn ConsentMemory>,
    /// Keeps login sessions.
    pub sessions: Arc<dyn LoginSessions>,
    /// Keeps sessions of MCP.
    pub mcp_sessions: Arc<dyn McpSessions>,
    /// Keeps logins at providers while people are there.
    pub pending: Arc<dyn PendingLogins>,
    /// How people log in.
    pub login_methods: LoginMethods,
    /// Keeps tokens of providers for tools; `None` where nothing can be encrypted.
    pub token_keeping: Option<TokenKeeping>,
    /// The tools to protect.
    pub catalog: Arc<dyn ToolCatalog>,
    /// Checks arguments of tools.
    pub schemas: Arc<dyn ArgumentSchemas>,
    /// Encrypts what calls are to remember.
    pub state_sealer: Arc<dyn StateSealer>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Unpredictable bytes.
    pub random: Arc<dyn Random>,
    /// Remembers decisions.
    pub audit: Arc<dyn AuditLog>,
    /// Counts what is limited.
    pub limits: Arc<dyn RequestLimits>,
}

/// The use cases, for driving adapters.
#[derive(Clone)]
pub struct UseCases {
    /// Where the world reaches this server.
    pub address: Arc<PublicAddress>,
    /// What the operator decided.
    pub policy: Arc<Policy>,
    /// Receive a request.
    pub reception: Arc<Reception>,
    /// Authenticate a request.
    pub access: Arc<Access>,
    /// List and call tools.
    pub tools: Arc<Tools>,
    /// List, read and watch resources.
    pub resources: Arc<Resources>,
    /// List and fill in prompts, and complete what is typed.
    pub prompts: Arc<Prompts>,
    /// What the operator decides about the catalog, to be changed while the server runs.
    pub catalog_policy: Arc<CurrentCatalogPolicy>,
    /// Tells what changes in the catalog.
    pub changes: Arc<Changes>,
    /// Keep sessions of MCP.
    pub mcp_sessions: Arc<KeptSessions>,
    /// Register a client.
    pub register: Arc<Register>,
    /// Change or end a registration.
    pub manage_registration: Arc<ManageRegistration>,
    /// Add, see and end clients as the operator.
    pub client_administration: Arc<ClientAdministration>,
    /// See and end grants as the operator.
    pub grant_administration: Arc<GrantAdministration>,
    /// Begin an authorization.
    pub authorize: Arc<Authorize>,
    /// Log a person in by a password, where people do.
    pub login: Option<Arc<Login>>,
    /// Log a person in at a provider, where people do.
    pub provider_login: Option<Arc<ProviderLogin>>,
    /// Log them out.
    pub log_out: Arc<LogOut>,
    /// Take a person's answer.
    pub consent: Arc<Consent>,
    /// Exchange a code, refresh, and give a client tokens of its own.
    pub token: Arc<TokenEndpoint>,
    /// Revoke a token.
    pub revoke: Arc<Revoke>,
    /// Tell a resource server about a token.
    pub introspect: Arc<Introspect>,
    /// Publish what clients discover.
    pub metadata: Arc<Metadata>,
    /// Tell whether everything needed is within reach.
    pub readiness: Arc<Readiness>,
    /// Publish, list and replace the signing keys.
    pub keys: Arc<Keys>,
    /// Make test tokens; only with the dev provider on a loopback base URL.
    pub dev_token: Option<Arc<DevToken>>,
}

impl UseCases {
    /// Every use case over `ports`. `dev_person` is whom test tokens are for; without one, with a
    /// base URL that is not loopback, or where providers issue the tokens, there are none.
    #[must_use]
    pub fn new(
        ports: &Ports,
        address: PublicAddress,
        policy: Policy,
        dev_person: Option<Person>,
    ) -> Self {
        let make = Make {
            ports: ports.clone(),
            address: Arc::new(address),
            scopes: Arc::new(policy.scopes.clone()),
            catalog_policy: Arc::new(CurrentCatalogPolicy::new(policy.catalog.clone())),
            policy: Arc::new(policy),
        };
        let issue_code = make.issue_code();
        let authorize = make.authorize(&issue_code);
        let consent = make.consent(&authorize, &issue_code);
        let tokens = make.tokens_for_tools();
        let (login, provider_login) = match &ports.login_methods {
            LoginMethods::Password(people) => (Some(make.login(people, &authorize)), None),
            LoginMethods::Providers(providers) => {
                let login = make.provider_login(providers, &authorize, &consent);
                (None, Some(Arc::new(ProviderLogin { tokens: tokens.clone(), ..login })))
            }
        };
        let rounds = make.rounds(tokens);
        let issues = make.policy.authorization_server.is_local();
        let dev_person = dev_person.filter(|_| issues && make.address.is_loopback());
        Self {
            reception: make.reception(),
            access: make.access(),
            tools: make.tools(&rounds),
            resources: make.resources(&rounds),
            prompts: make.prompts(&rounds),
            changes: make.changes(),
            catalog_policy: Arc::clone(&make.catalog_policy),
            mcp_sessions: make.mcp_sessions(),
            register: make.register(),
            manage_registration: make.manage_registration(),
            client_administration: make.client_administration(),
            grant_administration: make.grant_administration(),
            login,
            provider_login,
            log_out: make.log_out(),
            consent,
            token: make.token(),
            revoke: make.revoke(),
            introspect: make.introspect(),
            metadata: make.metadata(),
            readiness: make.readiness(),
            keys: make.keys(),
            dev_token: dev_person.map(|person| make.dev_token(person)),
            authorize,
            address: make.address,
            policy: make.policy,
        }
    }
}

/// Hands each use case the ports it asks for.
struct Make {
    ports: Ports,
    address: Arc<PublicAddress>,
    policy: Arc<Policy>,
    scopes: Arc<ScopePolicy>,
    catalog_policy: Arc<CurrentCatalogPolicy>,
}

impl Make {
    fn mint(&self) -> Mint {
        Mint {
            keys: Arc::clone(&self.ports.keys),
            clock: Arc::clone(&self.ports.clock),
            random: Arc::clone(&self.ports.random),
            address: Arc::clone(&self.address),
        }
    }

    fn throttle(&self) -> Throttle {
        Throttle::new(Arc::clone(&self.ports.limits))
    }

    fn reception(&self) -> Arc<Reception> {
        let random = Arc::clone(&self.ports.random);
        Arc::new(Reception { random, policy: Arc::clone(&self.policy) })
    }

    fn access(&self) -> Arc<Access> {
        Arc::new(Access {
            verifier: Arc::clone(&self.ports.verifier),
            revocations: Arc::clone(&self.ports.revocations),
            clock: Arc::clone(&self.ports.clock),
            audit: Arc::clone(&self.ports.audit),
            address: Arc::clone(&self.address),
            scopes: Arc::clone(&self.scopes),
        })
    }

    fn permission(&self) -> Permission {
        Permission {
            audit: Arc::clone(&self.ports.audit),
            scopes: Arc::clone(&self.scopes),
            catalog: Arc::clone(&self.catalog_policy),
        }
    }

    fn rounds(&self, provider_tokens: Option<Arc<TokensForTools>>) -> Arc<Rounds> {
        let sealer = Arc::clone(&self.ports.state_sealer);
        Arc::new(Rounds { sealer, clock: Arc::clone(&self.ports.clock), provider_tokens })
    }

    fn tools(&self, rounds: &Arc<Rounds>) -> Arc<Tools> {
        Arc::new(Tools {
            catalog: Arc::clone(&self.ports.catalog),
            schemas: Arc::clone(&self.ports.schemas),
            permission: self.permission(),
            rounds: Arc::clone(rounds),
        })
    }

    fn resources(&self, rounds: &Arc<Rounds>) -> Arc<Resources> {
        let (catalog, rounds) = (Arc::clone(&self.ports.catalog), Arc::clone(rounds));
        Arc::new(Resources { catalog, permission: self.permission(), rounds })
    }

    fn changes(&self) -> Arc<Changes> {
        Arc::new(Changes { catalog: Arc::clone(&self.ports.catalog) })
    }

    fn prompts(&self, rounds: &Arc<Rounds>) -> Arc<Prompts> {
        let (catalog, rounds) = (Arc::clone(&self.ports.catalog), Arc::clone(rounds));
        Arc::new(Prompts { catalog, permission: self.permission(), rounds })
    }

    fn mcp_sessions(&self) -> Arc<KeptSessions> {
        Arc::new(KeptSessions {
            sessions: Arc::clone(&self.ports.mcp_sessions),
            clock: Arc::clone(&self.ports.clock),
            random: Arc::clone(&self.ports.random),
        })
    }

    fn tokens_for_tools(&self) -> Option<Arc<TokensForTools>> {
        let LoginMethods::Providers(providers) = &self.ports.login_methods else { return None };
        let keeping = self.ports.token_keeping.clone()?;
        let clock = Arc::clone(&self.ports.clock);
        Some(Arc::new(TokensForTools { providers: providers.clone(), keeping, clock }))
    }

    fn register(&self) -> Arc<Register> {
        Arc::new(Register {
            clients: Arc::clone(&self.ports.clients),
            clock: Arc::clone(&self.ports.clock),
            random: Arc::clone(&self.ports.random),
            audit: Arc::clone(&self.ports.audit),
            throttle: self.throttle(),
            policy: Arc::clone(&self.policy),
        })
    }

    fn manage_registration(&self) -> Arc<ManageRegistration> {
        Arc::new(ManageRegistration {
            clients: Arc::clone(&self.ports.clients),
            end_client: self.end_client(),
            random: Arc::clone(&self.ports.random),
            audit: Arc::clone(&self.ports.audit),
            throttle: self.throttle(),
            policy: Arc::clone(&self.policy),
        })
    }

    fn end_client(&self) -> EndClient {
        EndClient {
            clients: Arc::clone(&self.ports.clients),
            directory: Arc::clone(&self.ports.directory),
            consents: Arc::clone(&self.ports.consents),
            clock: Arc::clone(&self.ports.clock),
        }
    }

    fn client_administration(&self) -> Arc<ClientAdministration> {
        Arc::new(ClientAdministration {
            clients: Arc::clone(&self.ports.clients),
            directory: Arc::clone(&self.ports.directory),
            end_client: self.end_client(),
            clock: Arc::clone(&self.ports.clock),
            random: Arc::clone(&self.ports.random),
            audit: Arc::clone(&self.ports.audit),
            policy: Arc::clone(&self.policy),
        })
    }

    fn grant_administration(&self) -> Arc<GrantAdministration> {
        Arc::new(GrantAdministration {
            directory: Arc::clone(&self.ports.directory),
            grants: Arc::clone(&self.ports.grants),
            consents: Arc::clone(&self.ports.consents),
            clock: Arc::clone(&self.ports.clock),
            audit: Arc::clone(&self.ports.audit),
        })
    }

    fn issue_code(&self) -> Arc<IssueCode> {
        Arc::new(IssueCode {
            grants: Arc::clone(&self.ports.grants),
            clock: Arc::clone(&self.ports.clock),
            random: Arc::clone(&self.ports.random),
            audit: Arc::clone(&self.ports.audit),
            policy: Arc::clone(&self.policy),
        })
    }

    fn log_out(&self) -> Arc<LogOut> {
        Arc::new(LogOut {
            sessions: Arc::clone(&self.ports.sessions),
            clock: Arc::clone(&self.ports.clock),
            audit: Arc::clone(&self.ports.audit),
        })
    }

    fn client_directory(&self) -> Arc<ClientDirectory> {
        Arc::new(ClientDirectory {
            clients: Arc::clone(&self.ports.clients),
            documents: Arc::clone(&self.ports.documents),
            clock: Arc::clone(&self.ports.clock),
            policy: Arc::clone(&self.policy),
        })
    }

    fn client_authentication(&self) -> ClientAuthentication {
        let clients = self.client_directory();
        let private_key_jwt = PrivateKeyJwt {
            clients: Arc::clone(&clients),
            signatures: Arc::clone(&self.ports.assertions),
            spent: Arc::clone(&self.ports.spent),
            clock: Arc::clone(&self.ports.clock),
            address: Arc::clone(&self.address),
        };
        ClientAuthentication { clients, private_key_jwt, throttle: self.throttle() }
    }

    fn authorize(&self, issue_code: &Arc<IssueCode>) -> Arc<Authorize> {
        Arc::new(Authorize {
            clients: self.client_directory(),
            sessions: Arc::clone(&self.ports.sessions),
            people: People { methods: self.ports.login_methods.clone() },
            consents: Arc::clone(&self.ports.consents),
            issue_code: Arc::clone(issue_code),
            clock: Arc::clone(&self.ports.clock),
            audit: Arc::clone(&self.ports.audit),
            throttle: self.throttle(),
            address: Arc::clone(&self.address),
            policy: Arc::clone(&self.policy),
            scopes: Arc::clone(&self.scopes),
        })
    }

    fn login(&self, people: &Arc<dyn PasswordLogin>, authorize: &Arc<Authorize>) -> Arc<Login> {
        Arc::new(Login {
            people: Arc::clone(people),
            sessions: Arc::clone(&self.ports.sessions),
            clock: Arc::clone(&self.ports.clock),
            random: Arc::clone(&self.ports.random),
            audit: Arc::clone(&self.ports.audit),
            throttle: self.throttle(),
            policy: Arc::clone(&self.policy),
            authorize: Arc::clone(authorize),
        })
    }

    fn provider_login(
        &self,
        providers: &[LoginProvider],
        authorize: &Arc<Authorize>,
        consent: &Arc<Consent>,
    ) -> ProviderLogin {
        ProviderLogin {
            providers: providers.to_vec(),
            pending: Arc::clone(&self.ports.pending),
            sessions: Arc::clone(&self.ports.sessions),
            clock: Arc::clone(&self.ports.clock),
            random: Arc::clone(&self.ports.random),
            audit: Arc::clone(&self.ports.audit),
            throttle: self.throttle(),
            address: Arc::clone(&self.address),
            policy: Arc::clone(&self.policy),
            authorize: Arc::clone(authorize),
            consent: Arc::clone(consent),
            tokens: None,
        }
    }

    fn consent(&self, authorize: &Arc<Authorize>, issue_code: &Arc<IssueCode>) -> Arc<Consent> {
        Arc::new(Consent {
            consents: Arc::clone(&self.ports.consents),
            clock: Arc::clone(&self.ports.clock),
            issue_code: Arc::clone(issue_code),
            audit: Arc::clone(&self.ports.audit),
            throttle: self.throttle(),
            policy: Arc::clone(&self.policy),
            authorize: Arc::clone(authorize),
        })
    }

    fn token(&self) -> Arc<TokenEndpoint> {
        Arc::new(TokenEndpoint {
            clients: Arc::clone(&self.ports.clients),
            authentication: self.client_authentication(),
            grants: Arc::clone(&self.ports.grants),
            directory: Arc::clone(&self.ports.directory),
            people: People { methods: self.ports.login_methods.clone() },
            clock: Arc::clone(&self.ports.clock),
            random: Arc::clone(&self.ports.random),
            audit: Arc::clone(&self.ports.audit),
            throttle: self.throttle(),
            address: Arc::clone(&self.address),
            policy: Arc::clone(&self.policy),
            mint: self.mint(),
        })
    }

    fn revoke(&self) -> Arc<Revoke> {
        Arc::new(Revoke {
            authentication: self.client_authentication(),
            grants: Arc::clone(&self.ports.grants),
            revocations: Arc::clone(&self.ports.revocations),
            verifier: Arc::clone(&self.ports.verifier),
            clock: Arc::clone(&self.ports.clock),
            throttle: self.throttle(),
            audit: Arc::clone(&self.ports.audit),
            address: Arc::clone(&self.address),
        })
    }

    fn introspect(&self) -> Arc<Introspect> {
        Arc::new(Introspect {
            authentication: self.client_authentication(),
            revocations: Arc::clone(&self.ports.revocations),
            verifier: Arc::clone(&self.ports.verifier),
            clock: Arc::clone(&self.ports.clock),
            throttle: self.throttle(),
            audit: Arc::clone(&self.ports.audit),
            address: Arc::clone(&self.address),
        })
    }

    fn metadata(&self) -> Arc<Metadata> {
        Arc::new(Metadata {
            address: Arc::clone(&self.address),
            policy: Arc::clone(&self.policy),
            audit: Arc::clone(&self.ports.audit),
            providers: self.providers(),
        })
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::new(Keys { keys: Arc::clone(&self.ports.keys), audit: Arc::clone(&self.ports.audit) })
    }

    fn readiness(&self) -> Arc<Readiness> {
        Arc::new(Readiness {
            keys: Arc::clone(&self.ports.keys),
            clients: Arc::clone(&self.ports.clients),
            providers: self.providers(),
        })
    }

    /// `None` where this server issues the tokens.
    fn providers(&self) -> Option<Arc<dyn ProviderMetadata>> {
        let local = self.policy.authorization_server.is_local();
        (!local).then(|| Arc::clone(&self.ports.provider_metadata))
    }

    fn dev_token(&self, person: Person) -> Arc<DevToken> {
        Arc::new(DevToken {
            mint: self.mint(),
            audit: Arc::clone(&self.ports.audit),
            throttle: self.throttle(),
            address: Arc::clone(&self.address),
            policy: Arc::clone(&self.policy),
            person,
        })
    }
}
