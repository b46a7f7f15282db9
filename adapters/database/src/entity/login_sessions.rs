use mcp_oauth_core::domain::login::LoginSession;
use mcp_oauth_core::domain::secret::SessionHash;
use mcp_oauth_core::domain::timestamp::Timestamp;
use sea_orm::entity::prelude::*;

use crate::impossible_row::{ImpossibleRow, Row};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "login_sessions")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) hash: String,
    /// JSON.
    pub(crate) person: String,
    pub(crate) logged_in_at: i64,
    pub(crate) expires_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<&LoginSession> for Model {
    type Error = serde_json::Error;

    fn try_from(session: &LoginSession) -> Result<Self, serde_json::Error> {
        Ok(Self {
            hash: session.hash.as_str().to_owned(),
            person: serde_json::to_string(&session.person)?,
            logged_in_at: session.logged_in_at.as_unix(),
            expires_at: session.expires_at.as_unix(),
        })
    }
}

impl TryFrom<Model> for LoginSession {
    type Error = ImpossibleRow;

    fn try_from(model: Model) -> Result<Self, ImpossibleRow> {
        let row = Row { table: "login_sessions", key: &model.hash };
        Ok(Self {
            person: row.parsed("person", serde_json::from_str(&model.person))?,
            logged_in_at: Timestamp::from_unix(model.logged_in_at),
            expires_at: Timestamp::from_unix(model.expires_at),
            hash: SessionHash::from_stored(model.hash),
        })
    }
}
