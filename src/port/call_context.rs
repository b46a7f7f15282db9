use std::fmt;
use std::sync::Arc;

use super::{CallerTokens, ClientChannel, Progress, TokenOutcome};
use crate::domain::input_required::{ClientAbilities, ClientAbility, InputGiven};
use crate::domain::log_message::{LogLevel, LogMessage};
use crate::domain::principal::Principal;
use crate::domain::requirement::Requirement;

/// What a tool, a prompt or a resource knows of the call beside its arguments.
#[derive(Clone)]
#[non_exhaustive]
pub struct CallContext {
    /// Who is calling.
    pub caller: Arc<Principal>,
    /// What came of the rounds before; empty in the first one.
    pub input: InputGiven,
    abilities: Arc<ClientAbilities>,
    channel: Option<Arc<dyn ClientChannel>>,
    provider_tokens: Option<Arc<dyn CallerTokens>>,
    checked: Option<Arc<Requirement>>,
}

impl CallContext {
    /// A call by `caller`, whose client can do nothing and is told nothing.
    #[must_use]
    pub fn new(caller: Arc<Principal>) -> Self {
        Self {
            caller,
            input: InputGiven::default(),
            abilities: Arc::default(),
            channel: None,
            provider_tokens: None,
            checked: None,
        }
    }

    /// The same, by a client that can do this and is reached this way.
    #[must_use]
    pub fn with_client(
        self,
        abilities: Arc<ClientAbilities>,
        channel: Option<Arc<dyn ClientChannel>>,
    ) -> Self {
        Self { abilities, channel, ..self }
    }

    /// The same, in a later round.
    #[must_use]
    pub fn with_input(self, input: InputGiven) -> Self {
        Self { input, ..self }
    }

    /// The same, by somebody whose provider's tokens are kept.
    #[must_use]
    pub fn with_provider_tokens(self, tokens: Arc<dyn CallerTokens>) -> Self {
        Self { provider_tokens: Some(tokens), ..self }
    }

    /// The same, by a caller of whom it was checked that they meet this.
    #[must_use]
    pub fn with_checked(self, requirement: Requirement) -> Self {
        Self { checked: Some(Arc::new(requirement)), ..self }
    }

    /// Whether the check of the caller was about something that demands as much as this does. What is
    /// called may have become another thing of the same name since: a catalog of changing parts asks
    /// before it hands on the call. Where nothing was checked there is nothing to compare.
    #[must_use]
    pub fn was_checked_for(&self, requirement: &Requirement) -> bool {
        self.checked.as_ref().is_none_or(|checked| checked.covers(requirement))
    }

    /// Whether the client declared that it can do this. A question to one that did not is refused
    /// for the tool, with the error the specification has for it.
    #[must_use]
    pub fn client_can(&self, ability: ClientAbility) -> bool {
        self.abilities.include(ability)
    }

    /// Everything the client declared that it can do.
    #[must_use]
    pub fn client_abilities(&self) -> &ClientAbilities {
        &self.abilities
    }

    /// Tells the client that `done` of `total` is done, if it asked to be told.
    pub async fn progress(&self, done: f64, total: Option<f64>, message: Option<String>) {
        if let Some(channel) = &self.channel {
            channel.progress(Progress { done, total, message }).await;
        }
    }

    /// Writes into the client's log, if it wants messages of that level. Nothing secret belongs there.
    pub async fn log(&self, message: LogMessage) {
        if let Some(channel) = &self.channel {
            channel.log(message).await;
        }
    }

    /// Whether the client wants messages of that level.
    #[must_use]
    pub fn wants_log(&self, level: LogLevel) -> bool {
        self.channel.as_ref().is_some_and(|channel| channel.wants_log(level))
    }

    /// An access token for the interfaces of the provider that the caller logged in at. Nothing is
    /// asked, refreshed or even read before a tool calls this. `None` when none is kept, which is
    /// how it is unless the operator set `keep_tokens`.
    ///
    /// It must not be in the answer of the tool: it is no business of the client.
    ///
    /// # Errors
    /// [`ProviderTokenError`](super::ProviderTokenError).
    pub async fn provider_token(&self) -> TokenOutcome {
        match &self.provider_tokens {
            Some(tokens) => tokens.provider_token().await,
            None => Ok(None),
        }
    }
}

/// Who calls is all there is to see.
impl fmt::Debug for CallContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallContext").field("caller", &self.caller).finish_non_exhaustive()
    }
}
