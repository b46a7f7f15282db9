//! What clients and people do, one step a function.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mcp_oauth_core::domain::client::{self, GrantType};
use mcp_oauth_core::domain::secret::{base64url, sha256};
use mcp_oauth_core::port::ClientRegistry;
use serde_json::{Value, json};

use crate::answer::{Answer, Tokens};
use crate::parameters::Parameters;
use crate::scenario::{Call, Scenario, scopes};

/// Where the client of most scenarios is sent back to.
pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:33418/callback";

/// The secret behind every code challenge.
pub(crate) const VERIFIER: &str = "a-code-verifier-of-more-than-forty-three-characters";

/// A registered client.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: Option<String>,
    /// How it authenticates.
    pub(crate) method: String,
    pub(crate) redirect_uri: String,
}

impl Scenario {
    /// Asks for a registration.
    pub(crate) async fn register(&self, metadata: &Value) -> Answer {
        self.post(&self.path("/register")).json(metadata).send().await
    }

    /// A public client that may refresh.
    pub(crate) async fn client(&self) -> Client {
        self.client_like(json!({})).await
    }

    /// The same client, in some members different.
    pub(crate) async fn client_like(&self, different: Value) -> Client {
        let mut metadata = client_metadata();
        for (name, value) in different.as_object().unwrap() {
            metadata[name] = value.clone();
        }
        let registered = self.register(&metadata).await.expect(201).json();
        let text = |name: &str| registered[name].as_str().map(str::to_owned);
        Client {
            id: text("client_id").unwrap(),
            secret: text("client_secret"),
            method: text("token_endpoint_auth_method").unwrap(),
            redirect_uri: registered["redirect_uris"][0].as_str().unwrap().to_owned(),
        }
    }

    /// A client that the operator made a resource server.
    pub(crate) async fn resource_server(&self) -> Client {
        let client = self.confidential_client().await;
        self.changed_by_operator(&client, |stored| stored.may_introspect = true).await;
        client
    }

    /// A client that the operator lets act for itself, with no scope but these.
    pub(crate) async fn machine(&self, scope: &str) -> Client {
        let client = self.confidential_client().await;
        self.changed_by_operator(&client, |stored| {
            stored.metadata.grant_types = vec![GrantType::ClientCredentials];
            stored.metadata.redirect_uris.clear();
            stored.metadata.scope = Some(scopes(scope));
        })
        .await;
        client
    }

    async fn confidential_client(&self) -> Client {
        self.client_like(json!({ "token_endpoint_auth_method": "client_secret_basic" })).await
    }

    /// Changes a registered client in the store, as only the operator can.
    pub(crate) async fn changed_by_operator(
        &self,
        client: &Client,
        change: impl FnOnce(&mut client::Client),
    ) {
        let found = ClientRegistry::find(&*self.store, &client::ClientId::new(&*client.id)).await;
        let mut stored = found.unwrap().unwrap();
        change(&mut stored);
        assert!(self.store.replace(&stored).await.unwrap());
    }

    /// Sends the person's browser with an authorization request.
    pub(crate) async fn authorize(&self, request: &Parameters) -> Answer {
        let path = format!("{}?{}", self.path("/authorize"), request.encoded());
        self.get(&path).in_browser().send().await
    }

    /// Fills in the form of a page and sends it.
    pub(crate) async fn submit(&self, page: &Answer, typed: &[(&str, &str)]) -> Answer {
        let form = page.form();
        let fill = |fields: Parameters, (name, value): &(&str, &str)| fields.with(name, value);
        let fields = typed.iter().fold(form.fields, fill);
        self.post(&form.action).form(&fields).in_browser().send().await
    }

    /// Logs Alice in on a login page and goes on to the consent page.
    pub(crate) async fn log_in(&self, page: &Answer) -> Answer {
        let typed = [("username", "alice"), ("password", "password")];
        let onwards = self.submit(page, &typed).await;
        let onwards = onwards.header("location").unwrap_or_else(|| panic!("{}", onwards.body));
        self.get(onwards).in_browser().send().await.expect(200)
    }

    /// The consent page of a request, whether or not Alice is logged in already.
    pub(crate) async fn ask(&self, request: &Parameters) -> Answer {
        let page = self.authorize(request).await.expect(200);
        if page.form().fields.names().contains(&"password") {
            self.log_in(&page).await
        } else {
            page
        }
    }

    pub(crate) async fn approve(&self, consent_page: &Answer) -> Answer {
        self.submit(consent_page, &[("decision", "approve")]).await
    }

    pub(crate) async fn deny(&self, consent_page: &Answer) -> Answer {
        self.submit(consent_page, &[("decision", "deny")]).await
    }

    /// The code Alice's approval leads to.
    pub(crate) async fn code_for(&self, request: &Parameters) -> String {
        let back = self.approve(&self.ask(request).await).await.location();
        back.query.get("code").unwrap_or_else(|| panic!("{back:?}")).to_owned()
    }

    pub(crate) async fn code(&self, client: &Client) -> String {
        self.code_for(&client.request()).await
    }

    /// Sends a token request, authenticated as the client registered.
    pub(crate) async fn token(&self, client: &Client, form: &Parameters) -> Answer {
        let call = self.post(&self.path("/token"));
        client.authenticated(call, form).send().await
    }

