//! Putting the adapters behind the ports.

use std::fmt::Display;
use std::sync::Arc;

use mcp_oauth_core::domain::public_address::{InvalidAddress, PublicAddress};
use mcp_oauth_core::domain::web_origin::OriginPolicy;
use mcp_oauth_core::port::{
    AuditLog, ClientDocuments, ClientRegistry, Clock, LoginMethods, LoginProvider, Random,
    RegisterError, StoreUnavailable, TokenVerifier, ToolCatalog,
};
use mcp_oauth_core::service::{Ports, TokenKeeping, UseCases};
use mcp_oauth_http::{HttpSettings, docs_client};
use mcp_oauth_identity::{
    DevUsers, OidcProvider, ProviderDocuments, ProviderVerifier, PublishedMetadata,
};
use mcp_oauth_issuer::{ClientSignatures, LocalIssuer};
use mcp_oauth_mcp::{McpSettings, Transports};
use mcp_oauth_memory::{
    RecentRevocations, RefreshesUnderWay, RememberedDocuments, RequestCounts, Unlimited,
    VerifiedTokens,
};
use mcp_oauth_tools::JsonSchemas;
use tokio_util::sync::CancellationToken;

use crate::problem::Problem;
use crate::provider_settings::ProviderSettings;
use crate::settings::{Settings, default_base_url};
use crate::store::Stores;
use crate::system::{SystemClock, SystemRandom};

/// The public address of the settings, once the port is known.
pub(crate) fn public_address(settings: &Settings, port: u16) -> Result<PublicAddress, Problem> {
    address(settings, port)
        .map_err(|error| Problem::new("base_url", "the settings", &error, "Correct it."))
}

fn address(settings: &Settings, port: u16) -> Result<PublicAddress, InvalidAddress> {
    let default = || default_base_url(port, settings.connections.tls.is_some());
    let base_url = settings.base_url.clone().unwrap_or_else(default);
    let mut address = PublicAddress::new(&base_url)?;
    if let Some(issuer) = &settings.issuer {
        address = address.with_issuer(issuer)?;
    }
    if let Some(audience) = &settings.audience {
        address = address.with_audience(audience);
    }
    Ok(address)
}

/// What the settings make of the adapters.
pub(crate) struct Wired {
    pub(crate) use_cases: UseCases,
    /// Will want its keys.
    pub(crate) issuer: Arc<LocalIssuer>,
    /// The providers; nobody has been asked yet.
    pub(crate) providers: Vec<Arc<ProviderDocuments>>,
}

/// Puts everything together.
pub(crate) fn wire(
    settings: &Settings,
    address: PublicAddress,
    stores: &Stores,
    catalog: Arc<dyn ToolCatalog>,
    audit: Arc<dyn AuditLog>,
) -> Result<Wired, Problem> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let issuer = address.issuer().clone();
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let keys = Arc::clone(&stores.keys);
    let (clock_too, random_too) = (Arc::clone(&clock), Arc::clone(&random));
    let mut issuer = LocalIssuer::new(issuer, keys, clock_too, random_too, settings.key_rotation)
        .with_sealer(Arc::clone(&settings.sealers.keys));
    if let Some(key) = &settings.signing_key {
        issuer = issuer.with_key(key.clone());
    }
    let issuer = Arc::new(issuer);
    let providers = provider_documents(settings, &clock);
    let published = PublishedMetadata::new(providers.clone(), Arc::clone(&clock));
    let ports = Ports {
        verifier: Arc::new(VerifiedTokens::new(verifier(settings, &issuer, &providers)?)),
        provider_metadata: Arc::new(published),
        revocations: Arc::new(RecentRevocations::new(
            Arc::clone(&stores.revocations),
            Arc::clone(&clock),
            settings.revocation_check,
        )),
        keys: Arc::clone(&issuer) as _,
        clients: Arc::clone(&stores.clients),
        documents: documents(settings, &clock),
        assertions: Arc::new(ClientSignatures),
        spent: Arc::clone(&stores.spent),
        grants: Arc::clone(&stores.grants),
        directory: Arc::clone(&stores.directory),
        consents: Arc::clone(&stores.consents),
        sessions: Arc::clone(&stores.sessions),
        mcp_sessions: Arc::clone(&stores.mcp_sessions),
        pending: Arc::clone(&stores.pending),
        login_methods: login_methods(settings, &providers)?,
        token_keeping: token_keeping(settings, stores),
        catalog,
        schemas: Arc::new(JsonSchemas::default()),
        state_sealer: Arc::clone(&settings.sealers.states) as _,
        limits: match &settings.limits {
            Some(policy) => Arc::new(RequestCounts::new(policy, &clock)),
            None => Arc::new(Unlimited),
        },
        clock,
        random,
        audit,
    };
    let dev_person = settings.dev_users().first().map(|user| user.person.clone());
    let use_cases = UseCases::new(&ports, address, settings.policy.clone(), dev_person);
    Ok(Wired { use_cases, issuer, providers })
}

fn provider_documents(settings: &Settings, clock: &Arc<dyn Clock>) -> Vec<Arc<ProviderDocuments>> {
    let of = |provider: &ProviderSettings| {
        Arc::new(ProviderDocuments::new(provider.config.clone(), Arc::clone(clock)))
    };
    settings.providers().iter().map(of).collect()
}

