use async_trait::async_trait;
use mcp_oauth_core::domain::grant::{CodeRecord, Grant, GrantId};
use mcp_oauth_core::domain::refresh::RefreshRecord;
use mcp_oauth_core::domain::secret::{CodeHash, RefreshTokenHash};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{GrantStore, RedeemError, RotateError, StoreUnavailable};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, SelectTwo,
    UpdateMany,
};

use crate::Database;
use crate::entity::{codes, grants, refresh_tokens};
use crate::open::Write;

#[async_trait]
impl GrantStore for Database {
    async fn begin(&self, grant: &Grant, code: &CodeRecord) -> Result<(), StoreUnavailable> {
        let grant = grants::Model::try_from(grant).map_err(StoreUnavailable::new)?;
        let code = codes::Model::from(code);
        let write = self.write().await?;
        let insert = grants::Entity::insert(grant.into_active_model());
        insert.exec_without_returning(&write).await.map_err(StoreUnavailable::new)?;
        let insert = codes::Entity::insert(code.into_active_model());
        insert.exec_without_returning(&write).await.map_err(StoreUnavailable::new)?;
        write.commit().await.map_err(StoreUnavailable::new)
    }

    async fn find_code(
        &self,
        code: &CodeHash,
    ) -> Result<Option<(CodeRecord, Grant)>, StoreUnavailable> {
        code_and_grant(&self.reader, code).await
    }

    async fn redeem_code_once(
        &self,
        code: &CodeHash,
        at: Timestamp,
        refresh: Option<RefreshRecord>,
    ) -> Result<(), RedeemError> {
        let write = self.write().await?;
        let redeemed = redemption(code, at).exec(&write).await.map_err(StoreUnavailable::new)?;
        if redeemed.rows_affected == 0 {
            return Err(why_not_redeemed(&write, code).await?);
        }
        if let Some(refresh) = &refresh {
            store_refresh(&write, refresh).await.map_err(StoreUnavailable::new)?;
        }
        write.commit().await.map_err(StoreUnavailable::new)?;
        Ok(())
    }

    async fn find_refresh(
        &self,
        token: &RefreshTokenHash,
    ) -> Result<Option<(RefreshRecord, Grant)>, StoreUnavailable> {
        refresh_and_grant(&self.reader, token).await
    }

    async fn rotate_if_current(
        &self,
        token: &RefreshTokenHash,
        at: Timestamp,
        successor: &RefreshRecord,
    ) -> Result<(), RotateError> {
        let write = self.write().await?;
        let rotated = rotation(token, at).exec(&write).await.map_err(StoreUnavailable::new)?;
        if rotated.rows_affected == 0 {
            return Err(why_not_rotated(&write, token).await?);
        }
        store_refresh(&write, successor).await.map_err(StoreUnavailable::new)?;
        write.commit().await.map_err(StoreUnavailable::new)?;
        Ok(())
    }

    async fn count_grace_use(
        &self,
        token: &RefreshTokenHash,
        successor: &RefreshTokenHash,
        most: u32,
    ) -> Result<bool, StoreUnavailable> {
        let counted = grace_use(token, successor, most).exec(&self.writer).await;
        Ok(counted.map_err(StoreUnavailable::new)?.rows_affected > 0)
    }

    async fn revoke(&self, grant: &GrantId, at: Timestamp) -> Result<(), StoreUnavailable> {
        revocation(grant, at).exec(&self.writer).await.map_err(StoreUnavailable::new)?;
        Ok(())
    }
}

fn redemption(code: &CodeHash, at: Timestamp) -> UpdateMany<codes::Entity> {
    codes::Entity::update_many()
        .col_expr(codes::Column::RedeemedAt, Expr::value(at.as_unix()))
        .filter(codes::Column::Hash.eq(code.as_str()))
        .filter(codes::Column::RedeemedAt.is_null())
        .filter(grant_is_alive(codes::Entity, codes::Column::GrantId))
}

fn rotation(token: &RefreshTokenHash, at: Timestamp) -> UpdateMany<refresh_tokens::Entity> {
    refresh_tokens::Entity::update_many()
        .col_expr(refresh_tokens::Column::RotatedAt, Expr::value(at.as_unix()))
        .filter(refresh_tokens::Column::Hash.eq(token.as_str()))
        .filter(refresh_tokens::Column::RotatedAt.is_null())
        .filter(grant_is_alive(refresh_tokens::Entity, refresh_tokens::Column::GrantId))
}

fn grace_use(
    token: &RefreshTokenHash,
    successor: &RefreshTokenHash,
    most: u32,
) -> UpdateMany<refresh_tokens::Entity> {
    let one_more = Expr::col(refresh_tokens::Column::GraceUses).add(1_i64);
    refresh_tokens::Entity::update_many()
        .col_expr(refresh_tokens::Column::GraceUses, one_more)
        .filter(refresh_tokens::Column::Hash.eq(token.as_str()))
        .filter(refresh_tokens::Column::RotatedAt.is_not_null())
        .filter(refresh_tokens::Column::GraceUses.lt(i64::from(most)))
        .filter(is_current_in_same_family(successor))
        .filter(grant_is_alive(refresh_tokens::Entity, refresh_tokens::Column::GrantId))
}

