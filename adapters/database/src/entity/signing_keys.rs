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
    pub(crate) private_key: PrivateKey,
    pub(crate) created_at: i64,
}

/// A private key on its way to or from its column, which can't be printed.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub(crate) struct PrivateKey(Vec<u8>);

impl PrivateKey {
    pub(crate) fn of(key: &StoredKey) -> Self {
        Self(key.private_key.expose_secret().to_vec())
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(crate) fn of(key: &StoredKey, generation: i64) -> Self {
        Self {
            generation,
            key_id: key.key_id.clone(),
            private_key: PrivateKey::of(key),
            created_at: key.created_at.as_unix(),
        }
    }
}

impl From<Model> for StoredKey {
    fn from(model: Model) -> Self {
        Self {
            key_id: model.key_id,
            private_key: model.private_key.0.into(),
            created_at: Timestamp::from_unix(model.created_at),
        }
    }
}
