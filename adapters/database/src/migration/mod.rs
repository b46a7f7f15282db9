//! The history of the schema. A migration that was released is never edited.

mod columns;
mod m20261123_000001_first_schema;
mod m20261126_000002_pending_logins;
mod m20261126_000003_provider_tokens;
mod m20261126_000004_mcp_sessions;

use sea_orm_migration::{MigrationTrait, MigratorTrait};

pub(crate) struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000001_first_schema::Migration),
            Box::new(m20261126_000002_pending_logins::Migration),
            Box::new(m20261126_000003_provider_tokens::Migration),
            Box::new(m20261126_000004_mcp_sessions::Migration),
        ]
    }
}
