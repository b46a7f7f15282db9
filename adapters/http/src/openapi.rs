//! The OpenAPI document: what poem-openapi derives, and what it can't know.

use mcp_oauth_core::domain::public_address::PublishedEndpoint;
use mcp_oauth_core::service::UseCases;
use poem_openapi::OpenApiService;
use serde_json::{Value, json};

use crate::api::Api;

/// The name of the scheme behind the Authorize button.
const SCHEME: &str = "oauth2";

/// The topic of the routes that every server has.
const HEALTH: &str = "Health";

/// The typed routes.
pub(crate) fn openapi_service(use_cases: &UseCases) -> OpenApiService<Api, ()> {
    let api = Api { use_cases: use_cases.clone() };
    OpenApiService::new(api, use_cases.policy.server_name.clone(), env!("CARGO_PKG_VERSION"))
}

/// The document as it is served and committed.
pub(crate) fn openapi_text(use_cases: &UseCases) -> String {
    format!("{:#}\n", openapi_document(use_cases))
}

/// The OpenAPI 3.0 document of this server.
#[must_use]
pub fn openapi_document(use_cases: &UseCases) -> Value {
    let derived = openapi_service(use_cases).spec();
    let mut document: Value = serde_json::from_str(&derived).unwrap_or_default();
    document["servers"] = json!([{ "url": use_cases.address.base_url() }]);
    document["components"]["securitySchemes"] = security_schemes(use_cases);
    if use_cases.policy.authorization_server.is_local() {
        describe_authorization_server(&mut document, use_cases);
    } else {
        leave_out_authorization_server(&mut document, use_cases);
    }
    document["paths"]["/mcp"]["post"] = mcp_operation(use_cases);
    document
}

/// Whether a typed route, given by its operations, is served: where providers are the authorization
/// server, those of ours are as unknown as any other path.
pub(crate) fn is_served(path: &Value, use_cases: &UseCases) -> bool {
    let mut operations = path.as_object().into_iter().flatten();
    use_cases.policy.authorization_server.is_local()
        || operations.all(|(_, operation)| operation["tags"] == json!([HEALTH]))
}

fn describe_authorization_server(document: &mut Value, use_cases: &UseCases) {
    document["paths"]["/userinfo"]["get"]["security"] = security(use_cases);
    document["paths"]["/dev/token"]["get"]["parameters"] = dev_token_query(document);
    let absent = [
        ("/dev/token", use_cases.dev_token.is_none()),
        ("/register", use_cases.policy.registration.mode.is_off()),
    ];
    if let Some(paths) = document["paths"].as_object_mut() {
        paths.retain(|path, _| !absent.contains(&(path.as_str(), true)));
    }
}

/// And what only it needs: what is left has no documents.
fn leave_out_authorization_server(document: &mut Value, use_cases: &UseCases) {
    if let Some(paths) = document["paths"].as_object_mut() {
        paths.retain(|_, path| is_served(path, use_cases));
    }
    if let Some(topics) = document["tags"].as_array_mut() {
        topics.retain(|topic| topic["name"] == HEALTH);
    }
    document["components"]["schemas"] = json!({});
}

/// What the form takes, the query takes too.
fn dev_token_query(document: &Value) -> Value {
    let members = document["components"]["schemas"]["DevTokenRequest"]["properties"].as_object();
    let parameter = |(name, schema): (&String, &Value)| {
        let (description, kind) = (&schema["description"], &schema["type"]);
        json!({ "name": name, "in": "query", "description": description, "schema": { "type": kind } })
    };
    members.into_iter().flatten().map(parameter).collect()
}

/// How to get past the lock: by logging in here, or with a token that somebody got elsewhere.
fn security_schemes(use_cases: &UseCases) -> Value {
    let issuers = use_cases.policy.authorization_server.providers();
    if issuers.is_empty() {
        return json!({ SCHEME: login_scheme(use_cases) });
    }
    let issuers: Vec<&str> = issuers.iter().map(|issuer| issuer.as_str()).collect();
    let description = format!("An access token for this server, of {}.", issuers.join(" or "));
    json!({ SCHEME: { "type": "http", "scheme": "bearer", "description": description } })
}

fn login_scheme(use_cases: &UseCases) -> Value {
    let scopes: serde_json::Map<String, Value> = use_cases
        .policy
        .scopes
        .supported
        .iter()
        .map(|known| (known.scope.as_str().to_owned(), json!(known.meaning)))
        .collect();
    json!({
        "type": "oauth2",
        "description": "Log in as a person; the client is registered already.",
        "flows": { "authorizationCode": {
            "authorizationUrl": use_cases.address.endpoint(PublishedEndpoint::Authorization),
            "tokenUrl": use_cases.address.endpoint(PublishedEndpoint::Token),
            "scopes": scopes,
        } },
    })
}

fn security(use_cases: &UseCases) -> Value {
    // OpenAPI 3.0: a scheme that is no login has no scopes.
    let logs_in = use_cases.policy.authorization_server.is_local();
    let scopes = use_cases.policy.scopes.default.iter().filter(|_| logs_in);
    let scopes: Vec<&str> = scopes.map(|scope| scope.as_str()).collect();
    json!([{ SCHEME: scopes }])
}

/// The MCP endpoint speaks JSON-RPC and has its own adapter; here it is described for people.
fn mcp_operation(use_cases: &UseCases) -> Value {
    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "hello", "arguments": { "name": "World" } },
    });
    let answer = |description: &str| json!({ "description": description });
    json!({
        "tags": ["MCP"],
        "summary": "Talk MCP",
        "description": "MCP over Streamable HTTP: one JSON-RPC message a request.",
        "operationId": "mcp",
        "security": security(use_cases),
        "requestBody": { "required": true, "content": { "application/json": {
            "schema": { "type": "object" }, "example": call,
        } } },
        "responses": {
            "200": answer("The JSON-RPC answer, as JSON or as an event stream."),
            "202": answer("A notification was taken."),
            "400": answer("Not a JSON-RPC message, or two tokens."),
            "401": answer("No token, or one that is not good; `WWW-Authenticate` says where to get one."),
            "403": answer("The token does not allow this; `WWW-Authenticate` names the scopes."),
            "404": answer("No such session."),
            "413": answer("The message is too large."),
            "503": answer("Tokens can't be verified at the moment."),
        },
    })
}
