use mcp_oauth_core::domain::grant::{CodeRecord, GrantId};
use mcp_oauth_core::domain::pkce::S256Challenge;
use mcp_oauth_core::domain::redirect_uri::RedirectUri;
use mcp_oauth_core::domain::secret::CodeHash;
use mcp_oauth_core::domain::timestamp::Timestamp;
use sea_orm::entity::prelude::*;

use super::grants;
use crate::impossible_row::{ImpossibleRow, Row};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "codes")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) hash: String,
    pub(crate) grant_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) code_challenge: String,
    pub(crate) issued_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) redeemed_at: Option<i64>,
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

impl From<&CodeRecord> for Model {
    fn from(code: &CodeRecord) -> Self {
        Self {
            hash: code.hash.as_str().to_owned(),
            grant_id: code.grant.as_str().to_owned(),
            redirect_uri: code.redirect_uri.as_str().to_owned(),
            code_challenge: code.challenge.as_str().to_owned(),
            issued_at: code.issued_at.as_unix(),
            expires_at: code.expires_at.as_unix(),
            redeemed_at: code.redeemed_at.map(Timestamp::as_unix),
        }
    }
}

impl TryFrom<Model> for CodeRecord {
    type Error = ImpossibleRow;

    fn try_from(model: Model) -> Result<Self, ImpossibleRow> {
        let row = Row { table: "codes", key: &model.hash };
        Ok(Self {
            grant: GrantId::new(model.grant_id),
            redirect_uri: row.parsed("redirect_uri", RedirectUri::parse(&model.redirect_uri))?,
            challenge: row.parsed("code_challenge", S256Challenge::parse(&model.code_challenge))?,
            issued_at: Timestamp::from_unix(model.issued_at),
            expires_at: Timestamp::from_unix(model.expires_at),
            redeemed_at: model.redeemed_at.map(Timestamp::from_unix),
            hash: CodeHash::from_stored(model.hash),
        })
    }
}
