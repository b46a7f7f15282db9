//! Reading the settings again while the server runs, and following those that can change then.

use std::collections::BTreeMap;

use mcp_oauth_core::service::UseCases;
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
    use_cases: UseCases,
    places: SettingPlaces,
    mut reloads: Reloads,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = reloads.next() => {}
            () = stop.cancelled() => break,
        }
        match follow(&mut catalogs, &use_cases, &places).await {
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
    use_cases: &UseCases,
    places: &SettingPlaces,
) -> Result<(), Problems> {
    let settings = places.read().map_err(|refused| refused.problems)?;
    if settings.policy.scopes != use_cases.policy.scopes {
        // The authorization server grants those of the start: what needs another would be shut.
        let reason = "scopes, default_scopes or scope_includes are not as they were at the start";
        let remedy = "Restart the server, or undo the change.";
        return Err(Problem::new("scopes", "the settings", &reason, remedy).into());
    }
    let prepared = catalogs.prepare(&settings.tools).await?;
    // The rules first: a tool is never there without those about it.
    use_cases.catalog_policy.replace(settings.policy.catalog);
    catalogs.adopt(prepared);
    Ok(())
}

fn tell(problem: &Problem) {
    let Problem { setting, source, reason, remedy } = problem;
    tracing::error!(setting, source, reason, remedy, "the settings can't be followed");
}
