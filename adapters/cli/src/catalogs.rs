//! The catalogs of the settings as one, and what becomes of them when the settings are read again.

use std::sync::Arc;
use std::time::Duration;

use mcp_oauth_core::port::ToolCatalog;
use mcp_oauth_tools::{JoinedCatalog, OpenApiCatalog, Part, UpstreamCatalog, clashes};

use crate::problem::{Problem, Problems};
use crate::system::{SystemClock, SystemRandom};
use crate::tool_settings::{ToolSettings, ToolSource};

/// What the tools that are written in Rust are called among catalogs.
const BUILT_IN: &str = "the built-in tools";

/// How long the start waits for an MCP server.
const START_PATIENCE: Duration = Duration::from_secs(5);

/// Every catalog that is served.
pub(crate) struct Catalogs {
    joined: Arc<JoinedCatalog>,
    builtin: Part,
    running: Vec<Running>,
}

/// Catalogs that may take the place of those that are served.
pub(crate) struct Prepared {
    parts: Vec<Part>,
    running: Vec<Running>,
}

/// The catalog of one table `[tools.NAME]`.
#[derive(Clone)]
struct Running {
    settings: ToolSettings,
    catalog: Kind,
}

#[derive(Clone)]
enum Kind {
    OpenApi(Arc<OpenApiCatalog>),
    Upstream(Arc<UpstreamCatalog>),
}

impl Catalogs {
    /// Opens the catalogs of all tables, behind the built-in tools. An MCP server that can't be reached
    /// is tried again; anything else that is wrong is a problem.
    pub(crate) async fn open(
        builtin: Arc<dyn ToolCatalog>,
        tables: &[ToolSettings],
    ) -> Result<Self, Problems> {
        let builtin = Part { name: BUILT_IN.to_owned(), catalog: builtin };
        let running = open_all(tables, &[]).await?;
        let parts = parts(&builtin, &running);
        refuse_clashes(&parts, tables).await?;
        Ok(Self { joined: Arc::new(JoinedCatalog::new(parts)), builtin, running })
    }

    /// All of them as one.
    pub(crate) fn joined(&self) -> Arc<dyn ToolCatalog> {
        Arc::clone(&self.joined) as _
    }

    /// Opens the catalogs of other tables. MCP servers whose table is as it was run on.
    pub(crate) async fn prepare(&self, tables: &[ToolSettings]) -> Result<Prepared, Problems> {
        let running = open_all(tables, &self.running).await?;
        let parts = parts(&self.builtin, &running);
        refuse_clashes(&parts, tables).await?;
        Ok(Prepared { parts, running })
    }

    /// Serves what was prepared in the place of what was served. What is not served any more ends
    /// once its calls have ended.
    pub(crate) fn adopt(&mut self, prepared: Prepared) {
        self.joined.replace(prepared.parts);
        self.running = prepared.running;
    }

    /// Ends the processes and connections of MCP servers.
    pub(crate) async fn stop(self) {
        for running in &self.running {
            if let Kind::Upstream(upstream) = &running.catalog {
                upstream.shut_down().await;
            }
        }
    }
}

impl Running {
    /// What this table needs can go on in the place of `before`: a document is always read again.
    fn goes_on(before: &Self, settings: &ToolSettings) -> bool {
        matches!(before.catalog, Kind::Upstream(_))
            && before.settings.name == settings.name
            && before.settings.fingerprint == settings.fingerprint
    }

    async fn open(settings: &ToolSettings) -> Result<Self, Problem> {
        let catalog = match &settings.source {
            ToolSource::OpenApi(config) => {
                let catalog = OpenApiCatalog::load((**config).clone(), Arc::new(SystemClock)).await;
                Kind::OpenApi(Arc::new(catalog.map_err(|error| settings.problem(&error))?))
            }
            ToolSource::Upstream(config) => {
                let upstream = UpstreamCatalog::start((**config).clone(), Arc::new(SystemRandom));
                let upstream = upstream.map_err(|error| settings.problem(&error))?;
                // What it has is then known to the search for clashes. Who needs longer is waited for
                // by nobody.
                upstream.ready(START_PATIENCE).await;
                Kind::Upstream(Arc::new(upstream))
            }
        };
        Ok(Self { settings: settings.clone(), catalog })
    }

    fn part(&self) -> Part {
        let catalog: Arc<dyn ToolCatalog> = match &self.catalog {
            Kind::OpenApi(catalog) => Arc::clone(catalog) as _,
            Kind::Upstream(catalog) => Arc::clone(catalog) as _,
        };
        Part { name: format!("[tools.{}]", self.settings.name), catalog }
    }
}

/// All at once: none waits for another.
async fn open_all(tables: &[ToolSettings], before: &[Running]) -> Result<Vec<Running>, Problems> {
    let mut opening = tokio::task::JoinSet::new();
    for (place, settings) in tables.iter().cloned().enumerate() {
        let running = before.iter().find(|it| Running::goes_on(it, &settings)).cloned();
        opening.spawn(async move {
            match running {
                Some(running) => (place, Ok(running)),
                None => (place, Running::open(&settings).await),
            }
        });
    }
    let mut opened = opening.join_all().await;
    opened.sort_by_key(|(place, _)| *place);
    let (mut running, mut problems) = (Vec::new(), Vec::new());
    for (_, outcome) in opened {
        match outcome {
            Ok(one) => running.push(one),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(running) } else { Err(Problems(problems)) }
}

fn parts(builtin: &Part, running: &[Running]) -> Vec<Part> {
    std::iter::once(builtin.clone()).chain(running.iter().map(Running::part)).collect()
}

async fn refuse_clashes(parts: &[Part], tables: &[ToolSettings]) -> Result<(), Problems> {
    let problem = |clash: &mcp_oauth_tools::Clash| {
        let table = tables.iter().find(|it| clash.second == format!("[tools.{}]", it.name));
        let (setting, source) = match table {
            Some(table) => (format!("tools.{}", table.name), table.set_in.as_str()),
            None => ("tools".to_owned(), "the settings"),
        };
        let remedy = "Give one of them a prefix, leave the tool out with exclude, or set \
                      demo_tools = false where it is a built-in one.";
        Problem::new(&setting, source, clash, remedy)
    };
    let clashes: Vec<Problem> = clashes(parts).await.iter().map(problem).collect();
    if clashes.is_empty() { Ok(()) } else { Err(Problems(clashes)) }
}
