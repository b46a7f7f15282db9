//! Asking the client in the middle of a call: a person, a model, or its roots (MCP 2026-07-28,
//! basic/patterns on multi round-trip requests; elicitation/create, sampling/createMessage and
//! roots/list of the revisions before).
//!
//! Whoever is called answers with questions instead of a result, and is called again, from the
//! beginning, with the answers and with the state it left. That is how it is for clients of every
//! revision: for those that know no such answer, the questions are put to them within the call.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What must be known before the call can go on. Questions and state are not both missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InputRequired {
    /// The questions, under names of the tool's own.
    pub questions: BTreeMap<String, Question>,
    /// What to remember until the answers come. It travels through the client, sealed: the client
    /// can't change it, and it opens for the same caller and the same call only. It is no secret to
    /// the client.
    pub state: Option<Value>,
}

/// A question to the client.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// To a person: the params of `elicitation/create`.
    Elicitation(Map<String, Value>),
    /// To a model: the params of `sampling/createMessage`.
    Sampling(Map<String, Value>),
    /// `roots/list`.
    Roots,
}

/// What a call knows of the rounds before; empty in the first one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InputGiven {
    /// The answers, under the names of the questions: results of the requests asked, as the client
    /// sent them. Names that nobody asked for may be among them.
    pub answers: BTreeMap<String, Value>,
    /// What was to be remembered.
    pub state: Option<Value>,
}

/// Something a client can do for a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAbility {
    /// Show a form to a person.
    Elicitation,
    /// Send a person to an address.
    ElicitationUrl,
    /// Ask a model.
    Sampling,
    /// Ask a model that may use tools.
    SamplingTools,
    /// Tell its roots.
    Roots,
}

/// What a client declared that it can do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientAbilities(pub BTreeSet<ClientAbility>);

impl ClientAbilities {
    /// Whether the client declared it.
    #[must_use]
    pub fn include(&self, ability: ClientAbility) -> bool {
        self.0.contains(&ability)
    }
}

impl InputRequired {
    /// One question.
    #[must_use]
    pub fn question(name: impl Into<String>, question: Question) -> Self {
        Self { questions: BTreeMap::from([(name.into(), question)]), state: None }
    }

    /// The same, and one question more.
    #[must_use]
    pub fn and(mut self, name: impl Into<String>, question: Question) -> Self {
        self.questions.insert(name.into(), question);
        self
    }

    /// The same, remembering `state`.
    #[must_use]
    pub fn remembering(mut self, state: Value) -> Self {
        self.state = Some(state);
        self
    }
}

impl Question {
    /// Asks a person to fill in a form; `schema` is an object of primitive properties
    /// (MCP 2026-07-28, client/elicitation).
    #[must_use]
    pub fn form(message: impl Into<String>, schema: Value) -> Self {
        let members = [("message", Value::String(message.into())), ("requestedSchema", schema)];
        Self::Elicitation(
            members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect(),
        )
    }

    /// Asks a model to answer a text in at most `max_tokens` tokens.
    #[must_use]
    pub fn model(text: &str, max_tokens: u32) -> Self {
        let message = serde_json::json!({
            "messages": [{ "role": "user", "content": { "type": "text", "text": text } }],
            "maxTokens": max_tokens,
        });
        Self::Sampling(message.as_object().cloned().unwrap_or_default())
    }

    /// What the client must be able to do.
    #[must_use]
    pub fn needs(&self) -> ClientAbility {
        match self {
            Self::Elicitation(params) if params.get("mode") == Some(&Value::from("url")) => {
                ClientAbility::ElicitationUrl
            }
            Self::Elicitation(_) => ClientAbility::Elicitation,
            Self::Sampling(params) if params.contains_key("tools") => ClientAbility::SamplingTools,
            Self::Sampling(_) => ClientAbility::Sampling,
            Self::Roots => ClientAbility::Roots,
        }
    }
}

impl InputGiven {
    /// What a person filled in where [`Question::form`] was asked; `None` when there is no answer, or
    /// they declined, or cancelled.
    #[must_use]
    pub fn form(&self, name: &str) -> Option<&Map<String, Value>> {
        let answer = self.answers.get(name)?;
        if answer.get("action")? != "accept" {
            return None;
        }
        answer.get("content")?.as_object()
    }

    /// What a model said where [`Question::model`] was asked; `None` when there is no answer, or none
    /// in text.
    #[must_use]
    pub fn model_text(&self, name: &str) -> Option<&str> {
        self.answers.get(name)?.get("content")?.get("text")?.as_str()
    }

    /// The addresses of the roots where [`Question::Roots`] was asked.
    #[must_use]
    pub fn roots(&self, name: &str) -> Option<Vec<&str>> {
        let roots = self.answers.get(name)?.get("roots")?.as_array()?;
        Some(roots.iter().filter_map(|root| root.get("uri")?.as_str()).collect())
    }
}
