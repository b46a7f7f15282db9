//! Several catalogs as one, and exchanging them while the server runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use mcp_oauth_core::domain::catalog_change::CatalogChange;
use mcp_oauth_core::domain::tool::{CallError, Reply, ToolCall, ToolDescription, ToolOutput};
use mcp_oauth_core::port::{
    CallContext, CatalogChanges, Completions, PromptCatalog, ResourceCatalog, ToolCatalog,
};
use thiserror::Error;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;

use crate::joined_claims::Claims;
use crate::joined_prompts::{JoinedCompletions, JoinedPrompts};
use crate::joined_resources::JoinedResources;

/// How many changes wait for a listener; one that is slower is told that everything changed.
const CHANGES_WAITING: usize = 64;

/// One of several catalogs.
#[derive(Clone)]
pub struct Part {
    /// What the operator calls it, for errors and the log.
    pub name: String,
    /// What it offers.
    pub catalog: Arc<dyn ToolCatalog>,
}

/// Several catalogs as one, each of them behind those before it: of two things of one name the first
/// one counts. What comes later, when lists change, takes the place of nothing that is there already.
pub struct JoinedCatalog {
    parts: RwLock<Parts>,
    changes: broadcast::Sender<CatalogChange>,
}

/// The catalogs of a time, and the tasks that listen to them.
struct Parts {
    members: Arc<Members>,
    _listeners: JoinSet<()>,
}

/// The catalogs, and what belongs to which.
struct Members {
    parts: Vec<Part>,
    tools: Claims,
    prompts: Arc<Claims>,
    resources: Arc<Claims>,
}

/// Two catalogs have something of the same name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{first} and {second} both have {what} {name:?}")]
pub struct Clash {
    /// The catalog that stands before.
    pub first: String,
    /// The one after it.
    pub second: String,
    /// A tool, a prompt or a resource.
    pub what: &'static str,
    /// Its name, or URI.
    pub name: String,
}

impl JoinedCatalog {
    /// These catalogs as one, in this order. Must be called in a tokio runtime.
    #[must_use]
    pub fn new(parts: Vec<Part>) -> Self {
        let (changes, _) = broadcast::channel(CHANGES_WAITING);
        let parts = Parts::listened_to(parts, &changes);
        Self { parts: RwLock::new(parts), changes }
    }

    /// Puts other catalogs in the place of those so far, and tells every client. Calls under way go on
    /// in the catalog that they began in. Must be called in a tokio runtime.
    pub fn replace(&self, parts: Vec<Part>) {
        let parts = Parts::listened_to(parts, &self.changes);
        *self.parts.write().unwrap_or_else(PoisonError::into_inner) = parts;
        for change in everything() {
            // Nobody listens, perhaps.
            let _ = self.changes.send(change);
        }
    }

    fn members(&self) -> Arc<Members> {
        Arc::clone(&self.parts.read().unwrap_or_else(PoisonError::into_inner).members)
    }
}

