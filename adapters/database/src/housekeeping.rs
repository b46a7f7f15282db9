use async_trait::async_trait;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{Housekeeping, StoreUnavailable};
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbErr, DeleteMany, EntityTrait, Iterable, PrimaryKeyToColumn,
    QueryFilter,
};

use crate::Database;
use crate::entity::{codes, grants, login_sessions, refresh_tokens};

#[async_trait]
impl Housekeeping for Database {
    async fn forget_expired(&self, before: Timestamp) -> Result<u64, StoreUnavailable> {
        let write = self.write().await?;
        let gone = delete_expired(&write, before.as_unix()).await.map_err(StoreUnavailable::new)?;
        write.commit().await.map_err(StoreUnavailable::new)?;
        Ok(gone)
    }
}

async fn delete_expired(write: &DatabaseTransaction, before: i64) -> Result<u64, DbErr> {
    let deleted = [
        expired(login_sessions::Entity, login_sessions::Column::ExpiresAt, before)
            .exec(write)
            .await?,
        expired(codes::Entity, codes::Column::ExpiresAt, before).exec(write).await?,
        expired(refresh_tokens::Entity, refresh_tokens::Column::ExpiresAt, before)
            .exec(write)
            .await?,
        // Last, since the others are what keeps a grant.
        bare_grants(before).exec(write).await?,
    ];
    Ok(deleted.iter().map(|deleted| deleted.rows_affected).sum())
}

fn expired<T: EntityTrait>(table: T, expires_at: T::Column, before: i64) -> DeleteMany<T> {
    let expired = Query::select().from(table).and_where(expires_at.lt(before)).take();
    unless_in_use(expired)
}

fn bare_grants(before: i64) -> DeleteMany<grants::Entity> {
    let no = |children| Expr::not_exists(children);
    let bare = Query::select()
        .from(grants::Entity)
        .and_where(grants::Column::GrantedAt.lt(before))
        .and_where(no(children(codes::Entity, codes::Column::GrantId)))
        .and_where(no(children(refresh_tokens::Entity, refresh_tokens::Column::GrantId)))
        .take();
    unless_in_use(bare)
}

/// Deletes the rows of `meant` that no other transaction holds. PostgreSQL would wait for those
/// otherwise: two runs for each other's, in whichever order they come upon them, and so does an
/// exchange that holds a code while its token is stored. What is held now is left for the next
/// run; and a code that is held keeps its grant, so no token is stored for a grant that goes.
fn unless_in_use<T: EntityTrait>(mut meant: SelectStatement) -> DeleteMany<T> {
    for key in T::PrimaryKey::iter() {
        meant.column(key.into_column());
    }
    meant.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    let key = T::PrimaryKey::iter().map(|key| Expr::col(key.into_column()));
    T::delete_many().filter(Expr::tuple(key).in_subquery(meant))
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
        assert_no_scan(&expired(codes::Entity, codes::Column::ExpiresAt, 0)).await;
        let tokens = refresh_tokens::Column::ExpiresAt;
        assert_no_scan(&expired(refresh_tokens::Entity, tokens, 0)).await;
        assert_no_scan(&bare_grants(0)).await;
    }
}
