//! A provider on this machine, over plain http.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the provider does with a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Answers with a status and JSON.
    Json(u16, Value),
    /// Answers with a head and a body of its own.
    Text(&'static str, &'static str, String),
    /// Answers with JSON whose length it does not announce.
    Unannounced(String),
    /// Never answers.
    Silence,
    /// Closes the connection.
    Hangup,
}

/// A running provider; it ends with the test.
pub(crate) struct FakeProvider {
    /// Where it is, and its issuer.
    pub(crate) issuer: String,
    script: Arc<Script>,
}

#[derive(Default)]
struct Script {
    replies: Mutex<HashMap<String, Reply>>,
    requests: Mutex<Vec<Request>>,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// `GET /path`, without a query.
    pub(crate) what: String,
    pub(crate) head: String,
    pub(crate) form: HashMap<String, String>,
    /// Null when the body is none.
    pub(crate) json: Value,
}

impl FakeProvider {
    /// One with a discovery document; keys and the rest are to be told.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Script::default());
        tokio::spawn(accept(listener, Arc::clone(&script)));
        let provider = Self { issuer, script };
        provider.publishes(json!({}));
        provider
    }

    /// What it says to a request from now on.
    pub(crate) fn will(&self, what: &str, reply: Reply) {
        self.script.replies.lock().unwrap().insert(what.to_owned(), reply);
    }

    /// Its discovery document, with these members instead of or beside the usual.
    pub(crate) fn publishes(&self, members: Value) {
        let at = |path: &str| format!("{}{path}", self.issuer);
        let mut document = json!({
            "issuer": self.issuer,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "jwks_uri": at("/keys"),
            "userinfo_endpoint": at("/userinfo"),
            "introspection_endpoint": at("/introspect"),
            "code_challenge_methods_supported": ["S256"],
        });
        for (name, value) in members.as_object().unwrap() {
            document[name] = value.clone();
        }
        document.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        self.will(DISCOVERY, Reply::Json(200, document));
    }

    /// Its keys.
    pub(crate) fn has_keys(&self, keys: &[Value]) {
        self.will(KEYS, Reply::Json(200, json!({ "keys": keys })));
    }

    /// The requests of one kind so far.
    pub(crate) fn requests(&self, what: &str) -> Vec<Request> {
        let requests = self.script.requests.lock().unwrap();
        requests.iter().filter(|request| request.what == what).cloned().collect()
    }

    /// How many requests of one kind there were so far.
    pub(crate) fn count(&self, what: &str) -> usize {
        self.requests(what).len()
    }
}

pub(crate) const DISCOVERY: &str = "GET /.well-known/openid-configuration";
pub(crate) const SERVER_METADATA: &str = "GET /.well-known/oauth-authorization-server";
pub(crate) const KEYS: &str = "GET /keys";
pub(crate) const TOKEN: &str = "POST /token";
pub(crate) const INTROSPECT: &str = "POST /introspect";
pub(crate) const AUTHORIZE: &str = "GET /authorize";

async fn accept(listener: TcpListener, script: Arc<Script>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, Arc::clone(&script)));
    }
}

/// One request a connection.
async fn serve(mut stream: TcpStream, script: Arc<Script>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.unwrap();
    let what: Vec<_> = head.split(['?', ' ']).take(2).collect();
    let what = what.join(" ");
    let form = url::form_urlencoded::parse(&body).into_owned().collect();
    let json = serde_json::from_slice(&body).unwrap_or_default();
    script.requests.lock().unwrap().push(Request { what: what.clone(), head, form, json });
    let reply = script.replies.lock().unwrap().get(&what).cloned();
    let (status, headers, body) = match reply {
        None => (404, "content-type: application/json\r\n", "{}".to_owned()),
        Some(Reply::Json(status, value)) => {
            (status, "content-type: application/json\r\n", value.to_string())
        }
        Some(Reply::Text(status, headers, body)) => (status.parse().unwrap(), headers, body),
        Some(Reply::Unannounced(body)) => {
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\n";
            let _ = stream.write_all(format!("{head}\r\n{body}").as_bytes()).await;
            let _ = stream.shutdown().await;
            return;
        }
        Some(Reply::Silence) => return std::future::pending().await,
        Some(Reply::Hangup) => return,
    };
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    // Whoever has read enough closes the connection while this still writes.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}
