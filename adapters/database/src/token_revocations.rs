use async_trait::async_trait;
use mcp_oauth_core::domain::access_token::IssuedToken;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{StoreUnavailable, TokenRevocations};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, Select};

use crate::Database;
use crate::entity::{grants, revoked_tokens};

#[async_trait]
impl TokenRevocations for Database {
    async fn revoke_token(
        &self,
        token: &IssuedToken,
        until: Timestamp,
    ) -> Result<(), StoreUnavailable> {
        let row =
            revoked_tokens::Model { token_id: token.token_id.clone(), expires_at: until.as_unix() };
        let insert = revoked_tokens::Entity::insert(row.into_active_model());
        let insert = insert.on_conflict_do_nothing();
        insert.exec_without_returning(&self.writer).await.map_err(StoreUnavailable::new)?;
        Ok(())
    }

    async fn is_revoked(&self, token: &IssuedToken) -> Result<bool, StoreUnavailable> {
        let ended = revoked_tokens::Entity::find_by_id(&token.token_id).one(&self.reader).await;
        if ended.map_err(StoreUnavailable::new)?.is_some() {
            return Ok(true);
        }
        let alive: Option<String> = alive_grant(token)
            .into_tuple()
            .one(&self.reader)
            .await
            .map_err(StoreUnavailable::new)?;
        Ok(alive.is_none())
    }
}

fn alive_grant(token: &IssuedToken) -> Select<grants::Entity> {
    grants::Entity::find_by_id(token.grant.as_str())
        .select_only()
        .column(grants::Column::Id)
        .filter(grants::Column::RevokedAt.is_null())
}

#[cfg(test)]
mod tests {
    use mcp_oauth_core::domain::grant::GrantId;

    use super::*;
    use crate::query_plan::assert_no_scan;

    #[tokio::test]
    async fn no_check_of_a_token_reads_a_table_in_full() {
        let token = IssuedToken { token_id: "t".to_owned(), grant: GrantId::new("g") };
        assert_no_scan(&revoked_tokens::Entity::find_by_id("t")).await;
        assert_no_scan(&alive_grant(&token)).await;
    }
}
