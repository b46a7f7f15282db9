//! A call in several rounds, when whoever is called has questions to the client first (MCP
//! 2026-07-28, multi round-trip requests; the requests of the server in the revisions before).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::provider_tokens::TokensForTools;
use crate::domain::input_required::{
    ClientAbilities, ClientAbility, InputGiven, InputRequired, Question,
};
use crate::domain::principal::Principal;
use crate::domain::secret::{base64url, from_base64url, sha256};
use crate::domain::timestamp::Timestamp;
use crate::domain::tool::{CallError, Reply};
use crate::port::{AskError, CallContext, ClientChannel, Clock, StateSealer};

/// How often one call may ask within itself.
const MOST_ROUNDS: usize = 10;

/// How long a client may take to answer between two rounds: a person may have to be found.
const STATE_LIFETIME: Duration = Duration::from_secs(3600);

/// What a client sent along with a call, and how it is reached.
#[derive(Clone, Default)]
pub struct ClientSide {
    /// What it declared that it can do.
    pub abilities: Arc<ClientAbilities>,
    /// The way to it while the call is under way.
    pub channel: Option<Arc<dyn ClientChannel>>,
    /// Its answers to the questions of the round before, the member `inputResponses`.
    pub answers: BTreeMap<String, Value>,
    /// The `requestState` of the round before.
    pub state: Option<String>,
}

/// What comes of one round.
#[derive(Debug, Clone, PartialEq)]
pub enum Round<T> {
    /// The answer.
    Done(T),
    /// The client is to answer these questions, and to repeat the call.
    InputRequired {
        /// The questions under their names.
        questions: BTreeMap<String, Question>,
        /// To be sent back as it is.
        state: Option<String>,
    },
}

/// Which call it is: what was sealed in one opens in no other.
#[derive(Serialize)]
pub(super) struct CallIdentity<'a> {
    /// The method of MCP.
    pub(super) method: &'static str,
    /// The name or URI of what is called.
    pub(super) target: &'a str,
    /// What it is called with.
    pub(super) arguments: Value,
}

/// Drives calls through their rounds.
pub(super) struct Rounds {
    pub(super) sealer: Arc<dyn StateSealer>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) provider_tokens: Option<Arc<TokensForTools>>,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Remembered {
    /// Seconds since 1970.
    until: i64,
    state: Value,
}

impl Rounds {
    /// Calls once, and again for as long as there are questions that the client answers within the
    /// call.
    pub(super) async fn drive<T, F>(
        &self,
        caller: &Arc<Principal>,
        client: ClientSide,
        identity: CallIdentity<'_>,
        call: impl Fn(CallContext) -> F,
    ) -> Result<Round<T>, CallError>
    where
        F: Future<Output = Result<Reply<T>, CallError>>,
    {
        let about = about(caller, &identity);
        let state = client.state.as_deref().map(|state| self.open(&about, state)).transpose()?;
        let context = self.context(caller, &client);
        let mut input = InputGiven { answers: client.answers, state };
        for _ in 0..MOST_ROUNDS {
            let required = match call(context.clone().with_input(input)).await? {
                Reply::Done(answer) => return Ok(Round::Done(answer)),
                Reply::InputRequired(required) => askable(required, &context)?,
            };
            let within = client.channel.as_ref().filter(|it| it.asks_within_the_call());
            let Some(channel) = within else { return self.sealed(&about, required) };
            input = InputGiven {
                answers: ask_all(&**channel, &required.questions).await?,
                state: required.state,
            };
        }
        Err(CallError::Failed(format!("it asked the client {MOST_ROUNDS} times without an end")))
    }

    /// What is called knows of the call, apart from the rounds before.
    pub(super) fn context(&self, caller: &Arc<Principal>, client: &ClientSide) -> CallContext {
        let context = CallContext::new(Arc::clone(caller))
            .with_client(Arc::clone(&client.abilities), client.channel.clone());
        match self.provider_tokens.as_ref().zip(caller.grant.clone()) {
            Some((tokens, grant)) => context.with_provider_tokens(tokens.of(grant)),
            None => context,
        }
    }

    fn sealed<T>(&self, about: &[u8], required: InputRequired) -> Result<Round<T>, CallError> {
        let InputRequired { questions, state } = required;
        let state = state.map(|state| self.seal(about, state)).transpose()?;
        Ok(Round::InputRequired { questions, state })
    }

    fn seal(&self, about: &[u8], state: Value) -> Result<String, CallError> {
        let until = self.clock.now().after(STATE_LIFETIME).as_unix();
        let remembered = serde_json::to_vec(&Remembered { until, state })
            .map_err(|error| CallError::Failed(error.to_string()))?;
        let sealed = self.sealer.seal(about, &remembered);
        sealed
            .map(|sealed| base64url(&sealed))
            .map_err(|error| CallError::Failed(format!("the state of the call: {error}")))
    }

    fn open(&self, about: &[u8], presented: &str) -> Result<Value, CallError> {
        let opened = from_base64url(presented).and_then(|sealed| self.sealer.open(about, &sealed));
        let remembered = opened.and_then(|text| serde_json::from_slice::<Remembered>(&text).ok());
        let fresh = |it: &Remembered| self.clock.now() < Timestamp::from_unix(it.until);
        Ok(remembered.filter(fresh).ok_or(CallError::InvalidState)?.state)
    }
}

/// The caller and the call, so that no state passes for that of another.
fn about(caller: &Principal, identity: &CallIdentity<'_>) -> Vec<u8> {
    let client = caller.client.as_ref().map(ToString::to_string);
    let who = (caller.issuer.as_str(), caller.subject.as_str(), client);
    let about = serde_json::to_vec(&(who, identity)).unwrap_or_default();
    sha256(&[b"request state\0", &about]).to_vec()
}

/// A question must have somebody to answer it (MCP 2026-07-28, missing required client capability).
fn askable(required: InputRequired, context: &CallContext) -> Result<InputRequired, CallError> {
    if required.questions.is_empty() && required.state.is_none() {
        return Err(CallError::Failed("it asked for input and had no question".to_owned()));
    }
    let needed: BTreeSet<ClientAbility> =
        required.questions.values().map(Question::needs).collect();
    let lacking: BTreeSet<ClientAbility> =
        needed.into_iter().filter(|ability| !context.client_can(*ability)).collect();
    if lacking.is_empty() { Ok(required) } else { Err(CallError::ClientLacks(lacking)) }
}

async fn ask_all(
    channel: &dyn ClientChannel,
    questions: &BTreeMap<String, Question>,
) -> Result<BTreeMap<String, Value>, CallError> {
    let mut answers = BTreeMap::new();
    for (name, question) in questions {
        let answer = channel.ask(question).await.map_err(|error| match error {
            AskError::Refused { code, message } => CallError::Refused {
                code,
                message: format!("the client refused: {message}"),
                data: None,
            },
            AskError::Gone => CallError::Unavailable(error.to_string()),
        })?;
        answers.insert(name.clone(), answer);
    }
    Ok(answers)
}
