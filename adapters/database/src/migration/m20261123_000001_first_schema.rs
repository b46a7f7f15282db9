//! Times are seconds since 1970; hashes and ids are the text forms of the domain.
//!
//! Indexes beside the primary keys: `grant_id` for the foreign key and for the family of a grant,
//! `client_id` and `subject` to end all grants of a client or a person, `expires_at` and
//! `granted_at` for housekeeping, `origin` to count and to forget the clients that registered
//! themselves.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, blob, boolean, text_null,
};

use super::columns::{Text, index, text_of};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let text = text_of(manager.get_database_backend());
        for table in [
            clients(text),
            grants(text),
            codes(text),
            refresh_tokens(text),
            revoked_tokens(text),
            consents(text),
            login_sessions(text),
            spent_token_ids(text),
            signing_keys(text),
            audit_entries(text),
        ] {
            manager.create_table(table).await?;
        }
        for index in [
            index("clients", "origin"),
            index("grants", "granted_at"),
            index("grants", "client_id"),
            index("grants", "subject"),
            index("codes", "grant_id"),
            index("codes", "expires_at"),
            index("refresh_tokens", "grant_id"),
            index("refresh_tokens", "expires_at"),
            index("revoked_tokens", "expires_at"),
            index("consents", "client_id"),
            index("consents", "expires_at"),
            index("login_sessions", "expires_at"),
            index("audit_entries", "made_at"),
            index("spent_token_ids", "until"),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

/// A grant outlives the registration of its client, so `grants.client_id` is no foreign key.
fn clients(text: Text) -> TableCreateStatement {
    Table::create()
        .table("clients")
        .col(text("id").primary_key())
        .col(text("origin"))
        .col(text("token_endpoint_auth_method"))
        .col(text_null("secret_hash"))
        .col(text_null("keys"))
        .col(text("metadata"))
        .col(text_null("registration_token_hash"))
        .col(boolean("may_introspect"))
        .col(big_integer("registered_at"))
        .col(big_integer_null("last_used_at"))
        .take()
}

fn grants(text: Text) -> TableCreateStatement {
    Table::create()
        .table("grants")
        .col(text("id").primary_key())
        .col(text("client_id"))
        .col(text("subject"))
        .col(text("person"))
        .col(text("resource"))
        .col(text("scope"))
        .col(big_integer("granted_at"))
        .col(big_integer_null("revoked_at"))
        .take()
}

fn codes(text: Text) -> TableCreateStatement {
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

fn refresh_tokens(text: Text) -> TableCreateStatement {
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

fn revoked_tokens(text: Text) -> TableCreateStatement {
    Table::create()
        .table("revoked_tokens")
        .col(text("token_id").primary_key())
        .col(big_integer("expires_at"))
        .take()
}

fn consents(text: Text) -> TableCreateStatement {
    Table::create()
        .table("consents")
        .col(text("subject"))
        .col(text("client_id"))
        .col(text("redirect_uri"))
        .col(text("scope"))
        .col(text("client_digest"))
        .col(big_integer("expires_at"))
        .primary_key(Index::create().col("subject").col("client_id").col("redirect_uri"))
        .take()
}

fn login_sessions(text: Text) -> TableCreateStatement {
    Table::create()
        .table("login_sessions")
        .col(text("hash").primary_key())
        .col(text("person"))
        .col(big_integer("logged_in_at"))
        .col(big_integer("expires_at"))
        .take()
}

/// The first key is of generation 1, its successor of generation 2: of concurrent attempts to be the
/// next, the primary key lets one through, also where writers don't queue.
fn signing_keys(text: Text) -> TableCreateStatement {
    Table::create()
        .table("signing_keys")
        .col(big_integer("generation").primary_key())
        .col(text("key_id").unique_key())
        .col(blob("private_key"))
        .col(big_integer("created_at"))
        .take()
}

/// Without foreign keys: what was decided stays when what it was about is gone.
fn audit_entries(text: Text) -> TableCreateStatement {
    Table::create()
        .table("audit_entries")
        .col(big_pk_auto("number"))
        .col(big_integer("made_at"))
        .col(text("decision"))
        .col(text_null("code"))
        .col(text_null("reason"))
        .col(text_null("client_id"))
        .col(text_null("subject"))
        .col(text_null("grant_id"))
        .col(text_null("token"))
        .col(text_null("request"))
        .col(text_null("address"))
        .take()
}

fn spent_token_ids(text: Text) -> TableCreateStatement {
    Table::create()
        .table("spent_token_ids")
        .col(text("hash").primary_key())
        .col(big_integer("until"))
        .take()
}

fn of_a_grant(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().from(table, "grant_id").to("grants", "id").take()
}
