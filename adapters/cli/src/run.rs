//! From the command line to the end of the process.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::IpAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use mcp_oauth_core::port::{Clock, StoreUnavailable, ToolCatalog, UnusedClients};
use mcp_oauth_core::service::keys::Keys;
use mcp_oauth_http::{router, serve};
use mcp_oauth_issuer::LocalIssuer;
use mcp_oauth_tools::{BuiltinCatalog, UnusableTool};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use crate::arguments::Arguments;
use crate::catalogs::Catalogs;
use crate::listeners::NotListening;
use crate::problem::{Problem, Problems};
use crate::reload::{SettingPlaces, keep_up};
use crate::settings::{PlaceSources, Places, RefusedSettings, Settings};
use crate::signals::{Reloads, asked_to_reload, asked_to_stop};
use crate::store::{Stores, store_problem};
use crate::stored_audit::StoredAudit;
use crate::system::SystemClock;
use crate::wiring::Wired;
use crate::{banner, listeners, logging, open_files, tls_files, wiring};

/// How often expired records are thrown away.
const HOUSEKEEPING_INTERVAL: Duration = Duration::from_secs(600);

/// How long expired records are kept, so that a late replay is still recognised as one.
const KEEP_EXPIRED: Duration = Duration::from_secs(24 * 3600);

/// Does what the command line says: without a command, runs the server until it is told to stop,
/// with the built-in tools and those that `add` adds.
///
/// Reads the command line and the environment, answers `--help`, and explains on standard error
/// whatever keeps it from its work.
#[must_use]
pub fn run(add: impl FnOnce(BuiltinCatalog) -> Result<BuiltinCatalog, UnusableTool>) -> ExitCode {
    run_over(|settings| {
        let scope = settings.policy.scopes.default.clone();
        let builtin = match settings.demo_tools {
            true => BuiltinCatalog::demo(scope),
            false => Ok(BuiltinCatalog::new(scope)),
        };
        let builtin = builtin.and_then(add);
        let builtin = builtin
            .map_err(|error| Problem::new("tools", "this program", &error, "Correct the tool."))?;
        Ok(Arc::new(builtin))
    })
}

/// The same with a catalog of your own in the place of the built-in tools.
#[must_use]
pub fn run_with_catalog(catalog: Arc<dyn ToolCatalog>) -> ExitCode {
    run_over(|_| Ok(catalog))
}

fn run_over(builtin: impl FnOnce(&Settings) -> Result<Arc<dyn ToolCatalog>, Problem>) -> ExitCode {
    let arguments = Arguments::read();
    let environment: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    if let Some(command) = &arguments.command {
        return command.run(&arguments, &environment);
    }
    match run_server(SettingPlaces { arguments, environment }, builtin) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => explain(&format!("can't start:\n{problems}")),
    }
}

fn run_server(
    places: SettingPlaces,
    builtin: impl FnOnce(&Settings) -> Result<Arc<dyn ToolCatalog>, Problem>,
) -> Result<(), Problems> {
    let settings = places.read().map_err(|refused| also_unavailable(*refused))?;
    logging::start(&settings);
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    if settings.limits.is_none() {
        tracing::warn!("requests are not limited: limits is false");
    }
    let builtin = builtin(&settings)?;
    runtime()?.block_on(start_and_serve(&settings, builtin, places))
}

/// What everything waits on.
pub(crate) fn runtime() -> Result<Runtime, Problem> {
    let runtime = Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Problem::new("the runtime", "the system", &error, "Free resources."))
}

/// Says on standard error what this program can't do, and why.
pub(crate) fn explain(what: &str) -> ExitCode {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(io::stderr(), "mcp-oauth-server {}", what.trim_end());
    ExitCode::FAILURE
}

/// The problems of the settings, with those the port and the store would have met next: whoever
/// corrects them all needs one more start, not three.
fn also_unavailable(refused: RefusedSettings) -> Problems {
    let RefusedSettings { mut problems, places } = refused;
    let Places { host, port, store, sources } = &places;
    let try_port = async { take_port((*host)?, (*port)?, sources).await.err() };
    let try_store = async { Stores::take(store.as_ref()?, sources).await.err() };
    if let Ok(runtime) = runtime() {
        let (port, store) = runtime.block_on(async { tokio::join!(try_port, try_store) });
        problems.0.extend(port.into_iter().chain(store));
    }
    problems
}

