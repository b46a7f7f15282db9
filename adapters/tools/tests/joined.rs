//! Several catalogs as one.

#![expect(clippy::unwrap_used, reason = "a call that goes wrong fails its test")]

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use mcp_oauth_core::domain::catalog_change::CatalogChange;
use mcp_oauth_core::domain::content::{ResourceContents, ResourceDescription, ResourceTemplate};
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::person::Subject;
use mcp_oauth_core::domain::principal::{CallerKind, Principal};
use mcp_oauth_core::domain::prompt::{
    Completable, Completion, CompletionCall, PromptCall, PromptDescription, PromptOutput,
};
use mcp_oauth_core::domain::requirement::Requirement;
use mcp_oauth_core::domain::scope::ScopeSet;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::domain::tool::{CallError, Reply, ToolCall, ToolDescription, ToolOutput};
use mcp_oauth_core::port::{
    CallContext, CatalogChanges, Completions, PromptCatalog, ResourceCatalog, ToolCatalog, Watch,
};
use mcp_oauth_tools::{JoinedCatalog, Part, clashes};
use tokio::sync::mpsc;

/// A catalog with one of everything, all of one name, that answers with its own name. A resource
/// whose URI begins with the name may be there; one that ends with it is.
#[derive(Clone)]
struct One {
    name: &'static str,
    has: &'static str,
    changes: Arc<std::sync::Mutex<Option<mpsc::Receiver<CatalogChange>>>>,
}

fn one(name: &'static str, has: &'static str) -> One {
    One { name, has, changes: Arc::default() }
}

fn part(catalog: One) -> Part {
    Part { name: catalog.name.to_owned(), catalog: Arc::new(catalog) }
}

#[async_trait]
impl ToolCatalog for One {
    async fn list(&self) -> Vec<Arc<ToolDescription>> {
        ToolCatalog::describe(self, self.has).await.into_iter().collect()
    }

    async fn describe(&self, name: &str) -> Option<Arc<ToolDescription>> {
        let description = self.name.to_owned();
        (name == self.has).then(|| {
            Arc::new(ToolDescription { name: name.into(), description, ..Default::default() })
        })
    }

    async fn call(&self, _: ToolCall, _: CallContext) -> Result<Reply<ToolOutput>, CallError> {
        Ok(ToolOutput::text(self.name).into())
    }

    fn resources(&self) -> Option<Arc<dyn ResourceCatalog>> {
        Some(Arc::new(self.clone()))
    }

    fn prompts(&self) -> Option<Arc<dyn PromptCatalog>> {
        Some(Arc::new(self.clone()))
    }

    fn completions(&self) -> Option<Arc<dyn Completions>> {
        Some(Arc::new(self.clone()))
    }

    fn changes(&self) -> Option<Box<dyn CatalogChanges>> {
        Some(Box::new(Told(self.changes.lock().unwrap().take()?)))
    }
}

struct Told(mpsc::Receiver<CatalogChange>);

#[async_trait]
impl CatalogChanges for Told {
    async fn next(&mut self) -> Option<CatalogChange> {
        self.0.recv().await
    }
}

#[async_trait]
impl ResourceCatalog for One {
    async fn list(&self) -> Vec<Arc<ResourceDescription>> {
        let (uri, name) = (format!("x:{}", self.has), self.name.to_owned());
        let (more, requirement) = Default::default();
        vec![Arc::new(ResourceDescription { uri, name, more, requirement })]
    }

    async fn templates(&self) -> Vec<Arc<ResourceTemplate>> {
        let (more, requirement) = Default::default();
        let (uri_template, name) = (format!("x:{{{}}}", self.has), self.name.to_owned());
        vec![Arc::new(ResourceTemplate { uri_template, name, more, requirement })]
    }

    async fn requirement(&self, uri: &str) -> Option<Requirement> {
        let scope = ScopeSet::parse(self.name).unwrap();
        uri.starts_with("x:").then(|| Requirement::scope(scope))
    }

    async fn read(
        &self,
        uri: &str,
        _: CallContext,
    ) -> Result<Reply<Vec<ResourceContents>>, CallError> {
        if uri != format!("x:{}", self.has) {
            return Err(CallError::Unknown(uri.to_owned()));
        }
        Ok(vec![ResourceContents::text(uri, "text/plain", self.name)].into())
    }

    async fn watch(&self, uri: &str) -> Result<Watch, CallError> {
        self.read(uri, context()).await.map(|_| Box::new(self.name) as Watch)
    }
}

#[async_trait]
impl PromptCatalog for One {
    async fn list(&self) -> Vec<Arc<PromptDescription>> {
        PromptCatalog::describe(self, self.has).await.into_iter().collect()
    }

    async fn describe(&self, name: &str) -> Option<Arc<PromptDescription>> {
        let (arguments, more, requirement) = Default::default();
        let name = (name == self.has).then(|| name.to_owned())?;
        Some(Arc::new(PromptDescription { name, arguments, more, requirement }))
    }

