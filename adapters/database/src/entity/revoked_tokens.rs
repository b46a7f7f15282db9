use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "revoked_tokens")]
pub(crate) struct Model {
    /// The `jti` of an access token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) token_id: String,
    /// When it would have ended by itself.
    pub(crate) expires_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
