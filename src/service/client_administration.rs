//! The operator's view of clients: adding those that can't register themselves, seeing and ending
//! all of them.

use std::sync::Arc;

use thiserror::Error;

use super::dev_token::DEV_TOKEN_CLIENT;
use super::end_client::EndClient;
use super::policy::Policy;
use super::register::fresh_client_id;
use super::registration_request::MOST_REDIRECT_URIS;
use crate::domain::audit::{AuditEvent, Decision};
use crate::domain::client::{
    Client, ClientCredential, ClientId, ClientMetadata, ClientOrigin, DOCS_CLIENT, GrantType,
    LONGEST_CLIENT_ID, SecretTransport,
};
use crate::domain::client_name::{LONGEST_CLIENT_NAME, presentable};
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::scope::ScopeSet;
use crate::domain::secret::ClientSecret;
use crate::port::{AuditLog, ClientRegistry, Clock, Random, RegisterError, StoreUnavailable};

/// Identifiers that mean something else in a token.
const RESERVED_IDS: [&str; 2] = [DOCS_CLIENT, DEV_TOKEN_CLIENT];

/// Adds, shows and ends clients on behalf of the operator.
pub struct ClientAdministration {
    pub(super) clients: Arc<dyn ClientRegistry>,
    pub(super) end_client: EndClient,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) audit: Arc<dyn AuditLog>,
    pub(super) policy: Arc<Policy>,
}

/// A client that the operator wants to add.
#[derive(Debug, Clone)]
pub struct NewClient {
    /// Made here when left out.
    pub id: Option<String>,
    /// Shown to people.
    pub name: String,
    /// Where people come back to it.
    pub redirect_uris: Vec<RedirectUri>,
    /// What it may ask the token endpoint for. With redirect addresses and nothing said, codes and
    /// refresh tokens.
    pub grant_types: Vec<GrantType>,
    /// The most it may ask for on its own behalf; empty for the default scopes.
    pub scope: ScopeSet,
    /// How it is to prove who it is.
    pub credential: NewCredential,
    /// Whether it is a resource server, which may ask about every token (RFC 7662).
    pub may_introspect: bool,
}

/// How a new client is to prove who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewCredential {
    /// Not at all: it is a public client.
    Public,
    /// With a secret that is made here.
    Secret(SecretTransport),
}

/// A client that was added.
#[derive(Debug)]
pub struct AddedClient {
    /// As it was stored.
    pub client: Client,
    /// Its secret, which can't be had again; `None` for a public client.
    pub secret: Option<ClientSecret>,
}

/// Why a client was not added.
#[derive(Debug, Error)]
pub enum AddClientError {
    /// The name is empty, too long, or has characters that can't be seen.
    #[error("a name has 1 to {LONGEST_CLIENT_NAME} characters, all of which can be seen")]
    Name,
    /// The id claims to be the address of a metadata document.
    #[error("an id that begins with https:// is the address of a client's metadata document")]
    DocumentId,
    /// The id is none that a request could carry.
    #[error("an id has 1 to {LONGEST_CLIENT_ID} visible ASCII characters")]
    Id,
    /// The id means something else here.
    #[error("the id {0:?} belongs to this server")]
    ReservedId(String),
    /// A client of that id is known.
    #[error("there is a client of that id already")]
    Taken,
    /// Codes are sent to a redirect address.
    #[error("a client can't get authorization codes without a redirect address")]
    NoRedirectUri,
    /// Nothing is ever sent there.
    #[error("redirect addresses are of no use to a client that gets no authorization codes")]
    UselessRedirectUri,
    /// There are more than anybody needs.
    #[error("a client has at most {MOST_REDIRECT_URIS} redirect addresses")]
    TooManyRedirectUris,
    /// Refresh tokens come with codes.
    #[error("a client that gets no authorization codes gets no refresh tokens either")]
    RefreshAlone,
    /// Anybody could be a public client.
    #[error("a public client can't get tokens for itself, since anybody could be it")]
    PublicMachine,
    /// Anybody could be a public client.
    #[error("a public client can't be a resource server, since anybody could be it")]
    PublicResourceServer,
    /// It gets no tokens and may not ask about any.
    #[error("there is nothing that this client could do")]
    Useless,
    /// Scopes that this server does not have.
    #[error("this server has no scope {0}")]
    UnknownScope(ScopeSet),
    /// The store can't answer.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
}

impl ClientAdministration {
    /// Adds a client; it stays until the operator ends it.
    ///
    /// # Errors
    /// [`AddClientError`]; nothing is stored then.
    pub async fn add(&self, new: NewClient) -> Result<AddedClient, AddClientError> {
        let name = presentable(&new.name).filter(|shown| shown == new.name.trim());
        let client_name = Some(name.ok_or(AddClientError::Name)?);
        let id = self.id(new.id.as_deref())?;
        let grant_types = grant_types(&new)?;
        check_credential(&new, &grant_types)?;
        let scope = self.scope(&new.scope)?;
        let (credential, secret) = self.credential(new.credential);
        let client = Client {
            id,
            origin: ClientOrigin::Operator,
            credential,
            metadata: ClientMetadata {
                client_name,
                client_uri: None,
                redirect_uris: new.redirect_uris,
                grant_types,
                scope,
                application_type: None,
                software_id: None,
                software_version: None,
            },
            registration_token: None,
            may_introspect: new.may_introspect,
            registered_at: self.clock.now(),
            last_used_at: None,
        };
        self.store(&client).await?;
        self.audit.record(AuditEvent::new(Decision::ClientAddedByOperator).client(&client.id));
        Ok(AddedClient { client, secret })
    }

