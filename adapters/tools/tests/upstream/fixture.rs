//! The upstream server of the tests, written by hand so that it shares nothing with the engine of the
//! client. This very program runs it when the variable `UPSTREAM` is set.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, Write};

use serde_json::{Value, json};

/// What it is told by its environment.
pub(crate) const ERA: &str = "UPSTREAM";

/// What a server remembers.
#[derive(Default)]
pub(crate) struct Server {
    modern: bool,
    added: usize,
    cancelled: Vec<Value>,
    subscribed: HashSet<String>,
    level: Option<String>,
    client: Value,
    asked: HashMap<String, (Value, usize)>,
    asks: usize,
    listening: Option<Value>,
}

const NOTE: &str = "note:///one";

#[test]
#[ignore = "the other tests run it as their upstream server"]
fn the_upstream_server() {
    let Ok(era) = std::env::var(ERA) else { return };
    let mut server = Server::new(&era);
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { return };
        let Ok(message) = serde_json::from_str(&line) else { continue };
        for answer in server.take(&message) {
            let mut out = std::io::stdout().lock();
            writeln!(out, "{answer}").unwrap();
            out.flush().unwrap();
        }
    }
}

impl Server {
    pub(crate) fn new(era: &str) -> Self {
        Self { modern: era == "modern", ..Self::default() }
    }

    /// What it says to a message.
    pub(crate) fn take(&mut self, message: &Value) -> Vec<Value> {
        let Some(method) = message.get("method").and_then(Value::as_str) else {
            return self.answered(message);
        };
        let params = message.get("params").cloned().unwrap_or_default();
        let Some(id) = message.get("id") else {
            self.notified(method, &params);
            return Vec::new();
        };
        match method {
            "tools/call" => self.call(id, &params),
            "subscriptions/listen" if self.modern => {
                self.listening = Some(id.clone());
                let filter = &params["notifications"];
                vec![self.notification(
                    "notifications/subscriptions/acknowledged",
                    json!({ "notifications": filter }),
                )]
            }
            _ => vec![self.simple(id, method, &params)],
        }
    }

    fn notified(&mut self, method: &str, params: &Value) {
        if method == "notifications/cancelled" {
            self.cancelled.push(params["requestId"].clone());
        }
    }

    fn simple(&mut self, id: &Value, method: &str, params: &Value) -> Value {
        let result = match method {
            "initialize" if !self.modern => {
                self.client = params["capabilities"].clone();
                json!({
                    "protocolVersion": "2025-11-25",
                    "capabilities": capabilities(),
                    "serverInfo": { "name": "fixture", "version": "1" },
                })
            }
            "server/discover" if self.modern => json!({
                "resultType": "complete",
                "supportedVersions": ["2026-07-28"],
                "capabilities": capabilities(),
                "ttlMs": 0,
                "cacheScope": "private",
            }),
            "ping" => json!({}),
            "tools/list" => self.tools(params),
            "prompts/list" => json!({ "prompts": [{
                "name": "greet",
                "title": "Greet",
                "arguments": [{ "name": "who", "required": true, "description": "Whom" }],
            }] }),
            "prompts/get" => json!({ "messages": [{
                "role": "user",
                "content": { "type": "text", "text": format!("Greet {}", text(params, "/arguments/who")) },
            }] }),
            "resources/list" => json!({ "resources": [
                { "uri": NOTE, "name": "one", "mimeType": "text/plain", "size": 3 },
            ] }),
            "resources/templates/list" => json!({ "resourceTemplates": [
                { "uriTemplate": "note:///{name}", "name": "note" },
            ] }),
            "resources/read" if params["uri"] == "note:///missing" => {
                return error(id, -32002, "no such note");
            }
            "resources/read" => json!({ "contents": [
                { "uri": params["uri"], "mimeType": "text/plain", "text": "abc", "_meta": { "k": 1 } },
            ] }),
            "resources/subscribe" => {
                self.subscribed.insert(text(params, "/uri"));
                json!({})
            }
            "resources/unsubscribe" => {
                self.subscribed.remove(&text(params, "/uri"));
                json!({})
            }
            "logging/setLevel" => {
                self.level = Some(text(params, "/level"));
                json!({})
            }
            "completion/complete" => json!({ "completion": {
                "values": [format!("{}da", text(params, "/argument/value"))], "total": 1,
            } }),
            _ => return error(id, -32601, "method not found"),
        };
        self.result(id, result)
    }

    fn result(&self, id: &Value, mut result: Value) -> Value {
        if self.modern && result.get("resultType").is_none() {
            result["resultType"] = "complete".into();
        }
        json!({ "jsonrpc": "2.0", "id": id, "result": result })
    }

