use mcp_oauth_core::domain::client::ClientId;
use mcp_oauth_core::domain::grant::{Grant, GrantId};
use mcp_oauth_core::domain::resource::ResourceUri;
use mcp_oauth_core::domain::scope::ScopeSet;
use mcp_oauth_core::domain::timestamp::Timestamp;
use sea_orm::entity::prelude::*;

use crate::impossible_row::{ImpossibleRow, Row};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "grants")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: String,
    pub(crate) client_id: String,
    /// The person's, once more by itself, to find their grants by.
    pub(crate) subject: String,
    /// JSON.
    pub(crate) person: String,
    pub(crate) resource: String,
    /// Space-delimited.
    pub(crate) scope: String,
    pub(crate) granted_at: i64,
    pub(crate) revoked_at: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<&Grant> for Model {
    type Error = serde_json::Error;

    fn try_from(grant: &Grant) -> Result<Self, serde_json::Error> {
        Ok(Self {
            id: grant.id.as_str().to_owned(),
            client_id: grant.client.as_str().to_owned(),
            subject: grant.person.subject.as_str().to_owned(),
            person: serde_json::to_string(&grant.person)?,
            resource: grant.resource.as_str().to_owned(),
            scope: grant.scope.to_string(),
            granted_at: grant.granted_at.as_unix(),
            revoked_at: grant.revoked_at.map(Timestamp::as_unix),
        })
    }
}

impl TryFrom<Model> for Grant {
    type Error = ImpossibleRow;

    fn try_from(model: Model) -> Result<Self, ImpossibleRow> {
        let row = Row { table: "grants", key: &model.id };
        Ok(Self {
            client: ClientId::new(model.client_id),
            person: row.parsed("person", serde_json::from_str(&model.person))?,
            resource: row.parsed("resource", ResourceUri::parse(&model.resource))?,
            scope: row.parsed("scope", ScopeSet::parse(&model.scope))?,
            granted_at: Timestamp::from_unix(model.granted_at),
            revoked_at: model.revoked_at.map(Timestamp::from_unix),
            id: GrantId::new(model.id),
        })
    }
}
