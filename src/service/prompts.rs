//! Listing and filling in prompts on behalf of a caller, and completing what they type (MCP
//! server/prompts, server/utilities/completion).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::access::AccessError;
use super::permission::Permission;
use super::rounds::{CallIdentity, ClientSide, Round, Rounds};
use crate::domain::access_rule::Item;
use crate::domain::principal::Principal;
use crate::domain::prompt::{
    Completable, Completion, CompletionCall, PromptArgument, PromptCall, PromptDescription,
    PromptOutput,
};
use crate::domain::requirement::Requirement;
use crate::domain::tool::CallError;
use crate::port::{CallContext, ToolCatalog};

/// How many values a completion has at most (MCP 2026-07-28, server/utilities/completion).
const MOST_VALUES: usize = 100;

/// The prompts behind their authorization rules.
pub struct Prompts {
    pub(super) catalog: Arc<dyn ToolCatalog>,
    pub(super) permission: Permission,
    pub(super) rounds: Arc<Rounds>,
}

/// A prompt that a caller may fill in; only [`Prompts::authorize`] makes one.
#[derive(Debug, Clone)]
pub struct AuthorizedPrompt {
    caller: Arc<Principal>,
    name: String,
    description: Option<Arc<PromptDescription>>,
}

/// What somebody has typed so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    /// The name of the argument.
    pub argument: String,
    /// What is there of it.
    pub value: String,
}

/// A prompt or a template whose arguments a caller may have completed; only
/// [`Prompts::authorize_completion`] makes one.
#[derive(Debug, Clone)]
pub struct AuthorizedCompletion {
    caller: Arc<Principal>,
    of: Completable,
}

impl AuthorizedPrompt {
    /// As the client spelled it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl AuthorizedCompletion {
    /// As the client spelled it.
    #[must_use]
    pub fn of(&self) -> &Completable {
        &self.of
    }
}

impl Prompts {
    /// Whether there may ever be any.
    #[must_use]
    pub fn are_offered(&self) -> bool {
        self.catalog.prompts().is_some()
    }

    /// Whether anything is ever completed.
    #[must_use]
    pub fn are_completed(&self) -> bool {
        self.catalog.completions().is_some()
    }

    /// The prompts `caller` may fill in.
    pub async fn list(&self, caller: &Principal) -> Vec<Arc<PromptDescription>> {
        let Some(prompts) = self.catalog.prompts() else { return Vec::new() };
        let mut prompts = prompts.list().await;
        prompts.retain(|prompt| {
            self.permission.shows(caller, Item::Prompt(&prompt.name), &prompt.requirement)
        });
        prompts
    }

    /// Refuses to fill in what the caller may not, before anything of it runs. A prompt that does not
    /// exist is let through, for [`Self::fill_in`] to refuse.
    ///
    /// # Errors
    /// [`AccessError::InsufficientScope`] with every scope a token for it needs;
    /// [`AccessError::NotPermitted`].
    pub async fn authorize(
        &self,
        caller: &Arc<Principal>,
        name: &str,
    ) -> Result<AuthorizedPrompt, AccessError> {
        let description = match self.catalog.prompts() {
            Some(prompts) => prompts.describe(name).await,
            None => None,
        };
        if let Some(prompt) = &description {
            self.permission.check(caller, Item::Prompt(name), &prompt.requirement)?;
        }
        Ok(AuthorizedPrompt { caller: Arc::clone(caller), name: name.to_owned(), description })
    }

    /// Fills in a prompt.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn fill_in(
        &self,
        prompt: AuthorizedPrompt,
        arguments: BTreeMap<String, String>,
        client: ClientSide,
    ) -> Result<Round<PromptOutput>, CallError> {
        let AuthorizedPrompt { caller, name, description } = prompt;
        let known = self.catalog.prompts().zip(description);
        let Some((prompts, description)) = known else { return Err(CallError::Unknown(name)) };
        let missing = |it: &&PromptArgument| it.required && !arguments.contains_key(&it.name);
        if let Some(missing) = description.arguments.iter().find(missing) {
            let name = &missing.name;
            return Err(CallError::InvalidArguments(format!("argument {name:?} is missing")));
        }
        let identity = CallIdentity {
            method: "prompts/get",
            target: &name,
            arguments: serde_json::to_value(&arguments).unwrap_or_default(),
        };
        let fill_in = |context: CallContext| {
            let context = context.with_checked(description.requirement.clone());
            let call = PromptCall { name: name.clone(), arguments: arguments.clone() };
            prompts.fill_in(call, context)
        };
        self.rounds.drive(&caller, client, identity, fill_in).await
    }

    /// Refuses to complete arguments of what the caller may not use: what might be meant tells as much
    /// of it as its answers. What does not exist is let through, for [`Self::complete`] to refuse.
    ///
    /// # Errors
    /// [`AccessError::InsufficientScope`] with every scope a token for it needs;
    /// [`AccessError::NotPermitted`].
    pub async fn authorize_completion(
        &self,
        caller: &Arc<Principal>,
        of: Completable,
    ) -> Result<AuthorizedCompletion, AccessError> {
        match &of {
            Completable::Prompt(name) => {
                self.authorize(caller, name).await?;
            }
            Completable::ResourceTemplate(template) => {
                let own = self.template_requirement(template).await;
                self.permission.check(caller, Item::Resource(template), &own)?;
            }
        }
        Ok(AuthorizedCompletion { caller: Arc::clone(caller), of })
    }

    async fn template_requirement(&self, uri_template: &str) -> Requirement {
        let Some(resources) = self.catalog.resources() else { return Requirement::default() };
        let templates = resources.templates().await;
        let named = templates.iter().find(|it| it.uri_template == uri_template);
        named.map(|template| template.requirement.clone()).unwrap_or_default()
    }

    /// Completes the argument that is being typed; `filled_in` are others that are complete already.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn complete(
        &self,
        completion: AuthorizedCompletion,
        typed: Typed,
        filled_in: BTreeMap<String, String>,
        client: &ClientSide,
    ) -> Result<Completion, CallError> {
        let Some(completions) = self.catalog.completions() else {
            return Ok(Completion::default());
        };
        let AuthorizedCompletion { caller, of } = completion;
        let Typed { argument, value } = typed;
        let call = CompletionCall { of, argument, value, filled_in };
        let context = self.rounds.context(&caller, client);
        let mut completion = completions.complete(call, context).await?;
        if completion.values.len() > MOST_VALUES {
            completion.values.truncate(MOST_VALUES);
            completion.has_more = true;
        }
        Ok(completion)
    }
}