fn revocation(grant: &GrantId, at: Timestamp) -> UpdateMany<grants::Entity> {
    grants::Entity::update_many()
        .col_expr(grants::Column::RevokedAt, Expr::value(at.as_unix()))
        .filter(grants::Column::Id.eq(grant.as_str()))
        .filter(grants::Column::RevokedAt.is_null())
}

/// That the grant of the row at hand is not revoked.
pub(crate) fn grant_is_alive<T: EntityTrait>(table: T, grant_id: T::Column) -> Expr {
    let alive = Query::select()
        .expr(Expr::value(1))
        .from(grants::Entity)
        .and_where(Expr::col((grants::Entity, grants::Column::Id)).eq(Expr::col((table, grant_id))))
        .and_where(Expr::col((grants::Entity, grants::Column::RevokedAt)).is_null())
        .take();
    Expr::exists(alive)
}

/// That `token` is the current one of the family of the row at hand.
fn is_current_in_same_family(token: &RefreshTokenHash) -> Expr {
    let current = Alias::new("current");
    let column = |column| Expr::col((current.clone(), column));
    let family = Expr::col((refresh_tokens::Entity, refresh_tokens::Column::GrantId));
    let found = Query::select()
        .expr(Expr::value(1))
        .from_as(refresh_tokens::Entity, current.clone())
        .and_where(column(refresh_tokens::Column::Hash).eq(token.as_str()))
        .and_where(column(refresh_tokens::Column::RotatedAt).is_null())
        .and_where(column(refresh_tokens::Column::GrantId).eq(family))
        .take();
    Expr::exists(found)
}

async fn store_refresh(write: &Write, token: &RefreshRecord) -> Result<u64, DbErr> {
    let row = refresh_tokens::Model::from(token);
    refresh_tokens::Entity::insert(row.into_active_model()).exec_without_returning(write).await
}

fn code_with_grant(code: &CodeHash) -> SelectTwo<codes::Entity, grants::Entity> {
    codes::Entity::find_by_id(code.as_str()).find_also_related(grants::Entity)
}

fn refresh_with_grant(
    token: &RefreshTokenHash,
) -> SelectTwo<refresh_tokens::Entity, grants::Entity> {
    refresh_tokens::Entity::find_by_id(token.as_str()).find_also_related(grants::Entity)
}

async fn code_and_grant(
    database: &impl ConnectionTrait,
    code: &CodeHash,
) -> Result<Option<(CodeRecord, Grant)>, StoreUnavailable> {
    let found = code_with_grant(code).one(database).await.map_err(StoreUnavailable::new)?;
    // A code without its grant is ruled out by the foreign key.
    let Some((code, Some(grant))) = found else { return Ok(None) };
    Ok(Some((code.try_into()?, grant.try_into()?)))
}

async fn refresh_and_grant(
    database: &impl ConnectionTrait,
    token: &RefreshTokenHash,
) -> Result<Option<(RefreshRecord, Grant)>, StoreUnavailable> {
    let found = refresh_with_grant(token).one(database).await.map_err(StoreUnavailable::new)?;
    // A token without its grant is ruled out by the foreign key.
    let Some((token, Some(grant))) = found else { return Ok(None) };
    Ok(Some((token.try_into()?, grant.try_into()?)))
}

async fn why_not_redeemed(write: &Write, code: &CodeHash) -> Result<RedeemError, StoreUnavailable> {
    Ok(match code_and_grant(write, code).await? {
        Some((_, grant)) if grant.revoked_at.is_none() => RedeemError::AlreadyRedeemed,
        _ => RedeemError::Gone,
    })
}

async fn why_not_rotated(
    write: &Write,
    token: &RefreshTokenHash,
) -> Result<RotateError, StoreUnavailable> {
    Ok(match refresh_and_grant(write, token).await? {
        Some((_, grant)) if grant.revoked_at.is_none() => RotateError::NotCurrent,
        _ => RotateError::Gone,
    })
}

#[cfg(test)]
mod tests {
    use mcp_oauth_core::domain::secret::{AuthorizationCode, RefreshToken};

    use super::*;
    use crate::query_plan::assert_no_scan;

    #[tokio::test]
    async fn no_exchange_reads_a_table_in_full() {
        let code = AuthorizationCode::presented("code").hash();
        let token = RefreshToken::presented("token").hash();
        let now = Timestamp::from_unix(0);
        assert_no_scan(&code_with_grant(&code)).await;
        assert_no_scan(&refresh_with_grant(&token)).await;
        assert_no_scan(&redemption(&code, now)).await;
        assert_no_scan(&rotation(&token, now)).await;
        assert_no_scan(&grace_use(&token, &token, 1)).await;
        assert_no_scan(&revocation(&GrantId::new("grant"), now)).await;
    }
}
