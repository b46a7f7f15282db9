//! Times are seconds since 1970; hashes and ids are the text forms of the domain.
//!
//! Indexes beside the primary keys: `grant_id` for the foreign key and for the family of a grant,
//! `expires_at` and `granted_at` for housekeeping.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, blob, text, text_null};
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let key = key_of(manager.get_database_backend());
        for table in [
            clients(key),
            grants(key),
            codes(key),
            refresh_tokens(key),
            login_sessions(key),
            signing_keys(key),
        ] {
            manager.create_table(table).await?;
        }
        for index in [
            index("grants", "granted_at"),
            index("codes", "grant_id"),
            index("codes", "expires_at"),
            index("refresh_tokens", "grant_id"),
            index("refresh_tokens", "expires_at"),
            index("login_sessions", "expires_at"),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

/// Makes a column that rows are found by.
type Key = fn(&'static str) -> ColumnDef;

/// SQLite compares texts byte by byte. PostgreSQL orders them by the rules of a language, and when
/// an update of the system changes those, the indexes in the old order no longer find every row.
fn key_of(backend: DbBackend) -> Key {
    match backend {
        DbBackend::Postgres => |column| text(column).extra(r#"COLLATE "C""#).take(),
        _ => text,
    }
}

/// A grant outlives the registration of its client, so `grants.client_id` is no foreign key.
fn clients(key: Key) -> TableCreateStatement {
    Table::create()
        .table("clients")
        .col(key("id").primary_key())
        .col(text("token_endpoint_auth_method"))
        .col(text_null("secret_hash"))
        .col(text("metadata"))
        .col(big_integer("registered_at"))
        .col(big_integer_null("last_used_at"))
        .take()
}

fn grants(key: Key) -> TableCreateStatement {
    Table::create()
        .table("grants")
        .col(key("id").primary_key())
        .col(key("client_id"))
        .col(text("person"))
        .col(text("resource"))
        .col(text("scope"))
        .col(big_integer("granted_at"))
        .col(big_integer_null("revoked_at"))
        .take()
}

fn codes(key: Key) -> TableCreateStatement {
    Table::create()
        .table("codes")
        .col(key("hash").primary_key())
        .col(key("grant_id"))
        .col(text("redirect_uri"))
        .col(text("code_challenge"))
        .col(big_integer("issued_at"))
        .col(big_integer("expires_at"))
        .col(big_integer_null("redeemed_at"))
        .foreign_key(&mut of_a_grant("codes"))
        .take()
}

fn refresh_tokens(key: Key) -> TableCreateStatement {
    Table::create()
        .table("refresh_tokens")
        .col(key("hash").primary_key())
        .col(key("grant_id"))
        .col(blob("salt"))
        .col(big_integer("issued_at"))
        .col(big_integer("expires_at"))
        .col(big_integer_null("rotated_at"))
        .col(big_integer("grace_uses"))
        .foreign_key(&mut of_a_grant("refresh_tokens"))
        .take()
}

fn login_sessions(key: Key) -> TableCreateStatement {
    Table::create()
        .table("login_sessions")
        .col(key("hash").primary_key())
        .col(text("person"))
        .col(big_integer("logged_in_at"))
        .col(big_integer("expires_at"))
        .take()
}

/// The first key is of generation 1: of concurrent attempts to be the first, the primary key lets
/// one through, also where writers don't queue.
fn signing_keys(key: Key) -> TableCreateStatement {
    Table::create()
        .table("signing_keys")
        .col(big_integer("generation").primary_key())
        .col(key("key_id").unique_key())
        .col(blob("pkcs8"))
        .col(big_integer("created_at"))
        .take()
}

fn of_a_grant(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().from(table, "grant_id").to("grants", "id").take()
}

fn index(table: &'static str, column: &'static str) -> IndexCreateStatement {
    Index::create().name(format!("{table}_{column}")).table(table).col(column).take()
}
