//! The tools that ask the client before they answer: a person, a model, its roots.

use mcp_oauth_core::domain::input_required::{ClientAbility, InputGiven, InputRequired, Question};
use mcp_oauth_core::domain::tool::{CallError, Reply, ToolCall, ToolDescription, ToolOutput};
use mcp_oauth_core::port::CallContext;
use serde_json::{Value, json};

use crate::tools::tool;

const WITHOUT_ARGUMENTS: [(&str, &str); 12] = [
    ("test_elicitation_sep1034_defaults", "Asks with defaults."),
    ("test_elicitation_sep1330_enums", "Asks to choose."),
    ("test_missing_capability", "Asks a model."),
    ("test_streaming_elicitation", "Asks a person."),
    ("test_input_required_result_elicitation", "Asks for a name."),
    ("test_input_required_result_sampling", "Asks a model for a capital."),
    ("test_input_required_result_list_roots", "Asks for the roots."),
    ("test_input_required_result_request_state", "Asks, and remembers."),
    ("test_input_required_result_tampered_state", "Asks, and remembers."),
    ("test_input_required_result_multiple_inputs", "Asks three things at once."),
    ("test_input_required_result_multi_round", "Asks twice."),
    ("test_input_required_result_capabilities", "Asks what the client can answer."),
];

/// What a tool answers, or asks.
type Asked = Result<Reply<ToolOutput>, CallError>;

/// Their descriptions.
pub(crate) fn described() -> impl Iterator<Item = ToolDescription> {
    let takes = |argument: &str| {
        let properties = json!({ argument: { "type": "string" } });
        json!({ "type": "object", "properties": properties, "required": [argument] })
    };
    let none = || json!({ "type": "object", "properties": {} });
    let plain = WITHOUT_ARGUMENTS.iter().map(move |(name, text)| tool(name, text, none()));
    plain.chain([
        tool("test_sampling", "Asks a model.", takes("prompt")),
        tool("test_elicitation", "Asks a person.", takes("message")),
    ])
}

/// Calls one of them, if it is one.
pub(crate) fn call(call: &ToolCall, context: &CallContext) -> Option<Asked> {
    let given = &context.input;
    let argument = |name: &str| call.arguments.get(name).and_then(Value::as_str).unwrap_or("");
    Some(match call.name.as_str() {
        "test_sampling" => model(given, argument("prompt")),
        "test_elicitation" => person(given, argument("message"), user_schema()),
        "test_elicitation_sep1034_defaults" => person(given, "Please review", defaults_schema()),
        "test_elicitation_sep1330_enums" => person(given, "Please choose", choices_schema()),
        "test_missing_capability" => model(given, "Anything"),
        "test_streaming_elicitation" => person(given, "Please answer", text_schema("answer")),
        "test_input_required_result_elicitation" => name(given),
        "test_input_required_result_sampling" => capital(given),
        "test_input_required_result_list_roots" => roots(given),
        "test_input_required_result_request_state"
        | "test_input_required_result_tampered_state" => remembering(given),
        "test_input_required_result_multiple_inputs" => several(given),
        "test_input_required_result_multi_round" => rounds(given),
        "test_input_required_result_capabilities" => whatever_it_can(context),
        _ => return None,
    })
}

fn answer(text: impl Into<String>) -> Asked {
    Ok(ToolOutput::text(text).into())
}

fn ask(required: InputRequired) -> Asked {
    Ok(Reply::InputRequired(required))
}

fn model(given: &InputGiven, prompt: &str) -> Asked {
    match given.model_text("model") {
        Some(text) => answer(format!("LLM response: {text}")),
        None => ask(InputRequired::question("model", Question::model(prompt, 100))),
    }
}

fn person(given: &InputGiven, message: &str, schema: Value) -> Asked {
    match given.answers.get("person") {
        Some(response) => answer(format!("User response: {response}")),
        None => ask(InputRequired::question("person", Question::form(message, schema))),
    }
}

fn name(given: &InputGiven) -> Asked {
    match text_of(given, "user_name", "name") {
        Some(name) => answer(format!("Hello, {name}!")),
        None => ask(InputRequired::question("user_name", name_question())),
    }
}

fn capital(given: &InputGiven) -> Asked {
    let question = || Question::model("What is the capital of France?", 100);
    match given.model_text("capital_question") {
        Some(text) => answer(text),
        None => ask(InputRequired::question("capital_question", question())),
    }
}

