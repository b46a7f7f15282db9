//! How SQLite would execute a statement, for tests.

use sea_orm::{ConnectionTrait, DbBackend, QueryTrait};
use tempfile::TempDir;

use crate::Database;

/// Fails when the statement would read a table from end to end.
pub(crate) async fn assert_no_scan(statement: &impl QueryTrait) {
    let directory = TempDir::new().unwrap();
    let database = Database::open_sqlite(&directory.path().join("test.db")).await.unwrap();
    let mut explained = statement.build(DbBackend::Sqlite);
    explained.sql.insert_str(0, "EXPLAIN QUERY PLAN ");
    let steps = database.writer.query_all_raw(explained).await.unwrap();
    let steps: Vec<String> = steps.iter().map(|step| step.try_get("", "detail").unwrap()).collect();
    assert!(steps.iter().any(|step| step.starts_with("SEARCH")), "{steps:?}");
    assert!(!steps.iter().any(|step| step.starts_with("SCAN")), "{steps:?}");
}
