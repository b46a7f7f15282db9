//! Logins at a provider, from a person's consent to their return. The index is for housekeeping.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::big_integer;

use super::columns::{index, text_of};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let text = text_of(manager.get_database_backend());
        let table = Table::create()
            .table("pending_logins")
            .col(text("state").primary_key())
            .col(text("cookie"))
            .col(text("provider"))
            .col(text("query"))
            .col(text("client_digest"))
            .col(big_integer("expires_at"))
            .take();
        manager.create_table(table).await?;
        manager.create_index(index("pending_logins", "expires_at")).await
    }
}
