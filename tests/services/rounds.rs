//! Calls in several rounds: the questions of a tool, the client's answers, and what is remembered in
//! between for this caller and this call alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use mcp_oauth_core::domain::input_required::{
    ClientAbilities, ClientAbility, InputRequired, Question,
};
use mcp_oauth_core::domain::log_message::{LogLevel, LogMessage};
use mcp_oauth_core::domain::person::Subject;
use mcp_oauth_core::domain::principal::Principal;
use mcp_oauth_core::domain::tool::{CallError, Reply, ToolOutput};
use mcp_oauth_core::port::{AskError, CallContext, ClientChannel, Progress};
use mcp_oauth_core::service::{ClientSide, Round};
use serde_json::{Map, Value, json};

use crate::tools::caller;
use crate::world::{Stage, World};

/// What a tool of this file answers: questions until everything is known.
type Outcome = Result<Reply<ToolOutput>, CallError>;

/// A world with the tool `ask`, whose states are sealed by writing what they are about before them.
fn asking(ask: impl Fn(&CallContext) -> Outcome + Send + Sync + 'static) -> Stage {
    let mut world = World::new();
    world.catalog.expect_describe().returning(|_| Some(Arc::default()));
    world.catalog.expect_call().returning(move |_, context| ask(&context));
    world.state_sealer.expect_seal().returning(|about, state| Ok([about, state].concat()));
    let open = world.state_sealer.expect_open();
    open.returning(|about, sealed| sealed.strip_prefix(about).map(<[u8]>::to_vec));
    world.open()
}

fn name() -> Question {
    Question::form("Who?", json!({ "type": "object", "properties": { "n": {"type": "string"} } }))
}

/// Asks for a name and remembers what it was called with; greets once it knows both.
fn greeter(context: &CallContext) -> Outcome {
    match (context.input.form("name"), &context.input.state) {
        (Some(form), Some(state)) => {
            Ok(ToolOutput::text(format!("Hello, {}! {state}", form["n"])).into())
        }
        _ => Ok(Reply::InputRequired(
            InputRequired::question("name", name()).remembering(json!({ "step": 1 })),
        )),
    }
}

fn client(abilities: &[ClientAbility]) -> ClientSide {
    let abilities = ClientAbilities(abilities.iter().copied().collect());
    ClientSide { abilities: Arc::new(abilities), ..ClientSide::default() }
}

fn answers(state: Option<&str>) -> ClientSide {
    let answer = json!({ "action": "accept", "content": { "n": "Ada" } });
    ClientSide {
        answers: BTreeMap::from([("name".to_owned(), answer)]),
        state: state.map(str::to_owned),
        ..client(&[ClientAbility::Elicitation])
    }
}

async fn call_as(
    stage: &Stage,
    caller: Principal,
    (tool, arguments): (&str, &Value),
    client: ClientSide,
) -> Result<Round<ToolOutput>, CallError> {
    let tool = stage.use_cases.tools.authorize(&Arc::new(caller), tool).await.unwrap();
    stage.use_cases.tools.call(tool, arguments.as_object().unwrap().clone(), client).await
}

async fn first_state(stage: &Stage) -> String {
    let client = client(&[ClientAbility::Elicitation]);
    let round = call_as(stage, caller("mcp:tools"), ("ask", &json!({})), client).await;
    let Ok(Round::InputRequired { questions, state: Some(state) }) = round else {
        panic!("{round:?}");
    };
    assert_eq!(questions, BTreeMap::from([("name".to_owned(), name())]));
    state
}

#[tokio::test]
async fn a_tool_that_asks_is_called_again_with_the_answers_and_what_it_remembered() {
    let stage = asking(greeter);
    let state = first_state(&stage).await;
    let again =
        call_as(&stage, caller("mcp:tools"), ("ask", &json!({})), answers(Some(&state))).await;
    assert_eq!(again, Ok(Round::Done(ToolOutput::text("Hello, \"Ada\"! {\"step\":1}"))));
}

#[tokio::test]
async fn what_was_remembered_is_for_the_same_caller_the_same_tool_and_the_same_arguments() {
    let stage = asking(greeter);
    let state = first_state(&stage).await;
    let bob = Principal { subject: Subject::new("bob"), ..caller("mcp:tools") };
    let other_client = Principal { client: None, ..caller("mcp:tools") };
    let none = json!({});
    for (who, what) in [
        (bob, ("ask", &none)),
        (other_client, ("ask", &none)),
        (caller("mcp:tools"), ("other", &none)),
        (caller("mcp:tools"), ("ask", &json!({ "a": 1 }))),
    ] {
        let answer = call_as(&stage, who, what, answers(Some(&state))).await;
        assert_eq!(answer, Err(CallError::InvalidState));
    }
}

