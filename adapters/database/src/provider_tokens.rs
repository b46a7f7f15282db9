use async_trait::async_trait;
use mcp_oauth_core::domain::grant::GrantId;
use mcp_oauth_core::domain::kept_tokens::{KeptTokens, SealedTokens};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{ProviderTokenStore, StoreUnavailable};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, DeleteMany, EntityTrait, IntoActiveModel, QueryFilter, Select, UpdateMany,
};

use crate::Database;
use crate::entity::provider_tokens::{Column, Entity, Model};
use crate::grant_store::grant_is_alive;

#[async_trait]
impl ProviderTokenStore for Database {
    async fn keep_tokens(&self, tokens: &KeptTokens) -> Result<(), StoreUnavailable> {
        // That the grant is there is seen to by the foreign key.
        let insert = Entity::insert(Model::from(tokens).into_active_model());
        insert.exec_without_returning(&self.writer).await.map_err(StoreUnavailable::new)?;
        Ok(())
    }

    async fn find_tokens(&self, grant: &GrantId) -> Result<Option<KeptTokens>, StoreUnavailable> {
        let row = of_alive(grant).one(&self.reader).await;
        Ok(row.map_err(StoreUnavailable::new)?.map(KeptTokens::try_from).transpose()?)
    }

    async fn replace_tokens_if_current(
        &self,
        current: &SealedTokens,
        next: &KeptTokens,
    ) -> Result<bool, StoreUnavailable> {
        let replaced = replacement(current, next).exec(&self.writer).await;
        Ok(replaced.map_err(StoreUnavailable::new)?.rows_affected > 0)
    }

    async fn forget_tokens_if_current(
        &self,
        grant: &GrantId,
        current: &SealedTokens,
    ) -> Result<bool, StoreUnavailable> {
        let gone = removal(grant, current).exec(&self.writer).await;
        Ok(gone.map_err(StoreUnavailable::new)?.rows_affected > 0)
    }
}

fn of_alive(grant: &GrantId) -> Select<Entity> {
    Entity::find_by_id(grant.as_str()).filter(grant_is_alive(Entity, Column::GrantId))
}

fn replacement(current: &SealedTokens, next: &KeptTokens) -> UpdateMany<Entity> {
    let access_expires_at = next.access_expires_at.map(Timestamp::as_unix);
    Entity::update_many()
        .col_expr(Column::Provider, Expr::value(next.provider.as_str()))
        .col_expr(Column::Sealed, Expr::value(next.sealed.as_bytes()))
        .col_expr(Column::AccessExpiresAt, Expr::value(access_expires_at))
        .filter(Column::GrantId.eq(next.grant.as_str()))
        .filter(Column::Sealed.eq(current.as_bytes()))
        .filter(grant_is_alive(Entity, Column::GrantId))
}

fn removal(grant: &GrantId, current: &SealedTokens) -> DeleteMany<Entity> {
    Entity::delete_many()
        .filter(Column::GrantId.eq(grant.as_str()))
        .filter(Column::Sealed.eq(current.as_bytes()))
}

#[cfg(test)]
mod tests {
    use mcp_oauth_core::domain::provider::ProviderName;

    use super::*;
    use crate::query_plan::assert_no_scan;

    #[tokio::test]
    async fn nothing_about_the_tokens_of_a_grant_reads_a_table_in_full() {
        let tokens = KeptTokens {
            grant: GrantId::new("g"),
            provider: ProviderName::parse("provider").unwrap(),
            sealed: SealedTokens::new(vec![1]),
            access_expires_at: None,
        };
        assert_no_scan(&of_alive(&tokens.grant)).await;
        assert_no_scan(&replacement(&tokens.sealed, &tokens)).await;
        assert_no_scan(&removal(&tokens.grant, &tokens.sealed)).await;
    }
}
