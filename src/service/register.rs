//! Dynamic client registration (RFC 7591).

use std::sync::Arc;

use thiserror::Error;

use super::policy::{Policy, RegistrationMode};
use super::refusal::Refusal;
use super::registration_request::Members;
use super::throttle::Throttle;
use crate::domain::audit::{AuditEvent, Decision};
use crate::domain::bearer::{MalformedCredentials, bearer_token};
use crate::domain::client::{
    Client, ClientAuthMethod, ClientCredential, ClientId, ClientMetadata, ClientOrigin,
    SecretTransport,
};
use crate::domain::client_document_policy::ClientDocumentPolicy;
use crate::domain::limit::TooMany;
use crate::domain::secret::{
    BearerToken, ClientSecret, InitialAccessToken, RegistrationToken, base64url, identifier, sha256,
};
use crate::port::{AuditLog, ClientRegistry, Clock, Random, RegisterError, StoreUnavailable};

/// Registers clients.
pub struct Register {
    pub(super) clients: Arc<dyn ClientRegistry>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) audit: Arc<dyn AuditLog>,
    pub(super) throttle: Throttle,
    pub(super) policy: Arc<Policy>,
}

/// What a client is told once, RFC 7591 §3.2.1 and RFC 7592 §3.
#[derive(Debug)]
pub struct Registered {
    /// The client as it was stored.
    pub client: Client,
    /// Its secret, which can't be had again; `None` for a client without, or when nothing about it
    /// changed.
    pub secret: Option<ClientSecret>,
    /// What it can change its registration with; `None` when it can't.
    pub registration_token: Option<RegistrationToken>,
}

/// Why a client was not registered (RFC 7591 §3.2.2).
#[derive(Debug, Error)]
pub enum RegistrationError {
    /// The operator adds clients, and nobody else.
    #[error("clients can't register here")]
    Off,
    /// Registering needs a token of the operator, and none was sent.
    #[error("registering here needs an initial access token of the operator")]
    TokenMissing,
    /// The Authorization header can't be read.
    #[error(transparent)]
    MalformedToken(#[from] MalformedCredentials),
    /// The token is not one of the operator's.
    #[error("the initial access token is not one of this server")]
    WrongToken,
    /// The body is no JSON object, or none that anybody would send.
    #[error("the body is not a usable JSON object: {0}")]
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
    /// A software statement was sent that is none.
    #[error("software_statement: it is not a JSON Web Token")]
    InvalidSoftwareStatement,
    /// A software statement was sent, and this server trusts no issuer of them.
    #[error("software_statement: this server trusts no issuer of software statements")]
    UnapprovedSoftwareStatement,
    /// As many clients are registered as the operator allows.
    #[error("no more clients can be registered at the moment")]
    Full,
    /// There were too many.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The store can't answer.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
}

impl Register {
    /// Registers a client from the values of every Authorization header and the JSON body of its
    /// request.
    ///
    /// # Errors
    /// [`RegistrationError`]; nothing is stored then.
    pub async fn register(
        &self,
        authorization: &[&[u8]],
        body: &[u8],
    ) -> Result<Registered, RegistrationError> {
        let registered = self.try_register(authorization, body).await;
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

    async fn try_register(
        &self,
        authorization: &[&[u8]],
        body: &[u8],
    ) -> Result<Registered, RegistrationError> {
        self.throttle.registration()?;
        self.check_admission(authorization)?;
        let members = Members::parse(body)?;
        let method = members.auth_method()?;
        let metadata = members.metadata(&self.policy.scopes)?;
        if self.policy.registration.share && method == ClientAuthMethod::None {
            return self.share(metadata).await;
        }
        let hosts = &self.policy.client_documents;
        let (credential, secret) = new_credential(method, &members, hosts, &*self.random)?;
        let registration_token = RegistrationToken::from_entropy(self.random.entropy());
        let client = Client {
            registration_token: Some(registration_token.hash()),
            ..self.client(fresh_client_id(&*self.random), credential, metadata)
        };
        match self.store(&client).await? {
            true => Ok(Registered { client, secret, registration_token: Some(registration_token) }),
            false => Err(StoreUnavailable::new(RegisterError::Exists).into()),
        }
    }

    /// Whether whoever asks may register at all.
    fn check_admission(&self, authorization: &[&[u8]]) -> Result<(), RegistrationError> {
        match &self.policy.registration.mode {
            RegistrationMode::Open => Ok(()),
            RegistrationMode::Off => Err(RegistrationError::Off),
            RegistrationMode::InitialAccessToken(accepted) => {
                let token = bearer_token(authorization)?.ok_or(RegistrationError::TokenMissing)?;
                let token = InitialAccessToken::presented(BearerToken::expose(&token));
                // Every one is compared, so that the time taken tells nothing of the others.
                let known = accepted.iter().filter(|hash| hash.matches(&token)).count();
                if known > 0 { Ok(()) } else { Err(RegistrationError::WrongToken) }
            }
        }
    }

    /// The one registration of everybody who says exactly this of themselves. Nobody owns it, so
    /// nobody can change it.
    async fn share(&self, metadata: ClientMetadata) -> Result<Registered, RegistrationError> {
        let said = serde_json::to_vec(&metadata).unwrap_or_default();
        let digest = base64url(&sha256(&[b"shared registration\0", &said]));
        let id = ClientId::new(format!("mcp-shared-{}", &digest[..22]));
        let client = self.client(id, ClientCredential::Public, metadata);
        let client = match self.store(&client).await? {
            true => client,
            false => self.clients.find(&client.id).await?.unwrap_or(client),
        };
        Ok(Registered { client, secret: None, registration_token: None })
    }

    fn client(&self, id: ClientId, credential: ClientCredential, said: ClientMetadata) -> Client {
        Client {
            id,
            origin: ClientOrigin::Registered,
            credential,
            metadata: said,
            registration_token: None,
            may_introspect: false,
            registered_at: self.clock.now(),
            last_used_at: None,
        }
    }

    /// Returns whether the id was free.
    async fn store(&self, client: &Client) -> Result<bool, RegistrationError> {
        match self.clients.register(client, self.policy.registration.most_clients).await {
            Ok(()) => Ok(true),
            Err(RegisterError::Exists) => Ok(false),
            Err(RegisterError::Full) => Err(RegistrationError::Full),
            Err(RegisterError::Unavailable(unavailable)) => Err(unavailable.into()),
        }
    }
}

/// Never chosen by the client and never an https URL, which would claim to be a metadata document.
pub(super) fn fresh_client_id(random: &dyn Random) -> ClientId {
    ClientId::new(format!("mcp-{}", identifier(random.entropy())))
}

/// What a client of that method proves itself with from now on.
pub(super) fn new_credential(
    method: ClientAuthMethod,
    members: &Members,
    hosts: &ClientDocumentPolicy,
    random: &dyn Random,
) -> Result<(ClientCredential, Option<ClientSecret>), RegistrationError> {
    let sent_by = match method {
        ClientAuthMethod::None => return Ok((ClientCredential::Public, None)),
        ClientAuthMethod::PrivateKeyJwt => {
            return Ok((ClientCredential::Keys(members.keys(hosts)?), None));
        }
        ClientAuthMethod::ClientSecretBasic => SecretTransport::Basic,
        ClientAuthMethod::ClientSecretPost => SecretTransport::Post,
    };
    let secret = ClientSecret::from_entropy(random.entropy());
    Ok((ClientCredential::Secret { sent_by, hash: secret.hash() }, Some(secret)))
}
