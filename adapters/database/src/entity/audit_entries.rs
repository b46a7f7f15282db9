use mcp_oauth_core::domain::audit_trail::AuditEntry;
use mcp_oauth_core::domain::client::ClientId;
use mcp_oauth_core::domain::person::Subject;
use mcp_oauth_core::domain::timestamp::Timestamp;
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_entries")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) number: i64,
    pub(crate) made_at: i64,
    pub(crate) decision: String,
    pub(crate) code: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) grant_id: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) request: Option<String>,
    pub(crate) address: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&AuditEntry> for ActiveModel {
    fn from(entry: &AuditEntry) -> Self {
        Self {
            number: NotSet,
            made_at: Set(entry.at.as_unix()),
            decision: Set(entry.decision.clone()),
            code: Set(entry.code.clone()),
            reason: Set(entry.reason.clone()),
            client_id: Set(entry.client.as_ref().map(|client| client.as_str().to_owned())),
            subject: Set(entry.subject.as_ref().map(|subject| subject.as_str().to_owned())),
            grant_id: Set(entry.grant.clone()),
            token: Set(entry.token.clone()),
            request: Set(entry.request.clone()),
            address: Set(entry.address.clone()),
        }
    }
}

impl From<Model> for (i64, AuditEntry) {
    fn from(model: Model) -> Self {
        let entry = AuditEntry {
            at: Timestamp::from_unix(model.made_at),
            decision: model.decision,
            code: model.code,
            reason: model.reason,
            client: model.client_id.map(ClientId::new),
            subject: model.subject.map(Subject::new),
            grant: model.grant_id,
            token: model.token,
            request: model.request,
            address: model.address,
        };
        (model.number, entry)
    }
}
