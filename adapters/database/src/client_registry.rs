use async_trait::async_trait;
use mcp_oauth_core::domain::client::{Client, ClientId, ClientOrigin};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{ClientRegistry, RegisterError, StoreUnavailable};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, Select, TryInsertResult, UpdateMany,
};

use crate::Database;
use crate::entity::clients::{ActiveModel, Column, Entity, Model};
use crate::turn::Turn;

#[async_trait]
impl ClientRegistry for Database {
    async fn register(&self, client: &Client, most: u32) -> Result<(), RegisterError> {
        let row = Model::try_from(client).map_err(StoreUnavailable::new)?;
        let write = match client.origin {
            // Those who add one count the others; that must not be at once.
            ClientOrigin::Registered => self.write_in_turn(Turn::Registration).await?,
            _ => self.write().await?,
        };
        let insert = Entity::insert(row.into_active_model()).on_conflict_do_nothing();
        let inserted = insert.exec_without_returning(&write).await;
        if !matches!(inserted.map_err(StoreUnavailable::new)?, TryInsertResult::Inserted(1..)) {
            return Err(RegisterError::Exists);
        }
        if client.origin == ClientOrigin::Registered {
            let registered =
                self_registered().count(&write).await.map_err(StoreUnavailable::new)?;
            if registered > u64::from(most) {
                return Err(RegisterError::Full);
            }
        }
        write.commit().await.map_err(StoreUnavailable::new)?;
        Ok(())
    }

    async fn find(&self, id: &ClientId) -> Result<Option<Client>, StoreUnavailable> {
        // Nobody has such an id, anybody can ask for it, and PostgreSQL would call it malformed.
        if id.as_str().contains('\0') {
            return Ok(None);
        }
        let row = Entity::find_by_id(id.as_str()).one(&self.reader).await;
        Ok(row.map_err(StoreUnavailable::new)?.map(Client::try_from).transpose()?)
    }

    async fn replace(&self, client: &Client) -> Result<bool, StoreUnavailable> {
        let row = Model::try_from(client).map_err(StoreUnavailable::new)?;
        let replaced = replacement(row).exec(&self.writer).await.map_err(StoreUnavailable::new)?;
        Ok(replaced.rows_affected > 0)
    }

    async fn touch(&self, id: &ClientId, used_at: Timestamp) -> Result<(), StoreUnavailable> {
        later_use(id, used_at).exec(&self.writer).await.map_err(StoreUnavailable::new)?;
        Ok(())
    }

    async fn delete(&self, id: &ClientId) -> Result<bool, StoreUnavailable> {
        let deleted = Entity::delete_by_id(id.as_str()).exec(&self.writer).await;
        Ok(deleted.map_err(StoreUnavailable::new)?.rows_affected > 0)
    }

    async fn list(&self) -> Result<Vec<Client>, StoreUnavailable> {
        let rows = Entity::find().all(&self.reader).await.map_err(StoreUnavailable::new)?;
        let mut clients = rows.into_iter().map(Client::try_from).collect::<Result<Vec<_>, _>>()?;
        // Not by the database, whose order of texts depends on its collation.
        clients.sort_by(|a, b| (a.registered_at, &a.id).cmp(&(b.registered_at, &b.id)));
        Ok(clients)
    }
}

fn self_registered() -> Select<Entity> {
    Entity::find().filter(Column::Origin.eq(ClientOrigin::Registered.as_str()))
}

fn replacement(row: Model) -> UpdateMany<Entity> {
    let id = row.id.clone();
    let columns: ActiveModel = row.into_active_model().reset_all();
    Entity::update_many().set(columns).filter(Column::Id.eq(id))
}

fn later_use(id: &ClientId, used_at: Timestamp) -> UpdateMany<Entity> {
    let used_at = used_at.as_unix();
    let earlier =
        Condition::any().add(Column::LastUsedAt.is_null()).add(Column::LastUsedAt.lt(used_at));
    Entity::update_many()
        .col_expr(Column::LastUsedAt, Expr::value(used_at))
        .filter(Column::Id.eq(id.as_str()))
        .filter(earlier)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query_plan::assert_no_scan;

    #[tokio::test]
    async fn no_lookup_of_a_client_reads_the_table_in_full() {
        assert_no_scan(&Entity::find_by_id("id")).await;
        assert_no_scan(&self_registered()).await;
        assert_no_scan(&later_use(&ClientId::new("id"), Timestamp::from_unix(0))).await;
    }
}