fn roots(given: &InputGiven) -> Asked {
    match given.roots("client_roots") {
        Some(roots) => answer(format!("Roots: {}", roots.join(", "))),
        None => ask(InputRequired::question("client_roots", Question::Roots)),
    }
}

fn remembering(given: &InputGiven) -> Asked {
    let confirmed = given.form("confirm").is_some_and(|form| form.contains_key("ok"));
    if confirmed && given.state == Some(json!("asked")) {
        return answer("state-ok");
    }
    let properties = json!({ "ok": { "type": "boolean" } });
    let schema = json!({ "type": "object", "properties": properties, "required": ["ok"] });
    let question = Question::form("Please confirm", schema);
    ask(InputRequired::question("confirm", question).remembering(json!("asked")))
}

fn several(given: &InputGiven) -> Asked {
    let answers = (
        text_of(given, "user_name", "name"),
        given.model_text("greeting"),
        given.roots("client_roots"),
    );
    if let (Some(name), Some(greeting), Some(roots)) = answers {
        return answer(format!("{greeting}, {name}: {}", roots.join(", ")));
    }
    let questions = InputRequired::question("user_name", name_question())
        .and("greeting", Question::model("Generate a greeting", 50))
        .and("client_roots", Question::Roots);
    ask(questions.remembering(json!("asked")))
}

fn rounds(given: &InputGiven) -> Asked {
    let step = given.state.as_ref().and_then(|state| state["step"].as_u64());
    let name = match step {
        Some(1) => text_of(given, "step1", "name").map(ToOwned::to_owned),
        Some(2) => given.state.as_ref().and_then(|it| Some(it["name"].as_str()?.to_owned())),
        _ => None,
    };
    let Some(name) = name else {
        let question = Question::form("Step 1: your name?", text_schema("name"));
        return ask(InputRequired::question("step1", question).remembering(json!({ "step": 1 })));
    };
    match text_of(given, "step2", "color") {
        Some(color) if step == Some(2) => answer(format!("{name} likes {color}.")),
        _ => {
            let question = Question::form("Step 2: your color?", text_schema("color"));
            let state = json!({ "step": 2, "name": name });
            ask(InputRequired::question("step2", question).remembering(state))
        }
    }
}

fn whatever_it_can(context: &CallContext) -> Asked {
    if !context.input.answers.is_empty() {
        return answer("Thank you.");
    }
    let all = [
        (ClientAbility::Elicitation, "user_name", name_question()),
        (ClientAbility::Sampling, "greeting", Question::model("Generate a greeting", 50)),
        (ClientAbility::Roots, "client_roots", Question::Roots),
    ];
    let possible = all.into_iter().filter(|(ability, ..)| context.client_can(*ability));
    let required = possible
        .fold(InputRequired::default(), |required, (_, name, asked)| required.and(name, asked));
    if required.questions.is_empty() { answer("Nobody to ask.") } else { ask(required) }
}

fn name_question() -> Question {
    Question::form("What is your name?", text_schema("name"))
}

/// A text that a person filled in.
fn text_of<'a>(given: &'a InputGiven, question: &str, property: &str) -> Option<&'a str> {
    given.form(question)?.get(property)?.as_str()
}

/// A form with one text.
pub(crate) fn text_schema(property: &str) -> Value {
    let properties = json!({ property: { "type": "string" } });
    json!({ "type": "object", "properties": properties, "required": [property] })
}

fn user_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "username": { "type": "string", "description": "How you are called" },
            "email": { "type": "string", "description": "Where you are reached" },
        },
        "required": ["username", "email"],
    })
}

fn defaults_schema() -> Value {
    let status = ["active", "inactive", "pending"];
    json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "default": "John Doe" },
            "age": { "type": "integer", "default": 30 },
            "score": { "type": "number", "default": 95.5 },
            "status": { "type": "string", "enum": status, "default": "active" },
            "verified": { "type": "boolean", "default": true },
        },
        "required": [],
    })
}

fn choices_schema() -> Value {
    let options = ["option1", "option2", "option3"];
    let titled = options.map(|option| json!({ "const": option, "title": format!("The {option}") }));
    let names = options.map(|option| format!("The {option}"));
    json!({
        "type": "object",
        "properties": {
            "untitledSingle": { "type": "string", "enum": options },
            "titledSingle": { "type": "string", "oneOf": titled },
            "legacyEnum": { "type": "string", "enum": options, "enumNames": names },
            "untitledMulti": { "type": "array", "items": { "type": "string", "enum": options } },
            "titledMulti": { "type": "array", "items": { "anyOf": titled } },
        },
        "required": [],
    })
}
