//! Reading the settings again while the server runs, and following those that can change then.

use std::collections::BTreeMap;
use std::sync::Arc;

use mcp_oauth_core::service::policy::CurrentCatalogPolicy;
use tokio_util::sync::CancellationToken;

use crate::arguments::Arguments;
use crate::catalogs::Catalogs;
use crate::problem::{Problem, Problems};
use crate::settings::{RefusedSettings, Settings};
use crate::signals::Reloads;

/// From where the settings came at the start, and come again.
pub(crate) struct SettingPlaces {
    pub(crate) arguments: Arguments,
    pub(crate) environment: BTreeMap<String, String>,
}

impl SettingPlaces {
    pub(crate) fn read(&self) -> Result<Settings, Box<RefusedSettings>> {
        Settings::read(&self.arguments, &self.environment)
    }
}

/// Follows the settings about tools and their use, each time somebody asks for it, until `stop`; then
/// ends the catalogs.
pub(crate) async fn keep_up(
    mut catalogs: Catalogs,
    policy: Arc<CurrentCatalogPolicy>,
    places: SettingPlaces,
    mut reloads: Reloads,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = reloads.next() => {}
            () = stop.cancelled() => break,
        }
        match follow(&mut catalogs, &policy, &places).await {
            Ok(()) => tracing::info!("the settings of tools and their use are followed anew"),
            Err(Problems(problems)) => {
                for problem in &problems {
                    tell(problem);
                }
                tracing::error!("nothing has changed: the settings can't be followed");
            }
        }
    }
    catalogs.stop().await;
}

async fn follow(
    catalogs: &mut Catalogs,
    policy: &CurrentCatalogPolicy,
    places: &SettingPlaces,
) -> Result<(), Problems> {
    let settings = places.read().map_err(|refused| refused.problems)?;
    let prepared = catalogs.prepare(&settings.tools).await?;
    // The rules first: a tool is never there without those about it.
    policy.replace(settings.policy.catalog);
    catalogs.adopt(prepared);
    Ok(())
}

fn tell(problem: &Problem) {
    let Problem { setting, source, reason, remedy } = problem;
    tracing::error!(setting, source, reason, remedy, "the settings can't be followed");
}
