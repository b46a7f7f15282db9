//! From the command line to the end of the process.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use mcp_oauth_core::port::{Clock, Housekeeping, ToolCatalog};
use mcp_oauth_http::{ServerLimits, router, serve};
use mcp_oauth_issuer::LocalIssuer;
use mcp_oauth_tools::BuiltinCatalog;
use tokio_util::sync::CancellationToken;

use crate::arguments::Arguments;
use crate::problem::{Problem, Problems};
use crate::setting_sources::unused_variables;
use crate::settings::{Settings, StoreChoice};
use crate::store::Stores;
use crate::system::SystemClock;
use crate::{banner, listeners, logging, wiring};

/// How often expired records are thrown away.
const HOUSEKEEPING_INTERVAL: Duration = Duration::from_secs(600);

/// How long expired records are kept, so that a late replay is still recognised as one.
const KEEP_EXPIRED: Duration = Duration::from_secs(24 * 3600);

/// Runs the server until it is told to stop; `catalog` takes the place of the built-in tools.
///
/// Reads the command line and the environment, answers `--help`, and explains on standard error
/// whatever keeps it from starting.
#[must_use]
pub fn run(catalog: Option<Arc<dyn ToolCatalog>>) -> ExitCode {
    let arguments = Arguments::read();
    let environment: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let settings = match Settings::read(&arguments, &environment) {
        Ok(settings) => settings,
        Err(problems) => return explain(&problems),
    };
    logging::start(&settings);
    for variable in unused_variables(&environment) {
        tracing::warn!(variable, "is set and not used: the provider is dev");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return explain(&problem("the runtime", "the system", &error, "Free resources."));
        }
    };
    match runtime.block_on(start_and_serve(&settings, catalog)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => explain(&problems),
    }
}

fn explain(problems: &Problems) -> ExitCode {
    // Nobody is left to tell when standard error is closed.
    let _ = write!(std::io::stderr(), "{problems}");
    ExitCode::FAILURE
}

fn problem(setting: &str, source: &str, reason: &dyn std::fmt::Display, remedy: &str) -> Problems {
    Problems(vec![Problem {
        setting: setting.to_owned(),
        source: source.to_owned(),
        reason: reason.to_string(),
        remedy: remedy.to_owned(),
    }])
}

async fn start_and_serve(
    settings: &Settings,
    catalog: Option<Arc<dyn ToolCatalog>>,
) -> Result<(), Problems> {
    let (listening, opened) = tokio::join!(
        listeners::listen(settings.host, settings.port),
        Stores::open(&settings.store)
    );
    let ((listeners, port), stores) = match (listening, opened) {
        (Ok(listening), Ok(stores)) => (listening, stores),
        (listening, opened) => {
            let port = listening.err().map(|error| port_problem(settings, &error));
            let store = opened.err().map(|error| store_problem(settings, &error));
            let both = [port, store].into_iter().flatten().flat_map(|problems| problems.0);
            return Err(Problems(both.collect()));
        }
    };
    let catalog = match catalog {
        Some(catalog) => catalog,
        None => builtin_catalog(settings)?,
    };
    let address = wiring::public_address(settings, port)
        .map_err(|error| problem("base_url", "the settings", &error, "Correct it."))?;
    let (use_cases, issuer) = wiring::use_cases(settings, address, &stores, catalog);
    wiring::register_docs_client(&*stores.clients, &use_cases.address)
        .await
        .map_err(|error| store_problem(settings, &error))?;

    let stop = CancellationToken::new();
    tokio::spawn(prepare_keys(issuer));
    tokio::spawn(keep_house(Arc::clone(&stores.housekeeping), stop.clone()));
    tokio::spawn(cancel_on_signal(stop.clone()));
    if let Err(error) = banner::print(settings, &use_cases, &stores.report) {
        tracing::debug!(%error, "standard output is closed");
    }
    let mounts = mcp_oauth_mcp::endpoints(&use_cases, wiring::mcp_settings(settings, &stop));
    let http = wiring::http_settings(settings, &use_cases.address);
    serve(listeners, router(&use_cases, http, mounts), ServerLimits::default(), stop).await;
    tracing::info!("stopped");
    Ok(())
}

fn builtin_catalog(settings: &Settings) -> Result<Arc<dyn ToolCatalog>, Problems> {
    let catalog = BuiltinCatalog::demo(settings.policy.scopes.default.clone());
    let catalog =
        catalog.map_err(|error| problem("tools", "this program", &error, "Report it."))?;
    Ok(Arc::new(catalog))
}

fn port_problem(settings: &Settings, error: &std::io::Error) -> Problems {
    let place = format!("--host {} --port {}", settings.host, settings.port);
    problem("port", &place, error, "Stop the program that has it, or choose another with --port.")
}

fn store_problem(settings: &Settings, error: &dyn std::fmt::Display) -> Problems {
    let place = match &settings.store {
        StoreChoice::Memory => "memory".to_owned(),
        StoreChoice::Sqlite(path) => format!("sqlite:{}", path.display()),
    };
    problem(
        "store",
        &place,
        error,
        "Choose another place with --store sqlite:PATH, or --store memory.",
    )
}

/// A key takes longer to make than everything else here; nobody but the first token waits for it.
async fn prepare_keys(issuer: Arc<LocalIssuer>) {
    if let Err(error) = issuer.load().await {
        tracing::error!(%error, "the signing keys can't be loaded; they are tried again when needed");
    }
}

async fn keep_house(housekeeping: Arc<dyn Housekeeping>, stop: CancellationToken) {
    let mut interval = tokio::time::interval(HOUSEKEEPING_INTERVAL);
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            () = stop.cancelled() => return,
        }
        match housekeeping.forget_expired(SystemClock.now().before(KEEP_EXPIRED)).await {
            Ok(0) => {}
            Ok(records) => tracing::debug!(records, "expired records are gone"),
            Err(error) => tracing::warn!(%error, "expired records could not be removed"),
        }
    }
}

async fn cancel_on_signal(stop: CancellationToken) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = tokio::signal::ctrl_c() => {}
                }
            }
            Err(error) => {
                tracing::warn!(%error, "SIGTERM can't be heard");
                let _ = tokio::signal::ctrl_c().await;
            }
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
    tracing::info!("stopping: requests under way may finish");
    stop.cancel();
}
