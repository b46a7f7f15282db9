//! Putting the adapters behind the ports.

use std::sync::Arc;

use mcp_oauth_core::domain::public_address::{InvalidAddress, PublicAddress};
use mcp_oauth_core::domain::web_origin::OriginPolicy;
use mcp_oauth_core::port::{
    AuditLog, ClientDocuments, ClientRegistry, Clock, LoginMethods, NoProviders, Random,
    RegisterError, StoreUnavailable, ToolCatalog,
};
use mcp_oauth_core::service::{Ports, UseCases};
use mcp_oauth_http::{HttpSettings, docs_client};
use mcp_oauth_identity::DevUsers;
use mcp_oauth_issuer::{ClientSignatures, LocalIssuer};
use mcp_oauth_mcp::{McpSettings, Transports};
use mcp_oauth_memory::{
    RecentRevocations, RememberedDocuments, RequestCounts, Unlimited, VerifiedTokens,
};
use tokio_util::sync::CancellationToken;

use crate::problem::Problem;
use crate::settings::{Settings, default_base_url};
use crate::store::Stores;
use crate::system::{SystemClock, SystemRandom};

/// The public address of the settings, once the port is known.
pub(crate) fn public_address(settings: &Settings, port: u16) -> Result<PublicAddress, Problem> {
    address(settings, port)
        .map_err(|error| Problem::new("base_url", "the settings", &error, "Correct it."))
}

fn address(settings: &Settings, port: u16) -> Result<PublicAddress, InvalidAddress> {
    let base_url = settings.base_url.clone().unwrap_or_else(|| default_base_url(port));
    let mut address = PublicAddress::new(&base_url)?;
    if let Some(issuer) = &settings.issuer {
        address = address.with_issuer(issuer)?;
    }
    if let Some(audience) = &settings.audience {
        address = address.with_audience(audience);
    }
    Ok(address)
}

/// The use cases, and the issuer that will want its keys.
pub(crate) fn use_cases(
    settings: &Settings,
    address: PublicAddress,
    stores: &Stores,
    catalog: Arc<dyn ToolCatalog>,
    audit: Arc<dyn AuditLog>,
) -> (UseCases, Arc<LocalIssuer>) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let issuer = address.issuer().clone();
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let keys = Arc::clone(&stores.keys);
    let (clock_too, random_too) = (Arc::clone(&clock), Arc::clone(&random));
    let mut issuer = LocalIssuer::new(issuer, keys, clock_too, random_too, settings.key_rotation)
        .with_sealer(Arc::clone(&settings.key_sealer));
    if let Some(key) = &settings.signing_key {
        issuer = issuer.with_key(key.clone());
    }
    let issuer = Arc::new(issuer);
    let ports = Ports {
        verifier: Arc::new(VerifiedTokens::new(Arc::clone(&issuer) as _)),
        provider_metadata: Arc::new(NoProviders),
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
        pending: Arc::clone(&stores.pending),
        login_methods: LoginMethods::Password(Arc::new(DevUsers::new(settings.dev_users.clone()))),
        catalog,
        limits: match &settings.limits {
            Some(policy) => Arc::new(RequestCounts::new(policy, &clock)),
            None => Arc::new(Unlimited),
        },
        clock,
        random,
        audit,
    };
    let dev_person = settings.dev_users.first().map(|user| user.person.clone());
    (UseCases::new(&ports, address, settings.policy.clone(), dev_person), issuer)
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
        origins: OriginPolicy::new(address, settings.allowed_origins.clone()),
        streamable_http: settings.streamable_http,
        sse: settings.sse,
        dev_username: settings.dev_users.first().map(|user| user.username.clone()),
        default_password: settings.default_users,
    }
}

pub(crate) fn mcp_settings(settings: &Settings, stop: &CancellationToken) -> McpSettings {
    let name = settings.policy.server_name.clone();
    McpSettings {
        transports: Transports { streamable_http: settings.streamable_http, sse: settings.sse },
        call_time_limit: settings.call_time_limit,
        shutdown: stop.clone(),
        ..McpSettings::new(name, env!("CARGO_PKG_VERSION"))
    }
}