    async fn fill_in(
        &self,
        _: PromptCall,
        _: CallContext,
    ) -> Result<Reply<PromptOutput>, CallError> {
        Ok(PromptOutput::user_text(self.name).into())
    }
}

#[async_trait]
impl Completions for One {
    async fn complete(&self, _: CompletionCall, _: CallContext) -> Result<Completion, CallError> {
        Ok(Completion { values: vec![self.name.to_owned()], ..Completion::default() })
    }
}

fn context() -> CallContext {
    CallContext::new(Arc::new(Principal {
        issuer: Issuer::new("https://issuer.example"),
        subject: Subject::new("alice"),
        client: None,
        audiences: vec![],
        scopes: ScopeSet::default(),
        permissions: BTreeSet::new(),
        groups: BTreeSet::new(),
        tenant: None,
        verified_email: None,
        issued_at: None,
        expires_at: Timestamp::from_unix(2_000_000_000),
        token_id: None,
        grant: None,
        kind: CallerKind::User,
        claims: serde_json::Map::new(),
    }))
}

async fn called(catalog: &JoinedCatalog, name: &str) -> Result<Reply<ToolOutput>, CallError> {
    let call = ToolCall { name: name.to_owned(), arguments: serde_json::Map::new() };
    catalog.call(call, context()).await
}

fn joined(names: &[(&'static str, &'static str)]) -> JoinedCatalog {
    JoinedCatalog::new(names.iter().map(|(name, has)| part(one(name, has))).collect())
}

#[tokio::test]
async fn everything_goes_to_the_catalog_that_has_it() {
    let catalog = joined(&[("a", "one"), ("b", "two")]);
    let listed = catalog.list().await;
    let names: Vec<_> = listed.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["one", "two"]);
    assert_eq!(called(&catalog, "two").await, Ok(ToolOutput::text("b").into()));
    assert_eq!(called(&catalog, "three").await, Err(CallError::Unknown("three".into())));

    let prompts = catalog.prompts().unwrap();
    let call = |name: &str| PromptCall { name: name.to_owned(), arguments: Default::default() };
    let filled_in = prompts.fill_in(call("two"), context()).await;
    assert_eq!(filled_in, Ok(PromptOutput::user_text("b").into()));
    let unknown = prompts.fill_in(call("three"), context()).await;
    assert_eq!(unknown, Err(CallError::Unknown("three".into())));

    let completions = catalog.completions().unwrap();
    for (of, by) in [
        (Completable::Prompt("one".into()), "a"),
        (Completable::ResourceTemplate("x:{two}".into()), "b"),
    ] {
        let (argument, value, filled_in) = Default::default();
        let call = CompletionCall { of, argument, value, filled_in };
        assert_eq!(completions.complete(call, context()).await.unwrap().values, [by]);
    }
}

#[tokio::test]
async fn a_resource_that_several_may_have_needs_what_each_of_them_demands() {
    let resources = joined(&[("a", "one"), ("b", "two")]).resources().unwrap();
    let needed = resources.requirement("x:two").await.unwrap();
    assert_eq!(needed.scope, ScopeSet::parse("a b").unwrap());
    let read = resources.read("x:two", context()).await;
    assert_eq!(read, Ok(vec![ResourceContents::text("x:two", "text/plain", "b")].into()));
    assert!(resources.watch("x:two").await.is_ok());
    assert!(matches!(resources.read("x:three", context()).await, Err(CallError::Unknown(_))));
    assert_eq!(resources.requirement("y:one").await, None);
}

#[tokio::test]
async fn what_has_the_same_name_in_two_catalogs_is_named_and_the_first_one_counts() {
    let parts = [("a", "one"), ("b", "one")].map(|(name, has)| part(one(name, has)));
    let said: Vec<String> = clashes(&parts).await.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            r#"a and b both have the prompt "one""#,
            r#"a and b both have the resource "x:one""#,
            r#"a and b both have the tool "one""#,
        ]
    );
    let catalog = JoinedCatalog::new(parts.into());
    assert_eq!(catalog.list().await.len(), 1);
    assert_eq!(called(&catalog, "one").await, Ok(ToolOutput::text("a").into()));
}

#[tokio::test]
async fn listeners_hear_of_changes_in_each_catalog_and_of_other_catalogs() {
    let (tell, told) = mpsc::channel(1);
    let changing = one("a", "one");
    *changing.changes.lock().unwrap() = Some(told);
    let catalog = JoinedCatalog::new(vec![part(changing), part(one("b", "two"))]);
    let mut changes = catalog.changes().unwrap();
    tell.send(CatalogChange::Resource("x:one".into())).await.unwrap();
    assert_eq!(changes.next().await, Some(CatalogChange::Resource("x:one".into())));

    catalog.replace(vec![part(one("c", "three"))]);
    let heard = [changes.next().await, changes.next().await, changes.next().await];
    assert!(heard.contains(&Some(CatalogChange::Tools)), "{heard:?}");
    assert_eq!(called(&catalog, "three").await, Ok(ToolOutput::text("c").into()));
    assert!(called(&catalog, "one").await.is_err());
    // The catalog that has gone is not listened to any more.
    tell.closed().await;
}

