//! Times are seconds since 1970; hashes and ids are the text forms of the domain.
//!
//! Indexes beside the primary keys: `grant_id` for the foreign key and for the family of a grant,
//! `expires_at` and `granted_at` for housekeeping.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, blob, text, text_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            clients(),
            grants(),
            codes(),
            refresh_tokens(),
            login_sessions(),
            signing_keys(),
            spent_token_ids(),
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
            index("spent_token_ids", "until"),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

/// A grant outlives the registration of its client, so `grants.client_id` is no foreign key.
fn clients() -> TableCreateStatement {
    Table::create()
        .table("clients")
        .col(text("id").primary_key())
        .col(text("token_endpoint_auth_method"))
        .col(text_null("secret_hash"))
        .col(text_null("keys"))
        .col(text("metadata"))
        .col(big_integer("registered_at"))
        .col(big_integer_null("last_used_at"))
        .col(text("origin"))
        .take()
}

fn grants() -> TableCreateStatement {
    Table::create()
        .table("grants")
        .col(text("id").primary_key())
        .col(text("client_id"))
        .col(text("person"))
        .col(text("resource"))
        .col(text("scope"))
        .col(big_integer("granted_at"))
        .col(big_integer_null("revoked_at"))
        .take()
}

fn codes() -> TableCreateStatement {
    Table::create()
        .table("codes")
        .col(text("hash").primary_key())
        .col(text("grant_id"))
        .col(text("redirect_uri"))
        .col(text("code_challenge"))
        .col(big_integer("issued_at"))
        .col(big_integer("expires_at"))
        .col(big_integer_null("redeemed_at"))
        .foreign_key(&mut of_a_grant("codes"))
        .take()
}

fn refresh_tokens() -> TableCreateStatement {
    Table::create()
        .table("refresh_tokens")
        .col(text("hash").primary_key())
        .col(text("grant_id"))
        .col(blob("salt"))
        .col(big_integer("issued_at"))
        .col(big_integer("expires_at"))
        .col(big_integer_null("rotated_at"))
        .col(big_integer("grace_uses"))
        .foreign_key(&mut of_a_grant("refresh_tokens"))
        .take()
}

fn login_sessions() -> TableCreateStatement {
    Table::create()
        .table("login_sessions")
        .col(text("hash").primary_key())
        .col(text("person"))
        .col(big_integer("logged_in_at"))
        .col(big_integer("expires_at"))
        .take()
}

/// The first key is of generation 1: of concurrent attempts to be the first, the primary key lets
/// one through, also where writers don't queue.
fn signing_keys() -> TableCreateStatement {
    Table::create()
        .table("signing_keys")
        .col(big_integer("generation").primary_key())
        .col(text("key_id").unique_key())
        .col(blob("pkcs8"))
        .col(big_integer("created_at"))
        .take()
}

fn spent_token_ids() -> TableCreateStatement {
    Table::create()
        .table("spent_token_ids")
        .col(text("hash").primary_key())
        .col(big_integer("until"))
        .take()
}

fn of_a_grant(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().from(table, "grant_id").to("grants", "id").take()
}

fn index(table: &'static str, column: &'static str) -> IndexCreateStatement {
    Index::create().name(format!("{table}_{column}")).table(table).col(column).take()
}