fn verifier(
    settings: &Settings,
    issuer: &Arc<LocalIssuer>,
    providers: &[Arc<ProviderDocuments>],
) -> Result<Arc<dyn TokenVerifier>, Problem> {
    if settings.policy.authorization_server.is_local() {
        return Ok(Arc::clone(issuer) as _);
    }
    let verifier = ProviderVerifier::new(providers.to_vec());
    let verifier = verifier.map_err(|error| unusable_providers(&error))?;
    Ok(Arc::new(verifier))
}

/// Where the providers issue the tokens, nobody logs in here.
fn login_methods(
    settings: &Settings,
    documents: &[Arc<ProviderDocuments>],
) -> Result<LoginMethods, Problem> {
    let is_local = settings.policy.authorization_server.is_local();
    if !is_local || documents.is_empty() {
        let people = settings.dev_users().to_vec();
        return Ok(LoginMethods::Password(Arc::new(DevUsers::new(people))));
    }
    let one = |(provider, documents): (&ProviderSettings, &Arc<ProviderDocuments>)| {
        let asked = OidcProvider::new(Arc::clone(documents));
        let asked = asked.map_err(|error| unusable_providers(&error))?;
        Ok(LoginProvider {
            name: provider.config.name.clone(),
            title: provider.config.title.clone(),
            issuer: provider.config.policy.issuer.clone(),
            admission: provider.admission.clone(),
            carried: provider.carried.clone(),
            keeps_tokens: provider.keeps_tokens,
            provider: Arc::new(asked),
        })
    };
    let providers = settings.providers().iter().zip(documents).map(one);
    Ok(LoginMethods::Providers(providers.collect::<Result<_, Problem>>()?))
}

fn token_keeping(settings: &Settings, stores: &Stores) -> Option<TokenKeeping> {
    let sealer = settings.sealers.tokens.clone()?;
    let store = Arc::clone(&stores.provider_tokens);
    Some(TokenKeeping { store, sealer, refreshes: Arc::new(RefreshesUnderWay::default()) })
}

fn unusable_providers(error: &dyn Display) -> Problem {
    Problem::new("identity", "the settings", error, "Correct it in [identity.NAME].")
}

/// Asks every provider once, so that the log says at the start who can't be asked. Nobody waits for
/// it: a provider may be back before somebody wants to log in.
pub(crate) async fn greet_providers(providers: Vec<Arc<ProviderDocuments>>) {
    for provider in providers {
        let name = provider.config().name.as_str().to_owned();
        if let Err(error) = provider.discovery_document().await {
            tracing::warn!(
                provider = name,
                %error,
                "the provider can't be asked; it is tried again when needed, and `doctor` tells more"
            );
        }
    }
}

/// Whether the stored keys can be read, if there are any.
pub(crate) async fn check_keys(issuer: &LocalIssuer) -> Result<(), Problem> {
    let remedy = "Set the secret under which they were encrypted, or that one as \
                  previous_encryption_secret to encrypt them anew.";
    let source = "the settings and the store";
    issuer.check_stored().await.map_err(|error| {
        if error.0.is::<StoreUnavailable>() {
            let remedy = "See that the store can be read, and try again.";
            return Problem::new("store", source, &error, remedy);
        }
        Problem::new("encryption_secret", source, &error, remedy)
    })
}

fn documents(settings: &Settings, clock: &Arc<dyn Clock>) -> Arc<dyn ClientDocuments> {
    let web = &settings.documents.web;
    if let Some(trouble) = web.trouble().filter(|_| settings.policy.client_documents.is_on()) {
        tracing::warn!(trouble, "client metadata documents can't be fetched");
    }
    let (web, clock) = (Arc::clone(web), Arc::clone(clock));
    Arc::new(RememberedDocuments::new(web, clock, settings.documents.memory))
}

/// Makes the client of the documentation page known, or up to date.
pub(crate) async fn register_docs_client(
    clients: &dyn ClientRegistry,
    address: &PublicAddress,
) -> Result<(), StoreUnavailable> {
    let client = docs_client(address, SystemClock.now());
    match clients.register(&client, u32::MAX).await {
        Ok(()) => Ok(()),
        Err(RegisterError::Exists | RegisterError::Full) => {
            clients.replace(&client).await.map(|_| ())
        }
        Err(RegisterError::Unavailable(unavailable)) => Err(unavailable),
    }
}

pub(crate) fn http_settings(settings: &Settings, address: &PublicAddress) -> HttpSettings {
    HttpSettings {
        origins: OriginPolicy::new(address, settings.allowed_origins.clone())
            .with_hosts(settings.allowed_hosts.clone()),
        streamable_http: settings.streamable_http,
        sse: settings.sse,
        dev_username: settings.dev_users().first().map(|user| user.username.clone()),
        default_password: settings.default_users,
    }
}

pub(crate) fn mcp_settings(settings: &Settings, stop: &CancellationToken) -> McpSettings {
    let name = settings.policy.server_name.clone();
    McpSettings {
        transports: Transports { streamable_http: settings.streamable_http, sse: settings.sse },
        call_time_limit: settings.call_time_limit,
        open_requests_per_caller: match settings.limits {
            Some(_) => settings.connections.open_requests,
            None => usize::MAX,
        },
        shutdown: stop.clone(),
        ..McpSettings::new(name, env!("CARGO_PKG_VERSION"))
    }
}