async fn start_and_serve(
    settings: &Settings,
    builtin: Arc<dyn ToolCatalog>,
    places: SettingPlaces,
) -> Result<(), Problems> {
    let sources = &settings.sources;
    let taken = tokio::join!(
        take_port(settings.host, settings.port, sources),
        Stores::take(&settings.store, sources),
        Catalogs::open(builtin, &settings.tools)
    );
    let ((listeners, port), stores, catalogs) = match taken {
        (Ok(listening), Ok(stores), Ok(catalogs)) => (listening, stores, catalogs),
        (listening, stores, catalogs) => {
            let problems = listening.err().into_iter().chain(stores.err());
            return Err(Problems(
                problems.chain(catalogs.err().into_iter().flat_map(|it| it.0)).collect(),
            ));
        }
    };
    let address = wiring::public_address(settings, port)?;
    let served = CancellationToken::new();
    let trail = Arc::clone(&stores.audit);
    let (audit, storing) = StoredAudit::start(trail, Arc::new(SystemClock), served.clone());
    let Wired { use_cases, issuer, providers } =
        wiring::wire(settings, address, &stores, catalogs.joined(), Arc::new(audit))?;

    let stop = CancellationToken::new();
    if use_cases.policy.authorization_server.is_local() {
        wiring::check_keys(&issuer).await?;
        wiring::register_docs_client(&*stores.clients, &use_cases.address)
            .await
            .map_err(|error| store_problem(sources, &error))?;
        tokio::spawn(prepare_keys(issuer));
        tokio::spawn(tend_keys(Arc::clone(&use_cases.keys), stop.clone()));
    }
    tokio::spawn(wiring::greet_providers(providers));
    tokio::spawn(keep_house(stores.clone(), settings.clone(), stop.clone()));
    let reloads = heed_signals(&stop)?;
    let following = use_cases.clone();
    let keeping_up =
        tokio::spawn(keep_up(catalogs, following, places, reloads.clone(), served.clone()));
    let tls = settings.connections.tls.as_ref().map(|files| {
        tokio::spawn(tls_files::keep_up(files.clone(), reloads, stop.clone()));
        files.tls()
    });
    if let Err(error) = banner::print(settings, &use_cases, &stores.report) {
        tracing::debug!(%error, "standard output is closed");
    }
    let mounts = mcp_oauth_mcp::endpoints(&use_cases, wiring::mcp_settings(settings, &stop));
    let http = wiring::http_settings(settings, &use_cases.address);
    let limits = settings.connections.limits.clone();
    open_files::allow(limits.connections);
    serve(listeners, tls, router(&use_cases, http, mounts), limits, stop).await;
    served.cancel();
    if keeping_up.await.is_err() {
        tracing::warn!("some tools may not have been ended");
    }
    if storing.await.is_err() {
        tracing::warn!("the last decisions are not stored");
    }
    tracing::info!("stopped");
    Ok(())
}

/// Stops when asked to, and tells who reads again what can change.
fn heed_signals(stop: &CancellationToken) -> Result<Reloads, Problem> {
    let deaf = |error| Problem::new("signals", "the system", &error, "Free resources.");
    tokio::spawn(cancel_after(asked_to_stop().map_err(deaf)?, stop.clone()));
    asked_to_reload().map_err(deaf)
}

async fn take_port(
    host: IpAddr,
    port: u16,
    sources: &PlaceSources,
) -> Result<(Vec<TcpListener>, u16), Problem> {
    listeners::listen(host, port).await.map_err(|NotListening { address, error }| {
        let reason = format!("{} port {}: {error}", address.ip(), address.port());
        if error.kind() == io::ErrorKind::AddrNotAvailable {
            Problem::new("host", &sources.host, &reason, "Use an address of this machine.")
        } else {
            let remedy = "Stop the program that has it, or choose another with --port.";
            Problem::new("port", &sources.port, &reason, remedy)
        }
    })
}

/// A key takes longer to make than everything else here; nobody but the first token waits for it.
async fn prepare_keys(issuer: Arc<LocalIssuer>) {
    if let Err(error) = issuer.load().await {
        tracing::error!(%error, "the signing keys can't be loaded; they are tried again when needed");
    }
}

async fn tend_keys(keys: Arc<Keys>, stop: CancellationToken) {
    let mut interval = tokio::time::interval(HOUSEKEEPING_INTERVAL);
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = keys.tend().await {
            tracing::warn!(%error, "the signing keys could not be looked after");
        }
    }
}

async fn keep_house(stores: Stores, settings: Settings, stop: CancellationToken) {
    let kept = KEEP_EXPIRED + settings.policy.access_token_lifetime;
    let mut interval = tokio::time::interval(HOUSEKEEPING_INTERVAL);
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            () = stop.cancelled() => return,
        }
        let now = SystemClock.now();
        let unused = UnusedClients {
            never_since: now.before(settings.keep.never_used),
            last_before: now.before(settings.keep.idle),
        };
        let gone = async {
            let records = stores.housekeeping.forget_expired(now.before(kept)).await?;
            let clients = stores.housekeeping.forget_clients(unused).await?;
            let (before, most) =
                (now.before(settings.keep.audit), settings.keep.most_audit_entries);
            let decisions = stores.audit.forget_entries(before, most).await?;
            Ok::<_, StoreUnavailable>((records + decisions, clients))
        };
        match gone.await {
            Ok((0, 0)) => {}
            Ok((records, clients)) => {
                tracing::debug!(records, clients, "expired records and unused clients are gone");
            }
            Err(error) => tracing::warn!(%error, "expired records could not be removed"),
        }
    }
}

async fn cancel_after(asked: impl Future<Output = ()>, stop: CancellationToken) {
    asked.await;
    stop.cancel();
    tracing::info!("stopping: requests under way may finish");
}
