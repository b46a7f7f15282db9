//! What brings a session back: what its client said when it opened it, and what it has set for all of
//! it since.

use mcp_oauth_core::domain::mcp_session::{MOST_SETUP_BYTES, SessionSetup, SetupTooLarge};
use rmcp::model::{ClientJsonRpcMessage, InitializeRequestParams, ProtocolVersion};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const SET_LEVEL: &str = "logging/setLevel";
const SUBSCRIBE: &str = "resources/subscribe";
const UNSUBSCRIBE: &str = "resources/unsubscribe";

/// The first revision whose clients understand an event without data.
pub(crate) const PRIMING_SINCE: ProtocolVersion = ProtocolVersion::V_2025_11_25;

/// Everything to say again to a server that does not know the session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ClientSetup {
    initialize: InitializeRequestParams,
    #[serde(default)]
    settings: Vec<Setting>,
}

/// A request that sets something for the rest of the session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Setting {
    method: String,
    params: Value,
}

impl ClientSetup {
    /// Of a client that opens a session, without what no server needs to know twice.
    pub(crate) fn opening(mut initialize: InitializeRequestParams) -> Self {
        initialize.meta = None;
        initialize.client_info.icons = None;
        Self { initialize, settings: Vec::new() }
    }

    /// Whether the client understands an event without data, with which a stream may begin.
    pub(crate) fn primes(&self) -> bool {
        self.initialize.protocol_version.as_str() >= PRIMING_SINCE.as_str()
    }

    /// Whether the session is of the one revision that has batches (MCP 2025-03-26, basic/index).
    pub(crate) fn takes_batches(&self) -> bool {
        self.initialize.protocol_version == ProtocolVersion::V_2025_03_26
    }

    pub(crate) fn encode(&self) -> Result<SessionSetup, SetupTooLarge> {
        // Nothing in it can't be JSON; what could not be written would not be readable either.
        let bytes = serde_json::to_vec(self).unwrap_or_else(|_| vec![0; MOST_SETUP_BYTES + 1]);
        SessionSetup::new(bytes)
    }

    pub(crate) fn decode(setup: &SessionSetup) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(setup.as_bytes())
    }

    /// The same after the client has set something more.
    pub(crate) fn with(mut self, setting: &Setting) -> Self {
        self.settings.retain(|earlier| !setting.replaces(earlier));
        if setting.method != UNSUBSCRIBE {
            self.settings.push(setting.clone());
        }
        self
    }

    /// `initialize`, as a client says it.
    pub(crate) fn first_message(&self) -> Result<ClientJsonRpcMessage, serde_json::Error> {
        serde_json::from_value(json!({
            "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": self.initialize,
        }))
    }

    /// What follows the handshake.
    pub(crate) fn settings(
        &self,
    ) -> impl Iterator<Item = Result<ClientJsonRpcMessage, serde_json::Error>> {
        self.settings.iter().enumerate().map(|(number, setting)| {
            serde_json::from_value(json!({
                "jsonrpc": "2.0",
                "id": format!("again-{number}"),
                "method": setting.method,
                "params": setting.params,
            }))
        })
    }
}

impl Setting {
    /// What a message sets, if it does.
    pub(crate) fn of(message: &ClientJsonRpcMessage) -> Option<Self> {
        let ClientJsonRpcMessage::Request(request) = message else { return None };
        let method = request.request.method();
        if ![SET_LEVEL, SUBSCRIBE, UNSUBSCRIBE].contains(&method) {
            return None;
        }
        let method = method.to_owned();
        let mut params = serde_json::to_value(&request.request).ok()?.get_mut("params")?.take();
        params.as_object_mut()?.remove("_meta");
        Some(Self { method, params })
    }

    fn replaces(&self, earlier: &Self) -> bool {
        match self.method.as_str() {
            SET_LEVEL => earlier.method == SET_LEVEL,
            _ => earlier.method == SUBSCRIBE && earlier.params["uri"] == self.params["uri"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening() -> ClientSetup {
        let initialize = json!({
            "_meta": { "progressToken": 1 },
            "protocolVersion": "2025-06-18",
            "capabilities": { "roots": {}, "experimental": { "x": { "y": 1 } } },
            "clientInfo": {
                "name": "test", "version": "1", "icons": [{ "src": "data:image/png;base64,AA==" }],
            },
        });
        ClientSetup::opening(serde_json::from_value(initialize).unwrap())
    }

    fn setting(method: &str, params: &Value) -> Setting {
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        Setting::of(&serde_json::from_value(message).unwrap()).unwrap()
    }

    fn methods(setup: &ClientSetup) -> Vec<(String, Value)> {
        let told = setup.settings().map(|message| serde_json::to_value(message.unwrap()).unwrap());
        told.map(|it| (it["method"].as_str().unwrap().to_owned(), it["params"].clone())).collect()
    }

    #[test]
    fn the_handshake_is_said_again_without_what_is_for_once_or_for_people() {
        let kept = ClientSetup::decode(&opening().encode().unwrap()).unwrap();
        let message = serde_json::to_value(kept.first_message().unwrap()).unwrap();
        assert_eq!(
            message["params"],
            json!({
                "protocolVersion": "2025-06-18",
                "capabilities": { "roots": {}, "experimental": { "x": { "y": 1 } } },
                "clientInfo": { "name": "test", "version": "1" },
            })
        );
    }

    #[test]
    fn the_last_level_and_the_subscriptions_that_are_left_are_set_again() {
        let (a, b) = (json!({ "uri": "test://a" }), json!({ "uri": "test://b" }));
        let setup = [
            setting("logging/setLevel", &json!({ "level": "debug" })),
            setting("resources/subscribe", &a),
            setting("resources/subscribe", &b),
            setting("logging/setLevel", &json!({ "level": "error" })),
            setting("resources/subscribe", &b),
            setting("resources/unsubscribe", &a),
        ]
        .iter()
        .fold(opening(), ClientSetup::with);
        let kept = ClientSetup::decode(&setup.encode().unwrap()).unwrap();
        let level = json!({ "level": "error" });
        let expected =
            [("logging/setLevel".to_owned(), level), ("resources/subscribe".to_owned(), b)];
        assert_eq!(methods(&kept), expected);
    }

    #[test]
    fn other_messages_set_nothing() {
        let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
        assert_eq!(Setting::of(&serde_json::from_value(list).unwrap()), None);
        let told = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert_eq!(Setting::of(&serde_json::from_value(told).unwrap()), None);
    }

    #[test]
    fn too_much_is_not_kept() {
        let uri = "x".repeat(MOST_SETUP_BYTES);
        let setting = setting("resources/subscribe", &json!({ "uri": uri }));
        assert_eq!(opening().with(&setting).encode(), Err(SetupTooLarge));
    }
}
