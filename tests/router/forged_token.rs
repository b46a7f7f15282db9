//! Access tokens that this server did not make.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use mcp_oauth_issuer::RsaKey;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::scenario::{LOCAL, Scenario};
use crate::world::{NOW, own_key};

/// A header and claims on their way to a token; nothing of them has to be sensible.
#[derive(Debug, Clone)]
pub(crate) struct ForgedToken {
    header: Value,
    claims: Value,
}

impl ForgedToken {
    /// What this server would put in a token of Alice's.
    pub(crate) fn good() -> Self {
        let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": own_key().key_id() });
        let claims = json!({
            "iss": LOCAL,
            "sub": "alice",
            "aud": format!("{LOCAL}/mcp"),
            "client_id": "a-client",
            "scope": "mcp:tools",
            "iat": NOW,
            "exp": NOW + 3600,
            "jti": "a-token",
        });
        Self { header, claims }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header[name] = value.into();
        self
    }

    pub(crate) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims[name] = value.into();
        self
    }

    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.header.as_object_mut().unwrap().remove(name);
        self
    }

    pub(crate) fn without_claim(mut self, name: &str) -> Self {
        self.claims.as_object_mut().unwrap().remove(name);
        self
    }

    /// Signed with this server's own key.
    pub(crate) fn signed(&self) -> String {
        self.signed_by(&encoding_key(own_key()), Algorithm::RS256)
    }

    /// Signed with any key, whatever the header says.
    pub(crate) fn signed_by(&self, key: &EncodingKey, algorithm: Algorithm) -> String {
        let message = self.message();
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
        format!("{message}.{signature}")
    }

    /// Header and claims with an empty signature.
    pub(crate) fn unsigned(&self) -> String {
        format!("{}.", self.message())
    }

    fn message(&self) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}", part(&self.header), part(&self.claims))
    }
}

impl Scenario {
    /// Asserts that a token opens nothing, and returns why the developer is told so.
    #[track_caller]
    pub(crate) fn assert_refused(&self, token: &str) -> impl Future<Output = String> + use<'_> {
        let call = self.tool_call("hello", json!({ "name": "World" })).bearer(token);
        async move {
            let answer = call.send().await;
            answer.refused(401, "invalid_token");
            answer.challenge()["error_description"].clone()
        }
    }

    /// Asserts that a token opens the tools.
    pub(crate) async fn assert_accepted(&self, token: &str) {
        assert!(self.hello(token).await.expect(200).tool_text().starts_with("Hello, World!"));
    }
}

/// A key pair as jsonwebtoken wants it.
pub(crate) fn encoding_key(key: &RsaKey) -> EncodingKey {
    let pem = pem::encode(&pem::Pem::new("PRIVATE KEY", key.pkcs8().expose_secret()));
    EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap()
}

/// The parts of a token, decoded and unverified.
pub(crate) fn decoded(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut part = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (part(), part())
}
