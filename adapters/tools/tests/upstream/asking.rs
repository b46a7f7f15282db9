//! Questions of the server in the middle of a call.

use std::time::Duration;

use mcp_oauth_core::domain::input_required::{InputGiven, Question};
use mcp_oauth_core::domain::tool::CallError;
use mcp_oauth_tools::{Reach, UpstreamConfig};
use serde_json::{Value, json};

use crate::scenario::{
    Caller, asked, config, config_of, only_text, per_caller, program, started, within,
};

fn message(question: &Question) -> &Value {
    match question {
        Question::Elicitation(params) => &params["message"],
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_call_that_asks_goes_on_with_the_answers() {
    let catalog = started(per_caller()).await;
    let ann = Caller::named("ann");
    let first = asked(ann.call(&catalog, "ask_twice", json!({})).await);
    assert_eq!(message(first.questions.values().next().unwrap()), "Question 1");
    let answer = json!({ "action": "accept", "content": { "name": "x" } });
    let second = asked(ann.answer(&catalog, "ask_twice", &first, answer).await);
    assert_eq!(message(second.questions.values().next().unwrap()), "Question 2");
    assert_ne!(first.state, second.state);
    let answer = json!({ "action": "accept", "content": { "name": "y" } });
    let done = ann.answer(&catalog, "ask_twice", &second, answer.clone()).await.unwrap();
    assert_eq!(only_text(done), answer.to_string());
}

#[tokio::test]
async fn nobody_answers_the_question_of_another_or_one_twice_or_of_another_call() {
    let catalog = started(per_caller()).await;
    let (ann, eve) = (Caller::named("ann"), Caller::named("eve"));
    let question = asked(ann.call(&catalog, "ask", json!({})).await);
    let answer = json!({ "action": "decline" });
    let stolen = eve.answer(&catalog, "ask", &question, answer.clone()).await;
    assert_eq!(stolen, Err(CallError::InvalidState));
    let moved = ann.answer(&catalog, "echo", &question, answer.clone()).await;
    assert_eq!(moved, Err(CallError::InvalidState));

    let done = ann.answer(&catalog, "ask", &question, answer.clone()).await.unwrap();
    assert_eq!(only_text(done), answer.to_string());
    let again = ann.answer(&catalog, "ask", &question, answer).await;
    assert_eq!(again, Err(CallError::InvalidState));
}

#[tokio::test]
async fn a_call_that_gets_no_answer_asks_again() {
    let catalog = started(per_caller()).await;
    let ann = Caller::named("ann");
    let first = asked(ann.call(&catalog, "ask", json!({})).await);
    let nothing = InputGiven { state: first.state.clone(), ..InputGiven::default() };
    let second = asked(ann.call_with(&catalog, "ask", json!({}), nothing).await);
    assert_eq!(first.questions, second.questions);
    let done = ann.answer(&catalog, "ask", &second, json!({ "action": "cancel" })).await.unwrap();
    assert_eq!(only_text(done), r#"{"action":"cancel"}"#);
}

#[tokio::test]
async fn a_call_that_nobody_answers_in_time_is_cancelled() {
    let mut config = per_caller();
    config.limits.answer = Duration::from_millis(1);
    let catalog = started(config).await;
    let ann = Caller::named("ann");
    let question = asked(ann.call(&catalog, "ask", json!({})).await);
    within(async {
        while ann.text(&catalog, "cancelled", json!({})).await == "0" {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let late = ann.answer(&catalog, "ask", &question, json!({ "action": "cancel" })).await;
    assert_eq!(late, Err(CallError::InvalidState));
}

#[tokio::test]
async fn calls_that_wait_for_answers_are_bounded() {
    let mut config = per_caller();
    config.limits.most_suspended = 8;
    let catalog = started(config).await;
    let ann = Caller::named("ann");
    asked(ann.call(&catalog, "ask", json!({})).await);
    asked(ann.call(&catalog, "ask", json!({})).await);
    let third = ann.call(&catalog, "ask", json!({})).await;
    assert!(matches!(third, Err(CallError::Unavailable(_))), "{third:?}");
    asked(Caller::named("bob").call(&catalog, "ask", json!({})).await);
}

#[tokio::test]
async fn on_a_shared_connection_a_server_that_asks_within_calls_finds_nobody() {
    let catalog = started(config()).await;
    let ann = Caller::named("ann");
    let answer = ann.text(&catalog, "ask", json!({})).await;
    assert!(answer.starts_with("nobody answers"), "{answer}");
    let state = ann.text(&catalog, "state", json!({})).await;
    assert!(state.contains(r#""client":{}"#), "{state}");
}

#[tokio::test]
async fn a_connection_of_one_caller_declares_what_their_client_can_do() {
    let catalog = started(per_caller()).await;
    let state = Caller::named("ann").text(&catalog, "state", json!({})).await;
    assert!(state.contains(r#""client":{"elicitation":{"form":{}}}"#), "{state}");
}

#[tokio::test]
async fn a_server_of_the_newest_revision_asks_with_its_answer_on_any_connection() {
    let modern = config_of(Reach::Command(program("modern")));
    let catalog = started(UpstreamConfig { ..modern }).await;
    let ann = Caller::named("ann");
    let question = asked(ann.call(&catalog, "ask", json!({})).await);
    assert_eq!(question.state, Some(json!({ "upstream": "mine" })));
    let answer = json!({ "action": "accept", "content": {} });
    let done = ann.answer(&catalog, "ask", &question, answer.clone()).await.unwrap();
    assert_eq!(only_text(done), json!({ "who": answer }).to_string());
}
