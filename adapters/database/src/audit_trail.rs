use async_trait::async_trait;
use mcp_oauth_core::domain::audit_trail::{AuditEntry, AuditQuery};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{AuditTrail, StoreUnavailable};
use sea_orm::{
    ColumnTrait, Condition, DeleteMany, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use crate::Database;
use crate::entity::audit_entries::{ActiveModel, Column, Entity};
use crate::turn::Turn;

#[async_trait]
impl AuditTrail for Database {
    async fn append(&self, entries: &[AuditEntry]) -> Result<(), StoreUnavailable> {
        if entries.is_empty() {
            return Ok(());
        }
        let write = self.write_in_turn(Turn::AuditNumbers).await?;
        let insert = Entity::insert_many(entries.iter().map(ActiveModel::from));
        insert.exec_without_returning(&write).await.map_err(StoreUnavailable::new)?;
        write.commit().await.map_err(StoreUnavailable::new)
    }

    async fn read(
        &self,
        query: &AuditQuery,
        most: u32,
    ) -> Result<Vec<(i64, AuditEntry)>, StoreUnavailable> {
        let rows = newest(query, most).all(&self.reader).await.map_err(StoreUnavailable::new)?;
        Ok(rows.into_iter().rev().map(<(i64, AuditEntry)>::from).collect())
    }

    async fn forget_entries(&self, before: Timestamp, most: u32) -> Result<u64, StoreUnavailable> {
        let write = self.write_in_turn(Turn::Housekeeping).await?;
        let newest = Entity::find().select_only().column(Column::Number);
        let newest = newest.order_by_desc(Column::Number).into_tuple::<i64>().one(&write);
        let newest = newest.await.map_err(StoreUnavailable::new)?.unwrap_or_default();
        let surplus = newest.saturating_sub(i64::from(most));
        let gone = old(before, surplus).exec(&write).await.map_err(StoreUnavailable::new)?;
        write.commit().await.map_err(StoreUnavailable::new)?;
        Ok(gone.rows_affected)
    }
}

fn old(before: Timestamp, surplus: i64) -> DeleteMany<Entity> {
    let too_old = Column::MadeAt.lt(before.as_unix());
    let too_many = Column::Number.lte(surplus);
    Entity::delete_many().filter(Condition::any().add(too_old).add(too_many))
}

fn newest(query: &AuditQuery, most: u32) -> Select<Entity> {
    let client = query.client.as_ref().map(|client| Column::ClientId.eq(client.as_str()));
    let subject = query.subject.as_ref().map(|subject| Column::Subject.eq(subject.as_str()));
    let grant = query.grant.as_ref().map(|grant| Column::GrantId.eq(grant.as_str()));
    let request = query.request.as_ref().map(|request| Column::Request.eq(request.as_str()));
    let decision = query.decision.as_ref().map(|decision| Column::Decision.eq(decision.as_str()));
    let since = query.since.map(|since| Column::MadeAt.gte(since.as_unix()));
    let after = query.after.map(|number| Column::Number.gt(number));
    let about = Condition::all().add_option(client).add_option(subject).add_option(grant);
    let made = about.add_option(request).add_option(decision).add_option(since);
    Entity::find()
        .filter(made.add_option(after))
        .order_by_desc(Column::Number)
        .limit(u64::from(most))
}