    /// Every client of an origin, or of all, oldest first.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    pub async fn list(
        &self,
        origin: Option<ClientOrigin>,
    ) -> Result<Vec<Client>, StoreUnavailable> {
        let mut clients = self.clients.list().await?;
        clients.retain(|client| origin.is_none_or(|origin| client.origin == origin));
        Ok(clients)
    }

    /// The client of that id, or `None`.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    pub async fn show(&self, id: &ClientId) -> Result<Option<Client>, StoreUnavailable> {
        self.clients.find(id).await
    }

    /// Ends a client with every grant of it. Returns how many grants ended, or `None` when there is
    /// no such client.
    ///
    /// # Errors
    /// [`StoreUnavailable`]; it can be tried again then.
    pub async fn delete(&self, id: &ClientId) -> Result<Option<u64>, StoreUnavailable> {
        if self.clients.find(id).await?.is_none() {
            return Ok(None);
        }
        let ended = self.end_client.end(id).await?;
        if ended.is_some() {
            self.audit.record(AuditEvent::new(Decision::ClientDeletedByOperator).client(id));
        }
        Ok(ended)
    }

    fn id(&self, chosen: Option<&str>) -> Result<ClientId, AddClientError> {
        let Some(chosen) = chosen else { return Ok(fresh_client_id(&*self.random)) };
        if chosen.to_ascii_lowercase().starts_with("https://") {
            return Err(AddClientError::DocumentId);
        }
        let is_visible = chosen.bytes().all(|byte| byte.is_ascii_graphic());
        if chosen.is_empty() || chosen.len() > LONGEST_CLIENT_ID || !is_visible {
            return Err(AddClientError::Id);
        }
        if RESERVED_IDS.contains(&chosen) {
            return Err(AddClientError::ReservedId(chosen.to_owned()));
        }
        Ok(ClientId::new(chosen))
    }

    fn scope(&self, asked: &ScopeSet) -> Result<Option<ScopeSet>, AddClientError> {
        let known = self.policy.scopes.known(asked);
        let unknown: ScopeSet =
            asked.iter().filter(|scope| !known.contains(scope)).cloned().collect();
        if !unknown.is_empty() {
            return Err(AddClientError::UnknownScope(unknown));
        }
        Ok(Some(known).filter(|known| !known.is_empty()))
    }

    fn credential(&self, new: NewCredential) -> (ClientCredential, Option<ClientSecret>) {
        match new {
            NewCredential::Public => (ClientCredential::Public, None),
            NewCredential::Secret(sent_by) => {
                let secret = ClientSecret::from_entropy(self.random.entropy());
                (ClientCredential::Secret { sent_by, hash: secret.hash() }, Some(secret))
            }
        }
    }

    async fn store(&self, client: &Client) -> Result<(), AddClientError> {
        // The ceiling is for those that register themselves.
        match self.clients.register(client, u32::MAX).await {
            Ok(()) => Ok(()),
            Err(RegisterError::Exists) => Err(AddClientError::Taken),
            Err(full @ RegisterError::Full) => Err(StoreUnavailable::new(full).into()),
            Err(RegisterError::Unavailable(unavailable)) => Err(unavailable.into()),
        }
    }
}

/// What the client may ask for, if that makes sense with its redirect addresses.
fn grant_types(new: &NewClient) -> Result<Vec<GrantType>, AddClientError> {
    let mut grants = new.grant_types.clone();
    if grants.is_empty() && !new.redirect_uris.is_empty() {
        grants = vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
    }
    grants.sort_unstable();
    grants.dedup();
    let has = |grant| grants.contains(&grant);
    if grants.is_empty() && !new.may_introspect {
        return Err(AddClientError::Useless);
    }
    if has(GrantType::RefreshToken) && !has(GrantType::AuthorizationCode) {
        return Err(AddClientError::RefreshAlone);
    }
    match (has(GrantType::AuthorizationCode), new.redirect_uris.len()) {
        (true, 0) => Err(AddClientError::NoRedirectUri),
        (false, 1..) => Err(AddClientError::UselessRedirectUri),
        (_, number) if number > MOST_REDIRECT_URIS => Err(AddClientError::TooManyRedirectUris),
        _ => Ok(grants),
    }
}

fn check_credential(new: &NewClient, grants: &[GrantType]) -> Result<(), AddClientError> {
    if new.credential != NewCredential::Public {
        Ok(())
    } else if grants.contains(&GrantType::ClientCredentials) {
        Err(AddClientError::PublicMachine)
    } else if new.may_introspect {
        Err(AddClientError::PublicResourceServer)
    } else {
        Ok(())
    }
}
