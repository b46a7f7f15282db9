//! OAuth clients: what they say of themselves and how they prove who they are.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::client_document_url::{ClientDocumentUrl, InvalidDocumentUrl};
use super::client_keys::{ClientKeys, KeySource};
use super::redirect_uri::RedirectUri;
use super::scope::ScopeSet;
use super::secret::{ClientSecretHash, RegistrationTokenHash, base64url, sha256};
use super::timestamp::Timestamp;

/// The longest `client_id` looked up, in bytes.
pub const LONGEST_CLIENT_ID: usize = 512;

/// How many redirect addresses one client may have.
pub const MOST_REDIRECT_URIS: usize = 10;

/// A client identifier (RFC 6749 §2.2): made by this server, or the address of a metadata document.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(String);

impl ClientId {
    /// The identifier as it was spelled.
    #[must_use]
    pub fn new(spelling: impl Into<String>) -> Self {
        Self(spelling.into())
    }

    /// The identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The metadata document that the identifier is the address of, if it claims to be one: those
    /// made by this server never begin with `https://`.
    ///
    /// # Errors
    /// [`InvalidDocumentUrl`].
    pub fn document_url(&self) -> Option<Result<ClientDocumentUrl, InvalidDocumentUrl>> {
        self.0.starts_with("https://").then(|| ClientDocumentUrl::parse(&self.0))
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a client authenticates at the token endpoint (RFC 7591 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthMethod {
    /// A public client.
    None,
    /// HTTP Basic with the client secret (RFC 6749 §2.3.1).
    ClientSecretBasic,
    /// The client secret in the form.
    ClientSecretPost,
    /// A signature with a key of the client (RFC 7523 §2.2).
    PrivateKeyJwt,
}

impl ClientAuthMethod {
    /// Every method this server takes, in the order of its metadata.
    pub const ALL: [Self; 4] =
        [Self::None, Self::ClientSecretBasic, Self::ClientSecretPost, Self::PrivateKeyJwt];

    /// The registered name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }

    /// The method of a registered name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}

/// A grant type (RFC 7591 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §6.
    RefreshToken,
    /// RFC 6749 §4.4; only for clients the operator vouches for.
    ClientCredentials,
}

impl GrantType {
    /// Every grant type this server serves.
    pub const ALL: [Self; 3] =
        [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials];

    /// The registered name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }

    /// Whether its tokens begin with the consent of a person, so that a client may have it on its
    /// own word.
    #[must_use]
    pub fn begins_with_consent(self) -> bool {
        self != Self::ClientCredentials
    }

    /// The grant type of a registered name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == name)
    }
}

/// Where what is known of a client comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientOrigin {
    /// The operator made it known.
    Operator,
    /// It registered itself (RFC 7591).
    Registered,
    /// Its metadata document, read anew now and then; no store has it.
    Document,
}

impl ClientOrigin {
    /// Every origin.
    pub const ALL: [Self; 3] = [Self::Operator, Self::Registered, Self::Document];

    /// A stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Registered => "registered",
            Self::Document => "document",
        }
    }

    /// The origin of a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.as_str() == name)
    }
}

/// How a client proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCredential {
    /// A public client has nothing to prove.
    Public,
    /// A secret, sent in the way the client registered.
    Secret {
        /// How the client said it would send it; either way is taken.
        sent_by: SecretTransport,
        /// The stored form.
        hash: ClientSecretHash,
    },
    /// Signatures with keys whose public halves are known.
    Keys(ClientKeys),
}

/// Where a client puts its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretTransport {
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
}

impl ClientCredential {
    /// The method as metadata names it.
    #[must_use]
    pub fn method(&self) -> ClientAuthMethod {
        match self {
            Self::Public => ClientAuthMethod::None,
            Self::Secret { sent_by: SecretTransport::Basic, .. } => {
                ClientAuthMethod::ClientSecretBasic
            }
            Self::Secret { sent_by: SecretTransport::Post, .. } => {
                ClientAuthMethod::ClientSecretPost
            }
            Self::Keys(_) => ClientAuthMethod::PrivateKeyJwt,
        }
    }
}

