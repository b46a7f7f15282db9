use mcp_oauth_core::domain::grant::GrantId;
use mcp_oauth_core::domain::kept_tokens::{KeptTokens, SealedTokens};
use mcp_oauth_core::domain::provider::ProviderName;
use mcp_oauth_core::domain::timestamp::Timestamp;
use sea_orm::entity::prelude::*;

use crate::impossible_row::{ImpossibleRow, Row};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "provider_tokens")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) grant_id: String,
    pub(crate) provider: String,
    pub(crate) sealed: Vec<u8>,
    pub(crate) access_expires_at: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&KeptTokens> for Model {
    fn from(tokens: &KeptTokens) -> Self {
        Self {
            grant_id: tokens.grant.as_str().to_owned(),
            provider: tokens.provider.as_str().to_owned(),
            sealed: tokens.sealed.as_bytes().to_vec(),
            access_expires_at: tokens.access_expires_at.map(Timestamp::as_unix),
        }
    }
}

impl TryFrom<Model> for KeptTokens {
    type Error = ImpossibleRow;

    fn try_from(model: Model) -> Result<Self, ImpossibleRow> {
        let row = Row { table: "provider_tokens", key: &model.grant_id };
        Ok(Self {
            provider: row.parsed("provider", ProviderName::parse(&model.provider))?,
            sealed: SealedTokens::new(model.sealed),
            access_expires_at: model.access_expires_at.map(Timestamp::from_unix),
            grant: GrantId::new(model.grant_id),
        })
    }
}