#[tokio::test]
async fn a_state_that_is_none_of_ours_is_refused_before_the_tool_runs() {
    let stage = asking(|_| panic!("the tool runs"));
    for state in ["", "AAAA", "not base64url!", &"A".repeat(10_000)] {
        let mine = caller("mcp:tools");
        let answer = call_as(&stage, mine, ("ask", &json!({})), answers(Some(state))).await;
        assert_eq!(answer, Err(CallError::InvalidState), "{state}");
    }
}

#[tokio::test]
async fn nobody_is_asked_for_what_the_client_can_not_do() {
    for (question, needed) in [
        (name(), ClientAbility::Elicitation),
        (Question::model("?", 1), ClientAbility::Sampling),
        (Question::Roots, ClientAbility::Roots),
        (
            Question::Elicitation(Map::from_iter([("mode".to_owned(), json!("url"))])),
            ClientAbility::ElicitationUrl,
        ),
    ] {
        let ask = move |_: &CallContext| {
            Ok(Reply::InputRequired(InputRequired::question("q", question.clone())))
        };
        let stage = asking(ask);
        let mine = caller("mcp:tools");
        let answer = call_as(&stage, mine, ("ask", &json!({})), client(&[])).await;
        assert_eq!(answer, Err(CallError::ClientLacks([needed].into())));
    }
}

#[tokio::test]
async fn asking_for_nothing_is_a_fault_of_the_tool() {
    let stage = asking(|_| Ok(Reply::InputRequired(InputRequired::default())));
    let answer = call_as(&stage, caller("mcp:tools"), ("ask", &json!({})), client(&[])).await;
    assert!(matches!(answer, Err(CallError::Failed(_))), "{answer:?}");
}

/// A client of the revisions before 2026-07-28.
#[derive(Default)]
struct OlderClient {
    asked: Mutex<Vec<Question>>,
    refuses: bool,
}

#[async_trait]
impl ClientChannel for OlderClient {
    async fn progress(&self, _: Progress) {}

    async fn log(&self, _: LogMessage) {}

    fn wants_log(&self, _: LogLevel) -> bool {
        false
    }

    fn asks_within_the_call(&self) -> bool {
        true
    }

    async fn ask(&self, question: &Question) -> Result<Value, AskError> {
        self.asked.lock().unwrap().push(question.clone());
        if self.refuses {
            return Err(AskError::Refused { code: -1, message: "no user here".to_owned() });
        }
        Ok(json!({ "action": "accept", "content": { "n": "Ada" } }))
    }
}

async fn call_of_older(
    stage: &Stage,
    older: &Arc<OlderClient>,
) -> Result<Round<ToolOutput>, CallError> {
    let channel = Some(Arc::clone(older) as _);
    let client = ClientSide { channel, ..client(&[ClientAbility::Elicitation]) };
    call_as(stage, caller("mcp:tools"), ("ask", &json!({})), client).await
}

#[tokio::test]
async fn a_client_of_an_older_revision_is_asked_within_the_call() {
    let older = Arc::new(OlderClient::default());
    let answer = call_of_older(&asking(greeter), &older).await;
    assert_eq!(answer, Ok(Round::Done(ToolOutput::text("Hello, \"Ada\"! {\"step\":1}"))));
    assert_eq!(*older.asked.lock().unwrap(), [name()]);
}

#[tokio::test]
async fn a_tool_that_never_stops_asking_is_stopped() {
    let older = Arc::new(OlderClient::default());
    let stage = asking(|_| Ok(Reply::InputRequired(InputRequired::question("name", name()))));
    let answer = call_of_older(&stage, &older).await;
    assert!(matches!(answer, Err(CallError::Failed(_))), "{answer:?}");
    assert_eq!(older.asked.lock().unwrap().len(), 10);
}

#[tokio::test]
async fn a_client_that_refuses_to_be_asked_ends_the_call() {
    let older = Arc::new(OlderClient { refuses: true, ..OlderClient::default() });
    let answer = call_of_older(&asking(greeter), &older).await;
    let Err(CallError::Refused { code: -1, message, .. }) = answer else { panic!("{answer:?}") };
    assert!(message.contains("no user here"), "{message}");
}