/// A client (RFC 7591 §2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Made here, or the address of the client's document; never chosen by a client that registers.
    pub id: ClientId,
    /// Who says so.
    pub origin: ClientOrigin,
    /// How it proves who it is.
    pub credential: ClientCredential,
    /// What it said of itself.
    pub metadata: ClientMetadata,
    /// What proves that somebody may change or end the registration (RFC 7592 §1.2); `None` when
    /// nobody may.
    pub registration_token: Option<RegistrationTokenHash>,
    /// Whether the operator made it a resource server, which may ask about every token (RFC 7662).
    pub may_introspect: bool,
    /// When it registered; of a document, when it was looked at.
    pub registered_at: Timestamp,
    /// When it last got a token; `None` before the first.
    pub last_used_at: Option<Timestamp>,
}

impl Client {
    /// Whether a browser may be sent back there before the person has seen a page.
    ///
    /// Whoever may register can make this server's address lead to theirs (OAuth 2.1 §7.12.2), so
    /// web addresses are for clients the operator knows. What waits on the person's own machine, or
    /// has a scheme of its own, is no page to be lured to.
    #[must_use]
    pub fn may_be_answered_unseen(&self, redirect_uri: &RedirectUri) -> bool {
        self.origin == ClientOrigin::Operator || !redirect_uri.is_web()
    }

    /// The host that answers for a client described by a document; what it calls itself proves
    /// nothing, this does.
    #[must_use]
    pub fn document_host(&self) -> Option<String> {
        let url = self.id.document_url().filter(|_| self.origin == ClientOrigin::Document)?;
        url.ok().map(|url| url.host().to_owned())
    }

    /// Changes when anything changes that consent was given for: the name that was shown, the
    /// addresses tokens can reach, and how the client proves that it is still the same. The order of
    /// addresses and keys does not matter, nor do the keys behind a `jwks_uri`, which rotate.
    #[must_use]
    pub fn consent_digest(&self) -> ConsentDigest {
        let mut parts = vec![
            self.metadata.client_name.clone().unwrap_or_default(),
            self.credential.method().as_str().to_owned(),
        ];
        let addresses = self.metadata.redirect_uris.iter().map(|uri| uri.as_str().to_owned());
        parts.extend(sorted(addresses));
        if let ClientCredential::Keys(keys) = &self.credential {
            match &keys.source {
                KeySource::Inline(set) => {
                    parts.extend(sorted(set.iter().map(|key| key.public().fingerprint())));
                }
                KeySource::Published(uri) => parts.push(uri.as_str().to_owned()),
            }
        }
        // Lengths in front: no two lists of parts are the same bytes.
        let framed = parts.iter().flat_map(|part| [part.len().to_string(), part.clone()]);
        let framed = framed.collect::<Vec<_>>().join(":");
        ConsentDigest(base64url(&sha256(&[b"consent v1:", framed.as_bytes()])))
    }
}

/// Stands for everything about a client that consent depends on ([`Client::consent_digest`]).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConsentDigest(String);

impl ConsentDigest {
    /// The digest as a store kept it.
    #[must_use]
    pub fn from_stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Unpadded base64url, 43 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<_> = texts.collect();
    texts.sort_unstable();
    texts
}

/// The effective metadata of a client, defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientMetadata {
    /// Shown to people; untrusted text of at most [`super::client_name::LONGEST_CLIENT_NAME`] characters.
    pub client_name: Option<String>,
    /// The client's home page, kept and never fetched.
    pub client_uri: Option<String>,
    /// At least one with `authorization_code`.
    pub redirect_uris: Vec<RedirectUri>,
    /// What it may ask the token endpoint for.
    pub grant_types: Vec<GrantType>,
    /// What the client said it would ask for; it may ask for more (step-up).
    pub scope: Option<ScopeSet>,
    /// `web` or `native`, as OpenID Connect Registration §2 has it.
    pub application_type: Option<String>,
    /// Identifies the software across registrations (RFC 7591 §2).
    pub software_id: Option<String>,
    /// The version of that software.
    pub software_version: Option<String>,
}

