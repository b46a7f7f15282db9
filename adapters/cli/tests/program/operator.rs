//! Whoever looks after a server: runs commands beside it, over the same store.

use std::path::Path;
use std::process::Output;
use std::rc::Rc;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Program, Running};

/// In a directory with a store.
pub(crate) struct Operator {
    directory: Rc<TempDir>,
}

impl Operator {
    pub(crate) fn new() -> Self {
        let operator = Self::without_store();
        operator.done(&["migrate"]);
        operator
    }

    pub(crate) fn without_store() -> Self {
        Self { directory: Rc::new(TempDir::new().unwrap()) }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn program(&self) -> Program {
        Program::in_directory(&self.directory)
    }

    /// A server that asks the store at every request.
    pub(crate) fn serve(&self) -> Running {
        let program = self.program().variable("MCP_OAUTH_REVOCATION_SECONDS", "0");
        program.flags(&["--port", "0"]).serve()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.program().flags(arguments).output()
    }

    /// What a command prints that succeeds without a word besides.
    #[track_caller]
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same in JSON.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.done(&[arguments, &["--json"]].concat())).unwrap()
    }

    /// Why a command can't be done.
    #[track_caller]
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        refusal(self.run(arguments), 1)
    }

    /// Why a command line is none.
    #[track_caller]
    pub(crate) fn misused(&self, arguments: &[&str]) -> String {
        refusal(self.run(arguments), 2)
    }

    /// Adds a machine client with an id, and returns its secret.
    pub(crate) fn machine(&self, id: &str) -> String {
        let grant = ["--grant", "client_credentials", "--auth-method", "client_secret_post"];
        let arguments = [&["clients", "add", "--name", "Machine", "--id", id][..], &grant].concat();
        text(&self.json(&arguments), "client_secret").to_owned()
    }
}

#[track_caller]
fn refusal(output: Output, status: i32) -> String {
    assert_eq!(output.status.code(), Some(status), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A member that is a text.
#[track_caller]
pub(crate) fn text<'a>(document: &'a Value, member: &str) -> &'a str {
    document[member].as_str().unwrap_or_else(|| panic!("no text {member} in {document}"))
}

/// Asks for a token as a machine client; returns the status and the document.
pub(crate) fn ask_for_token(server: &Running, id: &str, secret: &str) -> (u16, Value) {
    let who = format!("client_id={id}&client_secret={secret}");
    let answer = server.post("/token", &format!("grant_type=client_credentials&{who}"));
    status_and_document(&answer)
}

/// The access token of a machine client.
#[track_caller]
pub(crate) fn token(server: &Running, id: &str, secret: &str) -> String {
    let (status, document) = ask_for_token(server, id, secret);
    assert_eq!(status, 200, "{document}");
    text(&document, "access_token").to_owned()
}

/// The status of what a token opens.
pub(crate) fn status_with(server: &Running, token: &str) -> u16 {
    let answer = server.get_with(&format!("Authorization: Bearer {token}"), "/userinfo");
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

/// The status and the JSON document of an answer.
pub(crate) fn status_and_document(answer: &str) -> (u16, Value) {
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    (status, serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}")))
}
