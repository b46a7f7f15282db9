use mcp_oauth_core::domain::client::{ClientId, ConsentDigest};
use mcp_oauth_core::domain::consent::{ConsentKey, RememberedConsent};
use mcp_oauth_core::domain::person::Subject;
use mcp_oauth_core::domain::redirect_uri::RedirectUri;
use mcp_oauth_core::domain::scope::ScopeSet;
use mcp_oauth_core::domain::timestamp::Timestamp;
use sea_orm::entity::prelude::*;

use crate::impossible_row::{ImpossibleRow, Row};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consents")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) subject: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) client_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) redirect_uri: String,
    /// Space-delimited.
    pub(crate) scope: String,
    pub(crate) client_digest: String,
    pub(crate) expires_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The primary key.
pub(crate) fn primary_key(key: &ConsentKey) -> (String, String, String) {
    let [subject, client, redirect_uri] =
        [key.subject.as_str(), key.client.as_str(), key.redirect_uri.as_str()].map(str::to_owned);
    (subject, client, redirect_uri)
}

impl From<&RememberedConsent> for Model {
    fn from(consent: &RememberedConsent) -> Self {
        let (subject, client_id, redirect_uri) = primary_key(&consent.key);
        Self {
            subject,
            client_id,
            redirect_uri,
            scope: consent.scope.to_string(),
            client_digest: consent.client_digest.as_str().to_owned(),
            expires_at: consent.expires_at.as_unix(),
        }
    }
}

impl TryFrom<Model> for RememberedConsent {
    type Error = ImpossibleRow;

    fn try_from(model: Model) -> Result<Self, ImpossibleRow> {
        let row = Row { table: "consents", key: &model.client_id };
        Ok(Self {
            key: ConsentKey {
                subject: Subject::new(model.subject),
                client: ClientId::new(model.client_id.clone()),
                redirect_uri: row
                    .parsed("redirect_uri", RedirectUri::parse(&model.redirect_uri))?,
            },
            scope: row.parsed("scope", ScopeSet::parse(&model.scope))?,
            client_digest: ConsentDigest::from_stored(model.client_digest),
            expires_at: Timestamp::from_unix(model.expires_at),
        })
    }
}