impl ClientMetadata {
    /// The name to show, or the client's identifier when it gave none.
    #[must_use]
    pub fn display_name<'a>(&'a self, id: &'a ClientId) -> &'a str {
        self.client_name.as_deref().unwrap_or(id.as_str())
    }

    /// Whether one of the registered addresses permits a redirect to `requested`: byte for byte for
    /// a `web` client, else with the freedom of ports that installed clients need.
    #[must_use]
    pub fn permits_redirect(&self, requested: &RedirectUri) -> bool {
        let is_web = self.application_type.as_deref() == Some("web");
        self.redirect_uris
            .iter()
            .any(|registered| registered == requested || (!is_web && registered.permits(requested)))
    }

    /// Whether whoever is redirected ends up at a program on their own machine, whatever address is
    /// asked for.
    #[must_use]
    pub fn is_loopback_only(&self) -> bool {
        self.redirect_uris.iter().all(RedirectUri::is_loopback)
    }

    /// Whether the client registered for a grant type.
    #[must_use]
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::client_document::ClientDocument;

    const URL: &str = "https://c.example/client";

    /// The client of a document with these members beside the required ones.
    fn client(members: Value) -> Client {
        let mut document = json!({
            "client_id": URL,
            "client_name": "Example",
            "redirect_uris": ["https://c.example/a", "https://c.example/b"],
        });
        for (name, value) in members.as_object().unwrap() {
            document[name] = value.clone();
        }
        let url = ClientDocumentUrl::parse(URL).unwrap();
        let document = ClientDocument::parse(&url, document.to_string().as_bytes()).unwrap();
        document.client(Timestamp::from_unix(1))
    }

    fn keys(first_byte: u8) -> Value {
        let key = |byte| json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(&[byte; 32]) });
        let keys = json!({ "keys": [key(first_byte), key(9)] });
        json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": keys })
    }

    #[test]
    fn rg_07_only_an_https_address_claims_to_be_a_document() {
        for id in ["mcp-AAAA", "", "http://c.example/client", "HTTPS://c.example/client", "https:"]
        {
            assert_eq!(ClientId::new(id).document_url(), None, "{id}");
        }
        assert!(matches!(ClientId::new(URL).document_url(), Some(Ok(url)) if url.as_str() == URL));
        assert!(matches!(ClientId::new("https://c.example").document_url(), Some(Err(_))));
    }

    #[test]
    fn az_19_only_a_document_has_a_host_that_answers_for_it() {
        let client = client(json!({}));
        assert_eq!(client.document_host().as_deref(), Some("c.example"));
        let registered = Client { origin: ClientOrigin::Registered, ..client };
        assert_eq!(registered.document_host(), None);
    }

    #[test]
    fn ci_14_what_consent_depends_on_changes_the_digest() {
        let digests = [
            client(json!({})),
            client(json!({ "client_name": "Exampl" })),
            client(json!({ "redirect_uris": ["https://c.example/a"] })),
            client(json!({ "redirect_uris": ["https://c.example/a", "https://evil.example/b"] })),
            client(keys(1)),
            client(keys(2)),
            client(json!({
                "token_endpoint_auth_method": "private_key_jwt",
                "jwks_uri": "https://c.example/keys",
            })),
        ]
        .map(|client| client.consent_digest());
        for (index, digest) in digests.iter().enumerate() {
            assert!(!digests[..index].contains(digest), "{index}");
        }
    }

    #[test]
    fn ci_14_what_it_does_not_depend_on_changes_nothing() {
        let digest = client(json!({})).consent_digest();
        let swapped = json!({ "redirect_uris": ["https://c.example/b", "https://c.example/a"] });
        assert_eq!(client(swapped).consent_digest(), digest);
        let details = json!({ "software_version": "2", "logo_uri": "https://c.example/l", "x": 1 });
        assert_eq!(client(details).consent_digest(), digest);
        let later = Client { registered_at: Timestamp::from_unix(9), ..client(json!({})) };
        assert_eq!(later.consent_digest(), digest);
        let mut reversed = keys(1);
        reversed["jwks"]["keys"].as_array_mut().unwrap().reverse();
        assert_eq!(client(reversed).consent_digest(), client(keys(1)).consent_digest());
    }
}
