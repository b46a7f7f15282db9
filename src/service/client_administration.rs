//! The operator's view of clients: adding those that can't register themselves, seeing and ending
//! all of them.

use std::sync::Arc;

use thiserror::Error;

use super::end_client::EndClient;
use super::policy::Policy;
use super::register::fresh_client_id;
use crate::domain::audit::{AuditEvent, Decision};
use crate::domain::client::{
    Client, ClientCredential, ClientId, ClientMetadata, ClientOrigin, GrantType, LONGEST_CLIENT_ID,
    MOST_REDIRECT_URIS, SecretTransport,
};
use crate::domain::client_keys::{ClientKeys, KeySource};
use crate::domain::client_name::{LONGEST_CLIENT_NAME, presentable};
use crate::domain::grant::GrantSelection;
use crate::domain::own_clients::is_own_client;
use crate::domain::person::Subject;
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::scope::ScopeSet;
use crate::domain::secret::ClientSecret;
use crate::domain::timestamp::Timestamp;
use crate::port::{
    AuditLog, ClientRegistry, Clock, GrantDirectory, Random, RegisterError, StoreUnavailable,
};

/// Adds, shows and ends clients on behalf of the operator.
pub struct ClientAdministration {
    pub(super) clients: Arc<dyn ClientRegistry>,
    pub(super) directory: Arc<dyn GrantDirectory>,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewCredential {
    /// Not at all: it is a public client.
    Public,
    /// With a secret that is made here.
    Secret(SecretTransport),
    /// By signing with keys of which the public halves are known (RFC 7523 §2.2).
    Keys(ClientKeys),
}

/// A client that was added.
#[derive(Debug)]
pub struct AddedClient {
    /// As it was stored.
    pub client: Client,
    /// Its secret, which can't be had again; `None` for a client without one.
    pub secret: Option<ClientSecret>,
}

/// Which clients are meant: those that fit every member that is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClientSelection {
    /// Those of this origin.
    pub origin: Option<ClientOrigin>,
    /// Those that got no token since then, and were there already.
    pub unused_since: Option<Timestamp>,
}

impl ClientSelection {
    fn includes(&self, client: &Client) -> bool {
        let last_seen = client.last_used_at.unwrap_or(client.registered_at);
        self.origin.is_none_or(|origin| client.origin == origin)
            && self.unused_since.is_none_or(|since| last_seen < since)
    }
}

/// Why a client was not added.
#[derive(Debug, Error)]
pub enum AddClientError {
    /// The name is empty, too long, or has characters that can't be seen.
    #[error("a name has 1 to {LONGEST_CLIENT_NAME} characters, all of which can be seen")]
    Name,
    /// The id claims to be the address of a metadata document (RG-07).
    #[error("an id that begins with https:// is the address of a client's metadata document")]
    DocumentId,
    /// The id is none that a request could carry.
    #[error("an id has 1 to {LONGEST_CLIENT_ID} visible ASCII characters")]
    Id,
    /// The id could be taken for somebody's in a token (OAuth 2.1 §7.4).
    #[error("the id looks like that of a person, or of the subject of a token")]
    IdOfSubject,
    /// The id means something else here.
    #[error("the id {0:?} is that of a client of this server itself")]
    OwnId(String),
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
    /// This server fetches nothing from where its keys are.
    #[error("this server fetches nothing from {0:?}, where the keys are")]
    KeysOutOfReach(String),
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

/// Why a client stays as it is.
#[derive(Debug, Error)]
pub enum ChangeClientError {
    /// There is none of that id.
    #[error("there is no client of that id")]
    Unknown,
    /// It is not the operator's to change.
    #[error("it is a client of this server itself, which makes it known at every start")]
    Own,
    /// It has no secret that could be replaced.
    #[error("the client has no secret: it authenticates with {0}")]
    NoSecret(&'static str),
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
        let grant_types = grant_types(&new)?;
        check_credential(&new, &grant_types)?;
        self.check_reach(&new.credential)?;
        let scope = self.scope(&new.scope)?;
        let id = self.id(new.id.as_deref()).await?;
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

    /// The clients of a selection, oldest first.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    pub async fn list(&self, selection: &ClientSelection) -> Result<Vec<Client>, StoreUnavailable> {
        let mut clients = self.clients.list().await?;
        clients.retain(|client| selection.includes(client));
        Ok(clients)
    }