    pub(crate) async fn redeem(&self, client: &Client, code: &str) -> Answer {
        self.token(client, &redemption(code)).await
    }

    pub(crate) async fn refresh(&self, client: &Client, token: &str) -> Answer {
        self.token(client, &refreshing(token)).await
    }

    /// Revokes a token, authenticated as the client registered.
    pub(crate) async fn revoke(&self, client: &Client, token: &str) -> Answer {
        self.revoke_with(client, &Parameters::new(&[("token", token)])).await
    }

    pub(crate) async fn revoke_with(&self, client: &Client, form: &Parameters) -> Answer {
        client.authenticated(self.post(&self.path("/revoke")), form).send().await
    }

    /// Asks about a token, authenticated as the client registered.
    pub(crate) async fn introspect(&self, client: &Client, token: &str) -> Answer {
        self.introspect_with(client, &Parameters::new(&[("token", token)])).await
    }

    pub(crate) async fn introspect_with(&self, client: &Client, form: &Parameters) -> Answer {
        client.authenticated(self.post(&self.path("/introspect")), form).send().await
    }

    /// The tokens of a whole authorization.
    pub(crate) async fn tokens(&self, client: &Client) -> Tokens {
        self.tokens_for(client, &client.request()).await
    }

    pub(crate) async fn tokens_for(&self, client: &Client, request: &Parameters) -> Tokens {
        self.redeem(client, &self.code_for(request).await).await.expect(200).tokens()
    }

    /// A test token with these parameters.
    pub(crate) async fn dev_token(&self, parameters: &[(&str, &str)]) -> String {
        let path = format!("/dev/token?{}", Parameters::new(parameters).encoded());
        self.get(&path).send().await.expect(200).access_token()
    }

    /// Calls a tool as revision 2026-07-28 has it.
    pub(crate) async fn call_tool(&self, token: &str, tool: &str, arguments: Value) -> Answer {
        self.tool_call(tool, arguments).bearer(token).send().await
    }

    /// Greets, which needs the default scope.
    pub(crate) async fn hello(&self, token: &str) -> Answer {
        self.call_tool(token, "hello", json!({ "name": "World" })).await
    }

    /// A call of revision 2026-07-28 without credentials.
    pub(crate) fn tool_call(&self, tool: &str, arguments: Value) -> Call<'_> {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let params = json!({ "name": tool, "arguments": arguments, "_meta": meta });
        self.mcp(&json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params }))
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/call")
            .header("mcp-name", tool)
    }

    /// A message to the MCP endpoint, as most clients send it.
    pub(crate) fn mcp(&self, message: &Value) -> Call<'_> {
        let call = self.post(&self.path("/mcp")).json(message);
        call.header("accept", "application/json, text/event-stream")
    }

    /// Opens a session of an older revision and returns its id.
    pub(crate) async fn open_session(&self, token: &str) -> String {
        let info = json!({ "name": "test", "version": "1" });
        let params = json!({
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": info,
        });
        let message =
            json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
        let answer = self.mcp(&message).bearer(token).send().await.expect(200);
        answer.header("mcp-session-id").unwrap().to_owned()
    }

    /// A call of a tool in such a session, without credentials.
    pub(crate) fn session_call(&self, session: &str, tool: &str, arguments: &Value) -> Call<'_> {
        let params = json!({ "name": tool, "arguments": arguments });
        self.mcp(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }))
            .header("mcp-session-id", session)
            .header("mcp-protocol-version", "2025-06-18")
    }

    /// A path below the base URL.
    pub(crate) fn path(&self, below: &str) -> String {
        let (_, base) = self.base_url.split_once("://").unwrap();
        let base_path = base.split_once('/').map_or(String::new(), |(_, path)| format!("/{path}"));
        format!("{base_path}{below}")
    }
}

impl Client {
    /// An authorization request with everything in it.
    pub(crate) fn request(&self) -> Parameters {
        Parameters::new(&[
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", &self.redirect_uri),
            ("code_challenge", &challenge()),
            ("code_challenge_method", "S256"),
            ("state", "a state"),
        ])
    }

    fn authenticated<'a>(&self, call: Call<'a>, form: &Parameters) -> Call<'a> {
        let secret = self.secret.as_deref().unwrap_or_default();
        match self.method.as_str() {
            "client_secret_basic" => {
                call.form(form).header("authorization", &basic(&self.id, secret))
            }
            "client_secret_post" => {
                call.form(&form.clone().and("client_id", &self.id).and("client_secret", secret))
            }
            _ => call.form(&form.clone().and("client_id", &self.id)),
        }
    }
}

/// A Basic header of halves that need no encoding.
pub(crate) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

/// What most clients register.
pub(crate) fn client_metadata() -> Value {
    json!({
        "client_name": "Test client",
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
    })
}

pub(crate) fn challenge() -> String {
    base64url(&sha256(&[VERIFIER.as_bytes()]))
}

/// A token request for a code.
pub(crate) fn redemption(code: &str) -> Parameters {
    Parameters::new(&[
        ("grant_type", "authorization_code"),
        ("code", code),
        ("code_verifier", VERIFIER),
    ])
}

/// A token request for a refresh token.
pub(crate) fn refreshing(token: &str) -> Parameters {
    Parameters::new(&[("grant_type", "refresh_token"), ("refresh_token", token)])
}
