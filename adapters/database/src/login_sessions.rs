use async_trait::async_trait;
use mcp_oauth_core::domain::login::LoginSession;
use mcp_oauth_core::domain::secret::SessionHash;
use mcp_oauth_core::port::{LoginSessions, StoreUnavailable};
use sea_orm::{EntityTrait, IntoActiveModel};

use crate::Database;
use crate::entity::login_sessions::{Entity, Model};

#[async_trait]
impl LoginSessions for Database {
    async fn open(&self, session: &LoginSession) -> Result<(), StoreUnavailable> {
        let row = Model::try_from(session).map_err(StoreUnavailable::new)?;
        let insert = Entity::insert(row.into_active_model());
        insert.exec_without_returning(&self.writer).await.map_err(StoreUnavailable::new)?;
        Ok(())
    }

    async fn find(&self, session: &SessionHash) -> Result<Option<LoginSession>, StoreUnavailable> {
        let row = Entity::find_by_id(session.as_str()).one(&self.reader).await;
        Ok(row.map_err(StoreUnavailable::new)?.map(LoginSession::try_from).transpose()?)
    }

    async fn end(&self, session: &SessionHash) -> Result<Option<LoginSession>, StoreUnavailable> {
        let found = LoginSessions::find(self, session).await?;
        let gone = Entity::delete_by_id(session.as_str()).exec(&self.writer).await;
        let gone = gone.map_err(StoreUnavailable::new)?.rows_affected > 0;
        Ok(found.filter(|_| gone))
    }
}