/// What can't be told apart in these catalogs, as far as they know now what they have.
pub async fn clashes(parts: &[Part]) -> Vec<Clash> {
    let mut taken: BTreeMap<(&'static str, String), &str> = BTreeMap::new();
    let mut clashes = Vec::new();
    for part in parts {
        // Within one catalog the catalog itself sees to it.
        for (what, name) in names(&*part.catalog).await {
            match taken.get(&(what, name.clone())) {
                None => {
                    taken.insert((what, name), &part.name);
                }
                Some(&first) => {
                    let (first, second) = (first.to_owned(), part.name.clone());
                    clashes.push(Clash { first, second, what, name });
                }
            }
        }
    }
    clashes
}

async fn names(catalog: &dyn ToolCatalog) -> BTreeSet<(&'static str, String)> {
    let tools = catalog.list().await;
    let mut names: BTreeSet<_> = tools.iter().map(|it| ("the tool", it.name.clone())).collect();
    if let Some(prompts) = catalog.prompts() {
        names.extend(prompts.list().await.iter().map(|it| ("the prompt", it.name.clone())));
    }
    if let Some(resources) = catalog.resources() {
        names.extend(resources.list().await.iter().map(|it| ("the resource", it.uri.clone())));
    }
    names
}

impl Parts {
    fn listened_to(parts: Vec<Part>, changes: &broadcast::Sender<CatalogChange>) -> Self {
        let (prompts, resources) = Default::default();
        let members = Members { parts, tools: Claims::default(), prompts, resources };
        let members = Arc::new(members);
        let mut listeners = JoinSet::new();
        let settling = Arc::clone(&members);
        listeners.spawn(async move {
            for change in everything() {
                settling.settle(&change).await;
            }
        });
        for source in members.parts.iter().filter_map(|part| part.catalog.changes()) {
            listeners.spawn(forward(source, Arc::clone(&members), changes.clone()));
        }
        Self { members, _listeners: listeners }
    }
}

impl Members {
    /// The catalog whose tool of this name counts.
    async fn having(&self, tool: &str) -> Option<(&Part, Arc<ToolDescription>)> {
        for place in self.tools.first(tool, 0..self.parts.len()) {
            let Some(part) = self.parts.get(place) else { continue };
            if let Some(description) = part.catalog.describe(tool).await {
                self.tools.found(tool, place);
                return Some((part, description));
            }
        }
        None
    }

    async fn tools(&self) -> Vec<Arc<ToolDescription>> {
        let mut listed = Vec::new();
        for (place, part) in self.parts.iter().enumerate() {
            listed.extend(part.catalog.list().await.into_iter().map(|tool| (place, tool)));
        }
        let settled = self.tools.settle(listed, |tool| &tool.name);
        settled.into_iter().map(|(_, tool)| tool).collect()
    }

    fn prompts(&self) -> JoinedPrompts {
        let prompts = self.parts.iter().enumerate();
        let prompts = prompts.filter_map(|(place, it)| Some((place, it.catalog.prompts()?)));
        JoinedPrompts { catalogs: prompts.collect(), claims: Arc::clone(&self.prompts) }
    }

    fn resources(&self) -> JoinedResources {
        let resources = self.parts.iter().enumerate();
        let resources = resources.filter_map(|(place, it)| Some((place, it.catalog.resources()?)));
        JoinedResources { catalogs: resources.collect(), claims: Arc::clone(&self.resources) }
    }

    /// Sees whose everything in a list is.
    async fn settle(&self, change: &CatalogChange) {
        match change {
            CatalogChange::Tools => drop(self.tools().await),
            CatalogChange::Prompts => drop(self.prompts().list().await),
            CatalogChange::Resources => drop(self.resources().list().await),
            CatalogChange::Resource(_) => {}
        }
    }
}

async fn forward(
    mut source: Box<dyn CatalogChanges>,
    members: Arc<Members>,
    changes: broadcast::Sender<CatalogChange>,
) {
    while let Some(change) = source.next().await {
        members.settle(&change).await;
        // Nobody listens, perhaps.
        let _ = changes.send(change);
    }
}

/// What is called is not what the caller was let in for.
pub(crate) fn changed_meanwhile() -> CallError {
    CallError::Unavailable("what it takes to use this has just changed; try again".to_owned())
}

fn everything() -> [CatalogChange; 3] {
    [CatalogChange::Tools, CatalogChange::Prompts, CatalogChange::Resources]
}

#[async_trait]
impl ToolCatalog for JoinedCatalog {
    async fn list(&self) -> Vec<Arc<ToolDescription>> {
        self.members().tools().await
    }

    async fn describe(&self, name: &str) -> Option<Arc<ToolDescription>> {
        Some(self.members().having(name).await?.1)
    }

    async fn call(
        &self,
        call: ToolCall,
        context: CallContext,
    ) -> Result<Reply<ToolOutput>, CallError> {
        let members = self.members();
        match members.having(&call.name).await {
            Some((part, tool)) if context.was_checked_for(&tool.requirement) => {
                part.catalog.call(call, context).await
            }
            Some(_) => Err(changed_meanwhile()),
            None => Err(CallError::Unknown(call.name)),
        }
    }

    fn resources(&self) -> Option<Arc<dyn ResourceCatalog>> {
        let resources = self.members().resources();
        (!resources.catalogs.is_empty()).then(|| Arc::new(resources) as _)
    }

    fn prompts(&self) -> Option<Arc<dyn PromptCatalog>> {
        let prompts = self.members().prompts();
        (!prompts.catalogs.is_empty()).then(|| Arc::new(prompts) as _)
    }

    fn completions(&self) -> Option<Arc<dyn Completions>> {
        let members = self.members();
        let completed = members.parts.iter().any(|part| part.catalog.completions().is_some());
        let catalogs = members.parts.iter().map(|part| part.catalog.clone()).collect();
        let claims = Arc::clone(&members.prompts);
        completed.then(|| Arc::new(JoinedCompletions { catalogs, claims }) as _)
    }

    /// Those of each, in their order.
    fn instructions(&self) -> Option<String> {
        let members = self.members();
        let of_each: Vec<String> =
            members.parts.iter().filter_map(|part| part.catalog.instructions()).collect();
        (!of_each.is_empty()).then(|| of_each.join("\n\n"))
    }

    fn changes(&self) -> Option<Box<dyn CatalogChanges>> {
        Some(Box::new(Listener { changes: self.changes.subscribe(), missed: Vec::new() }))
    }
}

/// One who listens.
struct Listener {
    changes: broadcast::Receiver<CatalogChange>,
    missed: Vec<CatalogChange>,
}

#[async_trait]
impl CatalogChanges for Listener {
    async fn next(&mut self) -> Option<CatalogChange> {
        loop {
            if let Some(change) = self.missed.pop() {
                return Some(change);
            }
            match self.changes.recv().await {
                Ok(change) => return Some(change),
                Err(RecvError::Lagged(_)) => self.missed = everything().into(),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
