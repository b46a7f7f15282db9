//! What an upstream server offers, as it said last.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use mcp_oauth_core::domain::catalog_change::CatalogChange;
use mcp_oauth_core::domain::content::{ResourceDescription, ResourceTemplate};
use mcp_oauth_core::domain::prompt::PromptDescription;
use mcp_oauth_core::domain::requirement::Requirement;
use mcp_oauth_core::domain::tool::{CallError, ToolDescription, is_tool_name};
use serde_json::{Map, Value, json};

use super::connection::{Connection, Outgoing};
use super::described;
use super::uri_template::may_match;

/// A list of more is cut off.
const MOST_ITEMS: usize = 10_000;

/// A list of more pages is cut off; it may have no end.
const MOST_PAGES: usize = 1000;

/// What is known of the server, and how it is named here.
pub(super) struct Lists {
    name: Arc<str>,
    prefix: String,
    requirement: Requirement,
    limit: Duration,
    known: RwLock<Arc<Known>>,
}

#[derive(Default, Clone)]
pub(super) struct Known {
    pub(super) tools: Vec<Arc<ToolDescription>>,
    by_name: HashMap<String, Arc<ToolDescription>>,
    pub(super) prompts: Vec<Arc<PromptDescription>>,
    pub(super) resources: Vec<Arc<ResourceDescription>>,
    pub(super) templates: Vec<Arc<ResourceTemplate>>,
    /// What the server says of how to use it.
    pub(super) instructions: Option<String>,
    uris: HashSet<String>,
}

impl Known {
    pub(super) fn tool(&self, name: &str) -> Option<&Arc<ToolDescription>> {
        self.by_name.get(name)
    }

    /// Whether there may be a resource of that URI.
    pub(super) fn may_have(&self, uri: &str) -> bool {
        self.uris.contains(uri) || self.templates.iter().any(|it| may_match(&it.uri_template, uri))
    }
}

impl Lists {
    pub(super) fn new(
        name: Arc<str>,
        prefix: String,
        requirement: Requirement,
        limit: Duration,
    ) -> Self {
        Self { name, prefix, requirement, limit, known: RwLock::default() }
    }

    pub(super) fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The name that the server itself gives to what has this name here.
    pub(super) fn own_name<'a>(&self, name: &'a str) -> Option<&'a str> {
        name.strip_prefix(&self.prefix)
    }

    /// Asks for one kind of lists anew; whether it is not as it was.
    pub(super) async fn refresh(
        &self,
        connection: &Connection,
        kind: &CatalogChange,
    ) -> Result<bool, CallError> {
        let before = self.known();
        let mut now = Known::clone(&before);
        now.instructions.clone_from(&connection.instructions);
        match kind {
            CatalogChange::Tools => self.refresh_tools(connection, &mut now).await?,
            CatalogChange::Prompts => self.refresh_prompts(connection, &mut now).await?,
            _ => self.refresh_resources(connection, &mut now).await?,
        }
        let same = now.tools == before.tools
            && now.prompts == before.prompts
            && now.resources == before.resources
            && now.instructions == before.instructions
            && now.templates == before.templates;
        if !same {
            *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(now);
        }
        Ok(!same)
    }

    async fn refresh_tools(&self, to: &Connection, known: &mut Known) -> Result<(), CallError> {
        let items = match to.serves.tools {
            Some(_) => self.all(to, "tools/list", "tools").await?,
            None => Vec::new(),
        };
        known.tools.clear();
        known.by_name.clear();
        for item in items {
            let Some(tool) = described::tool(item, &self.requirement) else {
                self.skipped("a tool", "it has no name or no schema of its arguments");
                continue;
            };
            let name = format!("{}{}", self.prefix, tool.name);
            if !is_tool_name(&name) {
                self.skipped(&format!("the tool {name:?}"), "that is no name of a tool");
                continue;
            }
            match known.by_name.entry(name) {
                Entry::Occupied(other) => {
                    let what = format!("the tool {:?}", other.key());
                    self.skipped(&what, "there is another of that name");
                }
                Entry::Vacant(place) => {
                    let tool = Arc::new(ToolDescription { name: place.key().clone(), ..tool });
                    place.insert(Arc::clone(&tool));
                    known.tools.push(tool);
                }
            }
        }
        Ok(())
    }

    async fn refresh_prompts(&self, to: &Connection, known: &mut Known) -> Result<(), CallError> {
        let items = match to.serves.prompts {
            Some(_) => self.all(to, "prompts/list", "prompts").await?,
            None => Vec::new(),
        };
        let mut names = HashSet::new();
        let read = items.into_iter().filter_map(|it| described::prompt(it, &self.requirement));
        known.prompts = read
            .filter(|prompt| names.insert(prompt.name.clone()))
            .map(|prompt| {
                let name = format!("{}{}", self.prefix, prompt.name);
                Arc::new(PromptDescription { name, ..prompt })
            })
            .collect();
        Ok(())
    }

    async fn refresh_resources(&self, to: &Connection, known: &mut Known) -> Result<(), CallError> {
        let (resources, templates) = match to.serves.resources {
            Some(_) => (
                self.all(to, "resources/list", "resources").await?,
                // Not every server with resources knows templates.
                match self.all(to, "resources/templates/list", "resourceTemplates").await {
                    Err(CallError::Refused { .. }) => Vec::new(),
                    other => other?,
                },
            ),
            None => (Vec::new(), Vec::new()),
        };
        let required = &self.requirement;
        let read = resources.into_iter().filter_map(|it| described::resource(it, required));
        known.uris.clear();
        known.resources =
            read.filter(|it| known.uris.insert(it.uri.clone())).map(Arc::new).collect();
        let read = templates.into_iter().filter_map(|it| described::template(it, required));
        known.templates = read.map(Arc::new).collect();
        Ok(())
    }

    /// Every page of a list.
    async fn all(
        &self,
        connection: &Connection,
        method: &'static str,
        member: &str,
    ) -> Result<Vec<Value>, CallError> {
        let mut items = Vec::new();
        let mut params = Value::Null;
        for _ in 0..MOST_PAGES {
            let mut page = connection.ask(Outgoing::own(method, params), self.limit).await?;
            if let Some(Value::Array(more)) = page.remove(member) {
                items.extend(more);
            }
            if items.len() > MOST_ITEMS {
                items.truncate(MOST_ITEMS);
                break;
            }
            match next_cursor(&page) {
                Some(cursor) => params = json!({ "cursor": cursor }),
                None => return Ok(items),
            }
        }
        tracing::warn!(
            upstream = &*self.name,
            "the answer to {method} is too long and was cut off"
        );
        Ok(items)
    }

    fn skipped(&self, what: &str, why: &str) {
        tracing::warn!(upstream = &*self.name, "{what} of the tool server is left out: {why}");
    }
}

fn next_cursor(page: &Map<String, Value>) -> Option<&str> {
    page.get("nextCursor")?.as_str()
}