    /// Three on a page.
    fn tools(&self, params: &Value) -> Value {
        let names = [
            "echo",
            "env",
            "meta",
            "count",
            "ask",
            "ask_twice",
            "exit",
            "hang",
            "cancelled",
            "grow",
            "say",
            "touch",
            "state",
            "refuse",
            "not a name",
        ];
        let added = (0..self.added).map(|number| format!("added_{number}"));
        let names: Vec<String> = names.into_iter().map(str::to_owned).chain(added).collect();
        let from: usize = text(params, "/cursor").parse().unwrap_or(0);
        let page = names.iter().skip(from).take(3).map(|name| {
            json!({
                "name": name,
                "description": format!("The tool {name}"),
                "inputSchema": { "type": "object", "properties": { "n": { "type": "integer", "x-mcp-header": "N" } } },
                "annotations": { "readOnlyHint": true },
                "icons": [{ "src": "https://icons.test/a.png" }],
                "_meta": { "org.test/k": "v" },
            })
        });
        let mut answer =
            json!({ "tools": page.collect::<Vec<_>>(), "ttlMs": 0, "cacheScope": "private" });
        if from + 3 < names.len() {
            answer["nextCursor"] = (from + 3).to_string().into();
        }
        answer
    }

    fn call(&mut self, id: &Value, params: &Value) -> Vec<Value> {
        let arguments = &params["arguments"];
        let said = match params["name"].as_str().unwrap_or_default() {
            "exit" => std::process::exit(1),
            "hang" => return Vec::new(),
            "refuse" => return vec![error(id, -32050, "not on Sundays")],
            "ask" | "ask_twice" if self.modern => return vec![self.ask_between(id, params)],
            "ask" => return vec![self.ask(id, 1)],
            "ask_twice" => return vec![self.ask(id, 2)],
            "count" => return self.count(id, params),
            "grow" => return self.grow(id),
            "touch" => return self.touch(id),
            "say" => {
                let message =
                    json!({ "level": "warning", "logger": "fixture", "data": arguments["text"] });
                return vec![
                    json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": message }),
                    self.text(id, "said"),
                ];
            }
            "env" => {
                let all = std::env::vars_os().map(|(name, value)| {
                    (
                        name.to_string_lossy().into_owned(),
                        value.to_string_lossy().into_owned().into(),
                    )
                });
                Value::Object(all.collect()).to_string()
            }
            "meta" => params["_meta"].to_string(),
            "cancelled" => self.cancelled.len().to_string(),
            "state" => json!({
                "pid": std::process::id(), "level": self.level, "client": self.client,
                "subscribed": self.subscribed.len(),
            })
            .to_string(),
            _ => arguments.to_string(),
        };
        vec![self.text(id, &said)]
    }

    fn text(&self, id: &Value, text: &str) -> Value {
        self.result(id, json!({ "content": [{ "type": "text", "text": text }] }))
    }

    /// Tells its progress `n` times.
    fn count(&self, id: &Value, params: &Value) -> Vec<Value> {
        let n = params["arguments"]["n"].as_u64().unwrap_or(3);
        let token = &params["_meta"]["progressToken"];
        let progress = |done: u64| {
            json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": {
                "progressToken": token, "progress": done, "total": n, "message": format!("{done} of {n}"),
            } })
        };
        (1..=n).map(progress).chain([self.text(id, "counted")]).collect()
    }

    fn grow(&mut self, id: &Value) -> Vec<Value> {
        self.added += 1;
        let change = self.notification("notifications/tools/list_changed", json!({}));
        vec![change, self.text(id, "grown")]
    }

    fn touch(&mut self, id: &Value) -> Vec<Value> {
        let change = self.notification("notifications/resources/updated", json!({ "uri": NOTE }));
        vec![change, self.text(id, "touched")]
    }

    fn notification(&self, method: &str, mut params: Value) -> Value {
        if let Some(id) = &self.listening {
            params["_meta"] = json!({ "io.modelcontextprotocol/subscriptionId": id });
        }
        json!({ "jsonrpc": "2.0", "method": method, "params": params })
    }

    /// In the middle of the call.
    fn ask(&mut self, call: &Value, left: usize) -> Value {
        self.asks += 1;
        let id = format!("ask-{}", self.asks);
        self.asked.insert(id.clone(), (call.clone(), left));
        json!({ "jsonrpc": "2.0", "id": id, "method": "elicitation/create", "params": {
            "message": format!("Question {}", self.asks),
            "requestedSchema": { "type": "object", "properties": { "name": { "type": "string" } } },
        } })
    }

    fn answered(&mut self, message: &Value) -> Vec<Value> {
        let Some((call, left)) = self.asked.remove(message["id"].as_str().unwrap_or_default())
        else {
            return Vec::new();
        };
        if let Some(error) = message.get("error") {
            return vec![self.text(&call, &format!("nobody answers: {}", error["message"]))];
        }
        if left > 1 {
            return vec![self.ask(&call, left - 1)];
        }
        vec![self.text(&call, &message["result"].to_string())]
    }

    /// With the result, as since 2026-07-28.
    fn ask_between(&self, id: &Value, params: &Value) -> Value {
        if params["requestState"] == "mine" {
            return self.text(id, &params["inputResponses"].to_string());
        }
        self.result(
            id,
            json!({
                "resultType": "input_required",
                "requestState": "mine",
                "inputRequests": { "who": { "method": "elicitation/create", "params": {
                    "message": "Who?", "requestedSchema": { "type": "object", "properties": {} },
                } } },
            }),
        )
    }
}

fn capabilities() -> Value {
    json!({
        "tools": { "listChanged": true },
        "prompts": {},
        "resources": { "subscribe": true },
        "completions": {},
        "logging": {},
    })
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn error(id: &Value, code: i32, message: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message, "data": { "d": 1 } } })
}
