use mcp_oauth_core::domain::grant::GrantId;
use mcp_oauth_core::domain::refresh::{RefreshRecord, Rotation};
use mcp_oauth_core::domain::secret::{RefreshTokenHash, SECRET_BYTES};
use mcp_oauth_core::domain::timestamp::Timestamp;
use sea_orm::entity::prelude::*;

use super::grants;
use crate::impossible_row::{ImpossibleRow, Row};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_tokens")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) hash: String,
    pub(crate) grant_id: String,
    pub(crate) salt: Vec<u8>,
    pub(crate) issued_at: i64,
    pub(crate) expires_at: i64,
    /// `NULL` while it is current.
    pub(crate) rotated_at: Option<i64>,
    /// 0 while it is current.
    pub(crate) grace_uses: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {
    #[sea_orm(belongs_to = "grants::Entity", from = "Column::GrantId", to = "grants::Column::Id")]
    Grant,
}

impl Related<grants::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Grant.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

impl From<&RefreshRecord> for Model {
    fn from(token: &RefreshRecord) -> Self {
        Self {
            hash: token.hash.as_str().to_owned(),
            grant_id: token.grant.as_str().to_owned(),
            salt: token.salt.to_vec(),
            issued_at: token.issued_at.as_unix(),
            expires_at: token.expires_at.as_unix(),
            rotated_at: token.rotation.map(|rotation| rotation.at.as_unix()),
            grace_uses: token.rotation.map_or(0, |rotation| rotation.grace_uses.into()),
        }
    }
}

impl TryFrom<Model> for RefreshRecord {
    type Error = ImpossibleRow;

    fn try_from(model: Model) -> Result<Self, ImpossibleRow> {
        let row = Row { table: "refresh_tokens", key: &model.hash };
        let salt = <[u8; SECRET_BYTES]>::try_from(model.salt.as_slice());
        let grace_uses = row.parsed("grace_uses", u32::try_from(model.grace_uses))?;
        let rotation = match model.rotated_at.map(Timestamp::from_unix) {
            None if grace_uses > 0 => row.parsed("rotated_at", Err("is missing"))?,
            None => None,
            Some(at) => Some(Rotation { at, grace_uses }),
        };
        Ok(Self {
            grant: GrantId::new(model.grant_id),
            salt: row.parsed("salt", salt)?,
            issued_at: Timestamp::from_unix(model.issued_at),
            expires_at: Timestamp::from_unix(model.expires_at),
            rotation,
            hash: RefreshTokenHash::from_stored(model.hash),
        })
    }
}
