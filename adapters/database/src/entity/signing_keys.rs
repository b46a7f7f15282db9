use std::fmt;

use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::StoredKey;
use sea_orm::entity::prelude::*;
use secrecy::ExposeSecret;

/// The generation of the key that a new database gets.
pub(crate) const FIRST_GENERATION: i64 = 1;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_keys")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) generation: i64,
    pub(crate) key_id: String,
    pub(crate) pkcs8: Pkcs8,
    pub(crate) created_at: i64,
}

/// A private key on its way to or from its column, which can't be printed.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub(crate) struct Pkcs8(Vec<u8>);

impl fmt::Debug for Pkcs8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkcs8").finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(crate) fn first(key: &StoredKey) -> Self {
        Self {
            generation: FIRST_GENERATION,
            key_id: key.key_id.clone(),
            pkcs8: Pkcs8(key.pkcs8.expose_secret().to_vec()),
            created_at: key.created_at.as_unix(),
        }
    }
}

impl From<Model> for StoredKey {
    fn from(model: Model) -> Self {
        Self {
            key_id: model.key_id,
            pkcs8: model.pkcs8.0.into(),
            created_at: Timestamp::from_unix(model.created_at),
        }
    }
}
