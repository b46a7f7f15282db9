use mcp_oauth_core::domain::authorization::AuthorizationQuery;
use mcp_oauth_core::domain::client::ConsentDigest;
use mcp_oauth_core::domain::provider::ProviderName;
use mcp_oauth_core::domain::provider_login::PendingLogin;
use mcp_oauth_core::domain::secret::{LoginCookieHash, ProviderStateHash};
use mcp_oauth_core::domain::timestamp::Timestamp;
use sea_orm::entity::prelude::*;

use crate::impossible_row::{ImpossibleRow, Row};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pending_logins")]
pub(crate) struct Model {
    /// Its hash.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) state: String,
    /// Its hash.
    pub(crate) cookie: String,
    pub(crate) provider: String,
    pub(crate) query: String,
    pub(crate) client_digest: String,
    pub(crate) expires_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&PendingLogin> for Model {
    fn from(login: &PendingLogin) -> Self {
        Self {
            state: login.state.as_str().to_owned(),
            cookie: login.cookie.as_str().to_owned(),
            provider: login.provider.as_str().to_owned(),
            query: login.query.as_str().to_owned(),
            client_digest: login.client_digest.as_str().to_owned(),
            expires_at: login.expires_at.as_unix(),
        }
    }
}

impl TryFrom<Model> for PendingLogin {
    type Error = ImpossibleRow;

    fn try_from(model: Model) -> Result<Self, ImpossibleRow> {
        let row = Row { table: "pending_logins", key: &model.state };
        Ok(Self {
            provider: row.parsed("provider", ProviderName::parse(&model.provider))?,
            cookie: LoginCookieHash::from_stored(model.cookie),
            query: AuthorizationQuery::new(model.query),
            client_digest: ConsentDigest::from_stored(model.client_digest),
            expires_at: Timestamp::from_unix(model.expires_at),
            state: ProviderStateHash::from_stored(model.state),
        })
    }
}
