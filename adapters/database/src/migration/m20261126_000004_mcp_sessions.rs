//! Sessions of MCP. One index counts and orders those of an owner, the other counts all that are open
//! and finds the expired for housekeeping.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, blob};

use super::columns::{index, text_of};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let text = text_of(manager.get_database_backend());
        let table = Table::create()
            .table("mcp_sessions")
            .col(text("id").primary_key())
            .col(text("owner"))
            .col(blob("setup"))
            .col(big_integer("opened_at"))
            .col(big_integer("last_used_at"))
            .col(big_integer("expires_at"))
            .take();
        manager.create_table(table).await?;
        manager.create_index(index("mcp_sessions", "owner")).await?;
        manager.create_index(index("mcp_sessions", "expires_at")).await
    }
}
