//! How the databases would execute a statement, for tests.

use sea_orm::{ConnectionTrait, DbBackend, QueryTrait};
use sqlx::{AssertSqlSafe, Executor, Row};
use tempfile::TempDir;

use crate::Database;
use crate::postgres_schema::PostgresSchema;

/// Fails when the statement would read a table from end to end, on SQLite, and on PostgreSQL where
/// there is one to ask.
pub(crate) async fn assert_no_scan(statement: &impl QueryTrait) {
    assert_no_scan_on_sqlite(statement).await;
    if let Some(schema) = PostgresSchema::new().await {
        assert_no_scan_on_postgres(statement, &schema).await;
    }
}

async fn assert_no_scan_on_sqlite(statement: &impl QueryTrait) {
    let directory = TempDir::new().unwrap();
    let database = Database::open_sqlite(&directory.path().join("test.db")).await.unwrap();
    let mut explained = statement.build(DbBackend::Sqlite);
    explained.sql.insert_str(0, "EXPLAIN QUERY PLAN ");
    let steps = database.writer.query_all_raw(explained).await.unwrap();
    let steps: Vec<String> = steps.iter().map(|step| step.try_get("", "detail").unwrap()).collect();
    assert!(steps.iter().any(|step| step.starts_with("SEARCH")), "{steps:?}");
    assert!(!steps.iter().any(|step| step.starts_with("SCAN")), "{steps:?}");
}

/// An empty table is scanned even where there is an index, unless that is made dear.
async fn assert_no_scan_on_postgres(statement: &impl QueryTrait, schema: &PostgresSchema) {
    schema.open().await.close().await.unwrap();
    let mut session = schema.session().await;
    session.execute("SET enable_seqscan = off").await.unwrap();
    let explained = format!("EXPLAIN {}", statement.build(DbBackend::Postgres));
    let steps = session.fetch_all(AssertSqlSafe(explained)).await.unwrap();
    let steps: Vec<String> = steps.iter().map(|step| step.get(0)).collect();
    assert!(steps.iter().any(|step| step.contains("Index Cond")), "{steps:#?}");
    assert!(!steps.iter().any(|step| step.contains("Seq Scan")), "{steps:#?}");
}
