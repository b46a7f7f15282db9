//! What the tables of every migration are made of.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::text;
use sea_orm_migration::sea_orm::DbBackend;

/// Makes a column for texts that are there.
pub(super) type Text = fn(&'static str) -> ColumnDef;

/// SQLite compares texts byte by byte. PostgreSQL orders them by the rules of a language, and when
/// an update of the system changes those, the indexes in the old order no longer find every row.
pub(super) fn text_of(backend: DbBackend) -> Text {
    match backend {
        DbBackend::Postgres => |column| text(column).extra(r#"COLLATE "C""#).take(),
        _ => text,
    }
}

/// An index of one column.
pub(super) fn index(table: &'static str, column: &'static str) -> IndexCreateStatement {
    Index::create().name(format!("{table}_{column}")).table(table).col(column).take()
}
