use async_trait::async_trait;
use mcp_oauth_core::domain::provider_login::PendingLogin;
use mcp_oauth_core::domain::secret::ProviderStateHash;
use mcp_oauth_core::port::{PendingLogins, StoreUnavailable};
use sea_orm::{EntityTrait, IntoActiveModel};

use crate::Database;
use crate::entity::pending_logins::{Entity, Model};

#[async_trait]
impl PendingLogins for Database {
    async fn begin(&self, login: &PendingLogin) -> Result<(), StoreUnavailable> {
        let insert = Entity::insert(Model::from(login).into_active_model());
        insert.exec_without_returning(&self.writer).await.map_err(StoreUnavailable::new)?;
        Ok(())
    }

    async fn take_once(
        &self,
        state: &ProviderStateHash,
    ) -> Result<Option<PendingLogin>, StoreUnavailable> {
        // A login never changes, so what is read is what is deleted; and whoever deleted it has it.
        let row = Entity::find_by_id(state.as_str()).one(&self.reader).await;
        let found = row.map_err(StoreUnavailable::new)?.map(PendingLogin::try_from).transpose()?;
        let gone = Entity::delete_by_id(state.as_str()).exec(&self.writer).await;
        let gone = gone.map_err(StoreUnavailable::new)?.rows_affected > 0;
        Ok(found.filter(|_| gone))
    }
}
