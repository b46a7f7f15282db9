use std::error::Error;

use mcp_oauth_core::domain::client::{
    Client, ClientAuthMethod, ClientCredential, ClientId, ClientOrigin, SecretTransport,
};
use mcp_oauth_core::domain::client_keys::ClientKeys;
use mcp_oauth_core::domain::secret::{ClientSecretHash, RegistrationTokenHash};
use mcp_oauth_core::domain::timestamp::Timestamp;
use sea_orm::entity::prelude::*;

use crate::impossible_row::{ImpossibleRow, Row};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "clients")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: String,
    pub(crate) origin: String,
    pub(crate) token_endpoint_auth_method: String,
    pub(crate) secret_hash: Option<String>,
    /// JSON: the members of client metadata that say which keys.
    pub(crate) keys: Option<String>,
    /// JSON.
    pub(crate) metadata: String,
    pub(crate) registration_token_hash: Option<String>,
    pub(crate) may_introspect: bool,
    pub(crate) registered_at: i64,
    pub(crate) last_used_at: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<&Client> for Model {
    type Error = serde_json::Error;

    fn try_from(client: &Client) -> Result<Self, serde_json::Error> {
        let (secret_hash, keys) = match &client.credential {
            ClientCredential::Public => (None, None),
            ClientCredential::Secret { hash, .. } => (Some(hash.as_str().to_owned()), None),
            ClientCredential::Keys(keys) => (None, Some(keys.to_metadata())),
        };
        Ok(Self {
            id: client.id.as_str().to_owned(),
            origin: client.origin.as_str().to_owned(),
            token_endpoint_auth_method: client.credential.method().as_str().to_owned(),
            secret_hash,
            keys: keys.map(|keys| serde_json::to_string(&keys)).transpose()?,
            metadata: serde_json::to_string(&client.metadata)?,
            registration_token_hash: client
                .registration_token
                .as_ref()
                .map(|hash| hash.as_str().to_owned()),
            may_introspect: client.may_introspect,
            registered_at: client.registered_at.as_unix(),
            last_used_at: client.last_used_at.map(Timestamp::as_unix),
        })
    }
}

impl TryFrom<Model> for Client {
    type Error = ImpossibleRow;

    fn try_from(model: Model) -> Result<Self, ImpossibleRow> {
        let row = Row { table: "clients", key: &model.id };
        let method = ClientAuthMethod::from_name(&model.token_endpoint_auth_method);
        let method =
            row.parsed("token_endpoint_auth_method", method.ok_or("is no known method"))?;
        let credential = match method {
            ClientAuthMethod::None => row.parsed("secret_hash", public(model.secret_hash))?,
            ClientAuthMethod::ClientSecretBasic => {
                row.parsed("secret_hash", secret(SecretTransport::Basic, model.secret_hash))?
            }
            ClientAuthMethod::ClientSecretPost => {
                row.parsed("secret_hash", secret(SecretTransport::Post, model.secret_hash))?
            }
            ClientAuthMethod::PrivateKeyJwt => row.parsed("keys", keys(model.keys.as_deref()))?,
        };
        let origin = ClientOrigin::from_name(&model.origin).ok_or("is no known origin");
        Ok(Self {
            origin: row.parsed("origin", origin)?,
            credential,
            metadata: row.parsed("metadata", serde_json::from_str(&model.metadata))?,
            registration_token: model
                .registration_token_hash
                .map(RegistrationTokenHash::from_stored),
            may_introspect: model.may_introspect,
            registered_at: Timestamp::from_unix(model.registered_at),
            last_used_at: model.last_used_at.map(Timestamp::from_unix),
            id: ClientId::new(model.id),
        })
    }
}

fn public(secret_hash: Option<String>) -> Result<ClientCredential, &'static str> {
    match secret_hash {
        None => Ok(ClientCredential::Public),
        Some(_) => Err("is there though the client is public"),
    }
}

fn secret(
    sent_by: SecretTransport,
    secret_hash: Option<String>,
) -> Result<ClientCredential, &'static str> {
    let hash = secret_hash.ok_or("is missing though the client has a secret")?;
    Ok(ClientCredential::Secret { sent_by, hash: ClientSecretHash::from_stored(hash) })
}

fn keys(stored: Option<&str>) -> Result<ClientCredential, Box<dyn Error + Send + Sync>> {
    let members = serde_json::from_str(stored.ok_or("are missing though the client signs")?)?;
    Ok(ClientCredential::Keys(ClientKeys::from_metadata(&members)?))
}
