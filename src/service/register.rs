//! Dynamic client registration (RFC 7591).

use std::sync::Arc;

use serde_json::{Map, Value};
use thiserror::Error;

use super::policy::ScopePolicy;
use super::refusal::Refusal;
use crate::domain::audit::{AuditEvent, Decision};
use crate::domain::client::{
    Client, ClientAuthMethod, ClientCredential, ClientId, ClientMetadata, ClientOrigin, GrantType,
    MOST_REDIRECT_URIS, SecretTransport,
};
use crate::domain::client_document_policy::ClientDocumentPolicy;
use crate::domain::client_keys::{ClientKeys, KeySource};
use crate::domain::client_name::presentable;
use crate::domain::redirect_uri::{InvalidRedirectUri, RedirectUri};
use crate::domain::scope::ScopeSet;
use crate::domain::secret::{ClientSecret, base64url};
use crate::port::{AuditLog, ClientRegistry, Clock, Random, RegisterError, StoreUnavailable};

/// The longest free text a client may say of itself, in characters.
const LONGEST_TEXT: usize = 2048;

/// Registers clients.
pub struct Register {
    pub(super) clients: Arc<dyn ClientRegistry>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) audit: Arc<dyn AuditLog>,
    pub(super) scopes: Arc<ScopePolicy>,
    pub(super) documents: ClientDocumentPolicy,
}

/// What a client is told once, RFC 7591 §3.2.1.
#[derive(Debug)]
pub struct Registered {
    /// The client as it was stored.
    pub client: Client,
    /// Its secret, which can't be had again; `None` for a public client.
    pub secret: Option<ClientSecret>,
}

/// Why a client was not registered (RFC 7591 §3.2.2).
#[derive(Debug, Error)]
pub enum RegistrationError {
    /// The body is no JSON object.
    #[error("the body is not a JSON object: {0}")]
    NotAnObject(String),
    /// A redirect address is missing or can't be used.
    #[error("redirect_uris: {0}")]
    RedirectUri(String),
    /// Another member is wrong.
    #[error("{member}: {reason}")]
    Metadata {
        /// Which.
        member: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A software statement was sent, and this server trusts no issuer of them.
    #[error("software_statement: this server trusts no issuer of software statements")]
    SoftwareStatement,
    /// The store can't answer.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
}

impl Register {
    /// Registers a client from the JSON body of its request.
    ///
    /// # Errors
    /// [`RegistrationError`]; nothing is stored then.
    pub async fn register(&self, body: &[u8]) -> Result<Registered, RegistrationError> {
        let registered = self.try_register(body).await;
        match &registered {
            Ok(done) => {
                let event = AuditEvent::new(Decision::ClientRegistered);
                self.audit.record(event.client(&done.client.id));
            }
            Err(error) => {
                self.audit.record(AuditEvent::new(Refusal::Registration(error).decision()));
            }
        }
        registered
    }

    async fn try_register(&self, body: &[u8]) -> Result<Registered, RegistrationError> {
        let members = Members::parse(body)?;
        let method = members.auth_method()?;
        let metadata = members.metadata(&self.scopes)?;
        let (credential, secret) = self.credential(method, &members)?;
        let client = Client {
            id: self.fresh_id(),
            origin: ClientOrigin::Registered,
            credential,
            metadata,
            registered_at: self.clock.now(),
            last_used_at: None,
        };
        match self.clients.register(&client).await {
            Ok(()) => Ok(Registered { client, secret }),
            Err(RegisterError::Unavailable(unavailable)) => Err(unavailable.into()),
            Err(taken @ RegisterError::Exists) => Err(StoreUnavailable::new(taken).into()),
        }
    }

    /// Never chosen by the client and never an https URL, which would claim to be a metadata
    /// document.
    fn fresh_id(&self) -> ClientId {
        ClientId::new(format!("mcp-{}", base64url(&self.random.entropy()[..16])))
    }

    fn credential(
        &self,
        method: ClientAuthMethod,
        members: &Members,
    ) -> Result<(ClientCredential, Option<ClientSecret>), RegistrationError> {
        let sent_by = match method {
            ClientAuthMethod::None => return Ok((ClientCredential::Public, None)),
            ClientAuthMethod::PrivateKeyJwt => {
                return Ok((ClientCredential::Keys(members.keys(&self.documents)?), None));
            }
            ClientAuthMethod::ClientSecretBasic => SecretTransport::Basic,
            ClientAuthMethod::ClientSecretPost => SecretTransport::Post,
        };
        let secret = ClientSecret::from_entropy(self.random.entropy());
        Ok((ClientCredential::Secret { sent_by, hash: secret.hash() }, Some(secret)))
    }
}

/// The members of a registration request. Unknown ones are ignored (RFC 7591 §2), `client_id` among
/// them.
struct Members(Map<String, Value>);

impl Members {
    fn parse(body: &[u8]) -> Result<Self, RegistrationError> {
        let members: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|error| RegistrationError::NotAnObject(error.to_string()))?;
        if members.get("software_statement").is_some_and(|statement| !statement.is_null()) {
            return Err(RegistrationError::SoftwareStatement);
        }
        Ok(Self(members))
    }

