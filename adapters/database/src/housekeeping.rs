use async_trait::async_trait;
use mcp_oauth_core::domain::client::ClientOrigin;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{Housekeeping, StoreUnavailable, UnusedClients};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, DbErr, DeleteMany, EntityTrait, QueryFilter};

use crate::Database;
use crate::entity::{
    clients, codes, consents, grants, login_sessions, mcp_sessions, pending_logins,
    provider_tokens, refresh_tokens, revoked_tokens, spent_token_ids,
};
use crate::grant_store::grant_is_alive;
use crate::held_rows::unless_in_use;
use crate::open::Write;
use crate::turn::Turn;

#[async_trait]
impl Housekeeping for Database {
    async fn forget_expired(&self, before: Timestamp) -> Result<u64, StoreUnavailable> {
        let write = self.write_in_turn(Turn::Housekeeping).await?;
        let gone = delete_expired(&write, before.as_unix()).await.map_err(StoreUnavailable::new)?;
        write.commit().await.map_err(StoreUnavailable::new)?;
        Ok(gone)
    }

    async fn forget_clients(&self, unused: UnusedClients) -> Result<u64, StoreUnavailable> {
        let write = self.write_in_turn(Turn::Housekeeping).await?;
        let gone = unused_clients(unused).exec(&write).await.map_err(StoreUnavailable::new)?;
        write.commit().await.map_err(StoreUnavailable::new)?;
        Ok(gone.rows_affected)
    }
}

async fn delete_expired(write: &Write, before: i64) -> Result<u64, DbErr> {
    tokens_of_revoked_grants().exec(write).await?;
    let deleted = [
        expired(login_sessions::Entity, login_sessions::Column::ExpiresAt, before)
            .exec(write)
            .await?,
        expired(mcp_sessions::Entity, mcp_sessions::Column::ExpiresAt, before).exec(write).await?,
        expired(pending_logins::Entity, pending_logins::Column::ExpiresAt, before)
            .exec(write)
            .await?,
        expired(codes::Entity, codes::Column::ExpiresAt, before).exec(write).await?,
        expired(refresh_tokens::Entity, refresh_tokens::Column::ExpiresAt, before)
            .exec(write)
            .await?,
        expired(consents::Entity, consents::Column::ExpiresAt, before).exec(write).await?,
        expired(revoked_tokens::Entity, revoked_tokens::Column::ExpiresAt, before)
            .exec(write)
            .await?,
        expired(spent_token_ids::Entity, spent_token_ids::Column::Until, before)
            .exec(write)
            .await?,
        // Last, since the others are what keeps a grant.
        bare_grants(before).exec(write).await?,
    ];
    Ok(deleted.iter().map(|deleted| deleted.rows_affected).sum())
}

fn expired<T: EntityTrait>(_: T, expires_at: T::Column, before: i64) -> DeleteMany<T> {
    let expired = Condition::all().add(expires_at.lt(before));
    T::delete_many().filter(unless_in_use::<T>(expired))
}

fn unused_clients(unused: UnusedClients) -> DeleteMany<clients::Entity> {
    let never = Condition::all()
        .add(clients::Column::LastUsedAt.is_null())
        .add(clients::Column::RegisteredAt.lt(unused.never_since.as_unix()));
    let long_ago = clients::Column::LastUsedAt.lt(unused.last_before.as_unix());
    let unused = Condition::all()
        .add(clients::Column::Origin.eq(ClientOrigin::Registered.as_str()))
        .add(Condition::any().add(never).add(long_ago));
    clients::Entity::delete_many().filter(unless_in_use::<clients::Entity>(unused))
}

/// Those of grants that are forgotten go by their foreign key.
fn tokens_of_revoked_grants() -> DeleteMany<provider_tokens::Entity> {
    let grant_id = provider_tokens::Column::GrantId;
    let ended = Condition::all().add(grant_is_alive(provider_tokens::Entity, grant_id).not());
    provider_tokens::Entity::delete_many().filter(unless_in_use::<provider_tokens::Entity>(ended))
}

fn bare_grants(before: i64) -> DeleteMany<grants::Entity> {
    let tokens = children(refresh_tokens::Entity, refresh_tokens::Column::GrantId);
    let bare = Condition::all()
        .add(grants::Column::GrantedAt.lt(before))
        .add(Expr::not_exists(children(codes::Entity, codes::Column::GrantId)))
        .add(Expr::not_exists(tokens));
    grants::Entity::delete_many().filter(unless_in_use::<grants::Entity>(bare))
}

/// The rows of `table` that belong to the grant at hand.
fn children<T: EntityTrait>(table: T, grant_id: T::Column) -> SelectStatement {
    let parent = Expr::col((grants::Entity, grants::Column::Id));
    Query::select()
        .expr(Expr::value(1))
        .from(table)
        .and_where(Expr::col((table, grant_id)).eq(parent))
        .take()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query_plan::assert_no_scan;

    #[tokio::test]
    async fn housekeeping_reads_no_table_in_full() {
        let sessions = login_sessions::Column::ExpiresAt;
        assert_no_scan(&expired(login_sessions::Entity, sessions, 0)).await;
        let mcp = mcp_sessions::Column::ExpiresAt;
        assert_no_scan(&expired(mcp_sessions::Entity, mcp, 0)).await;
        let pending = pending_logins::Column::ExpiresAt;
        assert_no_scan(&expired(pending_logins::Entity, pending, 0)).await;
        assert_no_scan(&expired(codes::Entity, codes::Column::ExpiresAt, 0)).await;
        let tokens = refresh_tokens::Column::ExpiresAt;
        assert_no_scan(&expired(refresh_tokens::Entity, tokens, 0)).await;
        let revoked = revoked_tokens::Column::ExpiresAt;
        assert_no_scan(&expired(revoked_tokens::Entity, revoked, 0)).await;
        let spent = spent_token_ids::Column::Until;
        assert_no_scan(&expired(spent_token_ids::Entity, spent, 0)).await;
        assert_no_scan(&bare_grants(0)).await;
        let epoch = Timestamp::from_unix(0);
        let unused = UnusedClients { never_since: epoch, last_before: epoch };
        assert_no_scan(&unused_clients(unused)).await;
    }
}
