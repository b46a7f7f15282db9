use async_trait::async_trait;
use mcp_oauth_core::domain::spent_id::SpentId;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{SpentTokenIds, StoreUnavailable};
use sea_orm::{EntityTrait, IntoActiveModel, TryInsertResult};

use crate::Database;
use crate::entity::spent_token_ids::{Entity, Model};

#[async_trait]
impl SpentTokenIds for Database {
    async fn record_once(&self, id: &SpentId, until: Timestamp) -> Result<bool, StoreUnavailable> {
        let row = Model { hash: id.as_str().to_owned(), until: until.as_unix() };
        let insert = Entity::insert(row.into_active_model()).on_conflict_do_nothing();
        let inserted = insert.exec_without_returning(&self.writer).await;
        Ok(matches!(inserted.map_err(StoreUnavailable::new)?, TryInsertResult::Inserted(1..)))
    }

    async fn contains(&self, id: &SpentId) -> Result<bool, StoreUnavailable> {
        let row = Entity::find_by_id(id.as_str()).one(&self.reader).await;
        Ok(row.map_err(StoreUnavailable::new)?.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query_plan::assert_no_scan;

    #[tokio::test]
    async fn no_lookup_of_a_spent_id_reads_the_table_in_full() {
        assert_no_scan(&Entity::find_by_id("hash")).await;
    }
}
