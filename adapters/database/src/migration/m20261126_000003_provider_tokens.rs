//! Tokens of providers, sealed. They go with their grant; to find those of a revoked one, housekeeping
//! looks at all there are, which are no more than there are grants whose tokens are kept.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer_null, blob};

use super::columns::text_of;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let text = text_of(manager.get_database_backend());
        let mut of_a_grant = ForeignKey::create()
            .from("provider_tokens", "grant_id")
            .to("grants", "id")
            .on_delete(ForeignKeyAction::Cascade)
            .take();
        let table = Table::create()
            .table("provider_tokens")
            .col(text("grant_id").primary_key())
            .col(text("provider"))
            .col(blob("sealed"))
            .col(big_integer_null("access_expires_at"))
            .foreign_key(&mut of_a_grant)
            .take();
        manager.create_table(table).await
    }
}