    fn metadata(&self, scopes: &ScopePolicy) -> Result<ClientMetadata, RegistrationError> {
        let redirect_uris = self.redirect_uris()?;
        self.response_types()?;
        let application_type = self.application_type(&redirect_uris)?;
        Ok(ClientMetadata {
            client_name: self.text("client_name")?.and_then(|name| presentable(&name)),
            client_uri: self.web_page("client_uri")?,
            redirect_uris,
            grant_types: self.grant_types()?,
            scope: self.scope(scopes)?,
            application_type,
            software_id: self.text("software_id")?,
            software_version: self.text("software_version")?,
        })
    }

    fn redirect_uris(&self) -> Result<Vec<RedirectUri>, RegistrationError> {
        let spelled = self.texts("redirect_uris")?.unwrap_or_default();
        if spelled.is_empty() || spelled.len() > MOST_REDIRECT_URIS {
            let reason = format!("1 to {MOST_REDIRECT_URIS} are needed, {} sent", spelled.len());
            return Err(RegistrationError::RedirectUri(reason));
        }
        let parse = |uri: String| {
            RedirectUri::parse(&uri).map_err(|why: InvalidRedirectUri| {
                RegistrationError::RedirectUri(format!("{uri:?} {why}"))
            })
        };
        spelled.into_iter().map(parse).collect()
    }

    fn auth_method(&self) -> Result<ClientAuthMethod, RegistrationError> {
        const MEMBER: &str = "token_endpoint_auth_method";
        let Some(name) = self.text(MEMBER)? else { return Ok(ClientAuthMethod::ClientSecretBasic) };
        ClientAuthMethod::from_name(&name)
            .ok_or_else(|| wrong(MEMBER, format!("{name:?} is not supported")))
    }

    /// Keys are fetched from where documents may be read, and nowhere else.
    fn keys(&self, hosts: &ClientDocumentPolicy) -> Result<ClientKeys, RegistrationError> {
        let keys =
            ClientKeys::from_metadata(&self.0).map_err(|why| wrong("jwks", why.to_string()))?;
        match &keys.source {
            KeySource::Published(uri) if !hosts.permits(uri.host()) => {
                Err(wrong("jwks_uri", "this server fetches nothing from there; use jwks"))
            }
            _ => Ok(keys),
        }
    }

    /// Grant types this server has not are left out; the answer says what was taken.
    fn grant_types(&self) -> Result<Vec<GrantType>, RegistrationError> {
        const MEMBER: &str = "grant_types";
        let Some(names) = self.texts(MEMBER)? else {
            return Ok(vec![GrantType::AuthorizationCode]);
        };
        let mut known: Vec<_> =
            names.iter().filter_map(|name| GrantType::from_name(name)).collect();
        known.sort_unstable();
        known.dedup();
        if !known.contains(&GrantType::AuthorizationCode) {
            return Err(wrong(MEMBER, "authorization_code is needed with response_types code"));
        }
        Ok(known)
    }

    fn response_types(&self) -> Result<(), RegistrationError> {
        const MEMBER: &str = "response_types";
        match self.texts(MEMBER)? {
            Some(names) if !names.iter().any(|name| name == "code") => {
                Err(wrong(MEMBER, "only code is supported"))
            }
            _ => Ok(()),
        }
    }

    /// OpenID Connect Registration §2: `web` has https addresses only.
    fn application_type(
        &self,
        redirect_uris: &[RedirectUri],
    ) -> Result<Option<String>, RegistrationError> {
        const MEMBER: &str = "application_type";
        let Some(kind) = self.text(MEMBER)? else { return Ok(None) };
        match kind.as_str() {
            "native" => Ok(Some(kind)),
            "web" => match redirect_uris.iter().find(|uri| !uri.as_str().starts_with("https://")) {
                None => Ok(Some(kind)),
                Some(uri) => {
                    let reason =
                        format!("\"{uri}\" is not https, which application_type web needs");
                    Err(RegistrationError::RedirectUri(reason))
                }
            },
            _ => Err(wrong(MEMBER, "web or native")),
        }
    }

    fn scope(&self, scopes: &ScopePolicy) -> Result<Option<ScopeSet>, RegistrationError> {
        let Some(text) = self.text("scope")? else { return Ok(None) };
        let asked = ScopeSet::parse(&text).map_err(|error| wrong("scope", error.to_string()))?;
        Ok(Some(scopes.known(&asked)).filter(|known| !known.is_empty()))
    }

    fn web_page(&self, member: &'static str) -> Result<Option<String>, RegistrationError> {
        let Some(text) = self.text(member)? else { return Ok(None) };
        match url::Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Some(text)),
            _ => Err(wrong(member, "not an http(s) URL")),
        }
    }

    fn text(&self, member: &'static str) -> Result<Option<String>, RegistrationError> {
        match self.0.get(member) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.chars().count() <= LONGEST_TEXT => {
                Ok(Some(text.clone()).filter(|text| !text.is_empty()))
            }
            Some(Value::String(_)) => {
                Err(wrong(member, format!("longer than {LONGEST_TEXT} characters")))
            }
            Some(_) => Err(wrong(member, "not a string")),
        }
    }

    fn texts(&self, member: &'static str) -> Result<Option<Vec<String>>, RegistrationError> {
        let not_texts = || wrong(member, "not an array of strings");
        match self.0.get(member) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(values)) => values
                .iter()
                .map(|value| value.as_str().map(str::to_owned).ok_or_else(not_texts))
                .collect::<Result<_, _>>()
                .map(Some),
            Some(_) => Err(not_texts()),
        }
    }
}

fn wrong(member: &'static str, reason: impl Into<String>) -> RegistrationError {
    RegistrationError::Metadata { member, reason: reason.into() }
}
