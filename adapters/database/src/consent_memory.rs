use async_trait::async_trait;
use mcp_oauth_core::domain::consent::{ConsentKey, RememberedConsent};
use mcp_oauth_core::domain::grant::GrantSelection;
use mcp_oauth_core::port::{ConsentMemory, StoreUnavailable};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter};

use crate::Database;
use crate::entity::consents::{Column, Entity, Model, primary_key};
use crate::held_rows::one_after_another;

#[async_trait]
impl ConsentMemory for Database {
    async fn remember(&self, consent: &RememberedConsent) -> Result<(), StoreUnavailable> {
        let in_place =
            OnConflict::columns([Column::Subject, Column::ClientId, Column::RedirectUri])
                .update_columns([Column::Scope, Column::ClientDigest, Column::ExpiresAt])
                .to_owned();
        let insert = Entity::insert(Model::from(consent).into_active_model()).on_conflict(in_place);
        insert.exec_without_returning(&self.writer).await.map_err(StoreUnavailable::new)?;
        Ok(())
    }

    async fn recall(
        &self,
        key: &ConsentKey,
    ) -> Result<Option<RememberedConsent>, StoreUnavailable> {
        let row = Entity::find_by_id(primary_key(key)).one(&self.reader).await;
        Ok(row.map_err(StoreUnavailable::new)?.map(RememberedConsent::try_from).transpose()?)
    }

    async fn forget_consents(&self, selection: &GrantSelection) -> Result<u64, StoreUnavailable> {
        let client = selection.client.as_ref().map(|client| Column::ClientId.eq(client.as_str()));
        let subject = selection.subject.as_ref().map(|person| Column::Subject.eq(person.as_str()));
        let meant = Condition::all().add_option(client).add_option(subject);
        let gone = Entity::delete_many().filter(one_after_another::<Entity>(meant));
        let gone = gone.exec(&self.writer).await;
        Ok(gone.map_err(StoreUnavailable::new)?.rows_affected)
    }
}
