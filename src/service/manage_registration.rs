//! Reading, changing and ending a registration by whoever registered (RFC 7592).

use std::sync::Arc;

use thiserror::Error;

use super::end_client::EndClient;
use super::policy::Policy;
use super::refusal::Refusal;
use super::register::{Registered, RegistrationError, new_credential};
use super::registration_request::Members;
use super::throttle::Throttle;
use crate::domain::audit::{AuditEvent, Decision};
use crate::domain::bearer::{MalformedCredentials, bearer_token};
use crate::domain::client::{Client, ClientCredential, ClientId};
use crate::domain::limit::TooMany;
use crate::domain::secret::{ClientSecret, RegistrationToken};
use crate::port::{AuditLog, ClientRegistry, Random, StoreUnavailable};

/// Members of the answer that a client must not send back (RFC 7592 §2.2).
const OURS: [&str; 4] = [
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
];

/// Looks after registrations.
pub struct ManageRegistration {
    pub(super) clients: Arc<dyn ClientRegistry>,
    pub(super) end_client: EndClient,
    pub(super) random: Arc<dyn Random>,
    pub(super) audit: Arc<dyn AuditLog>,
    pub(super) throttle: Throttle,
    pub(super) policy: Arc<Policy>,
}

/// Why a registration stays as it is, and is not shown.
#[derive(Debug, Error)]
pub enum ManagementError {
    /// There were too many.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// No token was sent.
    #[error("a registration access token is needed")]
    TokenMissing,
    /// The Authorization header can't be read.
    #[error(transparent)]
    MalformedToken(#[from] MalformedCredentials),
    /// The token is not that of the client, or there is no such client.
    #[error("the registration access token is not that of this client, or the client is gone")]
    WrongToken,
    /// The body names another client.
    #[error("client_id has to be that of the registration")]
    OtherClient,
    /// The body names another secret.
    #[error("client_secret has to be that of the client, or left out")]
    OtherSecret,
    /// The body has a member that only this server says.
    #[error("{0} must not be sent")]
    OurMember(&'static str),
    /// The new metadata is no good.
    #[error(transparent)]
    Metadata(#[from] RegistrationError),
    /// The store can't answer.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
}

impl ManageRegistration {
    /// The registration, from the values of every Authorization header (RFC 7592 §2.1).
    ///
    /// # Errors
    /// [`ManagementError`], recorded in the audit log.
    pub async fn read(
        &self,
        id: &ClientId,
        authorization: &[&[u8]],
    ) -> Result<Registered, ManagementError> {
        let owned = self.owned(id, authorization).await;
        let (client, token) = owned.map_err(|error| self.refuse(error, id))?;
        Ok(Registered { client, secret: None, registration_token: Some(token) })
    }

    /// Puts what the JSON body says in place of the registration (RFC 7592 §2.2); what it leaves
    /// out is as if it had never been said.
    ///
    /// # Errors
    /// [`ManagementError`], recorded in the audit log; the registration stays as it is then.
    pub async fn replace(
        &self,
        id: &ClientId,
        authorization: &[&[u8]],
        body: &[u8],
    ) -> Result<Registered, ManagementError> {
        match self.try_replace(id, authorization, body).await {
            Ok(replaced) => {
                self.audit.record(AuditEvent::new(Decision::ClientChanged).client(id));
                Ok(replaced)
            }
            Err(error) => Err(self.refuse(error, id)),
        }
    }

    /// Ends the registration, and with it every grant of the client (RFC 7592 §2.3).
    ///
    /// # Errors
    /// [`ManagementError`], recorded in the audit log.
    pub async fn delete(
        &self,
        id: &ClientId,
        authorization: &[&[u8]],
    ) -> Result<(), ManagementError> {
        let deleted = match self.owned(id, authorization).await {
            Ok(_) => self.end(id).await.map_err(ManagementError::from),
            Err(error) => Err(error),
        };
        deleted.map_err(|error| self.refuse(error, id))
    }

    async fn end(&self, id: &ClientId) -> Result<(), StoreUnavailable> {
        if self.end_client.end(id).await?.is_some() {
            self.audit.record(AuditEvent::new(Decision::ClientDeleted).client(id));
        }
        Ok(())
    }

    /// The client whose registration access token was sent.
    async fn owned(
        &self,
        id: &ClientId,
        authorization: &[&[u8]],
    ) -> Result<(Client, RegistrationToken), ManagementError> {
        self.throttle.management()?;
        let token = bearer_token(authorization)?.ok_or(ManagementError::TokenMissing)?;
        let token = RegistrationToken::presented(token.expose());
        let client = self.clients.find(id).await?.ok_or(ManagementError::WrongToken)?;
        match &client.registration_token {
            Some(hash) if hash.matches(&token) => Ok((client, token)),
            _ => Err(ManagementError::WrongToken),
        }
    }

    async fn try_replace(
        &self,
        id: &ClientId,
        authorization: &[&[u8]],
        body: &[u8],
    ) -> Result<Registered, ManagementError> {
        let (client, token) = self.owned(id, authorization).await?;
        let members = Members::parse(body)?;
        check_identity(&members, &client)?;
        let method = members.auth_method()?;
        let metadata = members.metadata(&self.policy.scopes)?;
        let hosts = &self.policy.client_documents;
        let new = new_credential(method, &members, hosts, &*self.random)?;
        let (credential, secret) = with_secret_of(&client.credential, new);
        let client = Client { credential, metadata, ..client };
        if !self.clients.replace(&client).await? {
            return Err(ManagementError::WrongToken);
        }
        Ok(Registered { client, secret, registration_token: Some(token) })
    }

    fn refuse(&self, error: ManagementError, id: &ClientId) -> ManagementError {
        let event = AuditEvent::new(Refusal::Management(&error).decision());
        self.audit.record(event.client(id));
        error
    }
}

/// A client that had a secret keeps it, in whichever way it sends it from now on.
fn with_secret_of(
    before: &ClientCredential,
    (credential, secret): (ClientCredential, Option<ClientSecret>),
) -> (ClientCredential, Option<ClientSecret>) {
    match (credential, before) {
        (ClientCredential::Secret { sent_by, .. }, ClientCredential::Secret { hash, .. }) => {
            (ClientCredential::Secret { sent_by, hash: hash.clone() }, None)
        }
        (credential, _) => (credential, secret),
    }
}

fn check_identity(members: &Members, client: &Client) -> Result<(), ManagementError> {
    if let Some(ours) = OURS.into_iter().find(|member| members.has(member)) {
        return Err(ManagementError::OurMember(ours));
    }
    if members.text("client_id")?.as_deref() != Some(client.id.as_str()) {
        return Err(ManagementError::OtherClient);
    }
    let Some(secret) = members.text("client_secret")? else { return Ok(()) };
    match &client.credential {
        ClientCredential::Secret { hash, .. }
            if hash.matches(&ClientSecret::presented(&secret)) =>
        {
            Ok(())
        }
        _ => Err(ManagementError::OtherSecret),
    }
}
