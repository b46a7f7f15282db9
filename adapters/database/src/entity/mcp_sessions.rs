use mcp_oauth_core::domain::mcp_session::{McpSession, SessionOwner, SessionSetup};
use mcp_oauth_core::domain::secret::McpSessionHash;
use mcp_oauth_core::domain::timestamp::Timestamp;
use sea_orm::entity::prelude::*;

use crate::impossible_row::{ImpossibleRow, Row};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mcp_sessions")]
pub(crate) struct Model {
    /// Its hash.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: String,
    /// A hash of the caller's identity.
    pub(crate) owner: String,
    pub(crate) setup: Vec<u8>,
    pub(crate) opened_at: i64,
    pub(crate) last_used_at: i64,
    pub(crate) expires_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&McpSession> for Model {
    fn from(session: &McpSession) -> Self {
        Self {
            id: session.id.as_str().to_owned(),
            owner: session.owner.as_str().to_owned(),
            setup: session.setup.as_bytes().to_vec(),
            opened_at: session.opened_at.as_unix(),
            last_used_at: session.last_used_at.as_unix(),
            expires_at: session.expires_at.as_unix(),
        }
    }
}

impl TryFrom<Model> for McpSession {
    type Error = ImpossibleRow;

    fn try_from(model: Model) -> Result<Self, ImpossibleRow> {
        let row = Row { table: "mcp_sessions", key: &model.id };
        Ok(Self {
            setup: row.parsed("setup", SessionSetup::new(model.setup))?,
            owner: SessionOwner::from_stored(model.owner),
            opened_at: Timestamp::from_unix(model.opened_at),
            last_used_at: Timestamp::from_unix(model.last_used_at),
            expires_at: Timestamp::from_unix(model.expires_at),
            id: McpSessionHash::from_stored(model.id),
        })
    }
}
