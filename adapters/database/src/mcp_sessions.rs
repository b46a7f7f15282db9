use async_trait::async_trait;
use mcp_oauth_core::domain::mcp_session::{McpSession, SessionOwner, SessionSetup};
use mcp_oauth_core::domain::secret::McpSessionHash;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{
    McpSessions, OpenSessionError, SessionBounds, SessionUse, StoreUnavailable,
};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, DbErr, DeleteMany, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Select, UpdateMany,
};

use crate::Database;
use crate::entity::mcp_sessions::{Column, Entity, Model};
use crate::open::Write;
use crate::turn::Turn;

#[async_trait]
impl McpSessions for Database {
    async fn open_session(
        &self,
        session: &McpSession,
        bounds: SessionBounds,
    ) -> Result<Vec<McpSessionHash>, OpenSessionError> {
        // Those who add one count the others; that must not be at once.
        let write = self.write_in_turn(Turn::McpSessions).await?;
        let opened = open_within(&write, session, bounds).await.map_err(StoreUnavailable::new)?;
        let ended = opened.ok_or(OpenSessionError::Full)?;
        write.commit().await.map_err(StoreUnavailable::new)?;
        Ok(ended.into_iter().map(McpSessionHash::from_stored).collect())
    }

    async fn find_session(
        &self,
        id: &McpSessionHash,
        owner: &SessionOwner,
    ) -> Result<Option<McpSession>, StoreUnavailable> {
        let row = Entity::find().filter(owned(id, owner)).one(&self.reader).await;
        Ok(row.map_err(StoreUnavailable::new)?.map(McpSession::try_from).transpose()?)
    }

    async fn touch_session(
        &self,
        id: &McpSessionHash,
        owner: &SessionOwner,
        usage: SessionUse,
    ) -> Result<bool, StoreUnavailable> {
        let touched = touch(id, owner, usage).exec(&self.writer).await;
        if touched.map_err(StoreUnavailable::new)?.rows_affected > 0 {
            return Ok(true);
        }
        // Unless there was a later use, there is no such session.
        let found = self.find_session(id, owner).await?;
        Ok(found.is_some_and(|session| session.is_open(usage.used_at)))
    }

    async fn replace_setup_if_current(
        &self,
        id: &McpSessionHash,
        owner: &SessionOwner,
        current: &SessionSetup,
        next: &SessionSetup,
    ) -> Result<bool, StoreUnavailable> {
        let replacement = Entity::update_many()
            .col_expr(Column::Setup, Expr::value(next.as_bytes()))
            .filter(owned(id, owner))
            .filter(Column::Setup.eq(current.as_bytes()));
        let replaced = replacement.exec(&self.writer).await.map_err(StoreUnavailable::new)?;
        Ok(replaced.rows_affected > 0)
    }

    async fn end_session(
        &self,
        id: &McpSessionHash,
        owner: &SessionOwner,
    ) -> Result<bool, StoreUnavailable> {
        let gone = Entity::delete_many().filter(owned(id, owner)).exec(&self.writer).await;
        Ok(gone.map_err(StoreUnavailable::new)?.rows_affected > 0)
    }
}

/// Returns the ids of those that made room, or `None` when there is none.
async fn open_within(
    write: &Write,
    session: &McpSession,
    bounds: SessionBounds,
) -> Result<Option<Vec<String>>, DbErr> {
    let now = session.opened_at;
    let open = all_open(now).count(write).await?;
    let mut ended: Vec<String> = open_ones_of(&session.owner, now).into_tuple().all(write).await?;
    ended.truncate((ended.len() + 1).saturating_sub(bounds.per_owner));
    if open - (ended.len() as u64) >= bounds.total as u64 {
        return Ok(None);
    }
    useless(now, &ended).exec(write).await?;
    let insert = Entity::insert(Model::from(session).into_active_model());
    insert.exec_without_returning(write).await?;
    Ok(Some(ended))
}

fn owned(id: &McpSessionHash, owner: &SessionOwner) -> Condition {
    Condition::all().add(Column::Id.eq(id.as_str())).add(Column::Owner.eq(owner.as_str()))
}

/// Their ids.
fn all_open(now: Timestamp) -> Select<Entity> {
    Entity::find().select_only().column(Column::Id).filter(Column::ExpiresAt.gt(now.as_unix()))
}

/// The one first that has to go first.
fn open_ones_of(owner: &SessionOwner, now: Timestamp) -> Select<Entity> {
    all_open(now)
        .filter(Column::Owner.eq(owner.as_str()))
        .order_by_asc(Column::LastUsedAt)
        .order_by_asc(Column::OpenedAt)
}

/// Those that have expired, of whomever, and `ended`. So there are never many more than may be open.
fn useless(now: Timestamp, ended: &[String]) -> DeleteMany<Entity> {
    let useless = Condition::any()
        .add(Column::ExpiresAt.lte(now.as_unix()))
        .add(Column::Id.is_in(ended.iter().map(String::as_str)));
    Entity::delete_many().filter(useless)
}

fn touch(id: &McpSessionHash, owner: &SessionOwner, usage: SessionUse) -> UpdateMany<Entity> {
    let used_at = usage.used_at.as_unix();
    Entity::update_many()
        .col_expr(Column::LastUsedAt, Expr::value(used_at))
        .col_expr(Column::ExpiresAt, Expr::value(usage.expires_at.as_unix()))
        .filter(owned(id, owner))
        .filter(Column::LastUsedAt.lt(used_at))
        .filter(Column::ExpiresAt.gt(used_at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query_plan::assert_no_scan;

    #[tokio::test]
    async fn nothing_about_a_session_reads_the_table_in_full() {
        let (id, owner) = (McpSessionHash::from_stored("i"), SessionOwner::from_stored("o"));
        let now = Timestamp::from_unix(0);
        let usage = SessionUse { used_at: now, expires_at: now };
        assert_no_scan(&Entity::find().filter(owned(&id, &owner))).await;
        assert_no_scan(&touch(&id, &owner, usage)).await;
        assert_no_scan(&all_open(now)).await;
        assert_no_scan(&open_ones_of(&owner, now)).await;
        assert_no_scan(&useless(now, &["e".to_owned()])).await;
    }
}