#[tokio::test]
async fn a_slow_listener_is_told_that_everything_changed() {
    let (tell, told) = mpsc::channel(1);
    let changing = one("a", "one");
    *changing.changes.lock().unwrap() = Some(told);
    let catalog = JoinedCatalog::new(vec![part(changing)]);
    let mut slow = catalog.changes().unwrap();
    for _ in 0..200 {
        tell.send(CatalogChange::Resource("x:one".into())).await.unwrap();
    }
    let mut heard = Vec::new();
    for _ in 0..3 {
        heard.push(slow.next().await.unwrap());
    }
    assert!(heard.contains(&CatalogChange::Tools), "{heard:?}");
}

/// A catalog whose one tool, prompt and resource have a name that changes, under a scope of its own.
struct Turning(&'static str, std::sync::Mutex<&'static str>);

impl Turning {
    fn now(&self) -> One {
        one(self.0, *self.1.lock().unwrap())
    }
}

#[async_trait]
impl ToolCatalog for Turning {
    async fn list(&self) -> Vec<Arc<ToolDescription>> {
        ToolCatalog::list(&self.now()).await
    }

    async fn describe(&self, name: &str) -> Option<Arc<ToolDescription>> {
        let described = ToolCatalog::describe(&self.now(), name).await?;
        let requirement = Requirement::scope(ScopeSet::parse(self.0).unwrap());
        Some(Arc::new(ToolDescription { requirement, ..(*described).clone() }))
    }

    async fn call(
        &self,
        call: ToolCall,
        context: CallContext,
    ) -> Result<Reply<ToolOutput>, CallError> {
        self.now().call(call, context).await
    }

    fn resources(&self) -> Option<Arc<dyn ResourceCatalog>> {
        self.now().resources()
    }

    fn prompts(&self) -> Option<Arc<dyn PromptCatalog>> {
        self.now().prompts()
    }
}

async fn filled_in(catalog: &JoinedCatalog, name: &str) -> Result<Reply<PromptOutput>, CallError> {
    let call = PromptCall { name: name.to_owned(), arguments: Default::default() };
    catalog.prompts().unwrap().fill_in(call, context()).await
}

async fn read(catalog: &JoinedCatalog, uri: &str) -> Option<String> {
    match catalog.resources().unwrap().read(uri, context()).await {
        Ok(Reply::Done(contents)) => Some(format!("{contents:?}")),
        _ => None,
    }
}

#[tokio::test]
async fn what_a_catalog_has_no_other_takes_later() {
    let turning = Arc::new(Turning("a", std::sync::Mutex::new("one")));
    let first = Part { name: "a".to_owned(), catalog: turning.clone() };
    let catalog = JoinedCatalog::new(vec![first, part(one("b", "two"))]);
    let names = catalog.list().await.len();
    let prompts = catalog.prompts().unwrap().list().await.len();
    let resources = catalog.resources().unwrap().list().await.len();
    assert_eq!((names, prompts, resources), (2, 2, 2));
    assert!(read(&catalog, "x:two").await.unwrap().contains("\"b\""));

    *turning.1.lock().unwrap() = "two";
    assert_eq!(catalog.describe("two").await.unwrap().description, "b");
    assert_eq!(called(&catalog, "two").await, Ok(ToolOutput::text("b").into()));
    assert_eq!(filled_in(&catalog, "two").await, Ok(PromptOutput::user_text("b").into()));
    assert!(read(&catalog, "x:two").await.unwrap().contains("\"b\""));
    let listed = catalog.list().await;
    let by: Vec<_> = listed.iter().map(|tool| tool.description.as_str()).collect();
    assert_eq!(by, ["b"]);
}

#[tokio::test]
async fn rs_12_a_call_reaches_nothing_that_demands_more_than_was_checked() {
    let turning = Arc::new(Turning("a", std::sync::Mutex::new("two")));
    let (first, second) = (turning.clone(), Turning("b", std::sync::Mutex::new("two")));
    let catalog = JoinedCatalog::new(vec![
        Part { name: "a".to_owned(), catalog: first },
        Part { name: "b".to_owned(), catalog: Arc::new(second) },
    ]);
    let checked = catalog.describe("two").await.unwrap().requirement.clone();
    let call = || ToolCall { name: "two".to_owned(), arguments: serde_json::Map::new() };
    let context = context().with_checked(checked);
    let answered = catalog.call(call(), context.clone()).await;
    assert_eq!(answered, Ok(ToolOutput::text("a").into()));
    // Between the check and the call, or between two rounds of it.
    *turning.1.lock().unwrap() = "one";
    let answered = catalog.call(call(), context).await;
    assert!(matches!(answered, Err(CallError::Unavailable(_))), "{answered:?}");

    let nothing = self::context().with_checked(Requirement::default());
    let answered = catalog.resources().unwrap().read("x:two", nothing).await;
    assert!(matches!(answered, Err(CallError::Unavailable(_))), "{answered:?}");
}