    /// The client of that id, or `None`.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    pub async fn show(&self, id: &ClientId) -> Result<Option<Client>, StoreUnavailable> {
        self.clients.find(id).await
    }

    /// Puts a new secret in the place of the one a client has, which is worth nothing from then on.
    /// Its grants go on.
    ///
    /// # Errors
    /// [`ChangeClientError`]; the secret stays as it is then.
    pub async fn replace_secret(&self, id: &ClientId) -> Result<ClientSecret, ChangeClientError> {
        let client = self.clients.find(id).await?.ok_or(ChangeClientError::Unknown)?;
        let ClientCredential::Secret { sent_by, .. } = client.credential else {
            return Err(ChangeClientError::NoSecret(client.credential.method().as_str()));
        };
        let secret = ClientSecret::from_entropy(self.random.entropy());
        let credential = ClientCredential::Secret { sent_by, hash: secret.hash() };
        if !self.clients.replace(&Client { credential, ..client }).await? {
            return Err(ChangeClientError::Unknown);
        }
        let event = AuditEvent::new(Decision::ClientSecretReplacedByOperator);
        self.audit.record(event.client(id));
        Ok(secret)
    }

    /// Ends a client with every grant of it. Returns how many grants ended.
    ///
    /// # Errors
    /// [`ChangeClientError`]; when the store failed it can be tried again.
    pub async fn delete(&self, id: &ClientId) -> Result<u64, ChangeClientError> {
        if self.clients.find(id).await?.is_none() {
            return Err(ChangeClientError::Unknown);
        }
        if is_own_client(id.as_str()) {
            return Err(ChangeClientError::Own);
        }
        let grants = self.end_client.end(id).await?.ok_or(ChangeClientError::Unknown)?;
        let event = AuditEvent::new(Decision::ClientDeletedByOperator { grants });
        self.audit.record(event.client(id));
        Ok(grants)
    }

    /// An id chosen by the operator, if it can be mistaken for nothing else; or a fresh one.
    async fn id(&self, chosen: Option<&str>) -> Result<ClientId, AddClientError> {
        let Some(chosen) = chosen else { return Ok(fresh_client_id(&*self.random)) };
        let is_visible = chosen.bytes().all(|byte| byte.is_ascii_graphic());
        if chosen.is_empty() || chosen.len() > LONGEST_CLIENT_ID || !is_visible {
            return Err(AddClientError::Id);
        }
        if chosen.to_ascii_lowercase().starts_with("https://") {
            return Err(AddClientError::DocumentId);
        }
        if is_own_client(chosen) {
            return Err(AddClientError::OwnId(chosen.to_owned()));
        }
        let subject = Subject::new(chosen);
        if subject.is_client() || chosen.contains('@') || self.has_granted(subject).await? {
            return Err(AddClientError::IdOfSubject);
        }
        Ok(ClientId::new(chosen))
    }

    async fn has_granted(&self, subject: Subject) -> Result<bool, StoreUnavailable> {
        let by_them = GrantSelection { subject: Some(subject), ..GrantSelection::default() };
        Ok(!self.directory.list_grants(&by_them, 1).await?.is_empty())
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

    fn check_reach(&self, credential: &NewCredential) -> Result<(), AddClientError> {
        match credential {
            NewCredential::Keys(ClientKeys { source: KeySource::Published(uri), .. })
                if !self.policy.client_documents.permits(uri.host()) =>
            {
                Err(AddClientError::KeysOutOfReach(uri.host().to_owned()))
            }
            _ => Ok(()),
        }
    }

    fn credential(&self, new: NewCredential) -> (ClientCredential, Option<ClientSecret>) {
        match new {
            NewCredential::Public => (ClientCredential::Public, None),
            NewCredential::Secret(sent_by) => {
                let secret = ClientSecret::from_entropy(self.random.entropy());
                (ClientCredential::Secret { sent_by, hash: secret.hash() }, Some(secret))
            }
            NewCredential::Keys(keys) => (ClientCredential::Keys(keys), None),
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
