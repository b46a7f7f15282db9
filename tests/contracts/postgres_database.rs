//! What only a store with a server can promise: processes share it, what is acknowledged survives
//! them, and a database that can't be used is refused with a reason.

use mcp_oauth_core::port::{GrantStore, Housekeeping, KeyStore};
use mcp_oauth_database::{OpenError, Opened};
use sqlx::{Executor, Row};

use crate::everything::{contents, fill};
use crate::postgres_schema::PostgresSchema;
use crate::samples::{at, begun, code_hash, key, refresh, rotated};
use crate::stores::race;

#[tokio::test]
async fn rg_10_everything_survives_closing_and_opening_again() {
    let Some(schema) = PostgresSchema::new().await else { return };
    let store = schema.open().await;
    fill(&store).await;
    let before = contents(&store).await;
    store.close().await.unwrap();
    let store = schema.open().await;
    assert_eq!(store.opened(), Opened { created: false, migrations_applied: 0 });
    assert_eq!(contents(&store).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_processes_that_start_at_once_one_migrates() {
    let Some(schema) = PostgresSchema::new().await else { return };
    let (a, b, c, d) = tokio::join!(schema.open(), schema.open(), schema.open(), schema.open());
    let opened = [a.opened(), b.opened(), c.opened(), d.opened()];
    assert_eq!(opened.iter().filter(|opened| opened.created).count(), 1);
    assert_eq!(opened.iter().map(|opened| opened.migrations_applied).sum::<usize>(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_share_a_database_agree() {
    let Some(schema) = PostgresSchema::new().await else { return };
    let stores = [schema.open().await, schema.open().await, schema.open().await];
    let kept = race(|number| {
        let store = stores[number % stores.len()].clone();
        let id = number.to_string();
        async move {
            rotated(&store, &id, &format!("{id} rotated")).await;
            store.keep_first(key(&id)).await.unwrap().key_id
        }
    })
    .await;
    assert!(kept.iter().all(|id| *id == kept[0]), "{kept:?}");
}

#[tokio::test]
async fn a_newer_schema_is_refused_by_name() {
    let Some(schema) = PostgresSchema::new().await else { return };
    schema.open().await.close().await.unwrap();
    let future = "INSERT INTO seaql_migrations VALUES ('m29991231_000001_flying_cars', 0)";
    schema.session().await.execute(future).await.unwrap();
    let error = schema.try_open("").await.err().expect("it is newer");
    assert!(matches!(error, OpenError::NewerSchema { .. }), "{error:?}");
    assert!(error.to_string().contains("m29991231_000001_flying_cars"), "{error}");
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing() {
    let Some(schema) = PostgresSchema::new().await else { return };
    let mut session = schema.session().await;
    session.execute("CREATE TABLE signing_keys (of text)").await.unwrap();
    let error = schema.try_open("").await.err().expect("a table is in the way");
    assert!(matches!(error, OpenError::UnusableServer { .. }), "{error:?}");
    assert!(error.to_string().contains("signing_keys"), "{error}");
    let tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()";
    let tables = session.fetch_all(tables).await.unwrap();
    let tables: Vec<String> = tables.iter().map(|row| row.get(0)).collect();
    assert_eq!(tables, ["signing_keys"]);
}

/// Whoever migrates may be another role than whoever serves.
#[tokio::test]
async fn a_schema_that_is_up_to_date_is_opened_without_changing_it() {
    let Some(schema) = PostgresSchema::new().await else { return };
    let read_only = " -c default_transaction_read_only=on";
    let error = schema.try_open(read_only).await.err().expect("there are no tables");
    assert!(matches!(error, OpenError::UnusableServer { .. }), "{error:?}");
    assert!(error.to_string().contains("read-only"), "{error}");
    schema.open().await;
    schema.try_open(read_only).await.unwrap();
}

#[tokio::test]
async fn housekeeping_leaves_what_an_exchange_holds_for_the_next_run() {
    let Some(schema) = PostgresSchema::new().await else { return };
    let store = schema.open().await;
    begun(&store, "idle").await;
    begun(&store, "busy").await;
    let mut exchange = schema.session().await;
    let hold = sqlx::query("SELECT FROM codes WHERE hash = $1 FOR UPDATE");
    exchange.execute("BEGIN").await.unwrap();
    exchange.execute(hold.bind(code_hash("busy").as_str().to_owned())).await.unwrap();
    assert_eq!(store.forget_expired(at(100)).await.unwrap(), 2, "the idle code and its grant");
    exchange.execute("ROLLBACK").await.unwrap();
    let token = refresh("r", "busy");
    store.redeem_code_once(&code_hash("busy"), at(1), Some(token)).await.unwrap();
    assert_eq!(store.forget_expired(at(2000)).await.unwrap(), 3, "code, token, grant");
}

/// Columns that rows are found by, and what language's rules order them: an update of the system
/// may change any but "C".
#[tokio::test]
async fn every_index_is_in_the_order_of_bytes() {
    let Some(schema) = PostgresSchema::new().await else { return };
    schema.open().await;
    let indexed = "SELECT a.attrelid::regclass::text, a.attname::text, c.collname::text \
        FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid \
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY(i.indkey) \
        JOIN pg_collation c ON c.oid = a.attcollation \
        WHERE t.relnamespace = current_schema()::regnamespace AND t.relname <> 'seaql_migrations'";
    let rows = schema.session().await.fetch_all(indexed).await.unwrap();
    assert!(rows.len() >= 8, "{}", rows.len());
    for row in rows {
        let [table, column, collation] = [0, 1, 2].map(|index| row.get::<String, _>(index));
        assert_eq!(collation, "C", "{table}.{column}");
    }
}
